#include "runtime/api/idempotency.hpp"

#include "messages/card_number.hpp"
#include "messages/digest.hpp"
#include "messages/limits.hpp"

#include <algorithm>
#include <optional>

namespace holdfast::api {

namespace {

refusal invalid_key(std::string detail) {
  return {.status = 400,
          .code = "idempotency_key_invalid",
          .detail = std::move(detail),
          .param = "Idempotency-Key"};
}

/// The content of a quoted string (RFC 8941, section 3.3.3). None when it is not exactly one.
std::optional<std::string> unquote(std::string_view text) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"')
    return std::nullopt;
  text = text.substr(1, text.size() - 2);
  std::string content;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"')
      return std::nullopt;
    if (text[i] == '\\') {
      ++i;
      if (i == text.size() || (text[i] != '"' && text[i] != '\\'))
        return std::nullopt;
    }
    content += text[i];
  }
  return content;
}

} // namespace

checked<std::string> read_idempotency_key(const http::header_list& headers) {
  const auto is_key = [](const auto& header) { return header.first == "idempotency-key"; };
  const auto header = std::find_if(headers.begin(), headers.end(), is_key);
  if (header == headers.end())
    return refusal{.status = 400,
                   .code = "idempotency_key_missing",
                   .detail =
                     "Send an Idempotency-Key with every POST, so that it can be repeated "
                     "safely.",
                   .param = "Idempotency-Key"};
  if (std::find_if(std::next(header), headers.end(), is_key) != headers.end())
    return invalid_key("The Idempotency-Key header was sent twice.");

  std::string key = header->second;
  if (key.starts_with('"')) {
    auto content = unquote(key);
    if (!content)
      return invalid_key("The quoted Idempotency-Key is not a string of RFC 8941.");
    key = std::move(*content);
  }
  if (key.empty() || key.size() > limits::idempotency_key_bytes_max)
    return invalid_key("An Idempotency-Key has 1 to "
                       + std::to_string(limits::idempotency_key_bytes_max) + " characters.");
  if (!std::all_of(key.begin(), key.end(), [](char c) { return c > 0x20 && c < 0x7F; }))
    return invalid_key("An Idempotency-Key consists of visible ASCII characters.");
  // Keys are kept, and shown in the timeline.
  if (contains_card_number(key))
    return refusal{.status = 400,
                   .code = "card_data_in_text",
                   .detail = "The Idempotency-Key holds a card number; use a random one.",
                   .param = "Idempotency-Key"};
  return key;
}

fingerprint fingerprint_of(std::string_view method, std::string_view path,
                           std::string_view body) {
  return sha256_of({method, "\n", path, "\n", body});
}

} // namespace holdfast::api
