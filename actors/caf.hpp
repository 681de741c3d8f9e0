// What changed between CAF 0.18 and 1.x, behind one door: sending without a sender, and delayed
// sending. Everything else of CAF that the project uses reads the same in both.
#pragma once

#include <caf/actor.hpp>
#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

#include <chrono>
#include <utility>

namespace holdfast::actors {

/// Sends from outside of any actor, or where nobody needs to know the sender. Thread-safe. A
/// message to an actor that is gone disappears: whoever needs an answer keeps a deadline.
template <class... Fields>
void tell(const caf::actor& to, Fields&&... fields) {
  if (to)
    caf::anon_send(to, std::forward<Fields>(fields)...);
}

/// Sends to `self` after a pause. CAF's clock scans every pending timer, so an actor keeps at
/// most one of these under way; payments share their shard's timer wheel.
template <class Self, class... Fields>
void tell_self_later(Self* self, std::chrono::milliseconds pause, Fields&&... fields) {
  caf::delayed_anon_send(caf::actor_cast<caf::actor>(self), pause,
                         std::forward<Fields>(fields)...);
}

/// Spawns a child that its parent hears of when it dies (down message). Links won't do: killing
/// one end of a link kills the other, whatever handler it has.
template <class Actor, class... Args>
caf::actor spawn_watched(caf::scheduled_actor& parent, Args&&... args) {
  auto child = parent.home_system().spawn<Actor>(std::forward<Args>(args)...);
  parent.monitor(child);
  return child;
}

/// Makes `self` quit as soon as its parent is gone.
template <class Self>
void die_with(Self* self, const caf::actor& parent) {
  self->monitor(parent);
  self->set_down_handler(
    [self](caf::down_msg&) { self->quit(caf::exit_reason::user_shutdown); });
}

} // namespace holdfast::actors
