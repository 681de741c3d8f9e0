#include "runtime/http/target.hpp"

#include "runtime/http/text.hpp"

#include <charconv>

namespace holdfast::http {

namespace {

int hex_value(char c) noexcept {
  if (is_digit(c))
    return c - '0';
  const char lower = to_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

enum class plus_sign : std::uint8_t { is_itself, is_a_space };

/// Refuses what no honest client encodes: control characters, which end lines in logs and
/// strings in C.
bool percent_decode(std::string_view text, plus_sign plus, std::string& out) {
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size())
        return false;
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high < 0 || low < 0)
        return false;
      c = static_cast<char>(high * 16 + low);
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
        return false;
      i += 2;
    } else if (c == '+' && plus == plus_sign::is_a_space) {
      c = ' ';
    }
    out.push_back(c);
  }
  return true;
}

error bad_encoding() {
  return make_error(errc::invalid_argument, "the target has a broken percent-encoding");
}

bool parse_query(std::string_view text, request_target& target) {
  while (!text.empty()) {
    const auto end = text.find('&');
    const auto pair = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    if (pair.empty())
      continue;
    const auto equals = pair.find('=');
    auto& [name, value] = target.query.emplace_back();
    if (!percent_decode(pair.substr(0, equals), plus_sign::is_a_space, name))
      return false;
    if (equals != std::string_view::npos
        && !percent_decode(pair.substr(equals + 1), plus_sign::is_a_space, value))
      return false;
  }
  return true;
}

expected<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || failure != std::errc{} || end != text.data() + text.size())
    return make_error(errc::invalid_argument, "expected a port of 0 to 65535");
  return port;
}

} // namespace

expected<request_target> parse_target(std::string_view raw) {
  if (raw.find('#') != std::string_view::npos)
    return make_error(errc::invalid_argument, "the target has a fragment");
  request_target target;
  const auto question = raw.find('?');
  if (!percent_decode(raw.substr(0, question), plus_sign::is_itself, target.path))
    return bad_encoding();
  if (question != std::string_view::npos && !parse_query(raw.substr(question + 1), target))
    return bad_encoding();
  return target;
}

std::string_view query_value(const std::vector<std::pair<std::string, std::string>>& query,
                             std::string_view name) noexcept {
  for (const auto& [key, value] : query) {
    if (key == name)
      return value;
  }
  return {};
}

expected<host_and_port> parse_address(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos)
    return make_error(errc::invalid_argument, "expected host:port");
  auto host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  else if (host.find_first_of(":[]") != std::string_view::npos)
    return make_error(errc::invalid_argument, "expected host:port, IPv6 hosts in brackets");
  if (host.empty())
    return make_error(errc::invalid_argument, "expected a host before the port");
  const auto port = parse_port(text.substr(colon + 1));
  if (!port)
    return port.error();
  return host_and_port{std::string{host}, *port};
}

std::string to_authority(const host_and_port& address) {
  const bool is_ipv6 = address.host.find(':') != std::string::npos;
  std::string text = is_ipv6 ? '[' + address.host + ']' : address.host;
  return text + ':' + std::to_string(address.port);
}

expected<base_url> parse_base_url(std::string_view text) {
  constexpr std::string_view scheme = "http://";
  if (!text.starts_with(scheme))
    return make_error(errc::invalid_argument, "expected a URL that begins with http://");
  text.remove_prefix(scheme.size());
  const auto slash = text.find('/');
  std::string authority{text.substr(0, slash)};
  auto prefix = slash == std::string_view::npos ? std::string_view{} : text.substr(slash);
  while (prefix.ends_with('/'))
    prefix.remove_suffix(1);
  for (const char c : text) {
    if (c <= 0x20 || c == 0x7f || c == '?' || c == '#' || c == '@')
      return make_error(errc::invalid_argument, "expected http://host:port/prefix alone");
  }
  if (!authority.empty() && authority.find(':', authority.rfind(']') + 1) == std::string::npos)
    authority += ":80";
  auto address = parse_address(authority);
  if (!address)
    return address.error();
  if (address->port == 0)
    return make_error(errc::invalid_argument, "port 0 can't be called");
  return base_url{std::move(*address), std::string{prefix}};
}

std::string encode_segment(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (is_digit(c) || is_letter(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      out.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.push_back('%');
    out.push_back(digits[byte >> 4]);
    out.push_back(digits[byte & 15]);
  }
  return out;
}

} // namespace holdfast::http
