#include "messages/card_number.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace holdfast {

namespace {

constexpr std::size_t digits_max = 19;
constexpr std::size_t groups_max = 5;

/// First four digits, and how long numbers that begin with them are.
struct issuer_range {
  int first;
  int last;
  std::size_t digits_min;
  std::size_t digits_max;
};

constexpr std::array issuer_ranges{
  issuer_range{2200, 2204, 16, 19}, // Mir
  issuer_range{2221, 2720, 16, 16}, // Mastercard
  issuer_range{3000, 3059, 14, 19}, // Diners Club
  issuer_range{3400, 3499, 15, 15}, // American Express
  issuer_range{3528, 3589, 16, 19}, // JCB
  issuer_range{3600, 3699, 14, 19}, // Diners Club
  issuer_range{3700, 3799, 15, 15}, // American Express
  issuer_range{3800, 3999, 14, 19}, // Diners Club
  issuer_range{4000, 4999, 16, 19}, // Visa
  issuer_range{5000, 6999, 16, 19}, // Mastercard, Maestro, Discover, UnionPay …
};

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

/// What makes a run of digits part of a word. Bytes beyond ASCII are letters of some script.
bool is_word(char c) noexcept {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'
         || static_cast<unsigned char>(c) >= 0x80;
}

bool has_issuer(std::string_view digits) noexcept {
  int prefix = 0;
  for (const char c : digits.substr(0, 4))
    prefix = prefix * 10 + (c - '0');
  return std::any_of(issuer_ranges.begin(), issuer_ranges.end(), [&](const auto& range) {
    return prefix >= range.first && prefix <= range.last && digits.size() >= range.digits_min
           && digits.size() <= range.digits_max;
  });
}

/// One row; fours with a shorter rest; or the 4-6-5 and 4-6-4 of fifteen and fourteen digits.
bool is_grouped_like_a_card(const std::array<std::size_t, groups_max>& sizes,
                            std::size_t count) noexcept {
  if (count == 1)
    return true;
  if (count == 3)
    return sizes[0] == 4 && sizes[1] == 6 && (sizes[2] == 5 || sizes[2] == 4);
  const auto* const last = sizes.data() + count - 1;
  return *last <= 4 && std::all_of(sizes.data(), last, [](auto size) { return size == 4; });
}

/// Whether a card number begins with the group of digits at `at`. After each group it may end,
/// or go on after one blank or hyphen.
bool is_card_number_at(std::string_view text, std::size_t at) noexcept {
  std::array<char, digits_max> digits{};
  std::array<std::size_t, groups_max> sizes{};
  std::size_t size = 0;
  for (std::size_t group = 0; group < groups_max; ++group) {
    const auto begin = at;
    for (; at < text.size() && is_digit(text[at]); ++at) {
      if (size == digits_max)
        return false;
      digits[size++] = text[at];
    }
    sizes[group] = at - begin;
    const bool ends_here = at == text.size() || !is_word(text[at]);
    const std::string_view number{digits.data(), size};
    if (ends_here && is_grouped_like_a_card(sizes, group + 1) && has_issuer(number)
        && passes_luhn(number))
      return true;
    const bool goes_on =
      at + 1 < text.size() && (text[at] == ' ' || text[at] == '-') && is_digit(text[at + 1]);
    if (!goes_on)
      return false;
    ++at;
  }
  return false;
}

} // namespace

bool passes_luhn(std::string_view digits) noexcept {
  int sum = 0;
  bool doubled = false;
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit) {
    const int value = (*digit - '0') * (doubled ? 2 : 1);
    sum += value > 9 ? value - 9 : value;
    doubled = !doubled;
  }
  return !digits.empty() && sum % 10 == 0;
}

bool contains_card_number(std::string_view text) noexcept {
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool begins_here = is_digit(text[at]) && (at == 0 || !is_word(text[at - 1]));
    if (begins_here && is_card_number_at(text, at))
      return true;
  }
  return false;
}

} // namespace holdfast
