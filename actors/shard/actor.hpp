// The actor of one owned shard: it admits commands, answers repeated keys, seats payments,
// wakes them, and rebuilds whatever dies under it. One epoch, one actor: it ends with its
// lease.
#pragma once

#include "actors/environment.hpp"
#include "messages/shard.hpp"

#include <caf/fwd.hpp>

namespace holdfast::actors {

/// Handles: submit, close_batches_now, drain, kill_one from outside; the rest of protocol.hpp's
/// "to a shard" from its children and from storage.
[[nodiscard]] caf::actor spawn_shard(caf::actor_system& system, environment_ptr env,
                                     shard_number number, epoch_number epoch);

} // namespace holdfast::actors
