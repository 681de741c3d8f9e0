// How events change a payment. Everything here is bookkeeping; the choices are in decide.cpp.
#include "actors/payment/core.hpp"
#include "actors/payment/disputes.hpp"
#include "messages/assert.hpp"

#include <algorithm>
#include <type_traits>

namespace holdfast::payments {

namespace {

attempt* find_attempt(payment& state, std::uint32_t number) noexcept {
  auto found = std::ranges::find(state.attempts, number, &attempt::number);
  return found == state.attempts.end() ? nullptr : &*found;
}

operation* find_operation(payment& state, operation_kind kind, std::uint32_t ordinal) noexcept {
  auto found = std::ranges::find_if(state.operations, [&](const operation& op) {
    return op.kind == kind && op.ordinal == ordinal;
  });
  return found == state.operations.end() ? nullptr : &*found;
}

bool may_be_declined(const attempt& one) noexcept {
  return one.status == attempt_status::started || one.status == attempt_status::unknown
         || one.status == attempt_status::reversed;
}

bool is_unresolved(const attempt& one) noexcept {
  return one.status == attempt_status::unknown || one.status == attempt_status::reversing;
}

/// When anything of the payment is due next: the earliest of its open attempt, its open
/// operations and the end of its hold.
std::optional<timestamp> earliest_due(const payment& state) {
  std::optional<timestamp> earliest;
  auto consider = [&](timestamp at) {
    if (!earliest || at < *earliest)
      earliest = at;
  };
  for (const auto& one : state.attempts) {
    const bool open = one.status == attempt_status::started
                      || one.status == attempt_status::unknown
                      || one.status == attempt_status::reversing;
    if (open)
      consider(one.next_try_at);
  }
  bool moving = false;
  for (const auto& op : state.operations) {
    if (op.status != operation_status::requested)
      continue;
    consider(op.next_try_at);
    moving = moving || op.kind != operation_kind::refund;
  }
  const bool held = state.status == payment_status::authorized
                    || state.status == payment_status::partially_captured;
  // A hold doesn't lapse under a capture or void that is being found out.
  if (held && !moving && state.expires_at)
    consider(*state.expires_at);
  return earliest;
}

class applier {
public:
  applier(payment& state, timestamp at) noexcept : state_(state), at_(at) {}

  void operator()(const payment_created& e) {
    HF_ASSERT(state_.id.is_nil());
    state_.id = e.id;
    state_.merchant = e.merchant;
    state_.unit = e.unit;
    state_.amount = e.amount;
    state_.mode = e.mode;
    state_.card = e.card;
    state_.token = e.token;
    state_.reference = e.reference;
    state_.description = e.description;
    state_.region = e.region;
    state_.metadata = e.metadata;
    state_.idempotency_key = e.idempotency_key;
    state_.route = e.route;
    state_.acquirer = e.acquirer;
    state_.route_reasons = e.route_reasons;
    state_.created_at = at_;
    state_.status = payment_status::processing;
  }

  void operator()(const attempt_started& e) {
    HF_ASSERT(e.number == state_.attempts.size() + 1);
    attempt one;
    one.number = e.number;
    one.gateway = e.gateway;
    one.started_at = at_;
    one.next_try_at = e.next_try_at;
    one.reason = e.reason;
    state_.attempts.push_back(std::move(one));
    state_.status = payment_status::processing;
  }

  void operator()(const authorization_approved& e) {
    auto& one = open_attempt(e.attempt);
    one.status = attempt_status::approved;
    one.gateway_reference = e.gateway_reference;
    state_.status = payment_status::authorized;
    state_.expires_at = e.expires_at;
  }

  void operator()(const authorization_declined& e) {
    decline(e.attempt, {e.code, e.message});
    state_.status = payment_status::declined;
    state_.decline = decline_info{e.code, e.message};
  }

  void operator()(const attempt_declined& e) { decline(e.attempt, {e.code, e.message}); }

