// The targets and addresses of HTTP taken apart: paths, queries, base URLs, listen addresses.
#pragma once

#include "messages/expected.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::http {

struct request_target {
  std::string path;                                       ///< percent-decoded
  std::vector<std::pair<std::string, std::string>> query; ///< decoded, in order
};

/// `raw` is an origin-form target, "/v1/payments?limit=3". In the query a plus is a space.
/// Errors: invalid_argument (a broken or forbidden percent-encoding, a fragment).
[[nodiscard]] expected<request_target> parse_target(std::string_view raw);

/// The value of the first parameter of this name; empty when there is none.
[[nodiscard]] std::string_view query_value(
  const std::vector<std::pair<std::string, std::string>>& query,
  std::string_view name) noexcept;

struct host_and_port {
  std::string host; ///< without the brackets of IPv6
  std::uint16_t port = 0;
};

/// "127.0.0.1:8080", "[::1]:0", "localhost:8080". Errors: invalid_argument.
[[nodiscard]] expected<host_and_port> parse_address(std::string_view text);
/// "127.0.0.1:8080"; an IPv6 host gets its brackets.
[[nodiscard]] std::string to_authority(const host_and_port& address);

struct base_url {
  host_and_port address; ///< port 80 when the URL names none
  std::string prefix;    ///< "" or "/prefix", without a slash at its end
};

/// "http://host[:port][/prefix]". Errors: invalid_argument, also for https.
[[nodiscard]] expected<base_url> parse_base_url(std::string_view text);

/// Percent-encodes all but RFC 3986's unreserved characters: for one segment of a path.
[[nodiscard]] std::string encode_segment(std::string_view text);

} // namespace holdfast::http
