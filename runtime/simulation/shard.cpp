#include "runtime/simulation/shard.hpp"

#include "messages/assert.hpp"
#include "messages/limits.hpp"
#include "runtime/simulation/world.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::simulation {

using namespace std::chrono_literals;

namespace {

constexpr milliseconds tick_length{limits::shard_tick_ms};

} // namespace

shard_actor::shard_actor(world& of, node_number node, shard_number number, epoch_number epoch)
  : world_(of),
    node_(node),
    number_(number),
    epoch_(epoch),
    keys_(of.keys_in_memory()),
    wakes_(of.now(), tick_length),
    idle_(of.now(), tick_length),
    deadlines_(of.now(), tick_length) {}

journal_writer& shard_actor::writer() const {
  return world_.node(node_).writer;
}

// -- requests
// -----------------------------------------------------------------------------------------------

void shard_actor::submit(const request& what) {
  if (!serves())
    return reply_to(what, answer_kind::try_again, nullptr, what.payment);
  const auto name = world_.name_of(what);
  const auto payment =
    what.what == wish::create ? world_.new_payment(what, number_) : what.payment;
  const auto look =
    keys_.begin(name, world_.fingerprint_of(what), world_.id_of(payment).value, world_.now());
  switch (look.verdict) {
    case shards::key_verdict::answered:
    case shards::key_verdict::pending: {
      const bool ended = look.verdict == shards::key_verdict::answered;
      const auto subject = ref_of(*keys_.subject_of(name));
      return reply_to(what, ended ? answer_kind::definitive : answer_kind::pending,
                      std::make_shared<const storage::stored_answer>(*look.answer), subject);
    }
    case shards::key_verdict::mismatch:
      return reply_to(what, answer_kind::key_reused, nullptr, payment);
    case shards::key_verdict::in_progress: {
      if (waiting_.contains(name))
        return reply_to(what, answer_kind::try_again, nullptr, payment);
      // From before this owner's time: whoever repeats it hears how the payment stands.
      const auto subject = ref_of(*keys_.subject_of(name));
      await(name, what, subject).describe_only = true;
      return hand_over(name);
    }
    case shards::key_verdict::fresh: return admit(name, what, payment);
  }
}

void shard_actor::admit(const key_name& name, const request& what, payment_ref payment) {
  if (waiting_.size() >= world_.in_flight_max()) {
    keys_.forget(name);
    return reply_to(what, answer_kind::try_again, nullptr, payment);
  }
  await(name, what, payment);
  if (what.what != wish::create)
    return hand_over(name);
  auto& seat = payments_[payment];
  seat.at = slot::stage::live;
  seat.open_requests = 1;
  seat.who = std::make_shared<payment_actor>(world_, *this, payment, nullptr);
  dispatch(name, seat);
}

/// Notes that its client waits for the request from now on.
shard_actor::waiting_request& shard_actor::await(const key_name& name, const request& what,
                                                 payment_ref payment) {
  auto& waits = waiting_.try_emplace(name, what, payment).first->second;
  deadlines_.set(waits, world_.now() + what.wait);
  need_tick(world_.now() + what.wait);
  return waits;
}

/// Gives the request to its payment, which may have to be loaded first.
void shard_actor::hand_over(const key_name& name) {
  const auto payment = waiting_.at(name).payment;
  auto [found, is_new] = payments_.try_emplace(payment);
  auto& seat = found->second;
  ++seat.open_requests;
  if (seat.at == slot::stage::live)
    return dispatch(name, seat);
  seat.requests.push_back(name);
  if (is_new)
    begin_load(payment);
}

void shard_actor::dispatch(const key_name& name, slot& seat) {
  const auto found = waiting_.find(name);
  if (found == waiting_.end())
    return;
  const auto& waits = found->second;
  idle_.cancel(seat);
  const auto who = seat.who;
  if (waits.describe_only)
    return who->describe(name);
  const auto what = waits.what;
  who->accept(what, command_of(what, waits.payment));
}