  void operator()(const attempt_not_sent& e) {
    auto& one = open_attempt(e.attempt);
    one.status = attempt_status::not_sent;
    one.last_heard = e.reason;
  }

  void operator()(const authorization_unknown& e) {
    auto& one = open_attempt(e.attempt);
    one.status = attempt_status::unknown;
    one.tries += e.sent ? 1 : 0;
    one.next_try_at = e.next_inquiry_at;
    one.last_heard = e.reason;
    state_.status = payment_status::pending_gateway;
  }

  void operator()(const inquiry_scheduled& e) {
    auto& one = attempt_in(e.attempt, attempt_status::unknown);
    one.tries += e.sent ? 1 : 0;
    one.next_try_at = e.next_inquiry_at;
    hear(one, e.reason);
  }

  void operator()(const reversal_requested& e) {
    auto* one = find_attempt(state_, e.attempt);
    HF_ASSERT(one != nullptr && may_be_reversed(state_, *one));
    if (e.decline)
      one->last_heard = e.decline->code;
    else if (one->status == attempt_status::unknown)
      one->last_heard = "not_found"; // What else an inquiry is reversed for.
    one->status = attempt_status::reversing;
    one->tries = 0;
    one->next_try_at = e.next_try_at;
    one->decline = e.decline;
  }

  void operator()(const reversal_scheduled& e) {
    auto& one = attempt_in(e.attempt, attempt_status::reversing);
    one.tries += e.sent ? 1 : 0;
    one.next_try_at = e.next_try_at;
    hear(one, e.reason);
  }

  void operator()(const authorization_reversed& e) {
    attempt_in(e.attempt, attempt_status::reversing).status = attempt_status::reversed;
  }

  void operator()(const payment_failed& e) {
    HF_ASSERT(!is_terminal(state_.status));
    state_.status = payment_status::failed;
    state_.decline = decline_info{e.code, e.message};
  }

  void operator()(const authorization_expired&) {
    // What was captured stays captured: only the rest of the hold lapses.
    HF_ASSERT(state_.status == payment_status::authorized
              || state_.status == payment_status::partially_captured);
    state_.status = state_.status == payment_status::authorized ? payment_status::expired
                                                                : payment_status::captured;
  }

  void operator()(const operation_requested& e) {
    operation op;
    op.kind = e.kind;
    op.ordinal = e.ordinal;
    op.id = e.id;
    op.amount = e.amount;
    op.final = e.final;
    op.reason = e.reason;
    op.idempotency_key = e.idempotency_key;
    op.next_try_at = e.next_try_at;
    op.created_at = at_;
    state_.operations.push_back(std::move(op));
  }

  void operator()(const operation_rescheduled& e) {
    auto& op = open_operation(e.kind, e.ordinal);
    op.tries += e.sent ? 1 : 0;
    op.next_try_at = e.next_try_at;
  }

  void operator()(const operation_succeeded& e) {
    auto& op = open_operation(e.kind, e.ordinal);
    op.status = operation_status::succeeded;
    op.gateway_reference = e.gateway_reference;
    switch (op.kind) {
      case operation_kind::capture:
        state_.captured += op.amount;
        HF_ASSERT(state_.captured <= state_.amount);
        state_.status = op.final || state_.captured == state_.amount
                          ? payment_status::captured
                          : payment_status::partially_captured;
        break;
      case operation_kind::refund:
        state_.refunded += op.amount;
        HF_ASSERT(state_.refunded + state_.disputed <= state_.captured);
        break;
      case operation_kind::void_hold:
        HF_ASSERT(state_.status == payment_status::authorized);
        state_.status = payment_status::voided;
        break;
    }
  }

  void operator()(const operation_refused& e) {
    auto& op = open_operation(e.kind, e.ordinal);
    op.status = operation_status::refused;
    op.refusal_code = e.code;
  }

