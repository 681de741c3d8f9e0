// The Idempotency-Key header and what a key stands for. Pure.
#pragma once

#include "messages/commands.hpp"
#include "runtime/api/refusal.hpp"
#include "runtime/http/message.hpp"

#include <string>
#include <string_view>

namespace holdfast::api {

/// The key, bare or as a string of RFC 8941 (then without its quotes): `abc` and `"abc"` are
/// the same one. Refusals, all 400: `idempotency_key_missing`, `idempotency_key_invalid`
/// (empty, too long, not visible ASCII, or given twice), `card_data_in_text` (a card number).
[[nodiscard]] checked<std::string> read_idempotency_key(const http::header_list& headers);

/// SHA-256 over method, path and body, a line each but the last.
[[nodiscard]] fingerprint fingerprint_of(std::string_view method, std::string_view path,
                                         std::string_view body);

} // namespace holdfast::api
