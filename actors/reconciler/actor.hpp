// The actor that takes one shard's closed batches to the acquirers and back: file, submit,
// results, report, match. Every step is durable before the next, so it may die anywhere and go
// on.
#pragma once

#include "actors/environment.hpp"
#include "messages/shard.hpp"

#include <caf/fwd.hpp>

namespace holdfast::actors {

/// Watched by its shard, with which it dies and which starts it again when it dies alone. Does
/// one thing at a time. Handles: drive_settlement, settlement_tick; answers of storage and
/// acquirers.
[[nodiscard]] caf::actor spawn_reconciler(caf::scheduled_actor& parent, environment_ptr env,
                                          shard_number number, epoch_number epoch);

} // namespace holdfast::actors
