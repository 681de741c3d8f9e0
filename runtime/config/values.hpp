// The small texts of a configuration file: durations, addresses, times of day, shard ranges.
// Pure functions; errors are invalid_argument and say what was expected.
#pragma once

#include "messages/expected.hpp"
#include "messages/shard.hpp"
#include "messages/time.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::config {

/// "250ms", "3s", "2m", "1h" or "7d": a whole number and a unit. Negative ones don't exist.
[[nodiscard]] std::optional<milliseconds> parse_duration(std::string_view text);
/// The shortest text that `parse_duration` reads back.
[[nodiscard]] std::string duration_text(milliseconds value);

[[nodiscard]] std::optional<std::int64_t> parse_integer(std::string_view text);

/// First and last, inclusive: "0-31" or "7".
[[nodiscard]] std::optional<shard_range> parse_shard_range(std::string_view text);

/// Puts the values of environment variables in the places of "${NAME}". `look_up` answers null
/// for a variable that is not set, which is an error that names it.
[[nodiscard]] expected<std::string> expand_variables(
  std::string_view text, const std::function<const char*(const std::string&)>& look_up);

/// The two parts of what `check_address` finds fine; the host of an IPv6 address without its
/// brackets.
struct host_and_port {
  std::string_view host;
  std::uint16_t port = 0;

  /// Every address of this machine: something to listen on, nothing to connect to.
  [[nodiscard]] bool is_everywhere() const { return host == "0.0.0.0" || host == "::"; }
};
[[nodiscard]] std::optional<host_and_port> parse_address(std::string_view text);

// Checks of a text: empty when it is fine, else what was expected.

/// "host:port", "[::1]:port"; port 0 is any free one.
[[nodiscard]] std::string check_address(std::string_view text);
/// Likewise, of somebody else: one that can be connected to.
[[nodiscard]] std::string check_peer_address(std::string_view text);
[[nodiscard]] std::string check_http_url(std::string_view text);
[[nodiscard]] std::string check_database_url(std::string_view text);
/// Lower-case letters, digits, '-', '_' and '.', at most 64: ids and names that end up in file
/// names, metrics and lease rows.
[[nodiscard]] std::string check_name(std::string_view text);
[[nodiscard]] std::string check_time_of_day(std::string_view text);
/// An IANA zone that this machine knows.
[[nodiscard]] std::string check_zone(std::string_view text);

} // namespace holdfast::config