/// A merchant's wish in the core's words.
payments::command shard_actor::command_of(const request& what, payment_ref payment) {
  auto key = world_.name_of(what).key;
  if (what.what == wish::create)
    return payments::create{world_.id_of(payment), world_.merchant_of(what.client),
                            std::move(key), world_.order_of(what)};
  payments::request_operation asked;
  asked.kind = what.what == wish::capture  ? operation_kind::capture
               : what.what == wish::refund ? operation_kind::refund
                                           : operation_kind::void_hold;
  asked.idempotency_key = std::move(key);
  if (what.what != wish::void_hold)
    asked.id = make_payment_id(world_.now(), number_, world_.chance().next(), payment).value;
  asked.amount = what.amount;
  asked.final = what.final;
  return asked;
}

void shard_actor::settled(const key_name& key, payment_ref payment, const answer_ptr& what) {
  if (!keys_.finish_of(key, world_.id_of(payment).value, *what, world_.now())) {
    // Memory had forgotten the key, and a request came under it meanwhile; the database is just
    // being asked whether it is the same one.
    if (auto found = waiting_.find(key); found != waiting_.end())
      found->second.settled_meanwhile = what;
    return;
  }
  answer(key, answer_kind::definitive, what);
}

void shard_actor::pending(const key_name& key, payment_ref payment, answer_ptr what) {
  static_cast<void>(payment);
  if (!waiting_.contains(key))
    return;
  keys_.provisional(key, *what);
  answer(key, answer_kind::pending, what);
}

/// The key was taken in the database; nothing was written.
void shard_actor::key_taken(const key_name& key, payment_ref payment, bool never_existed) {
  const auto* row = world_.db().find_key(key);
  HF_ASSERT(row != nullptr);
  keys_.forget(key);
  keys_.restore(key, world_.db().stored(*row));
  if (auto found = waiting_.find(key); found != waiting_.end()) {
    auto& waits = found->second;
    auto ended = row->answer ? row->answer : waits.settled_meanwhile;
    if (!row->answer && ended)
      keys_.finish(key, *ended, world_.now());
    if (world_.fingerprint_of(waits.what) != row->request) {
      answer(key, answer_kind::key_reused, nullptr);
    } else if (ended) {
      answer(key, answer_kind::definitive, ended);
    } else {
      // Known, but without an outcome yet: the payment that it stands for says how it stands.
      close_request(payment);
      waits.payment = row->subject;
      waits.describe_only = true;
      hand_over(key);
    }
  }
  if (never_existed)
    retire(payment);
}

void shard_actor::dropped(const key_name& key, payment_ref payment, bool never_existed) {
  forget(key, answer_kind::try_again);
  if (never_existed)
    retire(payment);
}

/// Delivers what the client waits for, if it still does.
void shard_actor::answer(const key_name& name, answer_kind kind, const answer_ptr& what) {
  const auto found = waiting_.find(name);
  if (found == waiting_.end())
    return;
  const auto asked = found->second.what;
  const auto payment = found->second.payment;
  close_request(payment);
  waiting_.erase(found);
  // A taken key may stand for another payment than the one that was begun for it.
  const auto* row = world_.db().find_key(name);
  reply_to(asked, kind, what, row != nullptr ? row->subject : payment);
}

/// Nothing was written under the key: it is free again.
void shard_actor::forget(const key_name& name, answer_kind kind) {
  keys_.forget(name);
  answer(name, kind, nullptr);
}

void shard_actor::reply_to(const request& what, answer_kind kind, const answer_ptr& answer,
                           payment_ref payment) {
  world_.reply(node_, what, {kind, answer, payment});
}

void shard_actor::close_request(payment_ref payment) {
  const auto found = payments_.find(payment);
  if (found == payments_.end())
    return;
  HF_ASSERT(found->second.open_requests > 0);
  --found->second.open_requests;
}

