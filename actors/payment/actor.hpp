// The actor of one live payment: it delivers to the core, makes durable what the core decides,
// and carries out the effects. Lives while something is pending; its shard rebuilds it when it
// dies.
#pragma once

#include "actors/environment.hpp"
#include "messages/payment.hpp"

#include <caf/fwd.hpp>

#include <optional>

namespace holdfast::actors {

struct payment_seat {
  environment_ptr env;
  caf::actor shard;
  shard_number number;
  epoch_number epoch;
  payment_id id;
  merchant_id merchant;
};

/// Spawns the actor, which tells its shard when it ends (payment_ended); the shard ends it when
/// it ends itself. With `state` it goes on where the journal left it. Handles: payment_request,
/// gateway_reply, journal_done, wake_up, describe, passivate.
[[nodiscard]] caf::actor spawn_payment(caf::scheduled_actor& shard, payment_seat seat,
                                       std::optional<payment> state);

} // namespace holdfast::actors
