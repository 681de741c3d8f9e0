// The bytes that clients get, and that are stored to be replayed: they may not change by
// accident.
#include "actors/api/render.hpp"

#include "messages/json_writer.hpp"
#include "messages/problem.hpp"

#include <boost/test/unit_test.hpp>

namespace holdfast::api {

namespace {

const uuid some_id = parse_hex("0193572f1c00800080030000000000aa").value();
const auto created = parse_rfc3339("2026-11-23T01:27:00.123456Z").value();

payment authorized_payment() {
  payment subject;
  subject.id = payment_id{some_id};
  subject.status = payment_status::authorized;
  subject.unit = currency::parse("EUR").value();
  subject.amount = minor_units{1'999};
  subject.card = {.brand = "visa", .last4 = "4242", .exp_month = 12, .exp_year = 2030};
  subject.reference = "order \"7\"";
  subject.metadata = {{"b", "2"}, {"a\n", "\xC3\xA4"}};
  auto& held = subject.attempts.emplace_back();
  held.number = 1;
  held.gateway = "alpha";
  held.status = attempt_status::approved;
  held.started_at = created;
  held.gateway_reference = "auth_1";
  held.reason = "first of the route";
  subject.created_at = created;
  subject.updated_at = created + std::chrono::seconds{1};
  return subject;
}

constexpr std::string_view authorized_json =
  R"({"id":"pay_0193572f1c00800080030000000000aa","object":"payment","status":"authorized",)"
  R"("amount":1999,"amount_captured":0,"amount_refunded":0,"currency":"EUR","capture":"manual",)"
  R"("payment_method":{"brand":"visa","last4":"4242","exp_month":12,"exp_year":2030},)"
  R"("gateway":"alpha","gateway_reference":"auth_1",)"
  R"("attempts":[{"number":1,"gateway":"alpha","status":"approved",)"
  R"("reference":"pay_0193572f1c00800080030000000000aa.1","gateway_reference":"auth_1",)"
  R"("tries":0,"reason":"first of the route","started_at":"2026-11-23T01:27:00.123456Z"}],)"
  R"("reference":"order \"7\"",)"
  R"("description":null,"metadata":{"b":"2","a\n":"ä"},)"
  R"("created_at":"2026-11-23T01:27:00.123456Z","updated_at":"2026-11-23T01:27:01.123456Z"})";

operation refund_of(operation_status status) {
  operation refund;
  refund.kind = operation_kind::refund;
  refund.status = status;
  refund.ordinal = 1;
  refund.id = some_id;
  refund.amount = minor_units{500};
  refund.created_at = created;
  return refund;
}

} // namespace

BOOST_AUTO_TEST_SUITE(api_render)

BOOST_AUTO_TEST_CASE(shows_a_payment_in_the_documented_order) {
  BOOST_TEST(render_payment(authorized_payment()) == authorized_json);
}

BOOST_AUTO_TEST_CASE(shows_what_only_some_payments_have) {
  auto subject = authorized_payment();
  subject.status = payment_status::pending_gateway;
  subject.mode = capture_mode::automatic;
  subject.card = {};
  subject.token = "tok_1";
  subject.region = "EU";
  subject.reference.clear();
  subject.description = "tea";
  subject.metadata.clear();
  subject.attempts.front().status = attempt_status::unknown;
  subject.attempts.front().gateway_reference.clear();
  subject.attempts.front().tries = 3;
  subject.attempts.front().last_heard = "http_500";
  subject.attempts.front().escalated = true;
  subject.attempts.front().next_try_at = created + std::chrono::seconds{2};
  subject.next_action_at = created + std::chrono::seconds{2};
  subject.decline = decline_info{"generic_decline", "no"};
  BOOST_TEST(
    render_payment(subject, batch_id{some_id})
    == R"({"id":"pay_0193572f1c00800080030000000000aa","object":"payment",)"
       R"("status":"pending_gateway","amount":1999,"amount_captured":0,"amount_refunded":0,)"
       R"("currency":"EUR","capture":"automatic","payment_method":{"brand":null,"last4":null,)"
       R"("exp_month":null,"exp_year":null,"token":"tok_1"},"gateway":"alpha",)"
       R"("gateway_reference":null,"decline":{"code":"generic_decline","message":"no"},)"
       R"("next_inquiry_at":"2026-11-23T01:27:02.123456Z",)"
       R"("batch":"bat_0193572f1c00800080030000000000aa",)"
       R"("attempts":[{"number":1,"gateway":"alpha","status":"unknown",)"
       R"("reference":"pay_0193572f1c00800080030000000000aa.1","tries":3,)"
       R"("reason":"first of the route","last_heard":"http_500","escalated":true,)"
       R"("started_at":"2026-11-23T01:27:00.123456Z",)"
       R"("next_try_at":"2026-11-23T01:27:02.123456Z"}],"reference":null,)"
       R"("description":"tea","region":"EU","metadata":{},)"
       R"("created_at":"2026-11-23T01:27:00.123456Z",)"
       R"("updated_at":"2026-11-23T01:27:01.123456Z"})");
}

BOOST_AUTO_TEST_CASE(shows_the_next_inquiry_only_while_pending) {
  auto subject = authorized_payment();
  subject.next_action_at = created + std::chrono::hours{1}; // the hold's expiry
  BOOST_TEST(render_payment(subject) == authorized_json);
}

BOOST_AUTO_TEST_CASE(shows_the_attempt_that_holds_the_money) {
  auto subject = authorized_payment();
  auto& unsent = *subject.attempts.emplace(subject.attempts.begin());
  unsent.gateway = "beta";
  unsent.status = attempt_status::not_sent;
  BOOST_TEST(render_payment(subject).find(R"("gateway":"alpha","gateway_reference":"auth_1")")
             < render_payment(subject).find(R"("gateway":"beta")"));
}

BOOST_AUTO_TEST_CASE(shows_a_refund) {
  const auto subject = authorized_payment();
  auto refund = refund_of(operation_status::succeeded);
  refund.gateway_reference = "re_1";
  BOOST_TEST(render_refund(subject.id, subject.unit, refund)
             == R"({"id":"ref_0193572f1c00800080030000000000aa","object":"refund",)"
                R"("payment":"pay_0193572f1c00800080030000000000aa","status":"succeeded",)"
                R"("amount":500,"currency":"EUR","reason":null,"gateway_reference":"re_1",)"
                R"("created_at":"2026-11-23T01:27:00.123456Z"})");
}

BOOST_AUTO_TEST_CASE(answers_with_status_and_location) {
  const auto subject = authorized_payment();
  const std::string location = "/v1/payments/pay_0193572f1c00800080030000000000aa";
  BOOST_TEST(answer_created(subject).status == 201);
  BOOST_TEST(answer_created(subject).location == location);
  BOOST_TEST(answer_created(subject).body == authorized_json);
  BOOST_TEST(answer_updated(subject).status == 200);
  BOOST_TEST(answer_updated(subject).location == "");
  BOOST_TEST(answer_pending(subject).status == 202);
  BOOST_TEST(answer_pending(subject).location == location);
  BOOST_TEST(answer_refund(subject, refund_of(operation_status::succeeded)).status == 201);
  BOOST_TEST(answer_refund(subject, refund_of(operation_status::requested)).status == 202);
  BOOST_TEST(answer_refund(subject, refund_of(operation_status::requested)).location
             == "/v1/refunds/ref_0193572f1c00800080030000000000aa");
}

BOOST_AUTO_TEST_CASE(answers_a_decline_with_the_payment) {
  auto subject = authorized_payment();
  subject.status = payment_status::declined;
  subject.decline = decline_info{"insufficient_funds", "The card has insufficient funds."};
  const auto reply = answer_declined(subject, "req_1");
  BOOST_TEST(reply.status == 402);
  BOOST_TEST(reply.content_type == "application/problem+json");
  BOOST_TEST(reply.body
             == R"({"type":"urn:holdfast:problem:payment_declined","title":"Payment declined",)"
                R"("status":402,"detail":"The card has insufficient funds.",)"
                R"("instance":"/v1/payments/pay_0193572f1c00800080030000000000aa",)"
                R"("code":"payment_declined","request_id":"req_1",)"
                R"("decline_code":"insufficient_funds","payment":)"
                  + render_payment(subject) + "}");
}

BOOST_AUTO_TEST_CASE(answers_refusals_of_operations_and_requests) {
  const auto subject = authorized_payment();
  auto refused = refund_of(operation_status::refused);
  refused.refusal_code = "processing_error";
  const auto reply = answer_refused(subject, refused, "req_1");
  BOOST_TEST(reply.status == 402);
  BOOST_TEST(reply.body.find(R"("code":"refund_declined")") != std::string::npos);
  BOOST_TEST(reply.body.find(R"("decline_code":"processing_error")") != std::string::npos);

  const auto busy = answer_problem(503, "overloaded", "Try again.", "req_2", 1);
  BOOST_TEST(busy.retry_after_s == 1U);
  BOOST_TEST(
    busy.body
    == R"({"type":"urn:holdfast:problem:overloaded","title":"Overloaded","status":503,)"
       R"("detail":"Try again.","code":"overloaded","request_id":"req_2"})");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(api_problem)

BOOST_AUTO_TEST_CASE(writes_the_members_in_order) {
  problem document;
  document.status = 400;
  document.code = "invalid_amount";
  document.detail = "Say \"how much\".";
  document.instance = "/v1/payments";
  document.request_id = "req_1";
  document.param = "amount";
  BOOST_TEST(to_json(document)
             == R"({"type":"urn:holdfast:problem:invalid_amount","title":"Invalid amount",)"
                R"("status":400,"detail":"Say \"how much\".","instance":"/v1/payments",)"
                R"("code":"invalid_amount","param":"amount","request_id":"req_1"})");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(messages_json_writer)

BOOST_AUTO_TEST_CASE(puts_commas_where_they_belong) {
  json_writer json;
  json.begin_object().key("a").begin_array().value(1).value("x").null().begin_object();
  json.end_object().end_array().member("b", true).member("c", std::int64_t{-5});
  json.key("d").raw("{}").member_or_null("e", "").end_object();
  BOOST_TEST(json.take() == R"({"a":[1,"x",null,{}],"b":true,"c":-5,"d":{},"e":null})");
  BOOST_TEST(json.begin_array().end_array().take() == "[]");
}

BOOST_AUTO_TEST_CASE(escapes_what_must_be_escaped) {
  std::string out;
  append_json_string(out, std::string_view{"\"\\/\b\f\n\r\t\x01\x1F\x7F\0", 12});
  BOOST_TEST(out
             == R"("\"\\/\b\f\n\r\t\u0001\u001f)"
                "\x7F"
                R"(\u0000")");
}

BOOST_AUTO_TEST_CASE(keeps_utf8_and_replaces_what_is_none) {
  const auto written = [](std::string_view text) {
    std::string out;
    append_json_string(out, text);
    return out.substr(1, out.size() - 2);
  };
  const std::string bad = "\xEF\xBF\xBD";
  BOOST_TEST(written("\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80")
             == "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80");
  BOOST_TEST(written("a\xFFz") == "a" + bad + "z");
  BOOST_TEST(written("\xC0\xAF") == bad + bad);
  BOOST_TEST(written("\xED\xA0\x80") == bad + bad + bad);
  BOOST_TEST(written("\xE2\x82") == bad + bad);
  BOOST_TEST(written("\xF4\x90\x80\x80") == bad + bad + bad + bad);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::api