void shard_actor::overdue(waiting_request& waits) {
  const auto name = world_.name_of(waits.what);
  if (waits.overdue) {
    // Not even the payment's state could be had in time.
    if (take_back(name))
      return forget(name, answer_kind::try_again);
    return answer(name, answer_kind::try_again, nullptr);
  }
  waits.overdue = true;
  const auto last = world_.now() + milliseconds{limits::describe_grace_ms};
  deadlines_.set(waits, last);
  need_tick(last);
  const auto seat = payments_.find(waits.payment);
  if (seat != payments_.end() && seat->second.at == slot::stage::live) {
    auto who = seat->second.who;
    who->describe(name);
  }
}

/// Whether the request still waits for its payment to be loaded, and so never got anywhere.
bool shard_actor::take_back(const key_name& name) {
  const auto& waits = waiting_.at(name);
  const auto seat = payments_.find(waits.payment);
  if (waits.describe_only || seat == payments_.end()
      || seat->second.at == slot::stage::rebuilding)
    return false;
  return std::erase(seat->second.requests, name) > 0;
}

// -- time
// ---------------------------------------------------------------------------------------------------

/// Ticks that would find nothing are left out: virtual time is long.
void shard_actor::need_tick(timestamp at) {
  const auto grid = tick_length.count() * 1'000;
  const auto since = std::max(at, world_.now()).time_since_epoch().count();
  const timestamp due{microseconds{(since / grid + 1) * grid}};
  const auto name = due.time_since_epoch().count();
  if (ticks_.insert(name).second)
    later(due - world_.now(), [name](shard_actor& self) {
      self.ticks_.erase(name);
      self.tick();
    });
}

void shard_actor::tick() {
  const auto now = world_.now();
  wakes_.advance(now);
  while (auto* seat = wakes_.take_due())
    if (const auto who = seat->who)
      who->wake();
  idle_.advance(now);
  while (auto* seat = idle_.take_due())
    if (seat->who)
      passivate(seat->who->ref());
  deadlines_.advance(now);
  while (auto* waits = deadlines_.take_due())
    overdue(*waits);
}

void shard_actor::wake_at(payment_ref payment, std::optional<timestamp> at) {
  const auto found = payments_.find(payment);
  if (found == payments_.end())
    return;
  if (!at)
    return wakes_.cancel(found->second);
  if (world_.planted() == plant::lost_timer && world_.chance().one_in(20))
    return;
  wakes_.set(found->second, *at);
  need_tick(*at);
}

void shard_actor::need_sweep(timestamp at) {
  const auto due = std::max(at, world_.now() + milliseconds{limits::shard_sweep_ms});
  if (sweep_at_ && *sweep_at_ <= due)
    return;
  sweep_at_ = due;
  later(due - world_.now(), [due](shard_actor& self) {
    if (self.sweep_at_ == due)
      self.sweep();
  });
}

/// Payments without an actor whose time has come; each is read again before it gets one.
void shard_actor::sweep() {
  sweep_at_.reset();
  const auto now = world_.now();
  if (world_.strikes(fault::read_failed))
    return need_sweep(now);
  while (!due_.empty() && due_.top().at <= now) {
    const auto due = due_.top();
    due_.pop();
    const auto* row = world_.db().find_payment(due.payment);
    if (row != nullptr && row->state->next_action_at == due.at
        && payments_.try_emplace(due.payment).second)
      begin_load(due.payment);
  }
  if (!due_.empty())
    need_sweep(due_.top().at);
}

void shard_actor::remember_due(payment_ref payment, const holdfast::payment& state) {
  if (!state.next_action_at)
    return;
  due_.push({*state.next_action_at, payment});
  need_sweep(due_.top().at);
}

void shard_actor::item_ready(const merchant_id& merchant) {
  world_.settle().item_ready(*this, merchant);
}

} // namespace holdfast::simulation
