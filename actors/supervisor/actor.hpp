// The root of a node's actors: it starts gateways, acquirers and the shards that the node owns,
// and starts again what dies. Shards come back with a higher epoch, so that nothing of the dead
// one can still be written; those that are wanted elsewhere it lets finish, and go.
#pragma once

#include "actors/acquirer/client.hpp"
#include "actors/environment.hpp"
#include "actors/gateway/actor.hpp"
#include "actors/orphans/actor.hpp"

#include <caf/fwd.hpp>

#include <functional>
#include <string>
#include <vector>

namespace holdfast::actors {

struct supervisor_plan {
  environment_ptr env;
  std::vector<gateway_seat> gateways;
  struct acquirer_seat {
    std::string name;
    std::shared_ptr<acquirers::client> wire;
    milliseconds timeout{30'000};
  };
  std::vector<acquirer_seat> acquirers;
  orphan_search_plan orphans;
  /// Asks the lease keeper for the shard again; the answer comes as shard_acquired.
  std::function<void(shard_number)> reacquire;
  /// Told of a shard that was to be given up: nothing more is written in this epoch. May be
  /// empty where nothing is ever given up.
  std::function<void(shard_number, epoch_number)> released;
};

/// What runs once in the cluster, by the names under which the lease keeper holds it.
inline constexpr const char* orphans_singleton = "orphans";

/// Handles: shard_acquired, shard_lost, give_up_shard, shard_drained, singletons_held,
/// restart_child, restart_orphan_search, kill_one, shut_down.
[[nodiscard]] caf::actor spawn_supervisor(caf::actor_system& system, supervisor_plan plan);

} // namespace holdfast::actors
