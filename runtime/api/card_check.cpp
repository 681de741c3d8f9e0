#include "runtime/api/card_check.hpp"

#include "runtime/http/text.hpp"

#include <algorithm>
#include <charconv>
#include <tuple>

namespace holdfast::api {

namespace {

/// The number that the first `count` digits make; -1 when there are fewer.
int leading(std::string_view digits, std::size_t count) noexcept {
  int value = 0;
  if (digits.size() < count)
    return -1;
  std::from_chars(digits.data(), digits.data() + count, value);
  return value;
}

bool within(int value, int first, int last) noexcept {
  return value >= first && value <= last;
}

} // namespace

std::string_view card_brand(std::string_view digits) noexcept {
  const int two = leading(digits, 2);
  const int three = leading(digits, 3);
  const int four = leading(digits, 4);
  if (leading(digits, 1) == 4)
    return "visa";
  if (within(two, 51, 55) || within(four, 2221, 2720))
    return "mastercard";
  if (two == 34 || two == 37)
    return "amex";
  if (four == 6011 || two == 65 || within(three, 644, 649))
    return "discover";
  return "unknown";
}

bool is_card_number(std::string_view text) noexcept {
  return text.size() >= card_digits_min && text.size() <= card_digits_max
         && std::all_of(text.begin(), text.end(), http::is_digit) && passes_luhn(text);
}

bool has_expired(std::uint8_t month, std::uint16_t year, timestamp now) noexcept {
  // The last place on earth to end a month lies twelve hours behind UTC.
  const auto latest_date = std::chrono::year_month_day{
    std::chrono::floor<std::chrono::days>(now - std::chrono::hours{12})};
  return std::tuple{static_cast<int>(year), static_cast<unsigned>(month)} < std::tuple{
           static_cast<int>(latest_date.year()), static_cast<unsigned>(latest_date.month())};
}

} // namespace holdfast::api
