// Writes the head of an answer, and the texts that every answer needs: date, request id.
#pragma once

#include "runtime/http/message.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::http {

/// What becomes of the connection after the answer, as its `Connection` field says it.
enum class connection_fate : std::uint8_t {
  kept,          ///< as HTTP/1.1 takes for granted
  kept_and_said, ///< as an HTTP/1.0 client wants to be told
  closed,
};

/// The `Date` of answers, written anew once a second. Not thread-safe.
class date_text {
public:
  /// "Sun, 06 Nov 1994 08:49:37 GMT"; valid until the next call.
  [[nodiscard]] std::string_view at(std::chrono::system_clock::time_point now);

private:
  std::chrono::sys_seconds second_{};
  std::string text_;
};

/// Makes ids for requests whose client sent none: unique to this process and beyond. Not
/// thread-safe.
class request_id_maker {
public:
  request_id_maker();
  /// "req_" and 28 lower-case hexadecimal digits.
  [[nodiscard]] std::string next();

private:
  std::uint64_t prefix_ = 0;
  std::uint64_t count_ = 0;
};

/// Accepts a client's own id: 1 to 64 letters, digits, dots, underscores and hyphens, and no
/// card number among them, for it ends up in logs.
[[nodiscard]] bool is_request_id(std::string_view text) noexcept;

/// Replaces `out` by the head of `answer`. Characters that could end a line are blanked in the
/// answer's own fields, whatever they were made from. "x-route" is left out.
void write_response_head(const response& answer, std::string_view request_id,
                         std::string_view date, connection_fate fate, std::string& out);

} // namespace holdfast::http
