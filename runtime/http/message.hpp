// Requests and responses as our handlers see them: no Beast in this header, so that those who
// write routes don't pay for it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::http {

using header_list = std::vector<std::pair<std::string, std::string>>;

struct request {
  std::string method; ///< "GET", "POST" …
  std::string path;   ///< percent-decoded, without the query
  std::string raw_target;
  std::vector<std::pair<std::string, std::string>> query; ///< percent-decoded, in order
  header_list headers;                                    ///< names in lower case
  std::string body;
  std::string request_id; ///< made by the server, or the client's if it is well-formed
  std::string peer;       ///< address, for logs

  /// The value of the first header of this (lower-case) name; empty when there is none.
  [[nodiscard]] std::string_view header(std::string_view name) const noexcept;
  [[nodiscard]] bool has_header(std::string_view name) const noexcept;
};

struct response {
  /// 0 resets the connection without an answer: how the sandbox fails on purpose.
  std::uint16_t status = 500;
  std::string content_type = "application/json";
  std::string body;
  header_list headers; ///< besides Content-Type, Content-Length, Date, Request-Id, Connection
};

} // namespace holdfast::http
