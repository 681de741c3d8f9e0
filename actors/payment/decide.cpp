// The choices: which events and gateway calls follow a command. See core.hpp for the rules.
#include "actors/payment/core.hpp"
#include "actors/payment/disputes.hpp"
#include "messages/assert.hpp"
#include "messages/limits.hpp"

#include <algorithm>

namespace holdfast::payments {

namespace {

timestamp after(timestamp now, milliseconds pause) {
  return now + pause;
}

/// Exponential backoff with full jitter; never below retry_min, so that a retry is not a storm.
/// `tries` counts what was sent, once a round.
milliseconds backoff(context& at, std::uint32_t tries) {
  const auto doublings = std::min<std::uint32_t>(tries, 20);
  const auto ceiling =
    std::min(at.rules.retry_min * (std::int64_t{1} << doublings) * 2, at.rules.retry_max);
  const auto span = (ceiling - at.rules.retry_min).count();
  const auto jitter =
    at.random.below(static_cast<std::uint64_t>(std::max<std::int64_t>(span, 1)));
  return at.rules.retry_min + milliseconds{static_cast<std::int64_t>(jitter)};
}

class decider {
public:
  decider(const payment& state, context at) noexcept : state_(state), at_(at) {}

  decision operator()(const create& order) {
    HF_ASSERT(state_.id.is_nil());
    const auto& wish = order.order;
    HF_ASSERT(!wish.path.gateways.empty());
    payment_created made;
    made.id = order.id;
    made.merchant = order.merchant;
    made.unit = wish.total.unit;
    made.amount = wish.total.amount;
    made.mode = wish.mode;
    made.card = wish.summary;
    made.token = wish.token;
    made.reference = wish.reference;
    made.description = wish.description;
    made.region = wish.region;
    made.metadata = wish.metadata;
    made.idempotency_key = order.idempotency_key;
    made.route = wish.path.gateways;
    made.acquirer = wish.path.acquirer;
    made.route_reasons = wish.path.reasons;
    out_.events.emplace_back(std::move(made));
    std::string why = "first of the route";
    if (!wish.path.reasons.empty())
      why += ": " + wish.path.reasons.front();
    start_attempt(1, wish.path.gateways.front(), std::move(why));
    return std::move(out_);
  }

  decision operator()(const request_operation& wish) {
    if (state_.operations.size() >= limits::payment_operations_max)
      return refuse(errc::invalid_state, "This payment has reached its limit of operations.");
    switch (wish.kind) {
      case operation_kind::capture: return request_capture(wish);
      case operation_kind::refund: return request_refund(wish);
      case operation_kind::void_hold: return request_void(wish);
    }
    return std::move(out_);
  }

  decision operator()(const gateway_answered& reply) {
    if (reply.target.operation)
      operation_answered(reply);
    else if (reply.target.verb == gateway_verb::reverse)
      reversal_answered(reply);
    else
      authorization_answered(reply);
    return std::move(out_);
  }

  decision operator()(const gateway_notified& heard) {
    const auto& notice = heard.notice;
    if (is_dispute(notice.type))
      return decide_dispute(state_, notice, at_);
    ask_about(notice);
    const auto finding = out_.calls.empty() ? compare(state_, notice) : webhook_finding::asked;
    out_.events.insert(out_.events.begin(), received(notice, finding));
    return std::move(out_);
  }

  decision operator()(const note_dispute_evidence& wish) {
    return decide_evidence(state_, wish);
  }

  decision operator()(const woken&) {
    for (const auto& one : state_.attempts)
      if (one.next_try_at <= at_.now)
        pursue(one, "no answer in time");
    for (const auto& op : state_.operations)
      if (op.status == operation_status::requested && op.next_try_at <= at_.now)
        repeat(op);
    expire_if_due();
    return std::move(out_);
  }

  decision operator()(const recovered&) {
    // Whatever was under way may have happened: all of it is looked at, due or not.
    for (const auto& one : state_.attempts)
      pursue(one, "interrupted by a restart");
    for (const auto& op : state_.operations)
      if (op.status == operation_status::requested)
        repeat(op);
    expire_if_due();
    return std::move(out_);
  }

private:
  // -- authorization
  // ------------------------------------------------------------------------------

  void start_attempt(std::uint32_t number, const std::string& gateway, std::string why) {
    const auto answer_due = at_.next_answer_due.value_or(at_.rules.answer_due);
    out_.events.emplace_back(
      attempt_started{number, gateway, after(at_.now, answer_due), std::move(why)});
    call(gateway_verb::authorize, number);
  }

