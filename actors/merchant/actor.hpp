// The actor of one merchant with money that waits for a batch: it counts what has gathered and
// closes the batch when the cut-off comes or the batch is full.
#pragma once

#include "actors/environment.hpp"
#include "messages/ids.hpp"
#include "messages/shard.hpp"

#include <caf/fwd.hpp>

namespace holdfast::actors {

/// Watched by its shard, with which it dies and which starts it again when it dies alone. Needs
/// no memory: on start it closes whatever the latest past cut-off should have closed, and
/// counts in the database what has gathered since. Handles: item_ready, cutoff_tick (at every
/// cut-off, and whenever an order to close has failed), items_counted.
[[nodiscard]] caf::actor spawn_merchant(caf::scheduled_actor& parent, environment_ptr env,
                                        shard_number number, merchant_id merchant);

} // namespace holdfast::actors
