// The comparison that says whether money is right: what clients were told, what the gateways
// did, and what the API says now must be one story. Pure; used by the demo and by the crash
// tests.
#pragma once

#include "messages/expected.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::demo {

/// A definitive answer that a client has received (so not a 202), and may rely on for ever.
struct acknowledged {
  enum class kind : std::uint8_t { payment, capture, release, refund };

  kind what = kind::payment;
  std::string key;     ///< the idempotency key, unique in the whole input
  std::string payment; ///< its id; for a refund that of the payment it is of
  std::string status;  ///< the payment's in the answer; a refund's own: "succeeded", "failed"
  std::string currency;
  std::int64_t amount = 0;   ///< minor units; of the payment, or of the refund
  std::int64_t captured = 0; ///< of the payment
  std::int64_t refunded = 0; ///< of the payment
};

/// A fact of the sandbox, as GET /sandbox/records tells it.
struct sandbox_record {
  std::int64_t seq = 0;
  std::string kind; ///< authorize, reverse, capture, refund, settle …
  std::string gateway;
  std::string reference;
  std::string gateway_reference;
  std::string currency;
  std::int64_t amount = 0;
  bool effective = false; ///< money was held or moved by this very call
};

/// A payment as the API shows it at the end.
struct payment_seen {
  std::string id;
  std::string status;
  std::string currency;
  std::int64_t amount = 0;
  std::int64_t captured = 0;
  std::int64_t refunded = 0;
};

struct audit_input {
  std::vector<acknowledged> answers;
  std::vector<sandbox_record> records;
  std::vector<payment_seen> payments;
  /// False while payments may still be pending; those are then left out of the comparison.
  bool at_rest = true;
};

struct difference {
  std::string payment; ///< its id, as far as one is known
  std::string what;    ///< for a person
};

struct audit_result {
  std::vector<difference> differences; ///< all of them; empty is what must be
  // What was compared.
  std::uint64_t answers = 0;
  std::uint64_t payments = 0;
  std::uint64_t records = 0;
  std::uint64_t holds = 0; ///< effective and not reversed
  std::uint64_t captures = 0;
  std::uint64_t refunds = 0;
};

/// Checks, for every payment: each answer still holds (same amount, no way back from its
/// status, no money less); a key has one payment; exactly one gateway hold that is not reversed
/// where money is held or captured, and none elsewhere; the gateway's captures and refunds sum
/// to the payment's; and no gateway holds money for a payment that nobody knows.
[[nodiscard]] audit_result audit(const audit_input& input);

/// One line of /sandbox/records. Errors: invalid_argument.
[[nodiscard]] expected<sandbox_record> parse_record(std::string_view line);

/// "pay_….1" and "pay_….c2" → "pay_…"; the text itself when there is no dot.
[[nodiscard]] std::string_view payment_of(std::string_view reference) noexcept;

} // namespace holdfast::demo
