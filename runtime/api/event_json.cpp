#include "runtime/api/event_json.hpp"

#include "messages/codec.hpp"
#include "messages/json_writer.hpp"

namespace holdfast::api {

namespace {

constexpr auto first_settlement_type = event_type::batch_closed;

/// Writes an event's own members. Ids that follow from the event itself are left out.
class payload_writer {
public:
  explicit payload_writer(json_writer& json) : json_(json) {}

  void operator()(const payment_created& e) {
    json_.member("merchant", e.merchant.text())
      .member("currency", e.unit.code())
      .member("amount", e.amount.value())
      .member("capture", to_string(e.mode));
    if (e.token.empty())
      json_.member("brand", e.card.brand).member("last4", e.card.last4);
    text("reference", e.reference);
    text("description", e.description);
    text("region", e.region);
    json_.key("metadata").begin_object();
    for (const auto& [name, content] : e.metadata)
      json_.text_key(name).value(content);
    json_.end_object();
    json_.member("idempotency_key", e.idempotency_key).key("route").begin_array();
    for (const auto& gateway : e.route)
      json_.value(gateway);
    json_.end_array().key("route_reasons").begin_array();
    for (const auto& reason : e.route_reasons)
      json_.value(reason);
    json_.end_array().member("acquirer", e.acquirer);
  }
  void operator()(const attempt_started& e) {
    json_.member("attempt", e.number).member("gateway", e.gateway);
    text("reason", e.reason);
  }
  void operator()(const authorization_approved& e) {
    json_.member("attempt", e.attempt).member("gateway_reference", e.gateway_reference);
    time("expires_at", e.expires_at);
  }
  void operator()(const authorization_declined& e) {
    json_.member("attempt", e.attempt).member("code", e.code).member("message", e.message);
  }
  void operator()(const attempt_not_sent& e) {
    json_.member("attempt", e.attempt).member("reason", e.reason);
  }
  void operator()(const authorization_unknown& e) {
    json_.member("attempt", e.attempt).member("reason", e.reason);
    time("next_inquiry_at", e.next_inquiry_at);
  }
  void operator()(const inquiry_scheduled& e) {
    json_.member("attempt", e.attempt).member("reason", e.reason);
    time("next_inquiry_at", e.next_inquiry_at);
  }
  void operator()(const reversal_requested& e) {
    json_.member("attempt", e.attempt);
    if (e.decline)
      json_.member("code", e.decline->code).member("message", e.decline->message);
    time("next_try_at", e.next_try_at);
  }
  void operator()(const reversal_scheduled& e) {
    json_.member("attempt", e.attempt).member("reason", e.reason);
    time("next_try_at", e.next_try_at);
  }
  void operator()(const authorization_reversed& e) { json_.member("attempt", e.attempt); }
  void operator()(const payment_failed& e) {
    json_.member("code", e.code).member("message", e.message);
  }
  void operator()(const authorization_expired&) {}
  void operator()(const operation_requested& e) {
    operation(e.kind, e.ordinal);
    if (e.kind == operation_kind::capture)
      json_.member("capture", capture_id{e.id}.text()).member("final", e.final);
    if (e.kind == operation_kind::refund)
      json_.member("refund", refund_id{e.id}.text());
    json_.member("amount", e.amount.value());
    text("reason", e.reason);
    json_.member("idempotency_key", e.idempotency_key);
    time("next_try_at", e.next_try_at);
  }
  void operator()(const operation_rescheduled& e) {
    operation(e.kind, e.ordinal);
    json_.member("reason", e.reason);
    time("next_try_at", e.next_try_at);
  }
  void operator()(const operation_succeeded& e) {
    operation(e.kind, e.ordinal);
    json_.member_or_null("gateway_reference", e.gateway_reference);
  }
  void operator()(const operation_refused& e) {
    operation(e.kind, e.ordinal);
    json_.member("code", e.code).member("message", e.message);
  }
  void operator()(const attempt_declined& e) {
    json_.member("attempt", e.attempt).member("code", e.code).member("message", e.message);
  }
  void operator()(const resolution_escalated& e) {
    if (e.kind)
      operation(*e.kind, e.ordinal);
    else
      json_.member("attempt", e.attempt);
    time("open_since", e.open_since);
    text("reason", e.reason);
  }