  /// Whether the next gateway of the route can be asked. Only ever used where it is certain
  /// that the one before holds nothing.
  enum class way_on : std::uint8_t { open, route_ends, card_is_gone };

  way_on way_on_from(const attempt& one) const {
    if (one.number >= state_.route.size() || one.number >= limits::payment_attempts_max)
      return way_on::route_ends;
    return state_.token.empty() && !at_.card_at_hand ? way_on::card_is_gone : way_on::open;
  }

  void try_next(const attempt& one, std::string why) {
    start_attempt(one.number + 1, state_.route[one.number], std::move(why));
  }

  void fail(const char* code, const char* message) {
    out_.events.emplace_back(payment_failed{code, message});
    settle(state_.idempotency_key, settled_request::kind::declined);
  }

  void fail_without_card() {
    fail("card_unavailable",
         "The card's number is no longer at hand for another gateway; nothing is held.");
  }

  /// An answer to an authorize or inquire call. It counts in `started` and `unknown` alone:
  /// once a reversal is due, a late approval changes nothing (the reversal covers it), and
  /// after an end nothing does.
  void authorization_answered(const gateway_answered& reply) {
    const auto* one = find_attempt(reply.target.attempt);
    if (one == nullptr
        || (one->status != attempt_status::started && one->status != attempt_status::unknown))
      return;
    const auto& answer = reply.answer;
    switch (answer.verdict) {
      case gateway_verdict::approved: approve(*one, answer); break;
      case gateway_verdict::declined: declined(*one, reply.target.verb, answer); break;
      case gateway_verdict::not_sent: not_sent(*one, reply.target.verb, answer); break;
      case gateway_verdict::not_found: not_found(*one, answer); break;
      case gateway_verdict::unknown: still_unknown(*one, answer.code); break;
    }
  }

  void approve(const attempt& one, const gateway_answer& answer) {
    const auto lifetime = at_.rules.lifetime_of(state_.card.brand);
    out_.events.emplace_back(
      authorization_approved{one.number, answer.gateway_reference, after(at_.now, lifetime)});
    if (state_.mode == capture_mode::manual)
      return settle(state_.idempotency_key, settled_request::kind::created);
    operation_requested capture;
    capture.kind = operation_kind::capture;
    capture.ordinal = 1;
    capture.id = make_uuid(at_.now, state_.id.shard(), at_.random.next());
    capture.amount = state_.amount;
    capture.final = true;
    capture.next_try_at = after(at_.now, at_.rules.answer_due);
    out_.events.emplace_back(std::move(capture));
    call_operation(operation_kind::capture, 1, one.number);
  }

  /// Certain that the gateway never heard of it: the next one may be tried at once. That is so
  /// only while no earlier call of this attempt could have reached it.
  void not_sent(const attempt& one, gateway_verb verb, const gateway_answer& answer) {
    if (verb != gateway_verb::authorize || one.status != attempt_status::started)
      return still_unknown(one, answer.code);
    out_.events.emplace_back(attempt_not_sent{one.number, answer.code});
    switch (way_on_from(one)) {
      case way_on::open: return try_next(one, one.gateway + " was not sent: " + answer.code);
      case way_on::card_is_gone: return fail_without_card();
      case way_on::route_ends:
        return fail("gateway_unavailable", "No gateway could be reached; nothing was charged.");
    }
  }

  /// The answer to the authorization itself is believed. What an inquiry says may be older than
  /// the issuer's approval, so the reference is reversed first: the decline is true after that,
  /// whatever it was before.
  void declined(const attempt& one, gateway_verb verb, const gateway_answer& answer) {
    decline_info why{answer.code, answer.message};
    if (verb != gateway_verb::inquire)
      return end_declined(one, why);
    if (one.status == attempt_status::started)
      return still_unknown(one, answer.code); // Nothing was asked yet.
    request_reversal(one, std::move(why));
  }

  /// A decline that stands. It ends the payment, unless another gateway may say otherwise.
  void end_declined(const attempt& one, const decline_info& why) {
    if (at_.rules.is_retryable(why.code) && way_on_from(one) == way_on::open) {
      out_.events.emplace_back(attempt_declined{one.number, why.code, why.message});
      return try_next(one, one.gateway + " declined: " + why.code);
    }
    out_.events.emplace_back(authorization_declined{one.number, why.code, why.message});
    settle(state_.idempotency_key, settled_request::kind::declined);
  }

