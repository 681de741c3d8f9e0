#include "runtime/http/message_head.hpp"

#include "messages/limits.hpp"
#include "runtime/http/text.hpp"

#include <array>
#include <optional>

namespace holdfast::http {

namespace {

template <class T>
using verdict = boost::system::result<T, refusal>;

constexpr refusal malformed(std::string_view detail) {
  return {400, "malformed_request", detail};
}
constexpr refusal bad_framing(std::string_view detail) {
  return {400, "ambiguous_framing", detail};
}

bool is_field_text(std::string_view text) noexcept {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\t') || byte == 0x7f)
      return false;
  }
  return true;
}

std::string_view trim_whitespace(std::string_view text) noexcept {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos)
    return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

/// Takes the next line off `rest`, without its CRLF. Anything but CRLF as an end is refused.
verdict<std::string_view> take_line(std::string_view& rest) {
  const auto end = rest.find('\n');
  if (end == std::string_view::npos || end == 0 || rest[end - 1] != '\r')
    return malformed("A line of the head must end with CR and LF.");
  const auto line = rest.substr(0, end - 1);
  rest.remove_prefix(end + 1);
  return line;
}

/// Collects what the fields say until all have been seen and can be judged together.
class field_reader {
public:
  /// The first reason to refuse the field, if there is one.
  std::optional<refusal> read(std::string_view line) {
    if (++count_ > limits::http_fields_max)
      return refusal{431, "too_many_headers", "The request has too many header fields."};
    if (line.front() == ' ' || line.front() == '\t')
      return malformed("A folded header field is not accepted.");
    const auto colon = line.find(':');
    if (colon == std::string_view::npos)
      return malformed("A header field has no colon.");
    const auto name = line.substr(0, colon);
    const auto value = trim_whitespace(line.substr(colon + 1));
    if (!is_token(name))
      return malformed("The name of a header field has a character that is not allowed.");
    if (!is_field_text(value))
      return malformed("The value of a header field has a control character.");
    return note(name, value);
  }

  [[nodiscard]] bool has_host() const noexcept { return was_seen_[host]; }

  /// The facts of all fields together, for a message of this version.
  verdict<head_facts> facts(http_version version) {
    const bool is_http_1_0 = version == http_version::http_1_0;
    if (was_seen_[transfer_encoding] && was_seen_[content_length])
      return bad_framing("Transfer-Encoding and Content-Length exclude each other.");
    if (was_seen_[transfer_encoding] && is_http_1_0)
      return bad_framing("HTTP/1.0 has no Transfer-Encoding.");
    if (was_seen_[transfer_encoding])
      facts_.framing = body_framing::chunked;
    else if (was_seen_[content_length])
      facts_.framing = body_framing::content_length;
    facts_.version = version;
    facts_.keep_alive = !says_close_ && (!is_http_1_0 || says_keep_alive_);
    if (is_http_1_0)
      facts_.expects_continue = false;
    return facts_;
  }

private:
  /// Fields that we read and that may stand there once only: two readers could choose
  /// differently.
  enum known_field : std::uint8_t {
    host,
    content_length,
    transfer_encoding,
    expect,
    content_type,
    authorization,
    idempotency_key,
    request_id,
    singles_count,
    connection = singles_count,
    other,
  };

  static known_field recognise(std::string_view name) noexcept {
    // The length alone tells nearly all fields apart.
    switch (name.size()) {
      case 4: return equals_ignoring_case(name, "host") ? host : other;
      case 6: return equals_ignoring_case(name, "expect") ? expect : other;
      case 10:
        if (equals_ignoring_case(name, "connection"))
          return connection;
        return equals_ignoring_case(name, "request-id") ? request_id : other;
      case 12: return equals_ignoring_case(name, "content-type") ? content_type : other;
      case 13: return equals_ignoring_case(name, "authorization") ? authorization : other;
      case 14: return equals_ignoring_case(name, "content-length") ? content_length : other;
      case 15: return equals_ignoring_case(name, "idempotency-key") ? idempotency_key : other;
      case 17:
        return equals_ignoring_case(name, "transfer-encoding") ? transfer_encoding : other;
      default: return other;
    }
  }

  std::optional<refusal> note(std::string_view name, std::string_view value) {
    const auto field = recognise(name);
    if (field < singles_count) {
      if (was_seen_[field])
        return field == content_length || field == transfer_encoding
                 ? bad_framing("The field that delimits the body stands there twice.")
                 : refusal{400, "duplicate_header", "A header field stands there twice."};
      was_seen_[field] = true;
    }
    switch (field) {
      case host: return note_host(value);
      case content_length: return note_length(value);
      case transfer_encoding:
        if (!equals_ignoring_case(value, "chunked"))
          return bad_framing("The only Transfer-Encoding that is accepted is \"chunked\".");
        return std::nullopt;
      case expect:
        if (!equals_ignoring_case(value, "100-continue"))
          return refusal{417, "expectation_failed",
                         "The only expectation met is 100-continue."};
        facts_.expects_continue = true;
        return std::nullopt;
      case request_id: facts_.request_id = value; return std::nullopt;
      case connection: note_connection(value); return std::nullopt;
      default: return std::nullopt;
    }
  }

