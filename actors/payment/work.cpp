#include "actors/payment/work.hpp"

#include "actors/api/render.hpp"
#include "actors/caf.hpp"
#include "messages/assert.hpp"
#include "messages/codec.hpp"
#include "messages/fault_point.hpp"
#include "messages/limits.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace holdfast::actors {

namespace {

/// How a merchant's refused request is answered.
api_reply refusal_reply(const payments::refusal& refused, const std::string& request_id) {
  const bool too_large = refused.code == errc::amount_too_large;
  return api::answer_problem(too_large ? 422 : 409,
                             too_large ? "amount_too_large" : "invalid_state", refused.detail,
                             request_id);
}

storage::stored_answer to_stored(const api_reply& reply) {
  return {reply.status, reply.content_type, reply.body, reply.location};
}

} // namespace

payment_work::payment_work(lean_actor& self, payment_seat& seat, payment state,
                           payment_aside aside)
  : self_(self),
    seat_(seat),
    state_(std::make_shared<const payment>(std::move(state))),
    aside_(std::move(aside)) {}

void payment_work::recover() {
  take_up({payments::recovered{}, std::nullopt});
}

// -- messages
// ----------------------------------------------------------------------------------------

void payment_work::on(payment_request& request) {
  accept(request);
}

void payment_work::on(gateway_reply& reply) {
  fault_point("payment.after_gateway_answer");
  if (calls_out_ > 0)
    --calls_out_;
  take_up({payments::gateway_answered{reply.target, std::move(reply.answer)}, {}});
}

void payment_work::on(journal_done& answer) {
  written(answer.result);
}

void payment_work::on(const wake_up&) {
  take_up({payments::woken{}, {}});
}

void payment_work::on(deliver_webhook& notice) {
  hear(notice);
}

void payment_work::on(const payment_revived&) {
  aside_.refused_writes = 0;
  take_up({payments::recovered{}, {}});
}

void payment_work::on(const describe& ask) {
  describe_to(ask.key);
}

void payment_work::on(const passivate&) {
  leave_if_idle();
}

// -- rest
// --------------------------------------------------------------------------------------------

bool payment_work::may_rest() const {
  return !in_flight_ && waiting_.empty() && calls_out_ == 0 && descriptions_due_.empty()
         && !state_->id.is_nil();
}

payment_aside payment_work::take_aside() {
  // Who asks next brings a trace of its own.
  if (is_idle())
    aside_.traceparent = {};
  return std::move(aside_);
}

// -- commands in, one at a time
// -----------------------------------------------------------------

void payment_work::accept(payment_request& request) {
  request_origin origin{std::move(request.key), request.request, std::move(request.request_id),
                        request.tell_when_durable};
  if (waiting_.size() >= limits::payment_waiting_max)
    return drop(origin, api::answer_problem(503, "overloaded",
                                            "Too much is asked of this payment "
                                            "at once.",
                                            origin.request_id, 1));
  const auto* made = std::get_if<payments::create>(&request.what);
  if (made != nullptr && !made->order.card.number.empty())
    aside_.card = std::make_unique<const card_data>(made->order.card);
  aside_.request_ids.emplace_back(origin.key, origin.request_id);
  aside_.traceparent = std::move(request.traceparent);
  take_up({std::move(request.what), std::move(origin)});
}

void payment_work::hear(deliver_webhook& delivery) {
  if (waiting_.size() >= limits::payment_waiting_max)
    return delivery.promise->deliver(api::answer_problem(
      503, "overloaded", "Too much is told of this payment at once; send it again.",
      delivery.promise->request_id(), 1));
  take_up({payments::gateway_notified{std::move(delivery.notice)}, std::nullopt,
           std::move(delivery.promise)});
}

void payment_work::take_up(waiting_command&& command) {
  if (in_flight_ || !waiting_.empty())
    waiting_.push_back(std::move(command));
  else
    start(std::move(command));
  step();
}

bool payment_work::is_idle() const {
  return !in_flight_ && waiting_.empty() && !state_->id.is_nil() && !has_pending_work(*state_);
}

/// A write under way must find this actor alive: whoever loaded the payment meanwhile would
/// not see it.
void payment_work::leave_if_idle() {
  if (is_idle() || state_->id.is_nil())
    self_.quit();
  else
    tell(seat_.shard, passivation_declined{seat_.id});
}

