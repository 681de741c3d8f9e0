#include "runtime/simulation/gateway.hpp"

#include "runtime/simulation/checker.hpp"
#include "runtime/simulation/world.hpp"

#include <array>
#include <charconv>

namespace holdfast::simulation {

namespace {

constexpr std::array names{"alpha", "bravo", "charlie"};

std::uint64_t key_of(payment_ref payment, std::uint32_t attempt) noexcept {
  return std::uint64_t{payment} << 8 | attempt;
}

/// "….c2": the second capture. The digits follow the letter behind the dot.
std::uint32_t ordinal_of(std::string_view operation_reference) noexcept {
  std::uint32_t ordinal = 0;
  const auto dot = operation_reference.rfind('.');
  if (dot != std::string_view::npos && dot + 2 < operation_reference.size())
    std::from_chars(operation_reference.data() + dot + 2,
                    operation_reference.data() + operation_reference.size(), ordinal);
  return ordinal;
}

} // namespace

gateway_answer judge(const told& answer, gateway_verb verb) {
  gateway_answer judged;
  if (answer.reference != 0)
    judged.gateway_reference =
      std::string{names.at(answer.by)} + '_' + std::to_string(answer.reference);
  judged.code = answer.code;
  switch (answer.status) {
    case told_status::approved:
    case told_status::succeeded: judged.verdict = gateway_verdict::approved; break;
    case told_status::declined:
    case told_status::refused: judged.verdict = gateway_verdict::declined; break;
    case told_status::not_found: judged.verdict = gateway_verdict::not_found; break;
    case told_status::reversed:
      judged.verdict =
        verb == gateway_verb::reverse ? gateway_verdict::approved : gateway_verdict::declined;
      judged.code = "reversed";
      break;
  }
  return judged;
}

const gateway_operation* gateway_hold::find(operation_kind kind,
                                            std::uint32_t ordinal) const noexcept {
  for (const auto& one : operations)
    if (one.kind == kind && one.ordinal == ordinal)
      return &one;
  return nullptr;
}

gateway::gateway(world& of, gateway_number number)
  : world_(of),
    number_(number),
    name_(names.at(number)) {}

told gateway::handle(const gateway_request& asked) {
  const auto name = parse_attempt(asked.reference);
  world_.check().gateway_heard(name, asked);
  world_.note(name.payment, step_kind::gateway_call, number_,
              static_cast<std::uint64_t>(asked.verb));
  switch (asked.verb) {
    case gateway_verb::authorize: return authorize(name, asked);
    case gateway_verb::inquire: {
      const auto* hold = find(name.payment, name.attempt);
      return hold == nullptr ? say(told_status::not_found, "not_found") : status_of(*hold);
    }
    case gateway_verb::reverse: return reverse(name);
    case gateway_verb::capture:
    case gateway_verb::refund: return operate(name, asked);
  }
  return {};
}

told gateway::stale_status(const gateway_request& asked) const {
  static_cast<void>(asked);
  return world_.chance().one_in(2) ? say(told_status::not_found, "not_found")
                                   : say(told_status::declined, "stale_failed");
}

told gateway::authorize(const attempt_name& name, const gateway_request& asked) {
  auto& hold = holds_[key_of(name.payment, name.attempt)];
  if (hold.came || hold.reversed)
    return status_of(hold);
  hold.came = true;
  hold.number = next_number_++;
  hold.amount = asked.total.amount;
  hold.code = world_.issuer_declines(name.payment, number_);
  hold.approved = *hold.code == '\0';
  // An issuer's clock is no tighter than ours.
  hold.expires_at = world_.now() + world_.rules().lifetime * 2;
  if (hold.approved)
    world_.check().hold_opened(name);
  return status_of(hold);
}

/// Never refused for a reference that nobody knows: it leaves a tombstone, so that an
/// authorization that comes late is declined.
told gateway::reverse(const attempt_name& name) {
  auto& hold = holds_[key_of(name.payment, name.attempt)];
  if (hold.captured > minor_units{})
    return say(told_status::refused, "already_captured", hold.number);
  if (hold.is_effective())
    world_.check().hold_closed(name);
  hold.reversed = true;
  return say(told_status::reversed, "", hold.number);
}

told gateway::operate(const attempt_name& name, const gateway_request& asked) {
  auto* hold = find(name.payment, name.attempt);
  if (hold == nullptr)
    return say(told_status::refused, "unknown_reference");
  const bool is_refund = asked.verb == gateway_verb::refund;
  const auto kind = is_refund ? operation_kind::refund : operation_kind::capture;
  const auto ordinal = ordinal_of(asked.operation_reference);
  const auto* known = hold->find(kind, ordinal);
  if (known == nullptr) {
    const auto left =
      is_refund ? hold->captured - hold->refunded : hold->amount - hold->captured;
    const bool open =
      hold->is_effective() && (is_refund || (!hold->closed && world_.now() < hold->expires_at));
    const auto amount = asked.total.amount;
    hold->operations.push_back({kind, ordinal, amount, open && amount <= left, false});
    known = &hold->operations.back();
    if (known->succeeded) {
      (is_refund ? hold->refunded : hold->captured) += amount;
      hold->closed = hold->closed || asked.final;
    }
  }
  return known->succeeded ? say(told_status::succeeded, "", hold->number)
                          : say(told_status::refused, "not_allowed", hold->number);
}

told gateway::status_of(const gateway_hold& hold) const {
  if (hold.reversed)
    return say(told_status::reversed, "reversed", hold.number);
  return hold.approved ? say(told_status::approved, "", hold.number)
                       : say(told_status::declined, hold.code, hold.number);
}

told gateway::say(told_status status, const char* code, std::uint32_t reference) const {
  return {status, number_, reference, code};
}

const gateway_hold* gateway::find(payment_ref payment, std::uint32_t attempt) const {
  const auto found = holds_.find(key_of(payment, attempt));
  return found == holds_.end() ? nullptr : &found->second;
}

gateway_hold* gateway::find(payment_ref payment, std::uint32_t attempt) {
  const auto found = holds_.find(key_of(payment, attempt));
  return found == holds_.end() ? nullptr : &found->second;
}

} // namespace holdfast::simulation