  /// The gateway doesn't know our reference. It may still be on its way there, so that is
  /// believed only after the settle time; and then the reference is reversed, so that it can
  /// never charge.
  void not_found(const attempt& one, const gateway_answer& answer) {
    const auto settled_at = one.started_at + at_.rules.settle_time;
    if (one.status == attempt_status::started || at_.now < settled_at)
      return look_again(one, answer.code,
                        std::min(at_.now + backoff(at_, one.tries), settled_at));
    request_reversal(one, std::nullopt);
  }

  void request_reversal(const attempt& one, std::optional<decline_info> decline) {
    out_.events.emplace_back(
      reversal_requested{one.number, after(at_.now, at_.rules.answer_due), std::move(decline)});
    call(gateway_verb::reverse, one.number);
  }

  void still_unknown(const attempt& one, const std::string& reason) {
    look_again(one, reason, after(at_.now, backoff(at_, one.tries)));
  }

  /// Whether the event goes along with a call, which then counts as a try.
  enum class sending : bool { no, yes };

  void look_again(const attempt& one, const std::string& reason, timestamp next,
                  sending now = sending::no) {
    const bool sent = now == sending::yes;
    if (one.status == attempt_status::started)
      out_.events.emplace_back(authorization_unknown{one.number, reason, next, sent});
    else
      out_.events.emplace_back(inquiry_scheduled{one.number, reason, next, sent});
    escalate_if_overdue(one, reason);
  }

  void repeat_reversal(const attempt& one, const std::string& reason, timestamp next,
                       sending now = sending::no) {
    out_.events.emplace_back(reversal_scheduled{one.number, reason, next, now == sending::yes});
    escalate_if_overdue(one, reason);
  }

  /// Once per attempt. The payment goes on as before: a person is asked as well, not instead.
  void escalate_if_overdue(const attempt& one, const std::string& reason) {
    const auto since = open_since(state_, one);
    if (one.escalated || at_.now < since + at_.rules.resolve_within)
      return;
    const bool nothing_new = reason == reason_asked || reason == reason_repeated;
    out_.events.emplace_back(resolution_escalated{one.number, std::nullopt, 0, since,
                                                  nothing_new ? one.last_heard : reason});
  }

  void reversal_answered(const gateway_answered& reply) {
    const auto* one = find_attempt(reply.target.attempt);
    if (one == nullptr || one->status != attempt_status::reversing)
      return;
    // Refused or lost, a reversal stays owed until the gateway acknowledges it.
    if (reply.answer.verdict != gateway_verdict::approved)
      return repeat_reversal(*one, reply.answer.code, after(at_.now, backoff(at_, one->tries)));
    out_.events.emplace_back(authorization_reversed{one->number});
    if (is_terminal(state_.status))
      return; // The hold of a payment that has expired.
    if (one->decline)
      return end_declined(*one, *one->decline);
    resolved_by_reversal(*one);
  }

  /// The gateway has acknowledged that it holds nothing, nor will: only now may another one be
  /// asked, where the policy says so.
  void resolved_by_reversal(const attempt& one) {
    const auto onward = way_on_from(one);
    if (at_.rules.after_reversal == unknown_outcome::resolve_then_failover) {
      if (onward == way_on::open)
        return try_next(one, one.gateway + "'s unknown outcome was reversed");
      if (onward == way_on::card_is_gone)
        return fail_without_card();
    }
    fail("outcome_unresolved",
         "The gateway's answer was lost; the authorization was reversed and nothing is held.");
  }

  /// Looks after an attempt whose answer is overdue or lost.
  void pursue(const attempt& one, const char* reason) {
    const auto due = after(at_.now, at_.rules.answer_due);
    switch (one.status) {
      case attempt_status::started:
        look_again(one, reason, due, sending::yes);
        return call(gateway_verb::inquire, one.number);
      case attempt_status::unknown:
        look_again(one, reason_asked, due, sending::yes);
        return call(gateway_verb::inquire, one.number);
      case attempt_status::reversing:
        repeat_reversal(one, reason_repeated, due, sending::yes);
        return call(gateway_verb::reverse, one.number);
      case attempt_status::approved:
      case attempt_status::declined:
      case attempt_status::not_sent:
      case attempt_status::reversed: return;
    }
  }