/// Works until a write is in flight or nothing waits.
void payment_work::step() {
  while (!in_flight_ && !waiting_.empty()) {
    auto command = std::move(waiting_.front());
    waiting_.erase(waiting_.begin());
    start(std::move(command));
  }
  if (is_idle())
    tell(seat_.shard, payment_idle{seat_.id});
}

void payment_work::start(waiting_command&& command) {
  const auto* heard = std::get_if<payments::gateway_notified>(&command.what);
  if (heard != nullptr && state_->id.is_nil())
    return; // The payment never came to be; dropped, the promise says: send it again.
  if (heard != nullptr && knows(name_of(heard->notice)))
    return command.notifier->deliver(api::answer_webhook(heard->notice.event_id, true));
  const auto now = seat_.env->now();
  drop_old_card(now);
  const payments::context at{now, payments::entropy{seat_.env->random()},
                             rules_for(command.what), aside_.card != nullptr,
                             next_answer_due()};
  auto decision = payments::decide(*state_, command.what, at);
  if (decision.refused)
    return write_refusal(*decision.refused, std::move(command.origin));
  if (decision.events.empty()) {
    // Woken too early, as after a write that the journal refused: its time is still to come. Or
    // for nothing: the shard waits for a word all the same.
    if (std::holds_alternative<payments::woken>(command.what))
      tell(seat_.shard, wake_me{seat_.id, state_->next_action_at > now ? state_->next_action_at
                                                                       : std::nullopt});
    return;
  }
  write_events(std::move(decision), std::move(command), now);
}

/// Late enough, a card payment rather fails than keep a number in memory.
void payment_work::drop_old_card(timestamp now) {
  if (!state_->id.is_nil()
      && now >= state_->created_at + milliseconds{limits::card_memory_ms_max})
    aside_.card = nullptr;
}

payments::policy payment_work::rules_for(const payments::command& what) const {
  const auto* made = std::get_if<payments::create>(&what);
  return made != nullptr ? seat_.env->rules_of(made->order.path.gateways.front()) : rules();
}

/// Of the gateway that would be asked after the last one.
std::optional<milliseconds> payment_work::next_answer_due() const {
  const auto next = state_->attempts.size();
  if (payments::is_terminal(state_->status) || next >= state_->route.size())
    return std::nullopt;
  return seat_.env->rules_of(state_->route[next]).answer_due;
}

payments::policy payment_work::rules() const {
  const auto& gateway = !state_->attempts.empty() ? state_->attempts.back().gateway
                        : state_->route.empty()   ? std::string{}
                                                  : state_->route.front();
  return seat_.env->rules_of(gateway);
}

// -- out to the journal
// -------------------------------------------------------------------------

storage::journal_write payment_work::new_write(
  const std::optional<request_origin>& origin) const {
  storage::journal_write write;
  write.shard = seat_.number;
  write.epoch = seat_.epoch;
  if (origin)
    write.claim =
      storage::key_claim{seat_.merchant, origin->key, origin->request, seat_.id.value};
  return write;
}

/// A refusal moves nothing, but it is the key's answer from here on.
void payment_work::write_refusal(const payments::refusal& refused,
                                 std::optional<request_origin> origin) {
  HF_ASSERT(origin.has_value());
  auto reply = refusal_reply(refused, origin->request_id);
  auto write = new_write(origin);
  write.answer = storage::key_answer{seat_.merchant, origin->key, to_stored(reply)};
  in_flight_ = pending_write{state_, {}, origin, origin->key, std::move(reply), false};
  submit_write(std::move(write));
}

