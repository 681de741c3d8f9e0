// What this node does for another that asks: on its own shards alone. It hands nothing on, so a
// request crosses at most one link.
#pragma once

#include "actors/environment.hpp"
#include "actors/link/port.hpp"
#include "runtime/cluster/routing_table.hpp"
#include "runtime/node/cutoffs.hpp"

#include <functional>
#include <memory>

namespace holdfast::cluster {

struct peer_service_parts {
  actors::environment_ptr env;
  std::shared_ptr<routing_table> table;
  std::shared_ptr<runtime::cutoffs> cutoffs;
  /// Does to a breaker of this node what was done to another's.
  std::function<void(const std::string& from, const links::breaker_for_node&)> obey;
  std::function<void()> look_again; ///< at the leases
};

[[nodiscard]] links::peer_service make_peer_service(peer_service_parts parts);

} // namespace holdfast::cluster
