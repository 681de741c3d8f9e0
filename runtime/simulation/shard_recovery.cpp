// What a simulated shard reads when it begins, and how its payments come, go and are rebuilt.
#include "messages/assert.hpp"
#include "messages/limits.hpp"
#include "runtime/simulation/shard.hpp"
#include "runtime/simulation/world.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace holdfast::simulation {

using namespace std::chrono_literals;

namespace {

microseconds read_time(world& of) {
  return of.chance().span(300us, 5'000us);
}

} // namespace

void shard_actor::start() {
  later(read_time(world_), [](shard_actor& self) { self.load(); });
}

void shard_actor::load() {
  if (world_.node(node_).is_cut(world_.now()) || world_.strikes(fault::read_failed))
    return later(milliseconds{limits::shard_start_retry_ms},
                 [](shard_actor& self) { self.start(); });
  if (world_.planted() != plant::replay_as_new) {
    const auto since = world_.now() - world_.keys_warm();
    for (const auto& name : world_.db().keys_of(number_)) {
      const auto& row = *world_.db().find_key(name);
      if (row.written_at >= since)
        keys_.restore(name, world_.db().stored(row));
    }
  }
  for (const auto payment : world_.db().payments_of(number_)) {
    const auto& state = world_.db().find_payment(payment)->state;
    const bool is_due = state->next_action_at && *state->next_action_at <= world_.now();
    if (is_due || has_pending_work(*state))
      seat(payment, state);
    else
      remember_due(payment, *state);
  }
  serving_ = true;
  world_.settle().shard_started(*this);
}

void shard_actor::begin_load(payment_ref payment) {
  later(read_time(world_), [payment](shard_actor& self) { self.loaded(payment); });
}

void shard_actor::loaded(payment_ref payment) {
  const auto found = payments_.find(payment);
  if (found == payments_.end() || found->second.at == slot::stage::live)
    return;
  if (world_.node(node_).is_cut(world_.now()) || world_.strikes(fault::read_failed))
    return load_failed(payment);
  const auto* row = world_.db().find_payment(payment);
  if (row != nullptr)
    seat(payment, row->state);
  else
    no_such_payment(payment);
}

/// A failed read is not an absent row: the clients try again, and so does the next request.
void shard_actor::load_failed(payment_ref payment) {
  auto& seat = payments_.at(payment);
  if (seat.at == slot::stage::rebuilding)
    return later(milliseconds{limits::shard_start_retry_ms},
                 [payment](shard_actor& self) { self.begin_load(payment); });
  for (const auto& name : std::exchange(seat.requests, {}))
    if (waiting_.contains(name))
      forget(name, answer_kind::try_again);
  payments_.erase(payment);
  // The database names what is due again in its next sweep.
  if (const auto* row = world_.db().find_payment(payment))
    remember_due(payment, *row->state);
}

/// Gives the payment an actor that goes on where the journal left it, and the actor its
/// requests.
void shard_actor::seat(payment_ref payment, state_ptr state) {
  auto& seat = payments_[payment];
  if (seat.at == slot::stage::live)
    return;
  const bool was_rebuilding = seat.at == slot::stage::rebuilding;
  seat.at = slot::stage::live;
  if (state->next_action_at) {
    wakes_.set(seat, *state->next_action_at);
    need_tick(*state->next_action_at);
  }
  seat.who = std::make_shared<payment_actor>(world_, *this, payment, std::move(state));
  auto who = seat.who;
  who->begin();
  const auto requests = std::exchange(seat.requests, {});
  if (!was_rebuilding) {
    for (const auto& name : requests)
      dispatch(name, seat);
    return;
  }
  auto open = keys_.open_keys_of(world_.id_of(payment).value);
  // The table's own order may differ from one library to the next.
  std::ranges::sort(open, {}, &key_name::key);
  for (const auto& name : open)
    look_for_key(name, payment);
}

/// The dead actor may have made this request durable, or even ended it without telling: look
/// first, also for those whose clients have gone with a 202.
void shard_actor::look_for_key(const key_name& name, payment_ref payment) {
  later(read_time(world_), [name, payment](shard_actor& self) {
    if (self.world_.strikes(fault::read_failed))
      return self.later(milliseconds{limits::shard_start_retry_ms},
                        [name, payment](shard_actor& me) { me.look_for_key(name, payment); });
    const auto* row = self.world_.db().find_key(name);
    if (row == nullptr) {
      const auto waits = self.waiting_.find(name);
      if (waits == self.waiting_.end())
        return self.keys_.forget(name);
      waits->second.describe_only = false;
      const auto seat = self.payments_.find(payment);
      if (seat != self.payments_.end() && seat->second.at == slot::stage::live)
        self.dispatch(name, seat->second);
      return; // If its payment has died again, the next rebuilding looks again.
    }
    if (!row->answer)
      return; // The rebuilt payment goes on with it and will settle it.
    self.keys_.finish(name, *row->answer, self.world_.now());
    self.answer(name, answer_kind::definitive, row->answer);
  });
}

/// Looked, and there is none: a creation died before its intent was durable.
void shard_actor::no_such_payment(payment_ref payment) {
  auto& seat = payments_[payment];
  for (const auto& name : std::exchange(seat.requests, {})) {
    const auto found = waiting_.find(name);
    if (found == waiting_.end())
      continue;
    if (found->second.what.what == wish::create) {
      found->second.describe_only = false;
      seat.at = slot::stage::live;
      seat.who = std::make_shared<payment_actor>(world_, *this, payment, nullptr);
      return dispatch(name, seat);
    }
    forget(name, answer_kind::not_found);
  }
  payments_.erase(payment);
}

void shard_actor::kill_some_payment() {
  std::vector<payment_ref> victims;
  for (const auto& [payment, seat] : payments_)
    if (seat.at == slot::stage::live)
      victims.push_back(payment);
  if (victims.empty())
    return;
  // The table's own order may differ from one library to the next.
  std::ranges::sort(victims);
  const auto victim = victims[world_.chance().below(victims.size())];
  world_.note(victim, step_kind::actor_death, number_.value, 0);
  rebuild(victim);
}

/// Waits until all that the dead actor had submitted is decided, then reads what there is.
void shard_actor::rebuild(payment_ref payment) {
  auto& seat = payments_[payment];
  seat.at = slot::stage::rebuilding;
  seat.who = nullptr;
  seat.requests.clear();
  for (const auto& [name, waits] : waiting_)
    if (waits.payment == payment)
      seat.requests.push_back(name);
  std::ranges::sort(seat.requests, {}, &key_name::key);
  writer().barrier([me = weak_from_this(), payment] {
    if (auto self = me.lock())
      self->begin_load(payment);
  });
}

void shard_actor::idle(payment_ref payment) {
  const auto found = payments_.find(payment);
  // With a request on its way the actor is not idle any more; it will say so again.
  if (found == payments_.end() || found->second.open_requests > 0)
    return;
  if (idle_.size() >= world_.idle_max())
    return later(0us, [payment](shard_actor& self) { self.passivate(payment); });
  const auto at = world_.now() + milliseconds{limits::passivate_after_ms};
  idle_.set(found->second, at);
  need_tick(at);
}

/// Asks the actor to go. Until it has gone, or has declined, requests wait in its seat.
void shard_actor::passivate(payment_ref payment) {
  const auto found = payments_.find(payment);
  if (found == payments_.end() || found->second.at != slot::stage::live
      || found->second.open_requests > 0)
    return;
  found->second.at = slot::stage::passivating;
  later(world_.chance().span(1us, 50us), [payment](shard_actor& self) {
    const auto leaving = self.payments_.find(payment);
    if (leaving == self.payments_.end() || leaving->second.at != slot::stage::passivating)
      return;
    auto& seat = leaving->second;
    if (!seat.who->is_idle()) {
      seat.at = slot::stage::live;
      for (const auto& name : std::exchange(seat.requests, {}))
        self.dispatch(name, seat);
      return;
    }
    const auto gone = std::exchange(seat.who, nullptr);
    self.wakes_.cancel(seat);
    if (!seat.requests.empty()) {
      seat.at = slot::stage::loading;
      return self.begin_load(payment);
    }
    self.payments_.erase(leaving);
    self.remember_due(payment, gone->state());
  });
}

/// Lets the actor of a payment go that never came to be: there is nothing to wait for.
void shard_actor::retire(payment_ref payment) {
  const auto found = payments_.find(payment);
  if (found == payments_.end() || found->second.at != slot::stage::live)
    return;
  // It may be in the midst of telling us.
  later(0us, [who = std::move(found->second.who)](shard_actor&) {});
  payments_.erase(found);
}

/// What is being written is finished; then the lease is given up.
void shard_actor::drain() {
  draining_ = true;
  writer().barrier([me = weak_from_this()] {
    if (auto self = me.lock())
      self->world_.released(*self);
  });
}

} // namespace holdfast::simulation