void payment_work::write_events(payments::decision&& decision, waiting_command&& command,
                                timestamp now) {
  auto write = new_write(command.origin);
  auto next = std::make_shared<payment>(*state_);
  auto& pending = in_flight_.emplace(
    pending_write{next, std::move(decision.calls), std::move(command.origin), {}, {}});
  pending.is_of_wake = std::holds_alternative<payments::woken>(command.what)
                       || std::holds_alternative<payments::recovered>(command.what);
  if (const auto* heard = std::get_if<payments::gateway_notified>(&command.what)) {
    const auto name = name_of(heard->notice);
    write.webhook = storage::webhook_claim{name.first, name.second, seat_.id.value, now};
    pending.notice = heard_notice{name, std::move(command.notifier)};
  }
  for (const auto& event : decision.events) {
    auto postings = payments::postings_of(*next, event);
    for (const auto& entry : postings)
      HF_ASSERT(is_balanced(entry));
    payments::apply(*next, event, now);
    write.events.push_back({type_of(event), seat_.merchant, seat_.id.value, now, encode(event),
                            std::move(postings)});
    if (auto raised = payments::exception_of(*next, event))
      write.exceptions.push_back(
        {exception_id::make(now, seat_.number, seat_.env->random()), now, std::move(*raised)});
    note_changed_operation(event, pending, write);
    note_changed_dispute(event, pending, write);
  }
  HF_ASSERT(decision.settled.size() <= 1);
  if (!decision.settled.empty() && !decision.settled.front().idempotency_key.empty()) {
    const auto& settled = decision.settled.front();
    pending.settled_key = settled.idempotency_key;
    pending.reply = reply_of(settled, *next);
    write.answer =
      storage::key_answer{seat_.merchant, settled.idempotency_key, to_stored(*pending.reply)};
  }
  write.snapshot = std::move(next);
  submit_write(std::move(write));
}

/// Captures and refunds have rows of their own, which batches are made of; a void has none.
void payment_work::note_changed_operation(const payment_event& event, pending_write& pending,
                                          storage::journal_write& write) {
  const auto note = [&](operation_kind kind, std::uint32_t ordinal) {
    if (kind == operation_kind::void_hold)
      return;
    for (const auto& op : pending.next->operations)
      if (op.kind == kind && op.ordinal == ordinal)
        write.changed_operations.push_back(op);
  };
  if (const auto* requested = std::get_if<operation_requested>(&event))
    note(requested->kind, requested->ordinal);
  else if (const auto* refused = std::get_if<operation_refused>(&event))
    note(refused->kind, refused->ordinal);
  else if (const auto* done = std::get_if<operation_succeeded>(&event)) {
    note(done->kind, done->ordinal);
    pending.item_is_ready = done->kind != operation_kind::void_hold;
  }
}

/// Evidence is not noted here: it is told by the payment's detail alone.
void payment_work::note_changed_dispute(const payment_event& event,
                                        const pending_write& pending,
                                        storage::journal_write& write) {
  const auto note = [&](std::uint32_t ordinal) {
    write.changed_disputes.push_back(pending.next->disputes.at(ordinal - 1));
  };
  if (const auto* opened = std::get_if<dispute_opened>(&event))
    note(opened->ordinal);
  else if (const auto* won = std::get_if<dispute_won>(&event))
    note(won->ordinal);
  else if (const auto* lost = std::get_if<dispute_lost>(&event))
    note(lost->ordinal);
}

void payment_work::submit_write(storage::journal_write&& write) {
  in_flight_->since = std::chrono::steady_clock::now();
  seat_.env->journal->submit(
    std::move(write), [me = caf::actor_cast<caf::actor>(&self_)](storage::write_result result) {
      tell(me, journal_done{std::move(result)});
    });
}

// -- back from the journal
// ----------------------------------------------------------------------

void payment_work::written(storage::write_result& result) {
  HF_ASSERT(in_flight_.has_value());
  auto pending = std::move(*in_flight_);
  in_flight_.reset();
  seat_.env->intake->waited(admission::stage::journal,
                            std::chrono::floor<admission::microseconds>(
                              std::chrono::steady_clock::now() - pending.since));
  using kind = storage::write_result::kind;
  switch (result.outcome) {
    case kind::committed:
      committed(std::move(pending));
      // Where nothing waits, the shard has just heard how the payment stands.
      if (waiting_.empty())
        return;
      break;
    case kind::key_conflict: key_conflict(pending, result); break;
    case kind::webhook_known: notice_ended(pending, true); break;
    case kind::rejected: rejected(pending, result); break;
    case kind::overloaded: overloaded(pending); break;
    case kind::not_owner:
    case kind::lost:
      // The shard goes down with its epoch; a new owner rebuilds this payment from the
      // journal.
      self_.quit(caf::exit_reason::user_shutdown);
      return;
  }
  step();
}

