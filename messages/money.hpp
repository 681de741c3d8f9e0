// Money: an integer of minor units with its currency, in types that don't mix with plain
// numbers.
#pragma once

#include "messages/expected.hpp"

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast {

/// An amount in the minor unit of some currency (cents for EUR, yen for JPY). May be negative
/// where a ledger needs it; sums are checked by assertion, inputs by `parse_amount`.
class minor_units {
public:
  constexpr minor_units() noexcept = default;
  constexpr explicit minor_units(std::int64_t value) noexcept : value_(value) {}

  [[nodiscard]] constexpr std::int64_t value() const noexcept { return value_; }

  friend constexpr auto operator<=>(minor_units, minor_units) noexcept = default;

  /// Overflow is a bug of ours (single amounts are limited far below it), so it asserts.
  friend minor_units operator+(minor_units a, minor_units b) noexcept;
  friend minor_units operator-(minor_units a, minor_units b) noexcept;
  friend minor_units operator-(minor_units a) noexcept { return minor_units{} - a; }
  minor_units& operator+=(minor_units other) noexcept { return *this = *this + other; }
  minor_units& operator-=(minor_units other) noexcept { return *this = *this - other; }

private:
  std::int64_t value_ = 0;
};

/// An ISO 4217 alphabetic code that the project knows.
class currency {
public:
  constexpr currency() noexcept = default;

  /// Accepts upper-case codes only. Errors: invalid_argument.
  [[nodiscard]] static expected<currency> parse(std::string_view code);

  /// The three letters; empty for a default-constructed value.
  [[nodiscard]] std::string_view code() const noexcept;
  /// Digits after the point when shown to a person (ISO 4217 "minor unit"): 2 for EUR, 0 for
  /// JPY.
  [[nodiscard]] int exponent() const noexcept;

  friend constexpr auto operator<=>(currency, currency) noexcept = default;

private:
  std::array<char, 4> code_{};
};

struct money {
  minor_units amount;
  currency unit;

  friend constexpr bool operator==(const money&, const money&) noexcept = default;
};

/// "1234.50 EUR": for people, never for machines.
[[nodiscard]] std::string to_text(const money& value);

} // namespace holdfast
