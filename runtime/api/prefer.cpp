#include "runtime/api/prefer.hpp"

#include "messages/limits.hpp"
#include "runtime/http/text.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

namespace holdfast::api {

namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos)
    return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Cuts off and returns what stands before the next `separator`.
std::string_view next_part(std::string_view& rest, char separator) {
  const auto end = std::min(rest.find(separator), rest.size());
  const auto part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return trimmed(part);
}

std::optional<std::int64_t> parse_seconds(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"')
    text = text.substr(1, text.size() - 2);
  std::uint32_t seconds = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (text.empty() || parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size())
    return std::nullopt;
  return seconds;
}

struct wishes {
  bool respond_async = false;
  bool wait_seen = false;
  std::optional<std::int64_t> wait_s;
};

void read_value(std::string_view value, wishes& found) {
  while (!value.empty()) {
    auto item = next_part(value, ',');
    item = next_part(item, ';'); // Parameters of a preference mean nothing to us.
    const auto name = next_part(item, '=');
    if (http::equals_ignoring_case(name, "respond-async")) {
      found.respond_async = true;
    } else if (http::equals_ignoring_case(name, "wait") && !found.wait_seen) {
      found.wait_seen = true;
      found.wait_s = parse_seconds(trimmed(item));
    }
  }
}

} // namespace

preference read_preference(const http::header_list& headers) {
  wishes found;
  for (const auto& [name, value] : headers)
    if (name == "prefer")
      read_value(value, found);

  const auto wait_s =
    std::min(found.wait_s.value_or(limits::prefer_wait_s_default), limits::prefer_wait_s_max);
  preference result;
  result.wait = std::chrono::seconds{wait_s};
  result.respond_async = found.respond_async && !found.wait_s;
  if (found.respond_async)
    result.applied = "respond-async";
  if (found.wait_s)
    result.applied += (result.applied.empty() ? "wait=" : ", wait=") + std::to_string(wait_s);
  return result;
}

} // namespace holdfast::api
