// The node's search for orphans: it walks each gateway's list of recent authorizations and what
// we hold there, and puts before a person what only one side knows.
#pragma once

#include "actors/environment.hpp"
#include "actors/orphans/lister.hpp"

#include <caf/fwd.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace holdfast::actors {

struct orphan_search_plan {
  environment_ptr env;
  struct seat {
    std::string gateway;
    std::shared_ptr<gateways::authorization_lister> wire;
  };
  std::vector<seat> gateways;
  milliseconds every{60'000};              ///< from the end of one search to the next
  milliseconds window{24LL * 3600 * 1000}; ///< how far back it looks
  /// Hands what was found to the owner of its shard, wherever that is. Any thread.
  std::function<void(shard_number, std::vector<new_exception>)> raise;
};

/// One in the cluster, kept alive by the supervisor of the node that holds its lease. It moves
/// no money and writes nothing itself: what it finds goes to the owner of the shard, which
/// raises it once. Nothing younger than the gateway's settle time is judged, on either side.
/// Handles: orphan_tick, authorizations_listed, listed_payments_loaded, held_payments_loaded.
[[nodiscard]] caf::actor spawn_orphan_search(caf::actor_system& system,
                                             orphan_search_plan plan);

} // namespace holdfast::actors
