#include "runtime/http/response_head.hpp"

#include "messages/card_number.hpp"
#include "messages/limits.hpp"
#include "messages/problem.hpp"
#include "runtime/http/server.hpp"
#include "runtime/http/text.hpp"

#include <array>
#include <charconv>
#include <ctime>
#include <random>

namespace holdfast::http {

namespace {

void append_number(std::string& out, std::uint64_t value) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

void append_hex(std::string& out, std::uint64_t value, int digit_count) {
  constexpr std::string_view digits = "0123456789abcdef";
  for (int shift = (digit_count - 1) * 4; shift >= 0; shift -= 4)
    out.push_back(digits[(value >> shift) & 15]);
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ");
  for (const char c : value)
    out.push_back(static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c);
  out.append("\r\n");
}

/// 1xx, 204 and 304 end with their head (RFC 9112 §6.3).
bool has_body(std::uint16_t status) noexcept {
  return status >= 200 && status != 204 && status != 304;
}

} // namespace

std::string_view date_text::at(std::chrono::system_clock::time_point now) {
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  if (second == second_ && !text_.empty())
    return text_;
  second_ = second;
  const std::time_t seconds = second.time_since_epoch().count();
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> buffer;
  const auto size =
    std::strftime(buffer.data(), buffer.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  text_.assign(buffer.data(), size);
  return text_;
}

request_id_maker::request_id_maker() {
  std::random_device entropy;
  prefix_ = (std::uint64_t{entropy()} << 32) | entropy();
}

std::string request_id_maker::next() {
  std::string id = "req_";
  id.reserve(4 + 28);
  append_hex(id, prefix_, 16);
  append_hex(id, ++count_, 12);
  return id;
}

bool is_request_id(std::string_view text) noexcept {
  return is_plain_name(text, limits::http_request_id_bytes_max) && !contains_card_number(text);
}

void write_response_head(const response& answer, std::string_view request_id,
                         std::string_view date, connection_fate fate, std::string& out) {
  out.assign("HTTP/1.1 ");
  append_number(out, answer.status);
  out.append(" ").append(reason_phrase(answer.status)).append("\r\n");
  if (has_body(answer.status)) {
    if (!answer.content_type.empty())
      append_field(out, "Content-Type", answer.content_type);
    out.append("Content-Length: ");
    append_number(out, answer.body.size());
    out.append("\r\n");
  }
  out.append("Date: ")
    .append(date)
    .append("\r\nRequest-Id: ")
    .append(request_id)
    .append("\r\n");
  if (fate == connection_fate::closed)
    out.append("Connection: close\r\n");
  else if (fate == connection_fate::kept_and_said)
    out.append("Connection: keep-alive\r\n");
  for (const auto& [name, value] : answer.headers) {
    if (is_token(name) && !equals_ignoring_case(name, route_header))
      append_field(out, name, value);
  }
  out.append("\r\n");
}

response problem(std::uint16_t status, std::string_view code, std::string_view detail,
                 const request& about, std::string_view param) {
  holdfast::problem document;
  document.status = status;
  document.code = code;
  document.detail = detail;
  document.instance = about.path;
  document.request_id = about.request_id;
  document.param = param;
  response answer;
  answer.status = status;
  answer.content_type = problem_content_type;
  answer.body = to_json(document);
  return answer;
}

std::string_view reason_phrase(std::uint16_t status) noexcept {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 402: return "Payment Required";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 411: return "Length Required";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 421: return "Misdirected Request";
    case 422: return "Unprocessable Content";
    case 428: return "Precondition Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default: return "Unknown";
  }
}

} // namespace holdfast::http
