#include "messages/codec.hpp"

#include "messages/wire_values.hpp"

namespace holdfast {

namespace {

// -- payment events, each with its message: `message_of` out, `event_of` in -------------------

wire::PaymentCreated message_of(const payment_created& in) {
  wire::PaymentCreated out;
  out.set_id(to_wire(in.id.value));
  out.set_merchant(to_wire(in.merchant.value));
  out.set_currency(std::string{in.unit.code()});
  out.set_amount(in.amount.value());
  out.set_mode(static_cast<std::uint32_t>(in.mode));
  to_wire(in.card, *out.mutable_card());
  out.set_token(in.token);
  out.set_reference(in.reference);
  out.set_description(in.description);
  out.set_region(in.region);
  to_wire(in.metadata, *out.mutable_metadata());
  out.set_idempotency_key(in.idempotency_key);
  for (const auto& gateway : in.route)
    out.add_route(gateway);
  out.set_acquirer(in.acquirer);
  for (const auto& reason : in.route_reasons)
    out.add_route_reasons(reason);
  return out;
}

payment_created event_of(const wire::PaymentCreated& in, checked& check) {
  payment_created out;
  out.id.value = check.id(in.id());
  out.merchant.value = check.id(in.merchant());
  out.unit = check.unit(in.currency());
  out.amount = minor_units{in.amount()};
  out.mode = check.number(in.mode(), capture_mode::manual, capture_mode::automatic);
  out.card = check.card(in.card());
  out.token = in.token();
  out.reference = in.reference();
  out.description = in.description();
  out.region = in.region();
  out.metadata = from_wire(in.metadata());
  out.idempotency_key = in.idempotency_key();
  out.route = from_wire(in.route());
  out.acquirer = in.acquirer();
  out.route_reasons = from_wire(in.route_reasons());
  return out;
}

wire::AttemptStarted message_of(const attempt_started& in) {
  wire::AttemptStarted out;
  out.set_number(in.number);
  out.set_gateway(in.gateway);
  out.set_next_try_at_us(to_wire(in.next_try_at));
  out.set_reason(in.reason);
  return out;
}

attempt_started event_of(const wire::AttemptStarted& in, checked&) {
  return {in.number(), in.gateway(), to_time(in.next_try_at_us()), in.reason()};
}

wire::AuthorizationApproved message_of(const authorization_approved& in) {
  wire::AuthorizationApproved out;
  out.set_attempt(in.attempt);
  out.set_gateway_reference(in.gateway_reference);
  out.set_expires_at_us(to_wire(in.expires_at));
  return out;
}

authorization_approved event_of(const wire::AuthorizationApproved& in, checked&) {
  return {in.attempt(), in.gateway_reference(), to_time(in.expires_at_us())};
}

wire::AuthorizationDeclined message_of(const authorization_declined& in) {
  wire::AuthorizationDeclined out;
  out.set_attempt(in.attempt);
  out.set_code(in.code);
  out.set_message(in.message);
  return out;
}

authorization_declined event_of(const wire::AuthorizationDeclined& in, checked&) {
  return {in.attempt(), in.code(), in.message()};
}

wire::AttemptNotSent message_of(const attempt_not_sent& in) {
  wire::AttemptNotSent out;
  out.set_attempt(in.attempt);
  out.set_reason(in.reason);
  return out;
}

attempt_not_sent event_of(const wire::AttemptNotSent& in, checked&) {
  return {in.attempt(), in.reason()};
}

wire::AuthorizationUnknown message_of(const authorization_unknown& in) {
  wire::AuthorizationUnknown out;
  out.set_attempt(in.attempt);
  out.set_reason(in.reason);
  out.set_next_inquiry_at_us(to_wire(in.next_inquiry_at));
  out.set_sent(in.sent);
  return out;
}

authorization_unknown event_of(const wire::AuthorizationUnknown& in, checked&) {
  return {in.attempt(), in.reason(), to_time(in.next_inquiry_at_us()), in.sent()};
}

wire::InquiryScheduled message_of(const inquiry_scheduled& in) {
  wire::InquiryScheduled out;
  out.set_attempt(in.attempt);
  out.set_reason(in.reason);
  out.set_next_inquiry_at_us(to_wire(in.next_inquiry_at));
  out.set_sent(in.sent);
  return out;
}

inquiry_scheduled event_of(const wire::InquiryScheduled& in, checked&) {
  return {in.attempt(), in.reason(), to_time(in.next_inquiry_at_us()), in.sent()};
}

wire::ReversalRequested message_of(const reversal_requested& in) {
  wire::ReversalRequested out;
  out.set_attempt(in.attempt);
  out.set_next_try_at_us(to_wire(in.next_try_at));
  if (in.decline)
    to_wire(*in.decline, *out.mutable_decline());
  return out;
}

reversal_requested event_of(const wire::ReversalRequested& in, checked&) {
  reversal_requested out{in.attempt(), to_time(in.next_try_at_us()), std::nullopt};
  if (in.has_decline())
    out.decline = from_wire(in.decline());
  return out;
}

wire::ReversalScheduled message_of(const reversal_scheduled& in) {
  wire::ReversalScheduled out;
  out.set_attempt(in.attempt);
  out.set_reason(in.reason);
  out.set_next_try_at_us(to_wire(in.next_try_at));
  out.set_sent(in.sent);
  return out;
}

reversal_scheduled event_of(const wire::ReversalScheduled& in, checked&) {
  return {in.attempt(), in.reason(), to_time(in.next_try_at_us()), in.sent()};
}

wire::AuthorizationReversed message_of(const authorization_reversed& in) {
  wire::AuthorizationReversed out;
  out.set_attempt(in.attempt);
  return out;
}

authorization_reversed event_of(const wire::AuthorizationReversed& in, checked&) {
  return {in.attempt()};
}

wire::PaymentFailed message_of(const payment_failed& in) {
  wire::PaymentFailed out;
  out.set_code(in.code);
  out.set_message(in.message);
  return out;
}

payment_failed event_of(const wire::PaymentFailed& in, checked&) {
  return {in.code(), in.message()};
}

wire::AuthorizationExpired message_of(const authorization_expired&) {
  return {};
}

authorization_expired event_of(const wire::AuthorizationExpired&, checked&) {
  return {};
}

wire::OperationRequested message_of(const operation_requested& in) {
  wire::OperationRequested out;
  out.set_kind(static_cast<std::uint32_t>(in.kind));
  out.set_ordinal(in.ordinal);
  out.set_id(to_wire(in.id));
  out.set_amount(in.amount.value());
  out.set_final(in.final);
  out.set_reason(in.reason);
  out.set_idempotency_key(in.idempotency_key);
  out.set_next_try_at_us(to_wire(in.next_try_at));
  return out;
}

operation_requested event_of(const wire::OperationRequested& in, checked& check) {
  operation_requested out;
  out.kind = check.kind(in.kind());
  out.ordinal = in.ordinal();
  out.id = check.id(in.id());
  out.amount = minor_units{in.amount()};
  out.final = in.final();
  out.reason = in.reason();
  out.idempotency_key = in.idempotency_key();
  out.next_try_at = to_time(in.next_try_at_us());
  return out;
}

wire::OperationRescheduled message_of(const operation_rescheduled& in) {
  wire::OperationRescheduled out;
  out.set_kind(static_cast<std::uint32_t>(in.kind));
  out.set_ordinal(in.ordinal);
  out.set_reason(in.reason);
  out.set_next_try_at_us(to_wire(in.next_try_at));
  out.set_sent(in.sent);
  return out;
}

operation_rescheduled event_of(const wire::OperationRescheduled& in, checked& check) {
  return {check.kind(in.kind()), in.ordinal(), in.reason(), to_time(in.next_try_at_us()),
          in.sent()};
}

wire::OperationSucceeded message_of(const operation_succeeded& in) {
  wire::OperationSucceeded out;
  out.set_kind(static_cast<std::uint32_t>(in.kind));
  out.set_ordinal(in.ordinal);
  out.set_gateway_reference(in.gateway_reference);
  return out;
}

operation_succeeded event_of(const wire::OperationSucceeded& in, checked& check) {
  return {check.kind(in.kind()), in.ordinal(), in.gateway_reference()};
}

wire::OperationRefused message_of(const operation_refused& in) {
  wire::OperationRefused out;
  out.set_kind(static_cast<std::uint32_t>(in.kind));
  out.set_ordinal(in.ordinal);
  out.set_code(in.code);
  out.set_message(in.message);
  return out;
}

operation_refused event_of(const wire::OperationRefused& in, checked& check) {
  return {check.kind(in.kind()), in.ordinal(), in.code(), in.message()};
}

wire::AttemptDeclined message_of(const attempt_declined& in) {
  wire::AttemptDeclined out;
  out.set_attempt(in.attempt);
  out.set_code(in.code);
  out.set_message(in.message);
  return out;
}

attempt_declined event_of(const wire::AttemptDeclined& in, checked&) {
  return {in.attempt(), in.code(), in.message()};
}

wire::ResolutionEscalated message_of(const resolution_escalated& in) {
  wire::ResolutionEscalated out;
  out.set_attempt(in.attempt);
  out.set_kind(in.kind ? static_cast<std::uint32_t>(*in.kind) : 0);
  out.set_ordinal(in.ordinal);
  out.set_open_since_us(to_wire(in.open_since));
  out.set_reason(in.reason);
  return out;
}

resolution_escalated event_of(const wire::ResolutionEscalated& in, checked& check) {
  resolution_escalated out;
  out.attempt = in.attempt();
  if (in.kind() != 0)
    out.kind = check.kind(in.kind());
  out.ordinal = in.ordinal();
  out.open_since = to_time(in.open_since_us());
  out.reason = in.reason();
  return out;
}

wire::WebhookReceived message_of(const webhook_received& in) {
  wire::WebhookReceived out;
  out.set_gateway(in.gateway);
  out.set_event_id(in.event_id);
  out.set_type(static_cast<std::uint32_t>(in.type));
  out.set_finding(static_cast<std::uint32_t>(in.finding));
  out.set_reference(in.reference);
  out.set_gateway_reference(in.gateway_reference);
  out.set_currency(in.currency_code);
  out.set_amount(in.amount.value());
  out.set_sent_at_us(to_wire(in.sent_at));
  return out;
}

webhook_received event_of(const wire::WebhookReceived& in, checked& check) {
  webhook_received out;
  out.gateway = in.gateway();
  out.event_id = in.event_id();
  out.type = check.number(in.type(), webhook_type::approved, webhook_type::dispute_lost);
  out.finding = check.number(in.finding(), webhook_finding::asked, webhook_finding::unmatched);
  out.reference = in.reference();
  out.gateway_reference = in.gateway_reference();
  out.currency_code = in.currency();
  out.amount = minor_units{in.amount()};
  out.sent_at = to_time(in.sent_at_us());
  return out;
}

wire::DisputeOpened message_of(const dispute_opened& in) {
  wire::DisputeOpened out;
  out.set_ordinal(in.ordinal);
  out.set_id(to_wire(in.id.value));
  out.set_gateway(in.gateway);
  out.set_gateway_dispute(in.gateway_dispute);
  out.set_amount(in.amount.value());
  out.set_reserved(in.reserved.value());
  out.set_fee(in.fee.value());
  out.set_reason(in.reason);
  return out;
}

dispute_opened event_of(const wire::DisputeOpened& in, checked& check) {
  dispute_opened out;
  out.ordinal = in.ordinal();
  out.id.value = check.id(in.id());
  out.gateway = in.gateway();
  out.gateway_dispute = in.gateway_dispute();
  out.amount = minor_units{in.amount()};
  out.reserved = minor_units{in.reserved()};
  out.fee = minor_units{in.fee()};
  out.reason = in.reason();
  return out;
}

wire::DisputeEvidenceNoted message_of(const dispute_evidence_noted& in) {
  wire::DisputeEvidenceNoted out;
  out.set_ordinal(in.ordinal);
  out.set_id(to_wire(in.id.value));
  out.set_note(in.note);
  out.set_idempotency_key(in.idempotency_key);
  return out;
}

dispute_evidence_noted event_of(const wire::DisputeEvidenceNoted& in, checked& check) {
  return {in.ordinal(), dispute_id{check.id(in.id())}, in.note(), in.idempotency_key()};
}

wire::DisputeWon message_of(const dispute_won& in) {
  wire::DisputeWon out;
  out.set_ordinal(in.ordinal);
  out.set_id(to_wire(in.id.value));
  return out;
}

dispute_won event_of(const wire::DisputeWon& in, checked& check) {
  return {in.ordinal(), dispute_id{check.id(in.id())}};
}

wire::DisputeLost message_of(const dispute_lost& in) {
  wire::DisputeLost out;
  out.set_ordinal(in.ordinal);
  out.set_id(to_wire(in.id.value));
  return out;
}

dispute_lost event_of(const wire::DisputeLost& in, checked& check) {
  return {in.ordinal(), dispute_id{check.id(in.id())}};
}

// -- settlement events ------------------------------------------------------------------------

wire::BatchClosed message_of(const batch_closed& in) {
  wire::BatchClosed out;
  out.set_batch(to_wire(in.batch.value));
  out.set_merchant(to_wire(in.merchant.value));
  out.set_acquirer(in.acquirer);
  out.set_currency(std::string{in.unit.code()});
  out.set_items(in.items);
  out.set_gross(in.gross.value());
  out.set_items_sha256(in.items_sha256);
  return out;
}

batch_closed event_of(const wire::BatchClosed& in, checked& check) {
  batch_closed out;
  out.batch.value = check.id(in.batch());
  out.merchant.value = check.id(in.merchant());
  out.acquirer = in.acquirer();
  out.unit = check.unit(in.currency());
  out.items = in.items();
  out.gross = minor_units{in.gross()};
  out.items_sha256 = in.items_sha256();
  return out;
}

wire::FileStored message_of(const file_stored& in) {
  wire::FileStored out;
  out.set_file(to_wire(in.file.value));
  out.set_acquirer(in.acquirer);
  out.set_batches(in.batches);
  out.set_items(in.items);
  out.set_sha256(in.sha256);
  return out;
}

file_stored event_of(const wire::FileStored& in, checked& check) {
  return {file_id{check.id(in.file())}, in.acquirer(), in.batches(), in.items(), in.sha256()};
}

wire::FileAnswered message_of(const file_answered& in) {
  wire::FileAnswered out;
  out.set_file(to_wire(in.file.value));
  out.set_accepted(in.accepted);
  out.set_rejected(in.rejected);
  out.set_deferred(in.deferred);
  return out;
}

file_answered event_of(const wire::FileAnswered& in, checked& check) {
  return {file_id{check.id(in.file())}, in.accepted(), in.rejected(), in.deferred()};
}

wire::BatchReconciled message_of(const batch_reconciled& in) {
  wire::BatchReconciled out;
  out.set_batch(to_wire(in.batch.value));
  out.set_gross(in.gross.value());
  out.set_acquirer_fees(in.acquirer_fees.value());
  out.set_platform_fees(in.platform_fees.value());
  out.set_net(in.net.value());
  out.set_settled(in.settled);
  out.set_exceptions(in.exceptions);
  return out;
}

batch_reconciled event_of(const wire::BatchReconciled& in, checked& check) {
  return {batch_id{check.id(in.batch())},
          minor_units{in.gross()},
          minor_units{in.acquirer_fees()},
          minor_units{in.platform_fees()},
          minor_units{in.net()},
          in.settled(),
          in.exceptions()};
}

wire::FileRefused message_of(const file_refused& in) {
  wire::FileRefused out;
  out.set_file(to_wire(in.file.value));
  out.set_acquirer(in.acquirer);
  out.set_reason(in.reason);
  return out;
}

file_refused event_of(const wire::FileRefused& in, checked& check) {
  return {file_id{check.id(in.file())}, in.acquirer(), in.reason()};
}

wire::ExceptionOpened message_of(const exception_opened& in) {
  wire::ExceptionOpened out;
  out.set_exception(to_wire(in.exception.value));
  out.set_kind(in.kind);
  return out;
}

exception_opened event_of(const wire::ExceptionOpened& in, checked& check) {
  return {exception_id{check.id(in.exception())}, in.kind()};
}

wire::ExceptionResolved message_of(const exception_resolved& in) {
  wire::ExceptionResolved out;
  out.set_exception(to_wire(in.exception.value));
  out.set_kind(in.kind);
  out.set_resolution(in.resolution);
  out.set_note(in.note);
  out.set_resolved_by(in.resolved_by);
  return out;
}

exception_resolved event_of(const wire::ExceptionResolved& in, checked& check) {
  return {exception_id{check.id(in.exception())}, in.kind(), in.resolution(), in.note(),
          in.resolved_by()};
}

wire::BatchResubmitted message_of(const batch_resubmitted& in) {
  wire::BatchResubmitted out;
  out.set_batch(to_wire(in.batch.value));
  out.set_refused_file(to_wire(in.refused_file.value));
  return out;
}

batch_resubmitted event_of(const wire::BatchResubmitted& in, checked& check) {
  return {batch_id{check.id(in.batch())}, file_id{check.id(in.refused_file())}};
}

// -- from a type number to its message --------------------------------------------------------

template <class Event, class Message>
expected<Event> decode_as(std::string_view bytes) {
  Message message;
  if (!parse(bytes, message))
    return make_error(errc::corrupt, "an event's payload does not parse");
  checked check;
  Event event = event_of(message, check);
  if (!check.ok())
    return make_error(errc::corrupt, "an event's payload holds an impossible value");
  return event;
}

} // namespace

std::string encode(const payment_event& event) {
  return std::visit([](const auto& one) { return message_of(one).SerializeAsString(); }, event);
}

std::string encode(const settlement_event& event) {
  return std::visit([](const auto& one) { return message_of(one).SerializeAsString(); }, event);
}

expected<payment_event> decode_payment_event(event_type type, std::string_view bytes) {
  using event = payment_event;
  switch (type) {
    case event_type::payment_created: return decode_as<event, wire::PaymentCreated>(bytes);
    case event_type::attempt_started: return decode_as<event, wire::AttemptStarted>(bytes);
    case event_type::authorization_approved:
      return decode_as<event, wire::AuthorizationApproved>(bytes);
    case event_type::authorization_declined:
      return decode_as<event, wire::AuthorizationDeclined>(bytes);
    case event_type::attempt_not_sent: return decode_as<event, wire::AttemptNotSent>(bytes);
    case event_type::authorization_unknown:
      return decode_as<event, wire::AuthorizationUnknown>(bytes);
    case event_type::inquiry_scheduled: return decode_as<event, wire::InquiryScheduled>(bytes);
    case event_type::reversal_requested:
      return decode_as<event, wire::ReversalRequested>(bytes);
    case event_type::reversal_scheduled:
      return decode_as<event, wire::ReversalScheduled>(bytes);
    case event_type::authorization_reversed:
      return decode_as<event, wire::AuthorizationReversed>(bytes);
    case event_type::payment_failed: return decode_as<event, wire::PaymentFailed>(bytes);
    case event_type::authorization_expired:
      return decode_as<event, wire::AuthorizationExpired>(bytes);
    case event_type::operation_requested:
      return decode_as<event, wire::OperationRequested>(bytes);
    case event_type::operation_rescheduled:
      return decode_as<event, wire::OperationRescheduled>(bytes);
    case event_type::operation_succeeded:
      return decode_as<event, wire::OperationSucceeded>(bytes);
    case event_type::operation_refused: return decode_as<event, wire::OperationRefused>(bytes);
    case event_type::attempt_declined: return decode_as<event, wire::AttemptDeclined>(bytes);
    case event_type::resolution_escalated:
      return decode_as<event, wire::ResolutionEscalated>(bytes);
    case event_type::webhook_received: return decode_as<event, wire::WebhookReceived>(bytes);
    case event_type::dispute_opened: return decode_as<event, wire::DisputeOpened>(bytes);
    case event_type::dispute_evidence_noted:
      return decode_as<event, wire::DisputeEvidenceNoted>(bytes);
    case event_type::dispute_won: return decode_as<event, wire::DisputeWon>(bytes);
    case event_type::dispute_lost: return decode_as<event, wire::DisputeLost>(bytes);
    case event_type::batch_closed:
    case event_type::file_stored:
    case event_type::file_answered:
    case event_type::batch_reconciled:
    case event_type::file_refused:
    case event_type::exception_opened:
    case event_type::exception_resolved:
    case event_type::batch_resubmitted: break;
  }
  return make_error(errc::corrupt, "not a payment's event");
}

expected<settlement_event> decode_settlement_event(event_type type, std::string_view bytes) {
  using event = settlement_event;
  switch (type) {
    case event_type::batch_closed: return decode_as<event, wire::BatchClosed>(bytes);
    case event_type::file_stored: return decode_as<event, wire::FileStored>(bytes);
    case event_type::file_answered: return decode_as<event, wire::FileAnswered>(bytes);
    case event_type::batch_reconciled: return decode_as<event, wire::BatchReconciled>(bytes);
    case event_type::file_refused: return decode_as<event, wire::FileRefused>(bytes);
    case event_type::exception_opened: return decode_as<event, wire::ExceptionOpened>(bytes);
    case event_type::exception_resolved:
      return decode_as<event, wire::ExceptionResolved>(bytes);
    case event_type::batch_resubmitted: return decode_as<event, wire::BatchResubmitted>(bytes);
    default: return make_error(errc::corrupt, "not a settlement's event");
  }
}

} // namespace holdfast
