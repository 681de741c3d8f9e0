// Reads request bodies as JSON the way money deserves: one object, UTF-8, no member twice,
// bounded depth and size, nothing after it. What a lenient reader would guess at is refused
// (RFC 8259 leaves the meaning of doubled members open; two readers that differ are how fraud
// gets through).
#pragma once

#include "runtime/api/refusal.hpp"

#include <boost/json/fwd.hpp>

#include <string_view>

namespace holdfast::api {

/// Refusals, all 400: `invalid_json`, and `duplicate_field` with the member's dotted path.
/// Thread-safe.
[[nodiscard]] checked<boost::json::object> parse_object(std::string_view body);

/// True when a member's name can be shown in an answer or a log: short, plain, and no card
/// number that somebody put in the wrong place.
[[nodiscard]] bool is_showable_name(std::string_view name) noexcept;

} // namespace holdfast::api