  /// Kept for the timeline; what followed from it are events of their own.
  void operator()(const webhook_received&) {}
  void operator()(const dispute_opened& e) { apply_dispute(state_, e, at_); }
  void operator()(const dispute_evidence_noted& e) { apply_dispute(state_, e, at_); }
  void operator()(const dispute_won& e) { apply_dispute(state_, e, at_); }
  void operator()(const dispute_lost& e) { apply_dispute(state_, e, at_); }

  void operator()(const resolution_escalated& e) {
    if (e.kind) {
      open_operation(*e.kind, e.ordinal).escalated = true;
      return;
    }
    auto* one = find_attempt(state_, e.attempt);
    HF_ASSERT(one != nullptr && is_unresolved(*one));
    one->escalated = true;
  }

private:
  /// An attempt that a reversal has made sure of is declined after it.
  void decline(std::uint32_t number, decline_info why) {
    auto* one = find_attempt(state_, number);
    HF_ASSERT(one != nullptr && may_be_declined(*one));
    one->status = attempt_status::declined;
    one->last_heard = why.code;
    one->decline = std::move(why);
  }

  static void hear(attempt& one, const std::string& reason) {
    if (reason != reason_asked && reason != reason_repeated)
      one.last_heard = reason;
  }

  attempt& open_attempt(std::uint32_t number) {
    auto* one = find_attempt(state_, number);
    HF_ASSERT(one != nullptr);
    HF_ASSERT(one->status == attempt_status::started || one->status == attempt_status::unknown);
    return *one;
  }

  attempt& attempt_in(std::uint32_t number, attempt_status status) {
    auto* one = find_attempt(state_, number);
    HF_ASSERT(one != nullptr && one->status == status);
    return *one;
  }

  operation& open_operation(operation_kind kind, std::uint32_t ordinal) {
    auto* op = find_operation(state_, kind, ordinal);
    HF_ASSERT(op != nullptr && op->status == operation_status::requested);
    return *op;
  }

  payment& state_;
  timestamp at_;
};

} // namespace

void apply(payment& state, const payment_event& event, timestamp at) {
  std::visit(applier{state, at}, event);
  state.updated_at = at;
  state.next_action_at = earliest_due(state);
}

namespace {

/// Stored history is not our own logic: what `apply` would assert is looked at here first, so
/// that a tampered or truncated log is reported and doesn't stop the process.
class follow_check {
public:
  explicit follow_check(const payment& state) noexcept : state_(state) {}

  bool operator()(const payment_created& e) const {
    return !exists() && !e.id.is_nil() && e.amount > minor_units{};
  }
  bool operator()(const attempt_started& e) const {
    return exists() && !is_terminal(state_.status) && nothing_held()
           && e.number == state_.attempts.size() + 1;
  }
  bool operator()(const authorization_approved& e) const { return is_open(e.attempt); }
  bool operator()(const authorization_declined& e) const { return can_decline(e.attempt); }
  bool operator()(const attempt_declined& e) const { return can_decline(e.attempt); }
  bool operator()(const resolution_escalated& e) const {
    if (e.kind)
      return is_open(*e.kind, e.ordinal) && !find(*e.kind, e.ordinal)->escalated;
    const auto* one = find(e.attempt);
    return one != nullptr && is_unresolved(*one) && !one->escalated;
  }
  bool operator()(const attempt_not_sent& e) const {
    return is_in(e.attempt, attempt_status::started);
  }
  bool operator()(const authorization_unknown& e) const {
    return is_in(e.attempt, attempt_status::started);
  }
  bool operator()(const inquiry_scheduled& e) const {
    return is_in(e.attempt, attempt_status::unknown);
  }
  bool operator()(const reversal_requested& e) const {
    const auto* one = find(e.attempt);
    return one != nullptr && may_be_reversed(state_, *one);
  }
  bool operator()(const reversal_scheduled& e) const {
    return is_in(e.attempt, attempt_status::reversing);
  }
  bool operator()(const authorization_reversed& e) const {
    return is_in(e.attempt, attempt_status::reversing);
  }
  bool operator()(const payment_failed&) const {
    return exists() && !is_terminal(state_.status) && nothing_held();
  }
  bool operator()(const authorization_expired&) const { return is_held() && !is_moving(); }