void payment_work::committed(pending_write&& pending) {
  // Between two refused answers the payment asks again, and that can be written.
  if (!pending.is_of_wake)
    aside_.refused_writes = 0;
  state_ = std::move(pending.next);
  const wake_me then{seat_.id, state_->next_action_at, is_idle()};
  const bool settles = pending.reply.has_value();
  if (settles) {
    no_longer_asks(pending.settled_key);
    fault_point("payment.before_reply");
    tell(seat_.shard,
         request_settled{std::move(pending.settled_key), std::move(*pending.reply), then});
  } else if (pending.origin && pending.origin->tell_when_durable) {
    describe_for(pending.origin->key);
  }
  answer_descriptions();
  notice_ended(pending, false);
  for (const auto& target : pending.calls)
    call_gateway(target);
  if (!payments::may_need_card(*state_, rules()))
    aside_.card = nullptr;
  if (pending.item_is_ready)
    tell(seat_.shard, item_ready{seat_.merchant, state_->updated_at});
  if (!settles)
    tell(seat_.shard, then);
}

void payment_work::key_conflict(const pending_write& pending, storage::write_result& result) {
  HF_ASSERT(pending.origin && result.existing);
  no_longer_asks(pending.origin->key);
  tell(seat_.shard, key_was_taken{seat_.id, pending.origin->key, std::move(*result.existing),
                                  state_->id.is_nil()});
}

/// The database refused what our own core decided: a bug, or a rule broken by hand. The
/// payment stays as it was and looks again later; people are told.
void payment_work::rejected(const pending_write& pending, const storage::write_result& result) {
  seat_.env->log(severity::error, "payment " + seat_.id.text()
                                    + ": the journal refused a write: " + result.detail);
  if (pending.origin)
    return drop(*pending.origin,
                api::answer_problem(500, "internal_error",
                                    "The request could not be recorded; nothing was done.",
                                    pending.origin->request_id));
  // A gateway can tell us anything, and tells it again: no reason to give the payment up.
  if (pending.notice)
    return pending.notice->notifier->deliver(
      api::answer_problem(500, "internal_error", "The notice could not be recorded.",
                          pending.notice->notifier->request_id()));
  if (++aside_.refused_writes >= limits::answer_refusals_max) {
    aside_.card = nullptr; // Nothing wakes this actor again that would look how old it is.
    return tell(seat_.shard, dead_letter_found{{"payment", seat_.id.text(), result.detail,
                                                "the database refused what followed in "
                                                  + std::string{to_string(state_->status)}}});
  }
  tell(seat_.shard, wake_me{seat_.id, seat_.env->now() + rules().retry_max});
}

/// Nothing is wrong with the write, and whoever asked for it asks again. What nobody asked
/// for is not lost either: the payment stays as it was and looks again later, and asks again
/// for a gateway's answer that it could not keep.
void payment_work::overloaded(const pending_write& pending) {
  if (pending.origin)
    return drop(*pending.origin, api::answer_problem(503, "overloaded",
                                                     "The runtime is at its limit; try again.",
                                                     pending.origin->request_id, 1));
  if (pending.notice)
    return pending.notice->notifier->deliver(
      api::answer_problem(503, "overloaded", "The runtime is at its limit; send it again.",
                          pending.notice->notifier->request_id(), 1));
  tell(seat_.shard, wake_me{seat_.id, seat_.env->now() + retry_pause()});
}

/// Spread over all that the rules allow, for a full journal turns many payments away at once.
milliseconds payment_work::retry_pause() const {
  const auto rule = rules();
  const auto span = std::max<std::int64_t>((rule.retry_max - rule.retry_min).count(), 1);
  const auto extra = seat_.env->random() % static_cast<std::uint64_t>(span);
  return rule.retry_min + milliseconds{static_cast<std::int64_t>(extra)};
}

// -- gateways' notices
// ---------------------------------------------------------------------------

payment_work::notice_name payment_work::name_of(const webhook_notice& notice) {
  return {notice.gateway, notice.event_id};
}

/// Spares the database most duplicates; its unique constraint knows them all.
bool payment_work::knows(const notice_name& name) const {
  return std::ranges::find(aside_.notices, name) != aside_.notices.end();
}

