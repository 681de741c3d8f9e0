#include "messages/payment.hpp"

#include <algorithm>

namespace holdfast {

std::string_view to_string(payment_status status) noexcept {
  switch (status) {
    case payment_status::processing: return "processing";
    case payment_status::pending_gateway: return "pending_gateway";
    case payment_status::authorized: return "authorized";
    case payment_status::partially_captured: return "partially_captured";
    case payment_status::captured: return "captured";
    case payment_status::declined: return "declined";
    case payment_status::voided: return "voided";
    case payment_status::expired: return "expired";
    case payment_status::failed: return "failed";
  }
  return "unknown";
}

std::string_view to_string(settlement_status status) noexcept {
  switch (status) {
    case settlement_status::none: return "none";
    case settlement_status::batched: return "batched";
    case settlement_status::settled: return "settled";
    case settlement_status::rejected: return "rejected";
  }
  return "unknown";
}

std::string_view to_string(capture_mode mode) noexcept {
  switch (mode) {
    case capture_mode::manual: return "manual";
    case capture_mode::automatic: return "automatic";
  }
  return "unknown";
}

std::string_view to_string(attempt_status status) noexcept {
  switch (status) {
    case attempt_status::started: return "started";
    case attempt_status::approved: return "approved";
    case attempt_status::declined: return "declined";
    case attempt_status::not_sent: return "not_sent";
    case attempt_status::unknown: return "unknown";
    case attempt_status::reversing: return "reversing";
    case attempt_status::reversed: return "reversed";
  }
  return "unknown";
}

std::string_view to_string(operation_kind kind) noexcept {
  switch (kind) {
    case operation_kind::capture: return "capture";
    case operation_kind::refund: return "refund";
    case operation_kind::void_hold: return "void";
  }
  return "unknown";
}

std::string_view to_string(operation_status status) noexcept {
  switch (status) {
    case operation_status::requested: return "requested";
    case operation_status::succeeded: return "succeeded";
    case operation_status::refused: return "refused";
  }
  return "unknown";
}

std::string_view to_string(dispute_status status) noexcept {
  switch (status) {
    case dispute_status::open: return "open";
    case dispute_status::won: return "won";
    case dispute_status::lost: return "lost";
  }
  return "unknown";
}

std::string_view public_status(payment_status status, settlement_status settlement) noexcept {
  // While a part is still held, that is what the merchant can act on.
  if (status == payment_status::captured && settlement != settlement_status::none)
    return to_string(settlement);
  return to_string(status);
}

bool has_pending_work(const payment& subject) noexcept {
  if (subject.status == payment_status::processing
      || subject.status == payment_status::pending_gateway)
    return true;
  return std::ranges::any_of(
           subject.operations,
           [](const operation& asked) { return asked.status == operation_status::requested; })
         || std::ranges::any_of(subject.attempts, [](const attempt& made) {
              return made.status == attempt_status::started
                     || made.status == attempt_status::unknown
                     || made.status == attempt_status::reversing;
            });
}

std::string attempt_reference(const payment_id& id, std::uint32_t number) {
  return id.text() + '.' + std::to_string(number);
}

std::string operation_reference(const payment_id& id, operation_kind kind,
                                std::uint32_t ordinal) {
  const char letter = kind == operation_kind::capture  ? 'c'
                      : kind == operation_kind::refund ? 'r'
                                                       : 'v';
  return id.text() + '.' + letter + std::to_string(ordinal);
}

} // namespace holdfast
