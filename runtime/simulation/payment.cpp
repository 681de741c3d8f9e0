#include "runtime/simulation/payment.hpp"

#include "actors/api/render.hpp"
#include "messages/assert.hpp"
#include "messages/limits.hpp"
#include "runtime/simulation/world.hpp"

#include <algorithm>

namespace holdfast::simulation {

using namespace std::chrono_literals;

namespace {

answer_ptr to_stored(api_reply reply) {
  return std::make_shared<const storage::stored_answer>(
    storage::stored_answer{reply.status, std::move(reply.content_type), std::move(reply.body),
                           std::move(reply.location)});
}

/// How a merchant's refused request is answered.
answer_ptr answer_refusal(const payments::refusal& refused) {
  const bool too_large = refused.code == errc::amount_too_large;
  return to_stored(api::answer_problem(too_large ? 422 : 409,
                                       too_large ? "amount_too_large" : "invalid_state",
                                       refused.detail, {}));
}

bool is_ready_item(const payment_event& event) {
  const auto* done = std::get_if<operation_succeeded>(&event);
  return done != nullptr && done->kind != operation_kind::void_hold;
}

// -- plants, as wrappers around the core
// ----------------------------------------------------------------

bool is_about_authorization(const payments::gateway_answered& heard) {
  return !heard.target.operation && heard.target.verb != gateway_verb::reverse;
}

/// `failover_on_unknown`: no answer is taken for "never left this process".
void mistake_for_not_sent(payments::command& what) {
  auto* heard = std::get_if<payments::gateway_answered>(&what);
  if (heard != nullptr && heard->target.verb == gateway_verb::authorize
      && heard->answer.verdict == gateway_verdict::unknown)
    heard->answer.verdict = gateway_verdict::not_sent;
}

/// `stale_status_wins`: a "declined" that comes after the approval is believed.
bool is_stale_decline(const payment& state, const payments::command& what) {
  const auto* heard = std::get_if<payments::gateway_answered>(&what);
  if (heard == nullptr || !is_about_authorization(*heard)
      || heard->answer.verdict != gateway_verdict::declined)
    return false;
  const auto* held = payments::approved_attempt(state);
  return held != nullptr && held->number == heard->target.attempt
         && state.status == payment_status::authorized;
}

} // namespace

payment_actor::payment_actor(world& of, shard_actor& shard, payment_ref payment,
                             state_ptr state)
  : world_(of),
    shard_(shard),
    ref_(payment),
    state_(std::move(state)) {
  if (state_)
    waiting_.push_back({payments::recovered{}, std::nullopt});
  else
    state_ = world_.no_state();
}

void payment_actor::accept(const request& what, payments::command command) {
  if (waiting_.size() >= limits::payment_waiting_max)
    return shard_.dropped(world_.name_of(what), ref_, !exists());
  card_at_hand_ = card_at_hand_ || what.what == wish::create;
  enqueue({std::move(command), what});
}

void payment_actor::gateway_answered(const payments::call_target& target,
                                     gateway_answer answer) {
  enqueue({payments::gateway_answered{target, std::move(answer)}, std::nullopt});
}

void payment_actor::wake() {
  enqueue({payments::woken{}, std::nullopt});
}

void payment_actor::enqueue(waiting_command command) {
  if (has_quit_)
    return;
  waiting_.push_back(std::move(command));
  step();
}

bool payment_actor::is_idle() const {
  return !in_flight_ && waiting_.empty() && !has_pending_work(*state_);
}

/// Works until a write is in flight or nothing waits.
void payment_actor::step() {
  while (!in_flight_ && !waiting_.empty()) {
    auto command = std::move(waiting_.front());
    waiting_.pop_front();
    start(std::move(command));
  }
  if (is_idle() && exists())
    shard_.idle(ref_);
}

payments::context payment_actor::make_context() const {
  payments::context at{world_.now(), payments::entropy{world_.chance().next()}, world_.rules()};
  at.card_at_hand = card_at_hand_;
  return at;
}

void payment_actor::start(waiting_command command) {
  const auto planted = world_.planted();
  if (planted == plant::failover_on_unknown)
    mistake_for_not_sent(command.what);
  if (planted == plant::stale_status_wins && is_stale_decline(*state_, command.what)) {
    payments::decision believed;
    believed.events.emplace_back(
      authorization_declined{payments::approved_attempt(*state_)->number, "stale", {}});
    return write_events(std::move(believed), std::nullopt);
  }
  auto decision = payments::decide(*state_, command.what, make_context());
  if (decision.refused)
    return write_refusal(*decision.refused, command.origin.value());
  if (!decision.events.empty())
    return write_events(std::move(decision), std::move(command.origin));
  // Woken too early, as after a write that the journal refused: its time is still to come.
  if (std::holds_alternative<payments::woken>(command.what)
      && state_->next_action_at > world_.now())
    shard_.wake_at(ref_, state_->next_action_at);
}

// -- out to the journal
// ---------------------------------------------------------------------------------

std::unique_ptr<payment_write> payment_actor::new_write(const std::optional<request>& origin) {
  auto write = std::make_unique<payment_write>();
  write->shard = shard_.number();
  write->epoch = shard_.epoch();
  write->subject = ref_;
  if (origin)
    write->claim = key_claim{world_.name_of(*origin), world_.fingerprint_of(*origin), ref_};
  return write;
}

/// A refusal moves nothing, but it is the key's answer from here on.
void payment_actor::write_refusal(const payments::refusal& refused, const request& origin) {
  auto write = new_write(origin);
  write->answer = key_answer{write->claim->name, answer_refusal(refused)};
  auto answer = write->answer;
  submit(std::move(write), {state_, {}, origin, std::move(answer), false});
}

void payment_actor::write_events(payments::decision decision, std::optional<request> origin) {
  const auto now = world_.now();
  auto write = new_write(origin);
  auto next = std::make_shared<payment>(*state_);
  pending_write pending{nullptr, std::move(decision.calls), std::move(origin), {}, false};
  write->events.reserve(decision.events.size());
  for (auto& event : decision.events) {
    const auto* stale = std::get_if<authorization_declined>(&event);
    if (stale != nullptr && world_.planted() == plant::stale_status_wins
        && payments::approved_attempt(*next) != nullptr) {
      next->status = payment_status::declined; // The core would rather stop than do this.
    } else {
      std::ranges::move(payments::postings_of(*next, event),
                        std::back_inserter(write->postings));
      payments::apply(*next, event, now);
    }
    pending.item_is_ready = pending.item_is_ready || is_ready_item(event);
    world_.resolved(*next, event);
    write->events.push_back({now, std::move(event)});
  }
  HF_ASSERT(decision.settled.size() <= 1);
  if (!decision.settled.empty() && !decision.settled.front().idempotency_key.empty()) {
    const auto& settled = decision.settled.front();
    write->answer =
      key_answer{{next->merchant, settled.idempotency_key}, answer_of(settled, *next)};
    pending.answer = write->answer;
  }
  pending.next = next;
  write->after = std::move(next);
  submit(std::move(write), std::move(pending));
}

void payment_actor::submit(std::unique_ptr<payment_write> write, pending_write pending) {
  if (world_.planted() == plant::skip_intent && write->after) {
    state_ = pending.next;
    for (const auto& target : std::exchange(pending.calls, {}))
      call_gateway(target);
  }
  in_flight_ = std::move(pending);
  shard_.writer().submit(std::move(write), weak_from_this());
}

// -- back from the journal
// ------------------------------------------------------------------------------

void payment_actor::written(write_outcome outcome) {
  HF_ASSERT(in_flight_.has_value());
  auto pending = std::move(*in_flight_);
  in_flight_.reset();
  switch (outcome) {
    case write_outcome::committed: committed(std::move(pending)); break;
    case write_outcome::key_conflict:
      std::erase(descriptions_due_, world_.name_of(pending.origin.value()));
      shard_.key_taken(world_.name_of(pending.origin.value()), ref_, !exists());
      break;
    case write_outcome::rejected: rejected(pending); break;
    case write_outcome::not_owner:
    case write_outcome::lost:
      // The shard goes down with its epoch, and this actor does not wait for that.
      has_quit_ = true;
      waiting_.clear();
      return;
  }
  step();
}

void payment_actor::committed(pending_write pending) {
  state_ = std::move(pending.next);
  if (pending.answer) {
    std::erase(descriptions_due_, pending.answer->name);
    shard_.settled(pending.answer->name, ref_, pending.answer->answer);
  } else if (pending.origin && pending.origin->respond_async) {
    describe(world_.name_of(*pending.origin));
  }
  for (const auto& key : std::exchange(descriptions_due_, {}))
    describe(key);
  for (const auto& target : pending.calls)
    call_gateway(target);
  card_at_hand_ = card_at_hand_ && payments::may_need_card(*state_, world_.rules());
  if (pending.item_is_ready)
    shard_.item_ready(state_->merchant);
  shard_.wake_at(ref_, state_->next_action_at);
}

/// The payment stays as it was and looks again later.
void payment_actor::rejected(const pending_write& pending) {
  if (pending.origin) {
    std::erase(descriptions_due_, world_.name_of(*pending.origin));
    return shard_.dropped(world_.name_of(*pending.origin), ref_, !exists());
  }
  shard_.wake_at(ref_, world_.now() + world_.rules().retry_max);
}

// -- out to the gateway, and answers
// --------------------------------------------------------------------

void payment_actor::call_gateway(const payments::call_target& target) {
  if (world_.planted() == plant::forget_reversal && target.verb == gateway_verb::reverse
      && !target.operation) {
    return world_.on_node(shard_.node(), 1ms, [me = weak_from_this(), target] {
      if (auto self = me.lock())
        self->gateway_answered(target, {gateway_verdict::approved, {}, {}, {}});
    });
  }
  const bool is_repeat =
    target.operation && std::ranges::any_of(state_->operations, [&](const operation& op) {
      return op.kind == *target.operation && op.ordinal == target.ordinal && op.tries > 0;
    });
  world_.node(shard_.node())
    .gateway(payments::gateway_of(*state_, target))
    .call(payments::make_request(*state_, target, {}), target, is_repeat, weak_from_this());
}

answer_ptr payment_actor::answer_of(const payments::settled_request& settled,
                                    const payment& after) const {
  using kind = payments::settled_request::kind;
  const operation* op = nullptr;
  if (settled.operation)
    for (const auto& one : after.operations)
      if (one.kind == *settled.operation && one.ordinal == settled.ordinal)
        op = &one;
  switch (settled.how) {
    case kind::created: return to_stored(api::answer_created(after));
    case kind::declined: return to_stored(api::answer_declined(after, {}));
    case kind::updated: return to_stored(api::answer_updated(after));
    case kind::refund: return to_stored(api::answer_refund(after, *op));
    case kind::refused: return to_stored(api::answer_refused(after, *op, {}));
    default: HF_ASSERT(false); // Nobody asks for anything else here.
  }
  return nullptr;
}

/// Before the key's own intent is durable there is nothing to describe, for its write may still
/// be refused: the asker then hears of it as soon as it is.
void payment_actor::describe(const key_name& key) {
  const auto& ops = state_->operations;
  const auto op = std::ranges::find(ops, key.key, &operation::idempotency_key);
  const bool is_operation = op != ops.end();
  if (is_operation && op->kind == operation_kind::refund
      && op->status != operation_status::refused)
    return shard_.pending(key, ref_, to_stored(api::answer_refund(*state_, *op)));
  if (is_operation || state_->idempotency_key == key.key)
    return shard_.pending(key, ref_, to_stored(api::answer_pending(*state_)));
  if (std::ranges::find(descriptions_due_, key) == descriptions_due_.end())
    descriptions_due_.push_back(key);
}

} // namespace holdfast::simulation
