// The routing table in force: asked by every request that creates a payment, replaced by a
// reload without disturbing any.
#pragma once

#include "runtime/routes/table.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::api {

/// Thread-safe. Whoever has taken a version, or a route from it, is not touched by a reload:
/// payments keep the route that they were created with.
class routing {
public:
  struct version {
    routes::table table;
    std::uint64_t generation = 1; ///< 1 at the start, one more with each reload
    timestamp loaded_at;
    std::string file; ///< empty: none
  };

  /// `shut` is asked about gateways at each choice, on any thread, and must not block.
  explicit routing(std::vector<config::route_settings> rules, timestamp loaded_at = {},
                   std::string file = {}, routes::table::is_shut shut = {});

  [[nodiscard]] std::optional<route> resolve(const routes::question& about) const;

  [[nodiscard]] std::shared_ptr<const version> in_force() const;
  /// From the next choice on.
  void replace(std::vector<config::route_settings> rules, timestamp now);

private:
  routes::table::is_shut shut_;
  std::mutex replacing_; ///< generations are given one by one
  std::atomic<std::shared_ptr<const version>> in_force_;
};

} // namespace holdfast::api
