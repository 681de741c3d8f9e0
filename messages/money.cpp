#include "messages/money.hpp"

#include "messages/assert.hpp"

#include <algorithm>

namespace holdfast {

namespace {

struct currency_row {
  std::string_view code;
  int exponent = 2;
};

// The active codes of ISO 4217, list one, without those that have no minor unit (gold, SDR,
// test codes …). Sorted by code for the binary search.
constexpr currency_row currencies[] = {
  {"AED", 2}, {"AFN", 2}, {"ALL", 2}, {"AMD", 2}, {"AOA", 2}, {"ARS", 2}, {"AUD", 2},
  {"AWG", 2}, {"AZN", 2}, {"BAM", 2}, {"BBD", 2}, {"BDT", 2}, {"BHD", 3}, {"BIF", 0},
  {"BMD", 2}, {"BND", 2}, {"BOB", 2}, {"BOV", 2}, {"BRL", 2}, {"BSD", 2}, {"BTN", 2},
  {"BWP", 2}, {"BYN", 2}, {"BZD", 2}, {"CAD", 2}, {"CDF", 2}, {"CHE", 2}, {"CHF", 2},
  {"CHW", 2}, {"CLF", 4}, {"CLP", 0}, {"CNY", 2}, {"COP", 2}, {"COU", 2}, {"CRC", 2},
  {"CUP", 2}, {"CVE", 2}, {"CZK", 2}, {"DJF", 0}, {"DKK", 2}, {"DOP", 2}, {"DZD", 2},
  {"EGP", 2}, {"ERN", 2}, {"ETB", 2}, {"EUR", 2}, {"FJD", 2}, {"FKP", 2}, {"GBP", 2},
  {"GEL", 2}, {"GHS", 2}, {"GIP", 2}, {"GMD", 2}, {"GNF", 0}, {"GTQ", 2}, {"GYD", 2},
  {"HKD", 2}, {"HNL", 2}, {"HTG", 2}, {"HUF", 2}, {"IDR", 2}, {"ILS", 2}, {"INR", 2},
  {"IQD", 3}, {"IRR", 2}, {"ISK", 0}, {"JMD", 2}, {"JOD", 3}, {"JPY", 0}, {"KES", 2},
  {"KGS", 2}, {"KHR", 2}, {"KMF", 0}, {"KPW", 2}, {"KRW", 0}, {"KWD", 3}, {"KYD", 2},
  {"KZT", 2}, {"LAK", 2}, {"LBP", 2}, {"LKR", 2}, {"LRD", 2}, {"LSL", 2}, {"LYD", 3},
  {"MAD", 2}, {"MDL", 2}, {"MGA", 2}, {"MKD", 2}, {"MMK", 2}, {"MNT", 2}, {"MOP", 2},
  {"MRU", 2}, {"MUR", 2}, {"MVR", 2}, {"MWK", 2}, {"MXN", 2}, {"MXV", 2}, {"MYR", 2},
  {"MZN", 2}, {"NAD", 2}, {"NGN", 2}, {"NIO", 2}, {"NOK", 2}, {"NPR", 2}, {"NZD", 2},
  {"OMR", 3}, {"PAB", 2}, {"PEN", 2}, {"PGK", 2}, {"PHP", 2}, {"PKR", 2}, {"PLN", 2},
  {"PYG", 0}, {"QAR", 2}, {"RON", 2}, {"RSD", 2}, {"RUB", 2}, {"RWF", 0}, {"SAR", 2},
  {"SBD", 2}, {"SCR", 2}, {"SDG", 2}, {"SEK", 2}, {"SGD", 2}, {"SHP", 2}, {"SLE", 2},
  {"SOS", 2}, {"SRD", 2}, {"SSP", 2}, {"STN", 2}, {"SVC", 2}, {"SYP", 2}, {"SZL", 2},
  {"THB", 2}, {"TJS", 2}, {"TMT", 2}, {"TND", 3}, {"TOP", 2}, {"TRY", 2}, {"TTD", 2},
  {"TWD", 2}, {"TZS", 2}, {"UAH", 2}, {"UGX", 0}, {"USD", 2}, {"USN", 2}, {"UYI", 0},
  {"UYU", 2}, {"UYW", 4}, {"UZS", 2}, {"VED", 2}, {"VES", 2}, {"VND", 0}, {"VUV", 0},
  {"WST", 2}, {"XAF", 0}, {"XCD", 2}, {"XCG", 2}, {"XOF", 0}, {"XPF", 0}, {"YER", 2},
  {"ZAR", 2}, {"ZMW", 2}, {"ZWG", 2},
};

static_assert(std::ranges::is_sorted(currencies, {}, &currency_row::code));

const currency_row* find_currency(std::string_view code) noexcept {
  const auto* row = std::ranges::lower_bound(currencies, code, {}, &currency_row::code);
  return row != std::end(currencies) && row->code == code ? row : nullptr;
}

} // namespace

minor_units operator+(minor_units a, minor_units b) noexcept {
  std::int64_t sum = 0;
  HF_ASSERT(!__builtin_add_overflow(a.value_, b.value_, &sum));
  return minor_units{sum};
}

minor_units operator-(minor_units a, minor_units b) noexcept {
  std::int64_t difference = 0;
  HF_ASSERT(!__builtin_sub_overflow(a.value_, b.value_, &difference));
  return minor_units{difference};
}

expected<currency> currency::parse(std::string_view code) {
  if (find_currency(code) == nullptr)
    return make_error(errc::invalid_argument, "expected an ISO 4217 currency code");
  currency result;
  std::ranges::copy(code, result.code_.begin());
  return result;
}

std::string_view currency::code() const noexcept {
  return code_[0] == '\0' ? std::string_view{} : std::string_view{code_.data(), 3};
}

int currency::exponent() const noexcept {
  const auto* row = find_currency(code());
  return row != nullptr ? row->exponent : 2;
}

std::string to_text(const money& value) {
  const auto amount = value.amount.value();
  // Negated as unsigned, because the smallest integer has no positive twin.
  const auto magnitude =
    amount < 0 ? 0 - static_cast<std::uint64_t>(amount) : static_cast<std::uint64_t>(amount);
  auto digits = std::to_string(magnitude);
  const auto decimals = static_cast<std::size_t>(value.unit.exponent());
  if (decimals > 0) {
    if (digits.size() <= decimals)
      digits.insert(0, decimals + 1 - digits.size(), '0');
    digits.insert(digits.size() - decimals, 1, '.');
  }
  if (amount < 0)
    digits.insert(0, 1, '-');
  if (!value.unit.code().empty())
    digits.append(" ").append(value.unit.code());
  return digits;
}

} // namespace holdfast
