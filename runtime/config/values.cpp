#include "runtime/config/values.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <limits>

namespace holdfast::config {

namespace {

struct duration_unit {
  std::string_view name;
  std::int64_t ms;
};

/// Longest first, so that a whole number of days is written as days.
constexpr std::array<duration_unit, 5> units{
  {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

bool is_variable_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

} // namespace

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return value;
}

std::optional<milliseconds> parse_duration(std::string_view text) {
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto count = parse_integer(text.substr(0, digits));
  const auto unit = std::ranges::find(units, text.substr(digits), &duration_unit::name);
  if (!count || unit == units.end()
      || *count > std::numeric_limits<std::int64_t>::max() / unit->ms)
    return std::nullopt;
  return milliseconds{*count * unit->ms};
}

std::string duration_text(milliseconds value) {
  const auto fits = [&](const duration_unit& unit) { return value.count() % unit.ms == 0; };
  const auto unit = value.count() == 0 ? units.end() - 1 : std::ranges::find_if(units, fits);
  return std::to_string(value.count() / unit->ms) + std::string{unit->name};
}

std::optional<shard_range> parse_shard_range(std::string_view text) {
  const auto dash = text.find('-');
  const auto first = parse_integer(text.substr(0, dash));
  const auto last =
    dash == std::string_view::npos ? first : parse_integer(text.substr(dash + 1));
  constexpr auto max = std::numeric_limits<std::uint16_t>::max();
  if (!first || !last || *first < 0 || *first > *last || *last > max)
    return std::nullopt;
  return shard_range{{static_cast<std::uint16_t>(*first)}, {static_cast<std::uint16_t>(*last)}};
}

expected<std::string> expand_variables(
  std::string_view text, const std::function<const char*(const std::string&)>& look_up) {
  std::string out;
  while (!text.empty()) {
    const auto begin = text.find("${");
    out += text.substr(0, begin);
    if (begin == std::string_view::npos)
      break;
    const auto end = text.find('}', begin);
    const auto name =
      text.substr(begin + 2, end == std::string_view::npos ? 0 : end - begin - 2);
    if (name.empty() || !std::ranges::all_of(name, is_variable_character))
      return make_error(errc::invalid_argument, "expected ${NAME} of an environment variable");
    const auto* value = look_up(std::string{name});
    if (!value)
      return make_error(errc::invalid_argument,
                        "the environment variable " + std::string{name} + " is not set");
    out += value;
    text.remove_prefix(end + 1);
  }
  return out;
}

std::string check_address(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0)
    return "expected host:port";
  const auto host = text.substr(0, colon);
  const auto port = parse_integer(text.substr(colon + 1));
  const bool bracketed = host.front() == '[' && host.back() == ']' && host.size() > 2;
  if (!bracketed && host.find_first_of(":[]/ ") != std::string_view::npos)
    return "expected host:port, or [address]:port for IPv6";
  if (!port || *port < 0 || *port > 65'535)
    return "expected host:port with a port from 0 to 65535";
  return {};
}

std::optional<host_and_port> parse_address(std::string_view text) {
  if (!check_address(text).empty())
    return std::nullopt;
  const auto colon = text.rfind(':');
  auto host = text.substr(0, colon);
  if (host.front() == '[')
    host = host.substr(1, host.size() - 2);
  return host_and_port{host,
                       static_cast<std::uint16_t>(*parse_integer(text.substr(colon + 1)))};
}

std::string check_peer_address(std::string_view text) {
  const auto address = parse_address(text);
  if (!address)
    return check_address(text);
  if (address->is_everywhere())
    return "expected an address that other nodes can connect to";
  return address->port == 0 ? "expected host:port with a port from 1 to 65535" : std::string{};
}

std::string check_http_url(std::string_view text) {
  const bool known = text.starts_with("http://") || text.starts_with("https://");
  const auto host = known ? text.substr(text.find("://") + 3) : std::string_view{};
  return host.empty() || host.front() == '/' || text.find(' ') != std::string_view::npos
           ? "expected http://host:port"
           : std::string{};
}

std::string check_database_url(std::string_view text) {
  return text.starts_with("postgresql://") || text.starts_with("postgres://")
           ? std::string{}
           : "expected postgresql://…";
}

std::string check_name(std::string_view text) {
  return text.empty() || text.size() > 64 || !std::ranges::all_of(text, is_name_character)
           ? "expected 1 to 64 of a-z, 0-9, '-', '_' and '.'"
           : std::string{};
}

std::string check_time_of_day(std::string_view text) {
  const auto hour = parse_integer(text.substr(0, 2));
  const auto minute = text.size() == 5 ? parse_integer(text.substr(3)) : std::nullopt;
  const bool fine = hour && minute && text[2] == ':' && *hour >= 0 && *hour < 24 && *minute >= 0
                    && *minute < 60;
  return fine ? std::string{} : "expected a time of day from \"00:00\" to \"23:59\"";
}

std::string check_zone(std::string_view text) {
  if (text == "UTC")
    return {};
  const auto* folder = std::getenv("TZDIR");
  std::error_code ignored;
  const bool safe = !text.empty() && text.front() != '/' && text.find("..") == text.npos;
  const std::filesystem::path root = folder ? folder : "/usr/share/zoneinfo";
  return safe && std::filesystem::is_regular_file(root / text, ignored)
           ? std::string{}
           : "expected an IANA time zone that this machine knows, such as \"Europe/Berlin\"";
}

} // namespace holdfast::config
