// Time as the project stores and shows it: microseconds since 1970 in UTC, RFC 3339 in text.
#pragma once

#include "messages/expected.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace holdfast {

/// The resolution of PostgreSQL's timestamptz. The epoch value itself means "none".
using timestamp = std::chrono::sys_time<std::chrono::microseconds>;
using milliseconds = std::chrono::milliseconds;

/// "2026-11-23T01:27:00.123456Z" (RFC 3339, UTC, always with six digits).
[[nodiscard]] std::string to_rfc3339(timestamp at);
/// Accepts what `to_rfc3339` writes, with any number of fraction digits and any offset.
/// Errors: invalid_argument.
[[nodiscard]] expected<timestamp> parse_rfc3339(std::string_view text);
/// The wall clock. Called at the borders only: cores take `now` as an argument.
[[nodiscard]] timestamp wall_clock_now() noexcept;

} // namespace holdfast
