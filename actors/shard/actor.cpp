#include "actors/shard/actor.hpp"

#include "actors/api/render.hpp"
#include "actors/caf.hpp"
#include "actors/shard/state.hpp"
#include "messages/assert.hpp"
#include "messages/limits.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::actors {

namespace {

constexpr milliseconds tick{limits::shard_tick_ms};

api_reply reply_from(const storage::stored_answer& stored, bool replayed) {
  api_reply reply;
  reply.status = stored.status;
  reply.content_type = stored.content_type;
  reply.body = stored.body;
  reply.location = stored.location;
  reply.replayed = replayed;
  return reply;
}

storage::stored_answer to_stored(const api_reply& reply) {
  return {reply.status, reply.content_type, reply.body, reply.location};
}

/// The payment that a command is about; nil for a create.
payment_id subject_of(const merchant_action& action) {
  return std::visit(
    [](const auto& what) -> payment_id {
      if constexpr (requires { what.payment; })
        return what.payment;
      else
        return {};
    },
    action);
}

/// A merchant's wish in the core's words. Ids are made here, so that the core needs no source
/// of them.
payments::command to_core(const merchant_command& command, const payment_id& id, timestamp now,
                          std::uint64_t random) {
  const auto operation = [&](operation_kind kind) {
    payments::request_operation wish;
    wish.kind = kind;
    wish.idempotency_key = command.idempotency_key;
    if (kind != operation_kind::void_hold)
      wish.id = make_uuid(now, id.shard(), random);
    return wish;
  };
  if (const auto* order = std::get_if<create_payment>(&command.action))
    return payments::create{id, command.merchant, command.idempotency_key, *order};
  if (const auto* capture = std::get_if<capture_payment>(&command.action)) {
    auto wish = operation(operation_kind::capture);
    wish.amount = capture->amount;
    wish.final = capture->final;
    return wish;
  }
  if (const auto* refund = std::get_if<refund_payment>(&command.action)) {
    auto wish = operation(operation_kind::refund);
    wish.amount = refund->amount;
    wish.reason = refund->reason;
    return wish;
  }
  if (const auto* evidence = std::get_if<note_evidence>(&command.action))
    return payments::note_dispute_evidence{evidence->dispute, evidence->note,
                                           command.idempotency_key};
  return operation(operation_kind::void_hold);
}

} // namespace

shard_actor::shard_actor(caf::actor_config& cfg, environment_ptr env, shard_number number,
                         epoch_number epoch)
  : caf::event_based_actor(cfg),
    env_(std::move(env)),
    number_(number),
    epoch_(epoch),
    keys_(limits::shard_keys_in_memory_max),
    wakes_(env_->now(), tick),
    idle_(env_->now(), tick),
    deadlines_(env_->now(), tick) {
  set_down_handler([this](caf::down_msg& down) { on_child_down(down.source); });
}

/// Promises that are still open answer 503 as they go; and handles in a circle would keep this
/// actor, and so those promises, for ever.
void shard_actor::on_exit() {
  waiting_.clear();
  dismiss_children();
}

caf::behavior shard_actor::make_behavior() {
  start();
  return {
    [this](submit& m) { on_submit(m); },
    [this](deliver_webhook& m) { on_webhook(m); },
    [this](request_settled& m) { on_settled(m); },
    [this](request_pending& m) { on_pending(m); },
    [this](key_was_taken& m) { on_taken(m); },
    [this](request_dropped& m) { on_dropped(m); },
    [this](const wake_me& m) { on_wake_me(m); },
    [this](const payment_idle& m) { on_idle(m); },
    [this](const passivation_declined& m) { on_declined(m); },
    [this](const payment_ended& m) { on_ended(m); },
    [this](const item_ready& m) { on_item_ready(m); },
    [this](shard_loaded& m) { on_loaded(m); },
    [this](payment_loaded& m) { on_payment_loaded(m); },
    [this](due_loaded& m) { on_due(m); },
    [this](key_loaded& m) { on_key_loaded(m); },
    [this](key_looked_up& m) { on_key_looked_up(m); },
    [this](keys_retained& m) { on_keys_retained(m); },
    [this](const payment_quiet& m) { on_quiet(m); },
    [this](close_batches_now& m) { on_close(m); },
    [this](batches_closed& m) { on_closed(m); },
    [this](desk_call& m) { on_desk_call(m); },
    [this](exceptions_found& m) { on_exceptions_found(m); },
    [this](dead_letter_found& m) { on_dead_letter(m); },
    [this](const payment_revived& m) { on_revived(m); },
    [this](shard_tick) { on_tick(); },
    [this](drain& m) { on_drain(m); },
    [this](journal_closed) { on_journal_closed(); },
    [this](const kill_one& m) { kill_some_child(m.choice); },
  };
}

