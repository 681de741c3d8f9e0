#include "actors/api/render.hpp"

#include "messages/assert.hpp"
#include "messages/json_writer.hpp"
#include "messages/problem.hpp"

#include <algorithm>

namespace holdfast::api {

namespace {

constexpr std::size_t payment_bytes_typical = 1'024;

std::string payment_path(const payment_id& id) {
  return "/v1/payments/" + id.text();
}

/// The attempt that the payment rests on: the approved one, else the latest.
const attempt* decisive_attempt(const payment& subject) {
  const auto& all = subject.attempts;
  const auto approved = std::find_if(all.begin(), all.end(), [](const attempt& one) {
    return one.status == attempt_status::approved;
  });
  if (approved != all.end())
    return &*approved;
  return all.empty() ? nullptr : &all.back();
}

void write_payment_method(json_writer& json, const payment& subject) {
  json.key("payment_method").begin_object();
  if (subject.token.empty()) {
    json.member("brand", subject.card.brand)
      .member("last4", subject.card.last4)
      .member("exp_month", subject.card.exp_month)
      .member("exp_year", subject.card.exp_year);
  } else {
    // Only the gateway knows the card behind its token.
    json.key("brand").null().key("last4").null().key("exp_month").null().key("exp_year").null();
    json.member("token", subject.token);
  }
  json.end_object();
}

void write_gateway(json_writer& json, const payment& subject) {
  const auto* decisive = decisive_attempt(subject);
  json.member_or_null("gateway", decisive != nullptr ? decisive->gateway : std::string_view{});
  json.member_or_null("gateway_reference",
                      decisive != nullptr ? decisive->gateway_reference : std::string_view{});
}

/// What only some payments have.
void write_circumstances(json_writer& json, const payment& subject,
                         const std::optional<batch_id>& batch) {
  if (subject.decline) {
    json.key("decline").begin_object();
    json.member("code", subject.decline->code).member("message", subject.decline->message);
    json.end_object();
  }
  if (subject.status == payment_status::pending_gateway && subject.next_action_at)
    json.member("next_inquiry_at", to_rfc3339(*subject.next_action_at));
  if (batch)
    json.member("batch", batch->text());
  if (!subject.disputes.empty())
    json.member("amount_disputed", subject.disputed.value());
}

bool is_open(attempt_status status) {
  return status == attempt_status::started || status == attempt_status::unknown
         || status == attempt_status::reversing;
}

void write_merchant_data(json_writer& json, const payment& subject) {
  json.member_or_null("reference", subject.reference);
  json.member_or_null("description", subject.description);
  if (!subject.region.empty())
    json.member("region", subject.region);
  json.key("metadata").begin_object();
  for (const auto& [name, text] : subject.metadata)
    json.text_key(name).value(text);
  json.end_object();
}

std::string_view refund_status(operation_status status) {
  switch (status) {
    case operation_status::requested: return "pending";
    case operation_status::succeeded: return "succeeded";
    case operation_status::refused: return "failed";
  }
  return "unknown";
}

api_reply problem_reply(const problem& document) {
  api_reply reply;
  reply.status = document.status;
  reply.content_type = problem_content_type;
  reply.body = to_json(document);
  return reply;
}

api_reply payment_reply(std::uint16_t status, const payment& subject) {
  api_reply reply;
  reply.status = status;
  reply.body = render_payment(subject);
  return reply;
}

} // namespace

void write_attempts(json_writer& json, const payment& subject) {
  json.key("attempts").begin_array();
  for (const auto& one : subject.attempts) {
    json.begin_object()
      .member("number", one.number)
      .member("gateway", one.gateway)
      .member("status", to_string(one.status))
      .member("reference", attempt_reference(subject.id, one.number));
    if (!one.gateway_reference.empty())
      json.member("gateway_reference", one.gateway_reference);
    json.member("tries", one.tries).member("reason", one.reason);
    if (!one.last_heard.empty())
      json.member("last_heard", one.last_heard);
    if (one.escalated)
      json.member("escalated", true);
    json.member("started_at", to_rfc3339(one.started_at));
    if (is_open(one.status))
      json.member("next_try_at", to_rfc3339(one.next_try_at));
    json.end_object();
  }
  json.end_array();
}

std::string render_payment(const payment& subject, std::optional<batch_id> batch) {
  json_writer json{payment_bytes_typical};
  json.begin_object()
    .member("id", subject.id.text())
    .member("object", "payment")
    .member("status", public_status(subject.status, subject.settlement))
    .member("amount", subject.amount.value())
    .member("amount_captured", subject.captured.value())
    .member("amount_refunded", subject.refunded.value())
    .member("currency", subject.unit.code())
    .member("capture", to_string(subject.mode));
  write_payment_method(json, subject);
  write_gateway(json, subject);
  write_circumstances(json, subject, batch);
  write_attempts(json, subject);
  write_merchant_data(json, subject);
  json.member("created_at", to_rfc3339(subject.created_at))
    .member("updated_at", to_rfc3339(subject.updated_at))
    .end_object();
  return json.take();
}

std::string render_refund(const payment_id& owner, currency unit, const operation& refund) {
  HF_ASSERT(refund.kind == operation_kind::refund);
  json_writer json;
  json.begin_object()
    .member("id", refund_id{refund.id}.text())
    .member("object", "refund")
    .member("payment", owner.text())
    .member("status", refund_status(refund.status))
    .member("amount", refund.amount.value())
    .member("currency", unit.code());
  json.member_or_null("reason", refund.reason);
  json.member_or_null("gateway_reference", refund.gateway_reference);
  if (refund.status == operation_status::refused)
    json.member("failure_code", refund.refusal_code);
  json.member("created_at", to_rfc3339(refund.created_at)).end_object();
  return json.take();
}

std::string render_dispute(const payment_id& owner, currency unit, const dispute& subject) {
  json_writer json;
  json.begin_object()
    .member("id", subject.id.text())
    .member("object", "dispute")
    .member("payment", owner.text())
    .member("status", to_string(subject.status))
    .member("amount", subject.amount.value())
    .member("amount_reserved", subject.reserved.value())
    .member("fee", subject.fee.value())
    .member("currency", unit.code())
    .member_or_null("reason", subject.reason)
    .member("gateway", subject.gateway)
    .member("gateway_dispute", subject.gateway_dispute);
  json.key("evidence").begin_array();
  for (const auto& [text, at] : subject.evidence)
    json.begin_object().member("note", text).member("at", to_rfc3339(at)).end_object();
  json.end_array().member("opened_at", to_rfc3339(subject.opened_at));
  json.member_or_null("closed_at",
                      subject.closed_at ? to_rfc3339(*subject.closed_at) : std::string{});
  return json.end_object().take();
}

api_reply answer_created(const payment& subject) {
  auto reply = payment_reply(201, subject);
  reply.location = payment_path(subject.id);
  return reply;
}

api_reply answer_updated(const payment& subject) {
  return payment_reply(200, subject);
}

api_reply answer_pending(const payment& subject) {
  auto reply = payment_reply(202, subject);
  reply.location = payment_path(subject.id);
  return reply;
}

api_reply answer_refund(const payment& subject, const operation& refund) {
  HF_ASSERT(refund.status != operation_status::refused);
  api_reply reply;
  reply.status = refund.status == operation_status::succeeded ? 201 : 202;
  reply.body = render_refund(subject.id, subject.unit, refund);
  reply.location = "/v1/refunds/" + refund_id{refund.id}.text();
  return reply;
}

api_reply answer_dispute(const payment& owner, const dispute& subject) {
  api_reply reply;
  reply.status = 200;
  reply.body = render_dispute(owner.id, owner.unit, subject);
  return reply;
}

api_reply answer_webhook(std::string_view event_id, bool duplicate) {
  api_reply reply;
  reply.status = 200;
  reply.body = json_writer{}
                 .begin_object()
                 .member("object", "webhook")
                 .member("id", event_id)
                 .member("duplicate", duplicate)
                 .end_object()
                 .take();
  return reply;
}

api_reply answer_declined(const payment& subject, std::string_view request_id) {
  const bool failed = subject.status == payment_status::failed;
  problem document;
  document.status = 402;
  document.code = failed ? "payment_failed" : "payment_declined";
  document.detail = failed ? "The payment could not be authorized; nothing is held."
                           : "The payment was declined; nothing is held.";
  if (subject.decline) {
    document.decline_code = subject.decline->code;
    if (!subject.decline->message.empty())
      document.detail = subject.decline->message;
  }
  document.instance = payment_path(subject.id);
  document.request_id = request_id;
  document.payment_json = render_payment(subject);
  return problem_reply(document);
}

api_reply answer_refused(const payment& subject, const operation& refused,
                         std::string_view request_id) {
  problem document;
  document.status = 402;
  switch (refused.kind) {
    case operation_kind::capture: document.code = "capture_declined"; break;
    case operation_kind::refund: document.code = "refund_declined"; break;
    case operation_kind::void_hold: document.code = "void_declined"; break;
  }
  document.detail = "The gateway refused the operation; the payment is as it was before.";
  document.instance = payment_path(subject.id);
  document.request_id = request_id;
  document.decline_code = refused.refusal_code;
  document.payment_json = render_payment(subject);
  return problem_reply(document);
}

api_reply answer_problem(std::uint16_t status, std::string_view code, std::string detail,
                         std::string_view request_id, std::uint32_t retry_after_s) {
  problem document;
  document.status = status;
  document.code = code;
  document.detail = std::move(detail);
  document.request_id = request_id;
  auto reply = problem_reply(document);
  reply.retry_after_s = retry_after_s;
  return reply;
}

} // namespace holdfast::api
