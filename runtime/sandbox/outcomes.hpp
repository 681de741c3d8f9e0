// What the sandbox says to which card and amount: the tables of docs/sandbox.md as pure
// functions.
#pragma once

#include "messages/time.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace holdfast::sandbox {

/// Why something was declined, refused or rejected. The texts are persisted and sent: never
/// changed.
enum class reason : std::uint8_t {
  none,
  // An authorization was declined.
  generic_decline,
  insufficient_funds,
  lost_card,
  stolen_card,
  expired_card,
  incorrect_cvc,
  processing_error,
  incorrect_number,
  invalid_token,
  reversed, ///< the reversal came before the original
  // An operation on a hold was refused.
  unknown_reference,
  not_authorized,
  already_captured,
  closed, ///< by a final capture
  amount_too_large,
  // An item of a settlement file was rejected or deferred.
  unknown_operation,
  mismatch,
  already_settled,
  rejected_by_issuer,
  try_next_file,
  // What a report does to an accepted item.
  missing_from_report,
  amount_changed,
  reported_twice,
  half_accepted, ///< of an item, by a fault of its acquirer
};

[[nodiscard]] std::string_view to_string(reason why) noexcept;
/// None for a text that is not ours.
[[nodiscard]] std::optional<reason> parse_reason(std::string_view text) noexcept;
/// A sentence for people.
[[nodiscard]] std::string_view describe(reason why) noexcept;

/// The issuer's verdict on a card: `none` approves. Numbers outside of the table are approved
/// when their check digit is right.
[[nodiscard]] reason judge_card(std::string_view number, int exp_month, int exp_year,
                                timestamp now) noexcept;
/// The verdict on one of the tokens that always work; none for any other text.
[[nodiscard]] std::optional<reason> judge_fixed_token(std::string_view token) noexcept;

/// How an answer goes wrong on its way. "Charged" ones take effect first.
enum class delivery : std::uint8_t {
  normal,
  no_answer_charged,
  no_answer_uncharged,
  http_500_charged,
  http_500_uncharged,
  slow,
  reset, ///< charged
  reset_uncharged,
  not_json, ///< charged
};

[[nodiscard]] constexpr bool takes_effect(delivery how) noexcept {
  return how != delivery::no_answer_uncharged && how != delivery::http_500_uncharged
         && how != delivery::reset_uncharged;
}

/// Authorizations of amounts that end in 51 to 56 go wrong on purpose.
[[nodiscard]] delivery delivery_of_amount(std::int64_t amount_minor) noexcept;

/// What settlement does to a capture by the last two digits of its amount, 61 to 65.
enum class settlement_quirk : std::uint8_t {
  none,
  rejected,
  deferred_once,
  missing,
  amount_changed,
  doubled,
};

[[nodiscard]] settlement_quirk quirk_of_amount(std::int64_t amount_minor) noexcept;

/// 1.2 % and 5 minor units of a captured amount, rounded half to even, in minor units.
[[nodiscard]] std::int64_t capture_fee(std::int64_t amount_minor) noexcept;

} // namespace holdfast::sandbox
