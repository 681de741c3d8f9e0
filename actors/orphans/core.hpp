// Whether a hold at a gateway and what we know of it agree. Pure: it judges one pair at a time,
// and accuses nobody without having looked at both sides.
#pragma once

#include "actors/orphans/lister.hpp"
#include "messages/exceptions.hpp"
#include "messages/payment.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::orphans {

/// What a reference of ours names.
struct attempt_name {
  payment_id payment;
  std::uint32_t attempt = 0;
};

/// "pay_….2". None for a reference that we did not make.
[[nodiscard]] std::optional<attempt_name> parse_reference(std::string_view reference);

/// A hold at the gateway that we know nothing of, or hold for ended without one; none when both
/// sides agree, or when an answer is still being found out. `known` is null when the reference
/// names no payment of ours: looked for, and not there.
[[nodiscard]] std::optional<new_exception> judge_listed(
  const std::string& gateway, const gateways::listed_authorization& listed,
  const payment* known);

/// An authorized payment of ours that the gateway doesn't list, or lists as released or
/// declined. `listed` is null when a complete list over the payment's whole time hasn't it.
[[nodiscard]] std::optional<new_exception> judge_held(
  const std::string& gateway, const payment& held,
  const gateways::listed_authorization* listed);

/// The attempt of a payment that holds its money; null when none does.
[[nodiscard]] const attempt* holding_attempt(const payment& subject) noexcept;

/// Whether our own state proves that nothing should be held under this reference, so that a
/// reversal can only put things right.
[[nodiscard]] bool proves_nothing_held(const payment& known, std::uint32_t attempt) noexcept;

} // namespace holdfast::orphans