  /// A gateway's hint: where something of what it names is open, the gateway is asked at once.
  void ask_about(const webhook_notice& notice) {
    const auto* one = attempt_of(state_, notice);
    if (one == nullptr)
      return;
    pursue(*one, "the gateway has sent a notice");
    for (const auto& op : state_.operations) {
      const bool named =
        !notice.about.operation
        || (notice.about.operation == op.kind && notice.about.ordinal == op.ordinal);
      if (named && op.status == operation_status::requested)
        repeat(op);
    }
  }

  /// A hold that lapses uncaptured is also reversed at the gateway, and that is owed until it
  /// is acknowledged: schemes demand it, and the cardholder's money shouldn't wait for the
  /// issuer's own clock, which may be later than ours. The payment and its ledger don't wait
  /// for that: no capture can follow any more, and the hold account is our own memo. What a
  /// partial capture leaves is let lapse: a reversal names the whole authorization, which the
  /// gateway has partly captured and would rightly refuse to reverse.
  void expire_if_due() {
    const bool held = state_.status == payment_status::authorized
                      || state_.status == payment_status::partially_captured;
    if (held && state_.expires_at && *state_.expires_at <= at_.now
        && !has_pending(state_, operation_kind::capture)
        && !has_pending(state_, operation_kind::void_hold)) {
      out_.events.emplace_back(authorization_expired{});
      if (state_.captured == minor_units{})
        request_reversal(*approved_attempt(state_), std::nullopt);
    }
  }

  // -- operations
  // ---------------------------------------------------------------------------------

  decision request_capture(const request_operation& wish) {
    if (state_.status != payment_status::authorized
        && state_.status != payment_status::partially_captured)
      return refuse_state("captured");
    if (has_pending(state_, operation_kind::void_hold))
      return refuse(errc::invalid_state, "A void of this payment is under way.");
    const bool final_pending = std::ranges::any_of(state_.operations, [](const operation& op) {
      return op.kind == operation_kind::capture && op.status == operation_status::requested
             && op.final;
    });
    if (final_pending)
      return refuse(errc::invalid_state, "The final capture of this payment is under way.");
    if (wish.final && has_pending(state_, operation_kind::capture))
      return refuse(errc::invalid_state,
                    "A capture is under way; a final one can follow when it has ended.");
    const auto left =
      state_.amount - state_.captured - pending_amount(state_, operation_kind::capture);
    return request(wish, left, "captured");
  }

  decision request_refund(const request_operation& wish) {
    if (state_.captured == minor_units{})
      return refuse_state("refunded");
    const auto beyond = uncovered(state_);
    const auto left = refundable(state_) - beyond;
    if (left <= minor_units{} && state_.disputed + beyond > minor_units{})
      return refuse(errc::invalid_state,
                    "What is left of this payment is disputed: the cardholder gets it by the "
                    "dispute, not by a refund besides.");
    return request(wish, left, "refunded");
  }

  decision request_void(const request_operation& wish) {
    if (state_.status != payment_status::authorized)
      return refuse_state("voided");
    if (has_pending(state_, operation_kind::capture)
        || has_pending(state_, operation_kind::void_hold))
      return refuse(errc::invalid_state, "A capture or void of this payment is under way.");
    return accept(wish, state_.amount);
  }

  decision request(const request_operation& wish, minor_units left, const char* verb) {
    if (left <= minor_units{})
      return refuse(errc::invalid_state,
                    std::string{"Nothing of this payment is left to be "} + verb + '.');
    const auto amount = wish.amount.value_or(left);
    HF_ASSERT(amount > minor_units{});
    if (amount > left)
      return refuse(errc::amount_too_large, "At most " + to_text({left, state_.unit})
                                              + " of this payment can be " + verb + '.');
    return accept(wish, amount);
  }

  decision accept(const request_operation& wish, minor_units amount) {
    const auto* held = approved_attempt(state_);
    HF_ASSERT(held != nullptr);
    operation_requested made;
    made.kind = wish.kind;
    made.ordinal = next_ordinal(wish.kind);
    made.id = wish.id;
    made.amount = amount;
    made.final = wish.final;
    made.reason = wish.reason;
    made.idempotency_key = wish.idempotency_key;
    made.next_try_at = after(at_.now, at_.rules.answer_due);
    call_operation(made.kind, made.ordinal, held->number);
    out_.events.emplace_back(std::move(made));
    return std::move(out_);
  }

