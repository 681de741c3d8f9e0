#include "tests/support/whole_site.hpp"

#include "runtime/embedded/private_config.hpp"
#include "storage/database.hpp"
#include "tests/support/postgres.hpp"

#include <stdexcept>

namespace holdfast::test {

namespace {

constexpr std::uint16_t site_shards = 4;

std::string migrated_database() {
  auto url = shared_postgres().create_database();
  const auto done = storage::migrate(
    url, {config::node_config{}.cluster_name, site_shards, {{0}, {site_shards - 1}}});
  if (!done)
    throw std::runtime_error("the database can't be migrated: " + done.error().detail);
  return url;
}

} // namespace

whole_site::whole_site(const std::function<void(config::node_config&)>& adjust)
  : database_(migrated_database()) {
  sandbox::sandbox_options options;
  options.listen = "127.0.0.1:0";
  options.state_dir = folder_.path() / "sandbox";
  sandbox_io_.run([&] {
    auto started = sandbox::sandbox_server::start(sandbox_io_.io(), options);
    if (started)
      sandbox_ = std::move(*started);
  });
  if (!sandbox_)
    throw std::runtime_error("the sandbox does not start");
  sandbox_url_ = sandbox_->url();

  auto config =
    embedded::private_config({"127.0.0.1:0", "127.0.0.1:0", sandbox_url_, database_});
  config.key_pepper = "a pepper of at least thirty-two bytes";
  config.shards = site_shards;
  config.databases = {{0, site_shards - 1, database_}};
  adjust(config);
  auto node = runtime::node::start(std::move(config));
  if (!node)
    throw std::runtime_error("the node does not start: " + node.error().detail);
  node_ = std::move(*node);
}

whole_site::~whole_site() {
  node_.reset();
  sandbox_io_.run([this] { sandbox_.reset(); });
}

} // namespace holdfast::test