  static std::optional<refusal> note_host(std::string_view value) {
    if (value.empty() || value.find_first_of(" \t,/@?#\\") != std::string_view::npos)
      return malformed("The Host field is not one host and port.");
    return std::nullopt;
  }

  std::optional<refusal> note_length(std::string_view value) {
    constexpr std::size_t digits_max = 18; // fits 64 bits and exceeds every limit on bodies
    if (value.empty() || value.find_first_not_of("0123456789") != std::string_view::npos)
      return bad_framing("Content-Length is not one plain decimal number.");
    if (value.size() > digits_max)
      return refusal{413, "body_too_large", "The body is larger than this server accepts."};
    for (const char digit : value)
      facts_.content_length =
        facts_.content_length * 10 + static_cast<std::uint64_t>(digit - '0');
    return std::nullopt;
  }

  void note_connection(std::string_view value) {
    while (!value.empty()) {
      const auto comma = value.find(',');
      const auto option = trim_whitespace(value.substr(0, comma));
      says_close_ = says_close_ || equals_ignoring_case(option, "close");
      says_keep_alive_ = says_keep_alive_ || equals_ignoring_case(option, "keep-alive");
      value = comma == std::string_view::npos ? std::string_view{} : value.substr(comma + 1);
    }
  }

  head_facts facts_;
  std::size_t count_ = 0;
  std::array<bool, singles_count> was_seen_{};
  bool says_close_ = false;
  bool says_keep_alive_ = false;
};

verdict<http_version> read_version(std::string_view version) {
  if (version == "HTTP/1.1")
    return http_version::http_1_1;
  if (version == "HTTP/1.0")
    return http_version::http_1_0;
  if (version.size() == 8 && version.starts_with("HTTP/") && is_digit(version[5])
      && version[6] == '.' && is_digit(version[7]))
    return refusal{505, "version_not_supported", "This server speaks HTTP/1.1."};
  return malformed("The start line doesn't name a version of HTTP.");
}

/// `method SP target SP version`, with single spaces and visible ASCII only.
verdict<http_version> read_request_line(std::string_view line) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last)
    return malformed("The request line is not a method, a target and a version.");
  const auto method = line.substr(0, first);
  const auto target = line.substr(first + 1, last - first - 1);
  if (!is_token(method))
    return malformed("The method has a character that is not allowed.");
  for (const char c : target) {
    if (c <= 0x20 || c == 0x7f)
      return malformed("The target has a character that must be percent-encoded.");
  }
  const auto version = read_version(line.substr(last + 1));
  if (!version)
    return version.error();
  if (method == "CONNECT" || method == "TRACE")
    return refusal{501, "method_not_implemented", "This server has no such method."};
  // The absolute form is for proxies; taking it would give the request two hosts.
  if (target.empty() || (target.front() != '/' && !(target == "*" && method == "OPTIONS")))
    return malformed("The target must be a path that begins with a slash.");
  return *version;
}

/// Whether the message must name its host: requests in HTTP/1.1 must.
enum class host_rule : std::uint8_t { optional, needed };

verdict<head_facts> read_fields(std::string_view rest, http_version version, host_rule host) {
  field_reader reader;
  while (true) {
    const auto line = take_line(rest);
    if (!line)
      return line.error();
    if (line->empty())
      break;
    if (auto refused = reader.read(*line))
      return *refused;
  }
  if (host == host_rule::needed && !reader.has_host())
    return refusal{400, "missing_host", "HTTP/1.1 needs a Host field."};
  return reader.facts(version);
}

} // namespace

verdict<std::size_t> head_scanner::scan(std::string_view head) {
  if (looked_at_ == 0 && !head.empty() && !is_token(head.substr(0, 1)))
    return malformed("The request doesn't begin with a method."); // TLS to a plain port, mostly
  while (true) {
    const auto end = head.find('\n', looked_at_);
    if (end == std::string_view::npos) {
      looked_at_ = head.size();
      return std::size_t{0};
    }
    if (end == line_begin_ || head[end - 1] != '\r')
      return malformed("A line of the head must end with CR and LF.");
    looked_at_ = end + 1;
    if (end == line_begin_ + 1)
      return looked_at_;
    line_begin_ = looked_at_;
  }
}

verdict<head_facts> inspect_request_head(std::string_view head) {
  const auto line = take_line(head);
  if (!line)
    return line.error();
  const auto version = read_request_line(*line);
  if (!version)
    return version.error();
  const auto host =
    *version == http_version::http_1_1 ? host_rule::needed : host_rule::optional;
  return read_fields(head, *version, host);
}

verdict<head_facts> inspect_response_head(std::string_view head) {
  const auto line = take_line(head);
  if (!line)
    return line.error();
  if (!is_field_text(*line))
    return malformed("The status line has a control character.");
  const auto version = read_version(line->substr(0, line->find(' ')));
  if (!version)
    return version.error();
  return read_fields(head, *version, host_rule::optional);
}

} // namespace holdfast::http
