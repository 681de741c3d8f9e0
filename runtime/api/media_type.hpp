// The Content-Type of request bodies. Pure.
#pragma once

#include "runtime/api/refusal.hpp"
#include "runtime/http/message.hpp"

#include <optional>

namespace holdfast::api {

/// None when the request has no body, or one that says it is application/json (with no
/// parameter but charset=utf-8). Otherwise the refusal: 415 `unsupported_media_type`.
[[nodiscard]] std::optional<refusal> refuse_media_type(const http::request& request);

} // namespace holdfast::api