// -- requests
// -----------------------------------------------------------------------------------------

void shard_actor::on_submit(submit& message) {
  const auto& request_id = message.command.request_id;
  message.promise->arrived();
  if (!serving_ || draining_)
    return message.promise->bounce(std::move(message.command));
  const key_name name{message.command.merchant, message.command.idempotency_key};
  const auto subject = subject_of(message.command.action);
  const auto id =
    subject.is_nil() ? payment_id::make(env_->now(), number_, env_->random()) : subject;
  const auto look = keys_.begin(name, message.command.request, id.value, env_->now());
  switch (look.verdict) {
    case shards::key_verdict::answered:
    case shards::key_verdict::pending:
      return message.promise->deliver(reply_from(*look.answer, true));
    case shards::key_verdict::mismatch:
      return message.promise->deliver(api::answer_problem(
        422, "idempotency_key_reused",
        "This Idempotency-Key belongs to another request; use a new one.", request_id));
    case shards::key_verdict::in_progress:
      if (!waiting_.contains(name))
        return repeat_of_restored(name, message);
      return message.promise->deliver(api::answer_problem(
        409, "request_in_progress",
        "The first request with this Idempotency-Key is still running.", request_id, 1));
    case shards::key_verdict::fresh: break;
  }
  if (waiting_.size() >= limits::shard_in_flight_max) {
    keys_.forget(name);
    return message.promise->deliver(api::answer_problem(
      503, "overloaded", "The runtime is at its limit; try again.", request_id, 1));
  }
  if (message.command.refusal_if_new)
    return look_before_refusing(name, message, id);
  admit(name, message, id);
}

void shard_actor::admit(const key_name& name, submit& message, const payment_id& id) {
  const bool is_new = std::holds_alternative<create_payment>(message.command.action);
  auto& request = await(name, message, id);
  deadlines_.set(request, env_->now() + request.command.wait);
  if (is_new) {
    auto& seat = payments_[id];
    seat.at = slot::stage::live;
    seat.merchant = name.merchant;
    seat.open_requests = 1;
    seat.who = spawn_child(id, name.merchant, std::nullopt);
    dispatch(name, request, seat);
  } else {
    hand_over(name, request);
  }
  update_gauges();
}

/// The first request came before this owner's time and its outcome is still open: whoever
/// repeats it hears how the payment stands.
void shard_actor::repeat_of_restored(const key_name& name, submit& message) {
  const auto id = payment_id{*keys_.subject_of(name)};
  auto& request = await(name, message, id);
  deadlines_.set(request, env_->now() + request.command.wait);
  request.describe_only = true;
  hand_over(name, request);
}

/// Notes that its client waits for the request from now on.
shard_actor::waiting_request& shard_actor::await(const key_name& name, submit& message,
                                                 const payment_id& id) {
  return waiting_.try_emplace(name, message, id, env_->now()).first->second;
}

/// Gives the request to its payment, which may have to be loaded first.
void shard_actor::hand_over(const key_name& name, const waiting_request& request) {
  auto [found, is_new] = payments_.try_emplace(request.payment);
  auto& seat = found->second;
  ++seat.open_requests;
  if (seat.at == slot::stage::live)
    return dispatch(name, request, seat);
  seat.requests.push_back(name);
  if (is_new)
    begin_load(request.payment);
}

