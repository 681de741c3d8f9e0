// The alphabet of HTTP: which characters its tokens are made of, compared as it compares them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace holdfast::http {

[[nodiscard]] constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

[[nodiscard]] constexpr bool is_letter(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

[[nodiscard]] constexpr char to_lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Not empty and of `tchar` alone (RFC 9110 §5.6.2): methods, field names.
[[nodiscard]] constexpr bool is_token(std::string_view text) noexcept {
  for (const char c : text) {
    if (!is_digit(c) && !is_letter(c)
        && std::string_view{"!#$%&'*+-.^_`|~"}.find(c) == std::string_view::npos)
      return false;
  }
  return !text.empty();
}

/// Of at most `size_max` letters, digits, dots, underscores and hyphens, and not empty: what
/// our ids, references and request ids look like, safe in a path, a log line and a CSV field.
[[nodiscard]] constexpr bool is_plain_name(std::string_view text,
                                           std::size_t size_max) noexcept {
  for (const char c : text) {
    if (!is_digit(c) && !is_letter(c) && c != '.' && c != '_' && c != '-')
      return false;
  }
  return !text.empty() && text.size() <= size_max;
}

/// `lower` is in lower case already. ASCII only, as field names are.
[[nodiscard]] constexpr bool equals_ignoring_case(std::string_view text,
                                                  std::string_view lower) noexcept {
  if (text.size() != lower.size())
    return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (to_lower(text[i]) != lower[i])
      return false;
  }
  return true;
}

} // namespace holdfast::http
