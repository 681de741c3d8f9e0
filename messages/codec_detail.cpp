// The snapshot's detail: the part of a payment that has no column.
#include "messages/codec.hpp"
#include "messages/wire_values.hpp"

namespace holdfast {

namespace {

// -- the snapshot's detail --------------------------------------------------------------------

// The snapshots are taken apart by structured bindings, so that a field which is added to the
// struct and forgotten here doesn't compile.

void write(const attempt& in, wire::Attempt& out) {
  const auto& [number, gateway, status, started_at, gateway_reference, tries, next_try_at,
               reason, last_heard, decline, escalated] = in;
  out.set_number(number);
  out.set_gateway(gateway);
  out.set_status(static_cast<std::uint32_t>(status));
  out.set_started_at_us(to_wire(started_at));
  out.set_gateway_reference(gateway_reference);
  out.set_tries(tries);
  out.set_next_try_at_us(to_wire(next_try_at));
  out.set_reason(reason);
  out.set_last_heard(last_heard);
  if (decline)
    to_wire(*decline, *out.mutable_decline());
  out.set_escalated(escalated);
}

attempt read(const wire::Attempt& in, checked& check) {
  attempt out;
  out.number = in.number();
  out.gateway = in.gateway();
  out.status = check.number(in.status(), attempt_status::started, attempt_status::reversed);
  out.started_at = to_time(in.started_at_us());
  out.gateway_reference = in.gateway_reference();
  out.tries = in.tries();
  out.next_try_at = to_time(in.next_try_at_us());
  out.reason = in.reason();
  out.last_heard = in.last_heard();
  if (in.has_decline())
    out.decline = from_wire(in.decline());
  out.escalated = in.escalated();
  return out;
}

void write(const operation& in, wire::Operation& out) {
  const auto& [kind, status, ordinal, id, amount, final, tries, next_try_at, reason,
               idempotency_key, gateway_reference, refusal_code, created_at, escalated] = in;
  out.set_kind(static_cast<std::uint32_t>(kind));
  out.set_status(static_cast<std::uint32_t>(status));
  out.set_ordinal(ordinal);
  out.set_id(to_wire(id));
  out.set_amount(amount.value());
  out.set_final(final);
  out.set_tries(tries);
  out.set_next_try_at_us(to_wire(next_try_at));
  out.set_reason(reason);
  out.set_idempotency_key(idempotency_key);
  out.set_gateway_reference(gateway_reference);
  out.set_refusal_code(refusal_code);
  out.set_created_at_us(to_wire(created_at));
  out.set_escalated(escalated);
}

operation read(const wire::Operation& in, checked& check) {
  operation out;
  out.kind = check.kind(in.kind());
  out.status =
    check.number(in.status(), operation_status::requested, operation_status::refused);
  out.ordinal = in.ordinal();
  out.id = check.id(in.id());
  out.amount = minor_units{in.amount()};
  out.final = in.final();
  out.tries = in.tries();
  out.next_try_at = to_time(in.next_try_at_us());
  out.reason = in.reason();
  out.idempotency_key = in.idempotency_key();
  out.gateway_reference = in.gateway_reference();
  out.refusal_code = in.refusal_code();
  out.created_at = to_time(in.created_at_us());
  out.escalated = in.escalated();
  return out;
}

void write(const dispute& in, wire::Dispute& out) {
  const auto& [id, ordinal, status, gateway, gateway_dispute, amount, reserved, fee, reason,
               evidence, opened_at, closed_at] = in;
  out.set_id(to_wire(id.value));
  out.set_ordinal(ordinal);
  out.set_status(static_cast<std::uint32_t>(status));
  out.set_gateway(gateway);
  out.set_gateway_dispute(gateway_dispute);
  out.set_amount(amount.value());
  out.set_reserved(reserved.value());
  out.set_fee(fee.value());
  out.set_reason(reason);
  for (const auto& [text, at] : evidence) {
    auto& note = *out.add_evidence();
    note.set_text(text);
    note.set_at_us(to_wire(at));
  }
  out.set_opened_at_us(to_wire(opened_at));
  if (closed_at)
    out.set_closed_at_us(to_wire(*closed_at));
}

dispute read(const wire::Dispute& in, checked& check) {
  dispute out;
  out.id.value = check.id(in.id());
  out.ordinal = in.ordinal();
  out.status = check.number(in.status(), dispute_status::open, dispute_status::lost);
  out.gateway = in.gateway();
  out.gateway_dispute = in.gateway_dispute();
  out.amount = minor_units{in.amount()};
  out.reserved = minor_units{in.reserved()};
  out.fee = minor_units{in.fee()};
  out.reason = in.reason();
  for (const auto& note : in.evidence())
    out.evidence.push_back({note.text(), to_time(note.at_us())});
  out.opened_at = to_time(in.opened_at_us());
  if (in.closed_at_us() != 0)
    out.closed_at = to_time(in.closed_at_us());
  return out;
}

} // namespace

std::string encode_detail(const payment& subject) {
  wire::PaymentDetail out;
  out.set_id(to_wire(subject.id.value));
  to_wire(subject.card, *out.mutable_card());
  out.set_token(subject.token);
  out.set_description(subject.description);
  out.set_region(subject.region);
  to_wire(subject.metadata, *out.mutable_metadata());
  out.set_idempotency_key(subject.idempotency_key);
  for (const auto& gateway : subject.route)
    out.add_route(gateway);
  for (const auto& reason : subject.route_reasons)
    out.add_route_reasons(reason);
  for (const auto& one : subject.attempts)
    write(one, *out.add_attempts());
  for (const auto& one : subject.operations)
    write(one, *out.add_operations());
  for (const auto& one : subject.disputes)
    write(one, *out.add_disputes());
  if (subject.decline)
    to_wire(*subject.decline, *out.mutable_decline());
  if (subject.expires_at)
    out.set_expires_at_us(to_wire(*subject.expires_at));
  return out.SerializeAsString();
}

expected<void> decode_detail(std::string_view bytes, payment& subject) {
  wire::PaymentDetail in;
  if (!parse(bytes, in))
    return make_error(errc::corrupt, "a payment's detail does not parse");
  checked check;
  subject.id.value = check.id(in.id());
  subject.card = check.card(in.card());
  subject.token = in.token();
  subject.description = in.description();
  subject.region = in.region();
  subject.metadata = from_wire(in.metadata());
  subject.idempotency_key = in.idempotency_key();
  subject.route = from_wire(in.route());
  subject.route_reasons = from_wire(in.route_reasons());
  subject.attempts.clear();
  for (const auto& one : in.attempts())
    subject.attempts.push_back(read(one, check));
  subject.operations.clear();
  for (const auto& one : in.operations())
    subject.operations.push_back(read(one, check));
  subject.disputes.clear();
  for (const auto& one : in.disputes())
    subject.disputes.push_back(read(one, check));
  subject.decline.reset();
  if (in.has_decline())
    subject.decline = from_wire(in.decline());
  subject.expires_at.reset();
  if (in.expires_at_us() != 0)
    subject.expires_at = to_time(in.expires_at_us());
  if (!check.ok())
    return make_error(errc::corrupt, "a payment's detail holds an impossible value");
  return {};
}

} // namespace holdfast
