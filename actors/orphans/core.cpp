#include "actors/orphans/core.hpp"

#include "messages/digest.hpp"
#include "messages/limits.hpp"
#include "messages/printable.hpp"

#include <algorithm>
#include <charconv>

namespace holdfast::orphans {

namespace {

using gateways::listed_authorization;
using gateways::listed_status;

const attempt* find_attempt(const payment& subject, std::uint32_t number) noexcept {
  const auto found = std::ranges::find(subject.attempts, number, &attempt::number);
  return found == subject.attempts.end() ? nullptr : &*found;
}

/// Its outcome is still being found out, or a release is under way: nothing can be said yet.
bool is_under_way(const payment& subject, const attempt* named) noexcept {
  if (named == nullptr)
    return has_pending_work(subject);
  switch (named->status) {
    case attempt_status::started:
    case attempt_status::unknown:
    case attempt_status::reversing: return true;
    default: break;
  }
  return std::ranges::any_of(subject.operations, [](const operation& one) {
    return one.status == operation_status::requested;
  });
}

new_exception exception_at(const std::string& gateway, std::string kind,
                           const std::string& reference) {
  new_exception made;
  made.kind = std::move(kind);
  made.source = gateway;
  made.external_ref = printable(reference, limits::reference_bytes_max);
  made.fingerprint = made.kind + ':' + gateway + ':' + made.external_ref;
  // Different references may look the same once they are printable.
  if (made.external_ref != reference)
    made.fingerprint += ':' + sha256_hex(reference);
  return made;
}

std::string state_of(const payment& known, const attempt* named) {
  if (named == nullptr)
    return "our payment has no such attempt";
  return "our attempt is " + std::string{to_string(named->status)} + ", its payment "
         + std::string{to_string(known.status)};
}

} // namespace

std::optional<attempt_name> parse_reference(std::string_view reference) {
  const auto dot = reference.rfind('.');
  if (dot == std::string_view::npos)
    return std::nullopt;
  const auto id = payment_id::parse(reference.substr(0, dot));
  const auto digits = reference.substr(dot + 1);
  std::uint32_t number = 0;
  const auto* end = digits.data() + digits.size();
  const auto [rest, failure] = std::from_chars(digits.data(), end, number);
  if (!id || digits.empty() || failure != std::errc{} || rest != end || number == 0)
    return std::nullopt;
  return attempt_name{*id, number};
}

const attempt* holding_attempt(const payment& subject) noexcept {
  switch (subject.status) {
    case payment_status::authorized:
    case payment_status::partially_captured:
    case payment_status::captured: break;
    default: return nullptr;
  }
  const auto found =
    std::ranges::find(subject.attempts, attempt_status::approved, &attempt::status);
  return found == subject.attempts.end() ? nullptr : &*found;
}

bool proves_nothing_held(const payment& known, std::uint32_t number) noexcept {
  const auto* named = find_attempt(known, number);
  if (is_under_way(known, named))
    return false;
  const auto* holding = holding_attempt(known);
  if (holding != nullptr && holding->number == number)
    return false;
  // An attempt that we never made is nobody's, but its payment is ours: it must have ended.
  return named != nullptr || !has_pending_work(known);
}

std::optional<new_exception> judge_listed(const std::string& gateway,
                                          const listed_authorization& listed,
                                          const payment* known) {
  if (listed.status != listed_status::approved)
    return std::nullopt;
  const auto name = parse_reference(listed.reference);
  if (known != nullptr && name && !proves_nothing_held(*known, name->attempt))
    return std::nullopt;
  auto made = exception_at(gateway, "orphan_at_gateway", listed.reference);
  made.unit = listed.unit;
  made.reported_amount = listed.amount;
  made.raw_line = printable(listed.raw, limits::exception_raw_bytes_max);
  made.detail = "The gateway holds this authorization and ";
  if (known == nullptr || !name) {
    made.detail += "we know of no payment under its reference.";
    return made;
  }
  made.merchant = known->merchant;
  made.payment = known->id;
  made.detail += state_of(*known, find_attempt(*known, name->attempt)) + '.';
  return made;
}

std::optional<new_exception> judge_held(const std::string& gateway, const payment& held,
                                        const listed_authorization* listed) {
  const auto* holding = holding_attempt(held);
  if (holding == nullptr || holding->gateway != gateway || is_under_way(held, holding))
    return std::nullopt;
  if (listed != nullptr && listed->status == listed_status::approved)
    return std::nullopt;
  auto made =
    exception_at(gateway, "orphan_at_us", attempt_reference(held.id, holding->number));
  made.merchant = held.merchant;
  made.payment = held.id;
  made.unit = held.unit;
  made.expected_amount = held.amount;
  if (listed == nullptr) {
    made.detail = "We hold this payment, and the gateway doesn't list it.";
    return made;
  }
  made.raw_line = printable(listed->raw, limits::exception_raw_bytes_max);
  made.detail = listed->status == listed_status::reversed
                  ? "We hold this payment, and the gateway has released it."
                  : "We hold this payment, and the gateway has declined it.";
  return made;
}

} // namespace holdfast::orphans
