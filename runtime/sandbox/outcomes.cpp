#include "runtime/sandbox/outcomes.hpp"

#include "runtime/http/text.hpp"

#include <array>
#include <chrono>

namespace holdfast::sandbox {

namespace {

struct reason_text {
  reason why;
  std::string_view code;
  std::string_view sentence;
};

constexpr std::array reason_texts{
  reason_text{reason::none, "", ""},
  reason_text{reason::generic_decline, "generic_decline", "The card was declined."},
  reason_text{reason::insufficient_funds, "insufficient_funds",
              "The card has insufficient funds."},
  reason_text{reason::lost_card, "lost_card", "The card was reported lost."},
  reason_text{reason::stolen_card, "stolen_card", "The card was reported stolen."},
  reason_text{reason::expired_card, "expired_card", "The card has expired."},
  reason_text{reason::incorrect_cvc, "incorrect_cvc", "The security code is incorrect."},
  reason_text{reason::processing_error, "processing_error", "The issuer could not process it."},
  reason_text{reason::incorrect_number, "incorrect_number", "The card number is incorrect."},
  reason_text{reason::invalid_token, "invalid_token", "There is no such token."},
  reason_text{reason::reversed, "reversed", "The authorization was reversed."},
  reason_text{reason::unknown_reference, "unknown_reference",
              "There is no such authorization."},
  reason_text{reason::not_authorized, "not_authorized", "The authorization is not approved."},
  reason_text{reason::already_captured, "already_captured", "Some of it was captured already."},
  reason_text{reason::closed, "closed", "A final capture has closed the authorization."},
  reason_text{reason::amount_too_large, "amount_too_large", "The amount exceeds what is left."},
  reason_text{reason::unknown_operation, "unknown_operation", "There is no such operation."},
  reason_text{reason::mismatch, "mismatch", "The item differs from what the gateway knows."},
  reason_text{reason::already_settled, "already_settled", "Another file has settled it."},
  reason_text{reason::rejected_by_issuer, "rejected_by_issuer", "The issuer rejected it."},
  reason_text{reason::try_next_file, "try_next_file", "Send it again with the next file."},
  reason_text{reason::missing_from_report, "missing_from_report", "Accepted, never reported."},
  reason_text{reason::amount_changed, "amount_changed", "Reported at another amount."},
  reason_text{reason::reported_twice, "reported_twice", "Reported a second time."},
  reason_text{reason::half_accepted, "half_accepted", "Only half of the file was taken."},
};

const reason_text& text_of(reason why) noexcept {
  return reason_texts[static_cast<std::size_t>(why)];
}

constexpr bool is_sorted_by_reason() {
  for (std::size_t i = 0; i < reason_texts.size(); ++i) {
    if (static_cast<std::size_t>(reason_texts[i].why) != i)
      return false;
  }
  return true;
}

static_assert(is_sorted_by_reason(), "reason_texts is indexed by reason");

struct special_card {
  std::string_view number;
  reason verdict;
};

constexpr std::array special_cards{
  special_card{"4000000000000002", reason::generic_decline},
  special_card{"4000000000009995", reason::insufficient_funds},
  special_card{"4000000000009987", reason::lost_card},
  special_card{"4000000000009979", reason::stolen_card},
  special_card{"4000000000000069", reason::expired_card},
  special_card{"4000000000000127", reason::incorrect_cvc},
  special_card{"4000000000000119", reason::processing_error},
  special_card{"4242424242424241", reason::incorrect_number},
};

constexpr std::array fixed_tokens{
  special_card{"tok_visa", reason::none},
  special_card{"tok_mastercard", reason::none},
  special_card{"tok_amex", reason::none},
  special_card{"tok_discover", reason::none},
  special_card{"tok_declined", reason::generic_decline},
  special_card{"tok_insufficient_funds", reason::insufficient_funds},
  special_card{"tok_lost_card", reason::lost_card},
  special_card{"tok_stolen_card", reason::stolen_card},
  special_card{"tok_expired_card", reason::expired_card},
  special_card{"tok_incorrect_cvc", reason::incorrect_cvc},
  special_card{"tok_processing_error", reason::processing_error},
};

bool has_right_check_digit(std::string_view number) noexcept {
  if (number.size() < 12 || number.size() > 19)
    return false;
  int sum = 0;
  for (std::size_t i = 0; i < number.size(); ++i) {
    const char c = number[number.size() - 1 - i];
    if (!http::is_digit(c))
      return false;
    const int digit = c - '0';
    const int doubled = digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
    sum += i % 2 == 0 ? digit : doubled;
  }
  return sum % 10 == 0;
}

std::int64_t last_two_digits(std::int64_t amount) noexcept {
  return amount % 100;
}

} // namespace

std::string_view to_string(reason why) noexcept {
  return text_of(why).code;
}
std::string_view describe(reason why) noexcept {
  return text_of(why).sentence;
}

std::optional<reason> parse_reason(std::string_view text) noexcept {
  for (const auto& one : reason_texts) {
    if (one.code == text)
      return one.why;
  }
  return std::nullopt;
}

reason judge_card(std::string_view number, int exp_month, int exp_year,
                  timestamp now) noexcept {
  for (const auto& card : special_cards) {
    if (card.number == number)
      return card.verdict;
  }
  if (!has_right_check_digit(number))
    return reason::incorrect_number;
  const std::chrono::year_month_day today{std::chrono::floor<std::chrono::days>(now)};
  const std::chrono::year_month last_valid{
    std::chrono::year{exp_year}, std::chrono::month{static_cast<unsigned>(exp_month)}};
  if (last_valid < std::chrono::year_month{today.year(), today.month()})
    return reason::expired_card;
  return reason::none;
}

std::optional<reason> judge_fixed_token(std::string_view token) noexcept {
  for (const auto& one : fixed_tokens) {
    if (one.number == token)
      return one.verdict;
  }
  return std::nullopt;
}

delivery delivery_of_amount(std::int64_t amount_minor) noexcept {
  switch (last_two_digits(amount_minor)) {
    case 51: return delivery::no_answer_charged;
    case 52: return delivery::no_answer_uncharged;
    case 53: return delivery::http_500_charged;
    case 54: return delivery::slow;
    case 55: return delivery::reset;
    case 56: return delivery::not_json;
    default: return delivery::normal;
  }
}

settlement_quirk quirk_of_amount(std::int64_t amount_minor) noexcept {
  switch (last_two_digits(amount_minor)) {
    case 61: return settlement_quirk::rejected;
    case 62: return settlement_quirk::deferred_once;
    case 63: return settlement_quirk::missing;
    case 64: return settlement_quirk::amount_changed;
    case 65: return settlement_quirk::doubled;
    default: return settlement_quirk::none;
  }
}

std::int64_t capture_fee(std::int64_t amount_minor) noexcept {
  constexpr std::int64_t per_mille = 12;
  constexpr std::int64_t fixed_minor = 5;
  const std::int64_t scaled = amount_minor * per_mille;
  std::int64_t fee = scaled / 1'000;
  const std::int64_t rest = scaled % 1'000;
  if (rest > 500 || (rest == 500 && fee % 2 == 1))
    ++fee;
  return fee + fixed_minor;
}

} // namespace holdfast::sandbox
