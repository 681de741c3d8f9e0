// What is put before a person: a difference, or a question that the runtime can't settle alone.
#pragma once

#include "messages/ids.hpp"
#include "messages/money.hpp"
#include "messages/time.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace holdfast {

/// An authorization, or a capture, refund or void, whose outcome the gateway hasn't told in
/// time.
inline constexpr std::string_view unresolved_authorization = "unresolved_authorization";
inline constexpr std::string_view unresolved_operation = "unresolved_operation";

/// A dispute over more than what is left of the payment, and a signed notice about no payment.
inline constexpr std::string_view dispute_exceeds_captured = "dispute_exceeds_captured";
inline constexpr std::string_view unmatched_webhook = "unmatched_webhook";

struct new_exception {
  std::string kind;
  merchant_id merchant;
  std::optional<payment_id> payment;
  std::optional<uuid> operation;
  std::optional<batch_id> batch;
  currency unit;
  minor_units expected_amount;
  minor_units reported_amount;
  std::string raw_line;
  std::string detail;
  /// "class:subject": what is found again under it is the same exception, raised once. Empty:
  /// it is raised by an event that happens once.
  std::string fingerprint = {};
  std::string source = {};       ///< the gateway or acquirer that says so
  std::string external_ref = {}; ///< its or our reference of what it speaks of
  /// What was booked as received and put into suspense for it, in the line's own currency.
  currency posted_unit = {};
  minor_units posted_amount = {};
};

/// An exception on its way into the database together with the events that raise it.
struct opened_exception {
  exception_id id;
  timestamp opened_at;
  new_exception what;
};

} // namespace holdfast
