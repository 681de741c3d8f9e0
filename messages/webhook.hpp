// What a gateway tells us unasked: a signed notice about one of our references. It is a hint,
// not evidence: what it says of an authorization is asked for before it is believed.
#pragma once

#include "messages/payment.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast {

/// What the gateway says has happened. Persisted: numbers are never changed or reused.
enum class webhook_type : std::uint8_t {
  approved = 1,
  declined = 2,
  captured = 3,
  refunded = 4,
  reversed = 5,
  dispute_opened = 16,
  dispute_won = 17,
  dispute_lost = 18,
};

/// The word on the wire: "authorization.approved", "dispute.opened" …
[[nodiscard]] std::string_view to_string(webhook_type type) noexcept;
[[nodiscard]] std::optional<webhook_type> parse_webhook_type(std::string_view word) noexcept;
[[nodiscard]] constexpr bool is_dispute(webhook_type type) noexcept {
  return type >= webhook_type::dispute_opened;
}

/// What a notice meant to the payment as we know it. Persisted.
enum class webhook_finding : std::uint8_t {
  asked = 1,       ///< Something is open: the gateway is asked at once.
  agrees = 2,      ///< We know that already.
  contradicts = 3, ///< It is not what we know. Nothing changes.
  applied = 4,     ///< A dispute was opened or has ended by it.
  unmatched = 5,   ///< There is no such payment.
};

[[nodiscard]] std::string_view to_string(webhook_finding finding) noexcept;

/// What our own reference names: `pay_….2` an attempt, `pay_….c1` an operation.
struct reference_parts {
  payment_id payment;
  std::uint32_t attempt = 0; ///< 0 when it names an operation
  std::optional<operation_kind> operation;
  std::uint32_t ordinal = 0; ///< of the operation
};

/// The inverse of `attempt_reference` and `operation_reference`. Errors: invalid_argument.
[[nodiscard]] expected<reference_parts> parse_reference(std::string_view text);

struct webhook_dispute {
  std::string id; ///< the gateway's own, one for the whole of the dispute
  std::string reason;
  minor_units fee; ///< what the acquirer charges for it; kept whoever wins
};

/// A notice whose signature was right and whose body was well formed.
struct webhook_notice {
  std::string gateway;
  std::string event_id; ///< the gateway's own; with its name, what is told apart by
  webhook_type type = webhook_type::approved;
  timestamp sent_at; ///< by the gateway's clock
  reference_parts about;
  std::string reference; ///< as it came
  std::string gateway_reference;
  std::optional<money> claimed;
  std::optional<webhook_dispute> dispute; ///< set for what is_dispute
};

} // namespace holdfast
