#include "actors/payment/core.hpp"

#include "actors/payment/disputes.hpp"
#include "messages/assert.hpp"
#include "messages/limits.hpp"

#include <algorithm>
#include <numeric>

namespace holdfast::payments {

std::uint64_t entropy::next() noexcept {
  // SplitMix64 (Steele, Lea, Flood 2014): a public-domain mixing function, ample for jitter and
  // for ids that need only be unlikely to collide.
  state_ += 0x9e3779b97f4a7c15ULL;
  auto mixed = state_;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ULL;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebULL;
  return mixed ^ (mixed >> 31);
}

std::uint64_t entropy::below(std::uint64_t bound) noexcept {
  return bound == 0 ? 0 : next() % bound;
}

bool is_terminal(payment_status status) noexcept {
  switch (status) {
    case payment_status::captured:
    case payment_status::declined:
    case payment_status::voided:
    case payment_status::expired:
    case payment_status::failed: return true;
    case payment_status::processing:
    case payment_status::pending_gateway:
    case payment_status::authorized:
    case payment_status::partially_captured: return false;
  }
  return false;
}

minor_units pending_amount(const payment& state, operation_kind kind) noexcept {
  minor_units sum;
  for (const auto& op : state.operations)
    if (op.kind == kind && op.status == operation_status::requested)
      sum += op.amount;
  return sum;
}

const operation* find_operation(const payment& state, operation_kind kind,
                                std::uint32_t ordinal) noexcept {
  auto found = std::ranges::find_if(state.operations, [&](const operation& op) {
    return op.kind == kind && op.ordinal == ordinal;
  });
  return found == state.operations.end() ? nullptr : &*found;
}

bool has_pending(const payment& state, operation_kind kind) noexcept {
  return std::ranges::any_of(state.operations, [kind](const operation& op) {
    return op.kind == kind && op.status == operation_status::requested;
  });
}

milliseconds policy::lifetime_of(std::string_view brand) const {
  if (tables)
    if (auto found = tables->lifetimes.find(brand); found != tables->lifetimes.end())
      return found->second;
  return lifetime;
}

bool policy::is_retryable(std::string_view decline_code) const {
  return tables && tables->retryable_declines.contains(decline_code);
}

bool may_be_reversed(const payment& state, const attempt& one) noexcept {
  return one.status == attempt_status::unknown
         || (one.status == attempt_status::approved && state.status == payment_status::expired);
}

timestamp open_since(const payment& state, const attempt& one) noexcept {
  return state.expires_at.value_or(one.started_at);
}

bool may_need_card(const payment& state, const policy& rules) noexcept {
  if (!state.token.empty())
    return false;
  if (state.status == payment_status::processing)
    return true;
  const bool may_go_on = rules.after_reversal == unknown_outcome::resolve_then_failover
                         || (rules.tables && !rules.tables->retryable_declines.empty());
  return state.status == payment_status::pending_gateway && may_go_on
         && state.attempts.size() < state.route.size();
}

namespace {

new_exception unresolved_exception(const payment& state, const resolution_escalated& raised) {
  new_exception made;
  made.kind = raised.kind ? unresolved_operation : unresolved_authorization;
  made.merchant = state.merchant;
  made.payment = state.id;
  made.unit = state.unit;
  if (raised.kind) {
    const auto* op = find_operation(state, *raised.kind, raised.ordinal);
    const auto* held = approved_attempt(state);
    HF_ASSERT(op != nullptr && held != nullptr);
    made.source = held->gateway;
    if (!op->id.is_nil()) // A void has no row of its own.
      made.operation = op->id;
    made.expected_amount = op->amount;
    made.external_ref = operation_reference(state.id, op->kind, op->ordinal);
  } else {
    made.source = gateway_of(state, {gateway_verb::inquire, raised.attempt, std::nullopt, 0});
    made.expected_amount = state.amount;
    made.external_ref = attempt_reference(state.id, raised.attempt);
  }
  made.detail = made.source + " hasn't told the outcome of " + made.external_ref + " since "
                + to_rfc3339(raised.open_since) + " (heard last: " + raised.reason
                + "). It goes on being asked.";
  return made;
}

} // namespace

std::optional<new_exception> exception_of(const payment& state, const payment_event& event) {
  if (const auto* opened = std::get_if<dispute_opened>(&event))
    return dispute_exception(state, *opened);
  if (const auto* notice = std::get_if<webhook_received>(&event))
    return webhook_exception(state.merchant, state.id, *notice);
  if (const auto* raised = std::get_if<resolution_escalated>(&event))
    return unresolved_exception(state, *raised);
  return std::nullopt;
}

const attempt* approved_attempt(const payment& state) noexcept {
  auto found = std::ranges::find(state.attempts, attempt_status::approved, &attempt::status);
  return found == state.attempts.end() ? nullptr : &*found;
}

const std::string& gateway_of(const payment& state, const call_target& target) {
  HF_ASSERT(target.attempt >= 1 && target.attempt <= state.attempts.size());
  return state.attempts[target.attempt - 1].gateway;
}

gateway_request make_request(const payment& state, const call_target& target,
                             const card_data& card) {
  HF_ASSERT(target.attempt >= 1 && target.attempt <= state.attempts.size());
  const auto& one = state.attempts[target.attempt - 1];
  gateway_request request;
  request.verb = target.verb;
  request.reference = attempt_reference(state.id, one.number);
  request.gateway_reference = one.gateway_reference;
  request.total = {state.amount, state.unit};
  request.merchant = state.merchant.text();
  if (target.verb == gateway_verb::authorize) {
    request.card = card;
    request.token = state.token;
  }
  if (target.operation) {
    const auto* op = find_operation(state, *target.operation, target.ordinal);
    HF_ASSERT(op != nullptr);
    request.operation_reference = operation_reference(state.id, op->kind, op->ordinal);
    request.total.amount = op->amount;
    request.final = op->final;
  }
  return request;
}

} // namespace holdfast::payments