void shard_actor::dispatch(const key_name& name, slot& seat) {
  if (auto found = waiting_.find(name); found != waiting_.end())
    dispatch(name, found->second, seat);
}

void shard_actor::dispatch(const key_name& name, const waiting_request& request, slot& seat) {
  if (seat.merchant != name.merchant)
    return forget(name, api::answer_problem(404, "not_found", "There is no such payment.",
                                            request.command.request_id));
  idle_.cancel(seat);
  if (request.describe_only)
    return tell(seat.who, describe{name.key});
  const auto& command = request.command;
  tell(seat.who, payment_request{to_core(command, request.payment, env_->now(), env_->random()),
                                 name.key, command.request, command.request_id,
                                 command.traceparent, command.respond_async});
}

shard_actor::key_name shard_actor::name_of(const payment_id& id, std::string key) const {
  auto found = payments_.find(id);
  return {found == payments_.end() ? merchant_id{} : found->second.merchant, std::move(key)};
}

/// Every request comes here once, so each table is looked into once.
void shard_actor::on_settled(request_settled& message) {
  const auto seat = payments_.find(message.then.payment);
  const bool is_seated = seat != payments_.end();
  const key_name name{is_seated ? seat->second.merchant : merchant_id{},
                      std::move(message.key)};
  settle(name, seat, message);
  if (is_seated)
    go_on(seat->second, message.then);
}

void shard_actor::settle(const key_name& name, slot_map::iterator seat,
                         request_settled& message) {
  const auto& payment = message.then.payment;
  auto stored = to_stored(message.reply);
  const auto found = waiting_.find(name);
  if (!keys_.finish_of(name, payment.value, stored, env_->now())) {
    // Memory had forgotten the key, and a request came under it meanwhile. The database is just
    // being asked whether it is the same one; that look may have been too early for this.
    if (found != waiting_.end())
      found->second.settled_meanwhile = std::move(stored);
    return;
  }
  if (found == waiting_.end())
    return;
  if (found->second.payment != payment)
    seat = payments_.find(found->second.payment);
  answer(found, seat, std::move(message.reply));
}

void shard_actor::on_pending(request_pending& message) {
  const auto name = name_of(message.payment, std::move(message.key));
  auto found = waiting_.find(name);
  if (found == waiting_.end())
    return;
  keys_.provisional(name, to_stored(message.reply));
  message.reply.replayed = found->second.describe_only;
  answer(name, std::move(message.reply));
}

void shard_actor::on_taken(key_was_taken& message) {
  const auto name = name_of(message.payment, std::move(message.key));
  remember(name, message.row);
  answer_taken(name, message.row);
  if (message.never_existed)
    retire(message.payment);
}

/// The database's word on a key, in place of what memory made of the request under it.
void shard_actor::remember(const key_name& name, const storage::stored_key& row) {
  keys_.forget(name);
  // A key of a merchant with stripes may belong to another shard: a path names its payment's.
  // The database refuses it there, once for all shards; but while it has no answer nobody would
  // ever finish it here, so it isn't remembered.
  const bool finished_here = payment_id{row.subject}.shard() == number_;
  if (row.answer || finished_here)
    keys_.restore(name, row);
}

void shard_actor::answer_taken(const key_name& name, const storage::stored_key& row) {
  auto found = waiting_.find(name);
  if (found == waiting_.end())
    return;
  auto& request = found->second;
  auto stored = row.answer;
  if (!stored && request.settled_meanwhile) {
    stored = std::move(request.settled_meanwhile);
    keys_.finish(name, *stored, env_->now());
  }
  if (request.command.request != row.request)
    return answer(name, api::answer_problem(
                          422, "idempotency_key_reused",
                          "This Idempotency-Key belongs to another request; use a new one.",
                          request.command.request_id));
  if (stored) {
    keys_.use(name, env_->now());
    return answer(name, reply_from(*stored, true));
  }
  // Known, but without an outcome yet: the payment that it stands for says how it stands.
  close_request(payments_.find(request.payment));
  request.payment = payment_id{row.subject};
  request.describe_only = true;
  hand_over(name, request);
}

