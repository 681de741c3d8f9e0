// The timeline of one payment: request → events → attempts → ledger entries → batch, file and
// acquirer line → exceptions, each naming the coordinates by which it is found elsewhere.
#include "actors/api/render.hpp"
#include "messages/json_writer.hpp"
#include "runtime/api/event_json.hpp"
#include "runtime/api/object_json.hpp"

namespace holdfast::api {

namespace {

void write_request(json_writer& json, const payment& subject) {
  json.key("request").begin_object();
  json.member("idempotency_key", subject.idempotency_key)
    .member("received_at", to_rfc3339(subject.created_at));
  json.key("route").begin_array();
  for (const auto& gateway : subject.route)
    json.value(gateway);
  json.end_array().key("route_reasons").begin_array();
  for (const auto& reason : subject.route_reasons)
    json.value(reason);
  json.end_array().member("acquirer", subject.acquirer).end_object();
}

void write_operations(json_writer& json, const payment& subject) {
  json.key("operations").begin_array();
  for (const auto& one : subject.operations) {
    json.begin_object().member("kind", to_string(one.kind)).member("ordinal", one.ordinal);
    if (one.kind == operation_kind::capture)
      json.member("id", capture_id{one.id}.text());
    if (one.kind == operation_kind::refund)
      json.member("id", refund_id{one.id}.text());
    json.member("reference", operation_reference(subject.id, one.kind, one.ordinal))
      .member("status", to_string(one.status))
      .member("amount", one.amount.value())
      .member_or_null("gateway_reference", one.gateway_reference)
      .member_or_null("refusal_code", one.refusal_code)
      .member("tries", one.tries)
      .member("idempotency_key", one.idempotency_key)
      .member("created_at", to_rfc3339(one.created_at))
      .end_object();
  }
  json.end_array();
}

template <class Rows, class Render>
void write_rows(json_writer& json, std::string_view name, const Rows& rows, Render render) {
  json.key(name).begin_array();
  for (const auto& row : rows)
    json.raw(render(row));
  json.end_array();
}

} // namespace

std::string render_timeline(const storage::timeline_view& timeline) {
  const auto& subject = timeline.subject.row;
  json_writer json{4'096};
  json.begin_object()
    .member("id", subject.id.text())
    .member("object", "timeline")
    .key("payment")
    .raw(render_payment(subject, timeline.subject.batch));
  write_request(json, subject);
  write_rows(json, "events", timeline.events, render_event);
  write_attempts(json, subject);
  write_operations(json, subject);
  write_rows(json, "disputes", subject.disputes,
             [&](const dispute& one) { return render_dispute(subject.id, subject.unit, one); });
  write_rows(json, "ledger_entries", timeline.entries, render_entry);
  write_rows(json, "settlement", timeline.items, render_batch_item);
  write_rows(json, "exceptions", timeline.exceptions, render_exception);
  return json.end_object().take();
}

} // namespace holdfast::api
