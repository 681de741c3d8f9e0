// What can be told of a card by looking at it: whether its number can exist, whose it is,
// whether it has lapsed. Pure.
#pragma once

#include "messages/card_number.hpp"
#include "messages/time.hpp"

#include <cstdint>
#include <string_view>

namespace holdfast::api {

inline constexpr std::size_t card_digits_min = 12;
inline constexpr std::size_t card_digits_max = 19;

/// "visa", "mastercard", "amex", "discover" or "unknown", by the issuer's range.
[[nodiscard]] std::string_view card_brand(std::string_view digits) noexcept;

/// True when the text as a whole is what a card number looks like.
[[nodiscard]] bool is_card_number(std::string_view text) noexcept;

/// A card is good to the end of its month, wherever in the world that is still going on.
[[nodiscard]] bool has_expired(std::uint8_t month, std::uint16_t year, timestamp now) noexcept;

} // namespace holdfast::api
