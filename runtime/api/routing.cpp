#include "runtime/api/routing.hpp"

namespace holdfast::api {

routing::routing(std::vector<config::route_settings> rules, timestamp loaded_at,
                 std::string file, routes::table::is_shut shut)
  : shut_(std::move(shut)),
    in_force_(std::make_shared<const version>(
      version{routes::table{std::move(rules)}, 1, loaded_at, std::move(file)})) {}

std::optional<route> routing::resolve(const routes::question& about) const {
  return in_force()->table.choose(about, shut_);
}

std::shared_ptr<const routing::version> routing::in_force() const {
  return in_force_.load();
}

void routing::replace(std::vector<config::route_settings> rules, timestamp now) {
  const std::lock_guard lock{replacing_};
  const auto before = in_force();
  in_force_.store(std::make_shared<const version>(
    version{routes::table{std::move(rules)}, before->generation + 1, now, before->file}));
}

} // namespace holdfast::api
