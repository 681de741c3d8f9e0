// The strict reading of a message's head: refuses every framing that two readers could take for
// two different messages (RFC 9112 §2.2, §5, §6, §11.2), before Beast interprets it. Beast up
// to 1.91 accepts several of them: folded fields, a list of equal lengths, a coding before
// "chunked". Pure functions over bytes: no socket, no clock.
#pragma once

#include <boost/system/result.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace holdfast::http {

/// Why a message is not taken. The texts are literals, so that nothing of the input is
/// repeated.
struct refusal {
  constexpr refusal() noexcept = default;
  constexpr refusal(std::uint16_t http_status, std::string_view word,
                    std::string_view text) noexcept
    : status(http_status),
      code(word),
      detail(text) {}

  std::uint16_t status = 400;
  std::string_view code;
  std::string_view detail;
};

enum class http_version : std::uint8_t { http_1_0, http_1_1 };

enum class body_framing : std::uint8_t { none, content_length, chunked };

/// What the head says about the message's ends. The views point into the inspected bytes.
struct head_facts {
  body_framing framing = body_framing::none;
  std::uint64_t content_length = 0;
  http_version version = http_version::http_1_1;
  bool keep_alive = true;
  bool expects_continue = false;
  std::string_view request_id; ///< the client's; empty when there is none
};

/// Looks for the end of a head in bytes that arrive little by little, each looked at once.
class head_scanner {
public:
  /// `head` begins where the message begins and only ever grows. The answer is the size of the
  /// head with its empty line, or 0 while the end has not come.
  [[nodiscard]] boost::system::result<std::size_t, refusal> scan(std::string_view head);
  void reset() noexcept { *this = {}; }

private:
  std::size_t looked_at_ = 0;
  std::size_t line_begin_ = 0;
};

/// `head` is complete, its empty line included.
[[nodiscard]] boost::system::result<head_facts, refusal> inspect_request_head(
  std::string_view head);
/// The same rules for the fields of an answer, so that a kept connection never gets out of
/// step.
[[nodiscard]] boost::system::result<head_facts, refusal> inspect_response_head(
  std::string_view head);

} // namespace holdfast::http