  void operator()(const webhook_received& e) {
    json_.member("gateway", e.gateway)
      .member("webhook", e.event_id)
      .member("says", to_string(e.type))
      .member("finding", to_string(e.finding))
      .member("reference", e.reference);
    text("gateway_reference", e.gateway_reference);
    if (!e.currency_code.empty())
      json_.member("amount", e.amount.value()).member("currency", e.currency_code);
    time("sent_at", e.sent_at);
  }
  void operator()(const dispute_opened& e) {
    json_.member("dispute", e.id.text())
      .member("gateway", e.gateway)
      .member("gateway_dispute", e.gateway_dispute)
      .member("amount", e.amount.value())
      .member("amount_reserved", e.reserved.value())
      .member("fee", e.fee.value());
    text("reason", e.reason);
  }
  void operator()(const dispute_evidence_noted& e) {
    json_.member("dispute", e.id.text())
      .member("note", e.note)
      .member("idempotency_key", e.idempotency_key);
  }
  void operator()(const dispute_won& e) { json_.member("dispute", e.id.text()); }
  void operator()(const dispute_lost& e) { json_.member("dispute", e.id.text()); }

  void operator()(const batch_closed& e) {
    json_.member("acquirer", e.acquirer)
      .member("currency", e.unit.code())
      .member("items", e.items)
      .member("gross", e.gross.value())
      .member("items_sha256", e.items_sha256);
  }
  void operator()(const file_stored& e) {
    json_.member("acquirer", e.acquirer)
      .member("batches", e.batches)
      .member("items", e.items)
      .member("sha256", e.sha256);
  }
  void operator()(const file_answered& e) {
    json_.member("accepted", e.accepted)
      .member("rejected", e.rejected)
      .member("deferred", e.deferred);
  }
  void operator()(const batch_reconciled& e) {
    json_.member("gross", e.gross.value())
      .member("acquirer_fees", e.acquirer_fees.value())
      .member("platform_fees", e.platform_fees.value())
      .member("net", e.net.value())
      .member("settled", e.settled)
      .member("exceptions", e.exceptions);
  }
  void operator()(const file_refused& e) {
    json_.member("acquirer", e.acquirer).member("reason", e.reason);
  }
  void operator()(const exception_opened& e) { json_.member("kind", e.kind); }
  void operator()(const exception_resolved& e) {
    json_.member("kind", e.kind).member("resolution", e.resolution);
  }
  void operator()(const batch_resubmitted& e) {
    json_.member("refused_file", e.refused_file.text());
  }

private:
  void text(std::string_view name, std::string_view content) {
    if (!content.empty())
      json_.member(name, content);
  }
  void time(std::string_view name, timestamp at) {
    if (at != timestamp{})
      json_.member(name, to_rfc3339(at));
  }
  void operation(operation_kind kind, std::uint32_t ordinal) {
    json_.member("kind", to_string(kind)).member("ordinal", ordinal);
  }

  json_writer& json_;
};

/// The kind of operation that an event is about, if it is about one.
std::optional<operation_kind> kind_of(const payment_event& event) {
  return std::visit(
    [](const auto& e) -> std::optional<operation_kind> {
      if constexpr (requires { e.kind; })
        return e.kind;
      else
        return std::nullopt;
    },
    event);
}

/// "operation.succeeded" of a capture is "capture.succeeded".
std::string type_name(event_type type, std::optional<operation_kind> kind) {
  std::string name{to_string(type)};
  if (kind)
    name.replace(0, name.find('.'), to_string(*kind));
  return name;
}

std::string subject_text(const storage::event_view& event) {
  switch (event.type) {
    case event_type::batch_closed:
    case event_type::batch_resubmitted:
    case event_type::batch_reconciled: return batch_id{event.subject}.text();
    case event_type::file_stored:
    case event_type::file_refused:
    case event_type::file_answered: return file_id{event.subject}.text();
    case event_type::exception_opened:
    case event_type::exception_resolved: return exception_id{event.subject}.text();
    default: return payment_id{event.subject}.text();
  }
}

struct decoded {
  std::optional<std::string> data; ///< none: corrupt
  std::optional<operation_kind> kind;
};

template <class Event>
std::string render_data(const Event& event) {
  json_writer json;
  json.begin_object();
  std::visit(payload_writer{json}, event);
  return json.end_object().take();
}

decoded decode(const storage::event_view& event) {
  if (event.type >= first_settlement_type) {
    const auto settled = decode_settlement_event(event.type, event.payload);
    return settled ? decoded{render_data(*settled), {}} : decoded{};
  }
  const auto paid = decode_payment_event(event.type, event.payload);
  return paid ? decoded{render_data(*paid), kind_of(*paid)} : decoded{};
}

} // namespace

std::string render_event(const storage::event_view& event) {
  const auto content = decode(event);
  json_writer json;
  json.begin_object()
    .member("id", event_id_text(event.shard, event.seq))
    .member("object", "event")
    .member("type", type_name(event.type, content.kind))
    .member("shard", event.shard.value)
    .member("seq", event.seq.value)
    .member("subject", subject_text(event))
    .member("at", to_rfc3339(event.at));
  if (content.data)
    json.key("data").raw(*content.data);
  else
    json.key("data").null().member("corrupt", true);
  return json.end_object().take();
}

} // namespace holdfast::api