  void operation_answered(const gateway_answered& reply) {
    const auto* op = find_operation(state_, *reply.target.operation, reply.target.ordinal);
    if (op == nullptr || op->status != operation_status::requested)
      return;
    // Repeating is safe, and the answer to a repeat is the answer to the first try, for the
    // gateway knows the operation by our own reference (a void by the authorization's): a
    // repeat that is declined says that no try before it succeeded. A gateway without that
    // would have to be asked about the operation first, in its adapter.
    const auto& answer = reply.answer;
    switch (answer.verdict) {
      case gateway_verdict::approved: return operation_done(*op, answer);
      case gateway_verdict::declined: return operation_declined(*op, answer);
      case gateway_verdict::not_found:
      case gateway_verdict::not_sent:
      case gateway_verdict::unknown:
        return repeat_later(*op, answer.code, after(at_.now, backoff(at_, op->tries)));
    }
  }

  void operation_done(const operation& op, const gateway_answer& answer) {
    out_.events.emplace_back(
      operation_succeeded{op.kind, op.ordinal, answer.gateway_reference});
    if (is_automatic_capture(op))
      return settle(state_.idempotency_key, settled_request::kind::created);
    const auto how = op.kind == operation_kind::refund ? settled_request::kind::refund
                                                       : settled_request::kind::updated;
    settle(op.idempotency_key, how, op);
  }

  void operation_declined(const operation& op, const gateway_answer& answer) {
    out_.events.emplace_back(
      operation_refused{op.kind, op.ordinal, answer.code, answer.message});
    settle(is_automatic_capture(op) ? state_.idempotency_key : op.idempotency_key,
           settled_request::kind::refused, op);
  }

  void repeat(const operation& op) {
    const auto* held = approved_attempt(state_);
    HF_ASSERT(held != nullptr);
    repeat_later(op, reason_repeated, after(at_.now, at_.rules.answer_due), sending::yes);
    call_operation(op.kind, op.ordinal, held->number);
  }

  void repeat_later(const operation& op, const std::string& reason, timestamp next,
                    sending now = sending::no) {
    out_.events.emplace_back(
      operation_rescheduled{op.kind, op.ordinal, reason, next, now == sending::yes});
    if (!op.escalated && at_.now >= op.created_at + at_.rules.resolve_within)
      out_.events.emplace_back(
        resolution_escalated{0, op.kind, op.ordinal, op.created_at, reason});
  }

  /// The capture that approval itself asked for has no request, and so no key, of its own.
  static bool is_automatic_capture(const operation& op) { return op.idempotency_key.empty(); }

  // -- small change
  // -------------------------------------------------------------------------------

  decision refuse(errc code, std::string detail) {
    out_.refused = refusal{code, std::move(detail)};
    return std::move(out_);
  }

  decision refuse_state(const char* verb) {
    return refuse(errc::invalid_state,
                  "A payment that is "
                    + std::string{public_status(state_.status, state_.settlement)}
                    + " can't be " + verb + '.');
  }

  void settle(const std::string& key, settled_request::kind how) {
    out_.settled.push_back({key, how, std::nullopt, 0});
  }

  void settle(const std::string& key, settled_request::kind how, const operation& op) {
    out_.settled.push_back({key, how, op.kind, op.ordinal});
  }

  void call(gateway_verb verb, std::uint32_t attempt) {
    out_.calls.push_back({verb, attempt, std::nullopt, 0});
  }

  void call_operation(operation_kind kind, std::uint32_t ordinal, std::uint32_t attempt) {
    const auto verb = kind == operation_kind::capture  ? gateway_verb::capture
                      : kind == operation_kind::refund ? gateway_verb::refund
                                                       : gateway_verb::reverse;
    out_.calls.push_back({verb, attempt, kind, ordinal});
  }

  const attempt* find_attempt(std::uint32_t number) const {
    auto found = std::ranges::find(state_.attempts, number, &attempt::number);
    return found == state_.attempts.end() ? nullptr : &*found;
  }

  std::uint32_t next_ordinal(operation_kind kind) const {
    return 1
           + static_cast<std::uint32_t>(
             std::ranges::count(state_.operations, kind, &operation::kind));
  }

  const payment& state_;
  context at_;
  decision out_;
};

} // namespace

decision decide(const payment& state, const command& what, context at) {
  return std::visit(decider{state, at}, what);
}

} // namespace holdfast::payments