  bool operator()(const operation_requested& e) const {
    const auto of_kind = std::ranges::count(state_.operations, e.kind, &operation::kind);
    if (e.amount <= minor_units{} || e.ordinal != static_cast<std::uint64_t>(of_kind) + 1)
      return false;
    const auto pending = pending_amount(state_, e.kind);
    switch (e.kind) {
      case operation_kind::capture:
        return is_held() && !has_pending(state_, operation_kind::void_hold)
               && e.amount <= state_.amount - state_.captured - pending;
      case operation_kind::refund: return e.amount <= refundable(state_);
      case operation_kind::void_hold:
        return state_.status == payment_status::authorized && !is_moving();
    }
    return false;
  }
  bool operator()(const webhook_received&) const { return exists(); }
  bool operator()(const dispute_opened& e) const { return may_follow(state_, e); }
  bool operator()(const dispute_evidence_noted& e) const { return may_follow(state_, e); }
  bool operator()(const dispute_won& e) const { return may_follow(state_, e); }
  bool operator()(const dispute_lost& e) const { return may_follow(state_, e); }

  bool operator()(const operation_rescheduled& e) const { return is_open(e.kind, e.ordinal); }
  bool operator()(const operation_refused& e) const { return is_open(e.kind, e.ordinal); }

  bool operator()(const operation_succeeded& e) const {
    const auto* op = find(e.kind, e.ordinal);
    if (op == nullptr || op->status != operation_status::requested)
      return false;
    switch (op->kind) {
      case operation_kind::capture:
        return is_held() && op->amount <= state_.amount - state_.captured;
      case operation_kind::refund:
        return op->amount <= state_.captured - state_.refunded - state_.disputed;
      case operation_kind::void_hold: return state_.status == payment_status::authorized;
    }
    return false;
  }

private:
  bool exists() const { return !state_.id.is_nil(); }
  bool is_held() const {
    return state_.status == payment_status::authorized
           || state_.status == payment_status::partially_captured;
  }
  /// A capture or void is being found out.
  bool is_moving() const {
    return has_pending(state_, operation_kind::capture)
           || has_pending(state_, operation_kind::void_hold);
  }
  /// No gateway holds anything or may yet.
  bool nothing_held() const {
    return std::ranges::all_of(state_.attempts, [](const attempt& one) {
      return one.status == attempt_status::not_sent || one.status == attempt_status::declined
             || one.status == attempt_status::reversed;
    });
  }
  bool is_open(std::uint32_t number) const {
    return is_in(number, attempt_status::started) || is_in(number, attempt_status::unknown);
  }
  bool can_decline(std::uint32_t number) const {
    const auto* one = find(number);
    return one != nullptr && may_be_declined(*one) && !is_terminal(state_.status);
  }
  bool is_in(std::uint32_t number, attempt_status status) const {
    const auto* one = find(number);
    return one != nullptr && one->status == status;
  }
  const attempt* find(std::uint32_t number) const {
    auto found = std::ranges::find(state_.attempts, number, &attempt::number);
    return found == state_.attempts.end() ? nullptr : &*found;
  }
  const operation* find(operation_kind kind, std::uint32_t ordinal) const {
    return payments::find_operation(state_, kind, ordinal);
  }
  bool is_open(operation_kind kind, std::uint32_t ordinal) const {
    const auto* op = find(kind, ordinal);
    return op != nullptr && op->status == operation_status::requested;
  }

  const payment& state_;
};

} // namespace

expected<payment> fold(const std::vector<recorded_event>& history) {
  payment state;
  for (const auto& [at, event] : history) {
    if (!std::visit(follow_check{state}, event))
      return make_error(errc::corrupt, std::string{to_string(type_of(event))}
                                         + " can't follow in the payment's history");
    apply(state, event, at);
  }
  if (state.id.is_nil())
    return make_error(errc::corrupt, "the payment's history is empty");
  return state;
}

} // namespace holdfast::payments
