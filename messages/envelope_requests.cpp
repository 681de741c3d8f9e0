// What nodes ask of each other, on the wire.
#include "messages/envelope_body.hpp"
#include "messages/limits.hpp"

namespace holdfast::links {

namespace {

template <class Number>
std::optional<minor_units> optional_amount(bool has, Number value) {
  return has ? std::optional{minor_units{value}} : std::nullopt;
}

/// A currency that may be missing where there is no amount.
currency read_unit(const std::string& code, checked& check) {
  return code.empty() ? currency{} : check.unit(code);
}

// -- a merchant's command ---------------------------------------------------------------------

void write_action(const create_payment& in, wire::MerchantCommand& out) {
  const auto& [total, mode, card, token, summary, reference, description, region, metadata,
               path] = in;
  auto& message = *out.mutable_create();
  message.set_amount(total.amount.value());
  message.set_currency(std::string{total.unit.code()});
  message.set_mode(static_cast<std::uint32_t>(mode));
  message.mutable_card()->set_number(std::string{card.number.reveal()});
  message.mutable_card()->set_exp_month(card.exp_month);
  message.mutable_card()->set_exp_year(card.exp_year);
  message.mutable_card()->set_cvc(std::string{card.cvc.reveal()});
  message.set_token(token);
  to_wire(summary, *message.mutable_summary());
  message.set_reference(reference);
  message.set_description(description);
  message.set_region(region);
  to_wire(metadata, *message.mutable_metadata());
  const auto& [gateways, acquirer, reasons] = path;
  for (const auto& gateway : gateways)
    message.mutable_path()->add_gateways(gateway);
  message.mutable_path()->set_acquirer(acquirer);
  for (const auto& reason : reasons)
    message.mutable_path()->add_reasons(reason);
}

create_payment read(const wire::CreatePayment& in, checked& check) {
  create_payment out;
  out.total = {minor_units{in.amount()}, check.unit(in.currency())};
  out.mode = check.number(in.mode(), capture_mode::manual, capture_mode::automatic);
  out.card.number = secret{in.card().number()};
  out.card.exp_month = narrow<std::uint8_t>(in.card().exp_month(), check);
  out.card.exp_year = narrow<std::uint16_t>(in.card().exp_year(), check);
  out.card.cvc = secret{in.card().cvc()};
  out.token = in.token();
  out.summary = check.card(in.summary());
  out.reference = in.reference();
  out.description = in.description();
  out.region = in.region();
  out.metadata = from_wire(in.metadata());
  out.path = {from_wire(in.path().gateways()), in.path().acquirer(),
              from_wire(in.path().reasons())};
  return out;
}

void write_action(const capture_payment& in, wire::MerchantCommand& out) {
  const auto& [payment, amount, final] = in;
  auto& message = *out.mutable_capture();
  message.set_payment(to_wire(payment.value));
  if (amount)
    message.set_amount(amount->value());
  message.set_final(final);
}

capture_payment read(const wire::CapturePayment& in, checked& check) {
  return {{check.id(in.payment())}, optional_amount(in.has_amount(), in.amount()), in.final()};
}

void write_action(const void_payment& in, wire::MerchantCommand& out) {
  out.mutable_void_hold()->set_payment(to_wire(in.payment.value));
}

void write_action(const refund_payment& in, wire::MerchantCommand& out) {
  const auto& [payment, amount, reason] = in;
  auto& message = *out.mutable_refund();
  message.set_payment(to_wire(payment.value));
  if (amount)
    message.set_amount(amount->value());
  message.set_reason(reason);
}

refund_payment read(const wire::RefundPayment& in, checked& check) {
  return {{check.id(in.payment())}, optional_amount(in.has_amount(), in.amount()), in.reason()};
}

void write_action(const note_evidence& in, wire::MerchantCommand& out) {
  const auto& [payment, dispute, note] = in;
  auto& message = *out.mutable_evidence();
  message.set_payment(to_wire(payment.value));
  message.set_dispute(to_wire(dispute.value));
  message.set_note(note);
}

note_evidence read(const wire::NoteEvidence& in, checked& check) {
  return {{check.id(in.payment())}, {check.id(in.dispute())}, in.note()};
}

merchant_action read_action(const wire::MerchantCommand& in, checked& check) {
  using command = wire::MerchantCommand;
  switch (in.action_case()) {
    case command::kCreate: return read(in.create(), check);
    case command::kCapture: return read(in.capture(), check);
    case command::kVoidHold: return void_payment{{check.id(in.void_hold().payment())}};
    case command::kRefund: return read(in.refund(), check);
    case command::kEvidence: return read(in.evidence(), check);
    case command::ACTION_NOT_SET: break;
  }
  check.that(false);
  return void_payment{};
}

void write_request(const command_for_shard& in, wire::Envelope& out) {
  const auto& [request_id, traceparent, merchant, stripes, idempotency_key, request, wait,
               respond_async, action, refusal_if_new] = in.command;
  out.set_shard(in.shard.value);
  out.set_traceparent(traceparent);
  auto& message = *out.mutable_command();
  message.set_request_id(request_id);
  message.set_merchant(to_wire(merchant.value));
  message.set_stripes(stripes);
  message.set_idempotency_key(idempotency_key);
  message.set_fingerprint(request.data(), request.size());
  message.set_wait_ms(wait.count());
  message.set_respond_async(respond_async);
  if (refusal_if_new)
    write_reply(*refusal_if_new, *message.mutable_refusal_if_new());
  std::visit([&message](const auto& what) { write_action(what, message); }, action);
}

command_for_shard read_command(const wire::Envelope& envelope, checked& check) {
  const auto& in = envelope.command();
  command_for_shard out;
  out.shard = read_shard(envelope.shard(), check);
  auto& command = out.command;
  command.request_id = in.request_id();
  command.traceparent = envelope.traceparent();
  command.merchant.value = check.id(in.merchant());
  command.stripes = narrow<std::uint16_t>(in.stripes(), check);
  check.that(command.stripes >= 1 && command.stripes <= limits::stripes_max);
  command.idempotency_key = in.idempotency_key();
  check.that(in.fingerprint().size() == command.request.size());
  if (check.ok())
    std::copy(in.fingerprint().begin(), in.fingerprint().end(), command.request.begin());
  check.that(in.wait_ms() >= 0 && in.wait_ms() <= limits::link_deadline_ms_max);
  command.wait = milliseconds{in.wait_ms()};
  command.respond_async = in.respond_async();
  if (in.has_refusal_if_new())
    command.refusal_if_new = read_reply(in.refusal_if_new(), check);
  command.action = read_action(in, check);
  return out;
}

// -- a gateway's notice -----------------------------------------------------------------------

void write_request(const notice_for_shard& in, wire::Envelope& out) {
  const auto& [gateway, event_id, type, sent_at, about, reference, gateway_reference, claimed,
               dispute] = in.notice;
  const auto& [payment, attempt, operation, ordinal] = about;
  auto& message = *out.mutable_notice();
  message.set_gateway(gateway);
  message.set_event_id(event_id);
  message.set_type(static_cast<std::uint32_t>(type));
  message.set_sent_at_us(to_wire(sent_at));
  message.set_payment(to_wire(payment.value));
  message.set_attempt(attempt);
  if (operation)
    message.set_operation(static_cast<std::uint32_t>(*operation));
  message.set_ordinal(ordinal);
  message.set_reference(reference);
  message.set_gateway_reference(gateway_reference);
  if (claimed) {
    message.set_claimed_amount(claimed->amount.value());
    message.set_claimed_currency(std::string{claimed->unit.code()});
  }
  if (dispute) {
    message.mutable_dispute()->set_id(dispute->id);
    message.mutable_dispute()->set_reason(dispute->reason);
    message.mutable_dispute()->set_fee(dispute->fee.value());
  }
  message.set_request_id(in.request_id);
}

webhook_type read_type(std::uint32_t number, checked& check) {
  const auto type = check.number(number, webhook_type::approved, webhook_type::dispute_lost);
  check.that(!to_string(type).empty()); // The numbers have a gap.
  return type;
}

notice_for_shard read(const wire::Notice& in, checked& check) {
  notice_for_shard out;
  auto& notice = out.notice;
  notice.gateway = in.gateway();
  notice.event_id = in.event_id();
  notice.type = read_type(in.type(), check);
  notice.sent_at = to_time(in.sent_at_us());
  notice.about.payment.value = check.id(in.payment());
  notice.about.attempt = in.attempt();
  if (in.operation() != 0)
    notice.about.operation = check.kind(in.operation());
  notice.about.ordinal = in.ordinal();
  notice.reference = in.reference();
  notice.gateway_reference = in.gateway_reference();
  if (in.has_claimed_amount())
    notice.claimed = money{minor_units{in.claimed_amount()}, check.unit(in.claimed_currency())};
  if (in.has_dispute())
    notice.dispute = webhook_dispute{in.dispute().id(), in.dispute().reason(),
                                     minor_units{in.dispute().fee()}};
  out.request_id = in.request_id();
  return out;
}

// -- an operator's order ----------------------------------------------------------------------

void write_request(const order_for_shard& in, wire::Envelope& out) {
  const auto& [verb, exception, batch, letter, resolution, note, owner, by, amount] = in.order;
  out.set_shard(in.shard.value);
  auto& message = *out.mutable_order();
  message.set_verb(static_cast<std::uint32_t>(verb) + 1); // 0 is for none
  message.set_exception(to_wire(exception.value));
  message.set_batch(to_wire(batch.value));
  message.set_letter(to_wire(letter.value));
  message.set_resolution(resolution);
  message.set_note(note);
  message.set_owner(owner);
  message.set_by(by);
  if (amount)
    message.set_amount(amount->value());
}

order_for_shard read_order(const wire::Envelope& envelope, checked& check) {
  const auto& in = envelope.order();
  order_for_shard out;
  out.shard = read_shard(envelope.shard(), check);
  check.that(in.verb() >= 1);
  out.order.verb = check.number(in.verb() - 1, order_verb::resolve, order_verb::replay);
  out.order.exception.value = check.id(in.exception());
  out.order.batch.value = check.id(in.batch());
  out.order.letter.value = check.id(in.letter());
  out.order.resolution = in.resolution();
  out.order.note = in.note();
  out.order.owner = in.owner();
  out.order.by = in.by();
  out.order.amount = optional_amount(in.has_amount(), in.amount());
  return out;
}

// -- what the search for orphans has found ----------------------------------------------------

void write(const new_exception& in, wire::NewException& out) {
  const auto& [kind, merchant, payment, operation, batch, unit, expected_amount,
               reported_amount, raw_line, detail, fingerprint, source, external_ref,
               posted_unit, posted_amount] = in;
  out.set_kind(kind);
  out.set_merchant(to_wire(merchant.value));
  if (payment)
    out.set_payment(to_wire(payment->value));
  if (operation)
    out.set_operation(to_wire(*operation));
  if (batch)
    out.set_batch(to_wire(batch->value));
  out.set_currency(std::string{unit.code()});
  out.set_expected_amount(expected_amount.value());
  out.set_reported_amount(reported_amount.value());
  out.set_raw_line(raw_line);
  out.set_detail(detail);
  out.set_fingerprint(fingerprint);
  out.set_source(source);
  out.set_external_ref(external_ref);
  out.set_posted_currency(std::string{posted_unit.code()});
  out.set_posted_amount(posted_amount.value());
}

new_exception read(const wire::NewException& in, checked& check) {
  new_exception out;
  out.kind = in.kind();
  out.merchant.value = check.id(in.merchant());
  if (!in.payment().empty())
    out.payment = payment_id{check.id(in.payment())};
  if (!in.operation().empty())
    out.operation = check.id(in.operation());
  if (!in.batch().empty())
    out.batch = batch_id{check.id(in.batch())};
  out.unit = read_unit(in.currency(), check);
  out.expected_amount = minor_units{in.expected_amount()};
  out.reported_amount = minor_units{in.reported_amount()};
  out.raw_line = in.raw_line();
  out.detail = in.detail();
  out.fingerprint = in.fingerprint();
  out.source = in.source();
  out.external_ref = in.external_ref();
  out.posted_unit = read_unit(in.posted_currency(), check);
  out.posted_amount = minor_units{in.posted_amount()};
  return out;
}

void write_request(const exceptions_for_shard& in, wire::Envelope& out) {
  out.set_shard(in.shard.value);
  auto& message = *out.mutable_exceptions();
  for (const auto& one : in.exceptions)
    write(one, *message.add_exceptions());
}

exceptions_for_shard read_exceptions(const wire::Envelope& in, checked& check) {
  exceptions_for_shard out;
  out.shard = read_shard(in.shard(), check);
  for (const auto& one : in.exceptions().exceptions())
    out.exceptions.push_back(read(one, check));
  return out;
}

// -- to a node --------------------------------------------------------------------------------

void write_request(const cutoff_for_node& in, wire::Envelope& out) {
  const auto& [merchant, captured_before, settle] = in;
  auto& message = *out.mutable_cutoff();
  if (merchant)
    message.set_merchant(to_wire(merchant->value));
  message.set_captured_before_us(to_wire(captured_before));
  message.set_settle(settle);
}

cutoff_for_node read(const wire::Cutoff& in, checked& check) {
  cutoff_for_node out;
  if (!in.merchant().empty())
    out.merchant = merchant_id{check.id(in.merchant())};
  out.captured_before = to_time(in.captured_before_us());
  out.settle = in.settle();
  return out;
}

void write_request(const breaker_for_node& in, wire::Envelope& out) {
  const auto& [gateway, trip, duration, by, note] = in;
  auto& message = *out.mutable_breaker();
  message.set_gateway(gateway);
  message.set_trip(trip);
  if (duration)
    message.set_duration_ms(duration->count());
  message.set_by(by);
  message.set_note(note);
}

breaker_for_node read(const wire::Breaker& in, checked& check) {
  breaker_for_node out;
  out.gateway = in.gateway();
  out.trip = in.trip();
  if (in.has_duration_ms()) {
    check.that(in.duration_ms() >= 0 && in.duration_ms() <= limits::gateway_trip_ms_max);
    out.duration = milliseconds{in.duration_ms()};
  }
  out.by = in.by();
  out.note = in.note();
  return out;
}

void write_request(const shards_released& in, wire::Envelope& out) {
  auto& message = *out.mutable_shards_released();
  for (const auto shard : in.shards)
    message.add_shards(shard.value);
}

shards_released read(const wire::ShardsReleased& in, checked& check) {
  shards_released out;
  for (const auto number : in.shards())
    out.shards.push_back(read_shard(number, check));
  return out;
}

} // namespace

void write(const peer_request& in, wire::Envelope& out) {
  std::visit([&out](const auto& request) { write_request(request, out); }, in);
}

peer_request read_request(const wire::Envelope& in, checked& check) {
  using body = wire::Envelope;
  switch (in.body_case()) {
    case body::kCommand: return read_command(in, check);
    case body::kNotice: return read(in.notice(), check);
    case body::kOrder: return read_order(in, check);
    case body::kExceptions: return read_exceptions(in, check);
    case body::kCutoff: return read(in.cutoff(), check);
    case body::kBreaker: return read(in.breaker(), check);
    case body::kShardsReleased: return read(in.shards_released(), check);
    default: check.that(false); return shards_released{};
  }
}

} // namespace holdfast::links