void shard_actor::on_dropped(request_dropped& message) {
  forget(name_of(message.payment, std::move(message.key)), std::move(message.reply));
  if (message.never_existed)
    retire(message.payment);
}

/// Delivers what the client waits for, if it still does.
void shard_actor::answer(const key_name& name, api_reply reply) {
  const auto found = waiting_.find(name);
  if (found != waiting_.end())
    answer(found, payments_.find(found->second.payment), std::move(reply));
}

void shard_actor::answer(request_map::iterator asked, slot_map::iterator seat,
                         api_reply reply) {
  const auto promise = std::move(asked->second.promise);
  close_request(seat);
  waiting_.erase(asked);
  promise->deliver(std::move(reply));
  update_gauges();
  if (draining_)
    go_on_draining();
}

/// Nothing was written under the key: it is free again.
void shard_actor::forget(const key_name& name, api_reply reply) {
  keys_.forget(name);
  answer(name, std::move(reply));
}

void shard_actor::on_overdue(waiting_request& request) {
  const key_name name{request.command.merchant, request.command.idempotency_key};
  if (request.overdue) {
    // Not even the payment's state could be had in time (storage is slow or away).
    auto reply = api::answer_problem(503, "timeout",
                                     "The outcome is not known yet; repeat with the same key.",
                                     request.command.request_id, 1);
    if (take_back(name, request))
      return forget(name, std::move(reply));
    // The key stays registered: a repeat finds out what became of it.
    return answer(name, std::move(reply));
  }
  request.overdue = true;
  deadlines_.set(request, env_->now() + milliseconds{limits::describe_grace_ms});
  ask_how_it_stands(name, request);
}

/// The answer, if the payment can give one, is for the client.
void shard_actor::ask_how_it_stands(const key_name& name, const waiting_request& request) {
  // Evidence has no outcome that could be pending: there is nothing to describe.
  if (std::holds_alternative<note_evidence>(request.command.action))
    return;
  auto seat = payments_.find(request.payment);
  if (seat != payments_.end() && seat->second.at == slot::stage::live)
    tell(seat->second.who, describe{name.key});
}

/// Whether the request still waits for its payment to be loaded, and so never got anywhere; it
/// does not wait any more then. While a payment is rebuilt nobody can say that.
bool shard_actor::take_back(const key_name& name, const waiting_request& request) {
  auto seat = payments_.find(request.payment);
  if (request.describe_only || seat == payments_.end()
      || seat->second.at == slot::stage::rebuilding)
    return false;
  return std::erase(seat->second.requests, name) > 0;
}

// -- time
// ---------------------------------------------------------------------------------------------

void shard_actor::on_tick() {
  const auto now = env_->now();
  note_lag(now);
  wakes_.advance(now);
  wake_next();
  idle_.advance(now);
  while (auto* seat = idle_.take_due())
    passivate_idle(*seat);
  deadlines_.advance(now);
  while (auto* request = deadlines_.take_due())
    on_overdue(*request);
  if (draining_)
    go_on_draining();
  else
    look_at_database(now);
  tick_later();
}

/// All shards of a node tick at the same moments, so that CAF's clock wakes up once for all.
void shard_actor::tick_later() {
  const auto now = env_->now();
  const auto next =
    std::chrono::floor<milliseconds>(now.time_since_epoch()) / tick * tick + tick;
  next_tick_ = timestamp{next};
  tell_self_later(this, std::chrono::ceil<milliseconds>(next_tick_ - now), shard_tick{});
}

/// What it was woken for is written, or there was nothing to write.
void shard_actor::on_wake_me(const wake_me& message) {
  if (const auto found = payments_.find(message.payment); found != payments_.end())
    go_on(found->second, message);
}

