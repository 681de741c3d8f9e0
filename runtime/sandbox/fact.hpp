// One line of the sandbox's durable record: what it was asked and what came of it.
#pragma once

#include "messages/expected.hpp"
#include "messages/time.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace holdfast::sandbox {

/// The texts are persisted and read by checkers: never changed.
enum class fact_kind : std::uint8_t {
  authorize,
  capture,
  reverse,
  refund,
  settle, ///< one line of a settlement report, or an item that did not come so far
  token,  ///< a card was put away
  file,   ///< a settlement file was accepted
  report, ///< its results and report are complete
};

/// What was answered. The texts are persisted and sent.
enum class fact_status : std::uint8_t {
  approved,
  declined,
  reversed,
  succeeded,
  refused,
  accepted,
  rejected,
  deferred,
  dropped, ///< lost on purpose before it took effect
};

[[nodiscard]] std::string_view to_string(fact_kind kind) noexcept;
[[nodiscard]] std::string_view to_string(fact_status status) noexcept;

/// Never card data: of a card, its last four digits and the verdict. The views belong to
/// whoever made the fact and are read while it is written or applied only.
struct fact {
  std::int64_t seq = 0;
  timestamp at;
  fact_kind kind = fact_kind::authorize;
  fact_status status = fact_status::approved;
  bool effective = false; ///< money was held or moved by this very call
  bool repeat = false;    ///< the same call had been answered before
  bool final = false;
  std::string_view gateway;
  std::string_view reference; ///< of the authorization, or of the operation on it
  std::string_view gateway_reference;
  std::int64_t amount_minor = 0;
  std::string_view currency;
  std::string_view code;
  std::string_view hold; ///< an operation's authorization, by its reference
  std::string_view acquirer;
  std::string_view file;
  std::int64_t line = 0; ///< of the file
  std::string_view sha256;
  std::string_view token;
  std::string_view last4;
};

/// Appends one line of JSON and a line feed. Members without content are left out.
void append_line(const fact& entry, std::string& out);

/// A fact read back from its line; owns the memory behind the views.
class stored_fact {
public:
  stored_fact();
  ~stored_fact();
  stored_fact(const stored_fact&) = delete;
  stored_fact& operator=(const stored_fact&) = delete;

  /// Replaces the content. The fact is valid until the next call. Errors: corrupt.
  [[nodiscard]] expected<const fact*> parse(std::string_view line);

private:
  struct memory;
  std::unique_ptr<memory> memory_;
};

} // namespace holdfast::sandbox
