// The actor of one acquirer: a few calls at once, the rest in line, each answered to its asker.
#pragma once

#include "actors/acquirer/client.hpp"
#include "actors/environment.hpp"

#include <caf/fwd.hpp>

namespace holdfast::actors {

/// Handles: acquirer_call, acquirer_call_ended. Kept alive by the supervisor. A call that it
/// can't take or that dies with it goes unanswered: askers keep a deadline, and repeating is
/// safe.
[[nodiscard]] caf::actor spawn_acquirer(caf::actor_system& system,
                                        std::shared_ptr<acquirers::client> wire,
                                        milliseconds timeout);

} // namespace holdfast::actors