/// The notice is durable, by this write or an earlier one.
void payment_work::notice_ended(const pending_write& pending, bool known_before) {
  if (!pending.notice)
    return;
  if (aside_.notices.size() >= limits::webhooks_remembered_max)
    aside_.notices.erase(aside_.notices.begin());
  aside_.notices.push_back(pending.notice->name);
  pending.notice->notifier->deliver(
    api::answer_webhook(pending.notice->name.second, known_before));
}

void payment_work::drop(const request_origin& origin, api_reply reply) {
  no_longer_asks(origin.key);
  tell(seat_.shard,
       request_dropped{seat_.id, origin.key, std::move(reply), state_->id.is_nil()});
}

// -- out to the gateway
// -------------------------------------------------------------------------

void payment_work::call_gateway(const payments::call_target& target) {
  fault_point("payment.before_gateway_call");
  const card_data no_card;
  auto request = payments::make_request(*state_, target, aside_.card ? *aside_.card : no_card);
  request.traceparent = aside_.traceparent;
  const auto me = caf::actor_cast<caf::actor>(&self_);
  auto gateway = seat_.env->peers.gateway(payments::gateway_of(*state_, target));
  if (!gateway) {
    tell(me, gateway_reply{target, {gateway_verdict::not_sent, {}, "gateway_absent", {}}});
    return;
  }
  ++calls_out_;
  tell(gateway, gateway_call{std::move(request), target, me, is_repeat(target)});
}

/// Whether the gateway may have heard of the operation before.
bool payment_work::is_repeat(const payments::call_target& target) const {
  return target.operation && std::ranges::any_of(state_->operations, [&](const operation& op) {
           return op.kind == *target.operation && op.ordinal == target.ordinal && op.tries > 0;
         });
}

// -- answers
// ------------------------------------------------------------------------------------

api_reply payment_work::reply_of(const settled_request& settled, const payment& after) const {
  using named_id = std::pair<std::string, std::string>;
  const auto found =
    std::ranges::find(aside_.request_ids, settled.idempotency_key, &named_id::first);
  const auto request_id = found == aside_.request_ids.end() ? std::string{} : found->second;
  const auto* op = settled.operation ? operation_of(after, settled) : nullptr;
  switch (settled.how) {
    case settled_request::kind::created: return api::answer_created(after);
    case settled_request::kind::declined: return api::answer_declined(after, request_id);
    case settled_request::kind::updated: return api::answer_updated(after);
    case settled_request::kind::refund: return api::answer_refund(after, *op);
    case settled_request::kind::dispute:
      return api::answer_dispute(after, after.disputes.at(settled.ordinal - 1));
    case settled_request::kind::refused: return api::answer_refused(after, *op, request_id);
  }
  return {};
}

const operation* payment_work::operation_of(const payment& after,
                                            const settled_request& settled) {
  for (const auto& op : after.operations)
    if (op.kind == *settled.operation && op.ordinal == settled.ordinal)
      return &op;
  HF_ASSERT(false);
  return nullptr;
}

/// The shard keeps this actor while somebody waits for a description; told again, it may let
/// it go.
void payment_work::describe_to(const std::string& key) {
  describe_for(key);
  step();
}

/// Before the key's own intent is durable there is nothing to describe, for its write may
/// still be refused: the asker then hears of it as soon as it is.
void payment_work::describe_for(const std::string& key) {
  const auto op = std::ranges::find(state_->operations, key, &operation::idempotency_key);
  const bool is_operation = op != state_->operations.end();
  if (is_operation && op->kind == operation_kind::refund)
    return send_pending(key, api::answer_refund(*state_, *op));
  if (is_operation || state_->idempotency_key == key)
    return send_pending(key, api::answer_pending(*state_));
  if (std::ranges::find(descriptions_due_, key) == descriptions_due_.end())
    descriptions_due_.push_back(key);
}

void payment_work::answer_descriptions() {
  for (const auto& key : std::exchange(descriptions_due_, {}))
    describe_for(key);
}

/// Its request has ended: a description would only confuse whoever repeats it.
void payment_work::no_longer_asks(const std::string& key) {
  std::erase_if(aside_.request_ids, [&](const auto& one) { return one.first == key; });
  std::erase(descriptions_due_, key);
}

void payment_work::send_pending(const std::string& key, api_reply reply) {
  tell(seat_.shard, request_pending{seat_.id, key, std::move(reply)});
}

} // namespace holdfast::actors
