// Recognises card numbers in text, so that none is kept or shown where it doesn't belong. Pure.
#pragma once

#include <string_view>

namespace holdfast {

/// The check digit of ISO/IEC 7812-1 (Luhn). `digits` holds digits only.
[[nodiscard]] bool passes_luhn(std::string_view digits) noexcept;

/// True when the text has a card number somewhere: 14 to 19 digits that an issuer could have
/// given out and whose check digit is right, standing by themselves, in one row or grouped as
/// on a card ("4242 4242 4242 4242"). Digits within a longer word (an id in hexadecimal) and
/// ranges that no issuer has (times since 1970) are something else.
[[nodiscard]] bool contains_card_number(std::string_view text) noexcept;

} // namespace holdfast
