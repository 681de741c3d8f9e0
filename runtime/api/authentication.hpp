// The Authorization header, as far as it is HTTP; whose key it is, the key ring knows.
#pragma once

#include "runtime/api/refusal.hpp"
#include "runtime/http/message.hpp"

#include <string_view>

namespace holdfast::api {

/// What follows "Bearer" in the one Authorization header; it points into `headers`. Refusals,
/// all 401: `authentication_required` (there is none, another scheme, or two of them).
[[nodiscard]] checked<std::string_view> read_bearer_key(const http::header_list& headers);

[[nodiscard]] refusal unknown_key();

/// The value of WWW-Authenticate that goes with a 401 (RFC 6750, section 3).
[[nodiscard]] std::string_view challenge_for(const refusal& why) noexcept;

} // namespace holdfast::api