void shard_actor::go_on(slot& seat, const wake_me& then) {
  if (then.at)
    wakes_.set(seat, *then.at);
  else
    wakes_.cancel(seat);
  settle_down(seat);
  if (then.is_idle)
    note_idle(seat);
}

void shard_actor::settle_down(slot& seat) {
  if (!std::exchange(seat.stirring, false))
    return;
  --stirring_;
  wake_next();
}

/// Hundreds of thousands may be due at once, as when a gateway has been away.
void shard_actor::wake_next() {
  while (stirring_ < limits::shard_stirring_max) {
    auto* seat = wakes_.take_due();
    if (seat == nullptr)
      return;
    if (!seat->who)
      continue;
    if (!std::exchange(seat->stirring, true))
      ++stirring_;
    tell(seat->who, wake_up{});
  }
}

/// What this shard does unasked. One that moves leaves it to the next owner.
void shard_actor::look_at_database(timestamp now) {
  if (!serving_)
    return;
  if (now >= next_sweep_)
    sweep_due();
  if (now >= next_retention_)
    retain_keys();
  look_at_cutoff();
}

/// How late this look at the timers is. A clock that was set back is not late.
void shard_actor::note_lag(timestamp now) {
  const auto lag = std::chrono::floor<milliseconds>(now - next_tick_).count();
  env_->gauge(number_).overdue_ms.store(std::max<std::int64_t>(lag, 0),
                                        std::memory_order_relaxed);
}

void shard_actor::on_idle(const payment_idle& message) {
  if (const auto found = payments_.find(message.payment); found != payments_.end())
    note_idle(found->second);
}

void shard_actor::note_idle(slot& seat) {
  // With a request on its way the actor is not idle any more; it will say so again.
  if (seat.open_requests > 0)
    return;
  if (idle_.size() < limits::shard_idle_payments_max)
    idle_.set(seat, env_->now() + milliseconds{limits::passivate_after_ms});
  else
    passivate_idle(seat);
}

/// Asks the actor to go. Until it has gone, or has declined, requests wait in its seat: two
/// actors of one payment would not know of each other's writes.
void shard_actor::passivate_idle(slot& seat) {
  if (seat.at != slot::stage::live || seat.open_requests > 0)
    return;
  seat.at = slot::stage::passivating;
  tell(seat.who, passivate{});
}

void shard_actor::on_declined(const passivation_declined& message) {
  auto found = payments_.find(message.payment);
  if (found == payments_.end() || found->second.at != slot::stage::passivating)
    return;
  found->second.at = slot::stage::live;
  for (const auto& name : std::exchange(found->second.requests, {}))
    dispatch(name, found->second);
  hand_over_notices(found->second);
}

/// Lets the actor of a payment go that never came to be: there is nothing to wait for.
void shard_actor::retire(const payment_id& id) {
  auto found = payments_.find(id);
  if (found == payments_.end() || found->second.at != slot::stage::live)
    return;
  tell(found->second.who, passivate{});
  vacate(found);
  update_gauges();
}

/// Nobody sits there any more.
void shard_actor::vacate(slot_map::iterator seat) {
  seat->second.who = nullptr;
  settle_down(seat->second);
  payments_.erase(seat);
}

void shard_actor::close_request(slot_map::iterator seat) {
  if (seat == payments_.end())
    return;
  HF_ASSERT(seat->second.open_requests > 0);
  --seat->second.open_requests;
}

void shard_actor::update_gauges() {
  auto& gauge = env_->gauge(number_);
  gauge.in_flight.store(waiting_.size(), std::memory_order_relaxed);
  gauge.live_payments.store(payments_.size(), std::memory_order_relaxed);
}

caf::actor spawn_shard(caf::actor_system& system, environment_ptr env, shard_number number,
                       epoch_number epoch) {
  return system.spawn<shard_actor>(std::move(env), number, epoch);
}

} // namespace holdfast::actors
