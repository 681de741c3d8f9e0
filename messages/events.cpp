#include "messages/events.hpp"

#include <array>

namespace holdfast {

std::string_view to_string(event_type type) noexcept {
  switch (type) {
    case event_type::payment_created: return "payment.created";
    case event_type::attempt_started: return "attempt.started";
    case event_type::authorization_approved: return "authorization.approved";
    case event_type::authorization_declined: return "authorization.declined";
    case event_type::attempt_not_sent: return "attempt.not_sent";
    case event_type::authorization_unknown: return "authorization.unknown";
    case event_type::inquiry_scheduled: return "inquiry.scheduled";
    case event_type::reversal_requested: return "reversal.requested";
    case event_type::reversal_scheduled: return "reversal.scheduled";
    case event_type::authorization_reversed: return "authorization.reversed";
    case event_type::payment_failed: return "payment.failed";
    case event_type::authorization_expired: return "authorization.expired";
    case event_type::operation_requested: return "operation.requested";
    case event_type::operation_rescheduled: return "operation.rescheduled";
    case event_type::operation_succeeded: return "operation.succeeded";
    case event_type::operation_refused: return "operation.refused";
    case event_type::attempt_declined: return "attempt.declined";
    case event_type::resolution_escalated: return "resolution.escalated";
    case event_type::webhook_received: return "webhook.received";
    case event_type::dispute_opened: return "dispute.opened";
    case event_type::dispute_evidence_noted: return "dispute.evidence_noted";
    case event_type::dispute_won: return "dispute.won";
    case event_type::dispute_lost: return "dispute.lost";
    case event_type::batch_closed: return "batch.closed";
    case event_type::file_stored: return "file.stored";
    case event_type::file_answered: return "file.answered";
    case event_type::batch_reconciled: return "batch.reconciled";
    case event_type::file_refused: return "file.refused";
    case event_type::exception_opened: return "exception.opened";
    case event_type::exception_resolved: return "exception.resolved";
    case event_type::batch_resubmitted: return "batch.resubmitted";
  }
  return "unknown";
}

event_type type_of(const payment_event& event) noexcept {
  // In the order of the variant's alternatives.
  static constexpr std::array types{
    event_type::payment_created,        event_type::attempt_started,
    event_type::authorization_approved, event_type::authorization_declined,
    event_type::attempt_not_sent,       event_type::authorization_unknown,
    event_type::inquiry_scheduled,      event_type::reversal_requested,
    event_type::reversal_scheduled,     event_type::authorization_reversed,
    event_type::payment_failed,         event_type::authorization_expired,
    event_type::operation_requested,    event_type::operation_rescheduled,
    event_type::operation_succeeded,    event_type::operation_refused,
    event_type::attempt_declined,       event_type::resolution_escalated,
    event_type::webhook_received,       event_type::dispute_opened,
    event_type::dispute_evidence_noted, event_type::dispute_won,
    event_type::dispute_lost,
  };
  static_assert(types.size() == std::variant_size_v<payment_event>);
  return types[event.index()];
}

event_type type_of(const settlement_event& event) noexcept {
  static constexpr std::array types{
    event_type::batch_closed,       event_type::file_stored,       event_type::file_answered,
    event_type::batch_reconciled,   event_type::file_refused,      event_type::exception_opened,
    event_type::exception_resolved, event_type::batch_resubmitted,
  };
  static_assert(types.size() == std::variant_size_v<settlement_event>);
  return types[event.index()];
}

} // namespace holdfast
