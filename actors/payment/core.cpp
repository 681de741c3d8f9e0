#include "actors/payment/core.hpp"

#include "messages/assert.hpp"

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

bool has_pending(const payment& state, operation_kind kind) noexcept {
  return std::ranges::any_of(state.operations, [kind](const operation& op) {
    return op.kind == kind && op.status == operation_status::requested;
  });
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
    auto op = std::ranges::find_if(state.operations, [&](const operation& candidate) {
      return candidate.kind == *target.operation && candidate.ordinal == target.ordinal;
    });
    HF_ASSERT(op != state.operations.end());
    request.operation_reference = operation_reference(state.id, op->kind, op->ordinal);
    request.total.amount = op->amount;
    request.final = op->final;
  }
  return request;
}

} // namespace holdfast::payments
