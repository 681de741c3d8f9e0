// The actor of one operator's order: it reads what the order is about, lets the core decide,
// has a gateway reverse where that is the order, writes, and answers. One order, one actor.
#pragma once

#include "actors/environment.hpp"
#include "actors/protocol.hpp"
#include "messages/shard.hpp"

#include <caf/fwd.hpp>

namespace holdfast::actors {

/// Gone with its answer, with its shard, or when its time is up; the order is answered exactly
/// once in each case, unless this actor is killed. Whoever ordered keeps a deadline then, and
/// may repeat the order: it is applied once. Handles: case_loaded, letter_loaded,
/// desk_payment_loaded, gateway_reply, desk_written, desk_timeout.
caf::actor spawn_desk(caf::scheduled_actor& shard, environment_ptr env, shard_number number,
                      epoch_number epoch, desk_call call);

} // namespace holdfast::actors
