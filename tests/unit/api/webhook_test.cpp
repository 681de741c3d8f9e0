// POST /webhooks/{gateway}: who signs is heard, and nobody else learns or changes anything.
#include "messages/webhook_signature.hpp"
#include "runtime/api/public_api.hpp"
#include "runtime/api/webhook_requests.hpp"
#include "tests/unit/api/fakes.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/test/unit_test.hpp>

#include <vector>

namespace holdfast::api {

namespace {

const std::string reference = "pay_019ab0c0d1e281f08003000000000001.1";

/// A body whose `data` has these members besides the reference.
std::string body_of(std::string_view type, std::string_view further = {}) {
  return R"({"id":"evt_1","type":")" + std::string{type}
         + R"(","created_at":"2026-11-23T12:00:00Z","data":{"reference":")" + reference + '"'
         + std::string{further} + "}}";
}

const std::string good_body = body_of("authorization.approved");
const secret ours{"a secret of the gateway"};

struct fixture {
  fake_store store;
  fake_front front;
  key_ring keys{store, secret{test_pepper}, run_at_once, one_database};
  routing routes{{{.currency = {"EUR"}, .gateways = {"alpha"}, .acquirer = "x"}}};
  public_api api{
    store, front, keys, routes,
    public_options{.now = [] { return test_now; }, .webhook_secrets = {{"alpha", ours}}}};

  http::response send(std::string body, http::header_list headers,
                      std::string path = "/webhooks/alpha") {
    http::request request;
    request.method = "POST";
    request.path = std::move(path);
    request.body = std::move(body);
    request.headers = std::move(headers);
    request.headers.emplace_back("content-type", "application/json");
    std::vector<http::response> answers;
    api.handle(std::move(request),
               [&](http::response answer) { answers.push_back(std::move(answer)); });
    BOOST_REQUIRE(answers.size() == 1U);
    return answers.front();
  }

  http::response send_signed(std::string body, milliseconds age = milliseconds{0},
                             const secret& key = ours) {
    const auto header = sign_webhook(body, key, test_now - age);
    return send(std::move(body), {{"webhook-signature", header}});
  }
};

std::string code_of(const http::response& answer) {
  return std::string{boost::json::parse(answer.body).at("code").as_string()};
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(api_webhooks, fixture)

BOOST_AUTO_TEST_CASE(hands_a_signed_notice_on) {
  front.reply.status = 200;
  BOOST_TEST(send_signed(good_body).status == 200);
  BOOST_REQUIRE(front.notices.size() == 1U);
  const auto& notice = front.notices.front();
  BOOST_TEST(notice.gateway == "alpha");
  BOOST_TEST(notice.event_id == "evt_1");
  BOOST_TEST((notice.type == webhook_type::approved));
  BOOST_TEST(notice.about.attempt == 1U);
  BOOST_TEST(notice.reference == reference);
  BOOST_TEST(!notice.claimed.has_value());
  BOOST_TEST(!notice.dispute.has_value());
}

BOOST_AUTO_TEST_CASE(refuses_what_is_not_signed_whatever_it_says) {
  const auto stale = std::chrono::minutes{6};
  struct row {
    http::response answer;
    std::string_view code;
  };
  const std::vector<row> table{
    {send(good_body, {}), "webhook_forged"},
    {send("not even JSON", {}), "webhook_forged"},
    {send(good_body, {{"webhook-signature", "t=1,v1=00"}}), "webhook_forged"},
    {send_signed(good_body, milliseconds{0}, secret{"another secret altogether"}),
     "webhook_forged"},
    {send(good_body + ' ', {{"webhook-signature", sign_webhook(good_body, ours, test_now)}}),
     "webhook_forged"},
    {send(good_body, {{"webhook-signature", sign_webhook(good_body, ours, test_now)},
                      {"webhook-signature", sign_webhook(good_body, ours, test_now)}}),
     "webhook_forged"},
    {send_signed(good_body, stale), "webhook_stale"},
    {send_signed(good_body, -stale), "webhook_stale"},
  };
  for (const auto& [answer, code] : table) {
    BOOST_TEST(answer.status == 400);
    BOOST_TEST(code_of(answer) == code);
  }
  BOOST_TEST(front.notices.empty());
}

BOOST_AUTO_TEST_CASE(is_not_there_for_gateways_without_a_secret) {
  const auto header = sign_webhook(good_body, ours, test_now);
  for (const auto* path : {"/webhooks/beta", "/webhooks/none", "/webhooks/Alpha"}) {
    const auto answer = send(good_body, {{"webhook-signature", header}}, path);
    BOOST_TEST(answer.status == 404);
    BOOST_TEST(answer.body.find("webhook_secret") != std::string::npos);
  }
  BOOST_TEST(front.notices.empty());
}

BOOST_AUTO_TEST_CASE(reads_what_a_dispute_says) {
  const auto read = read_webhook(
    body_of("dispute.opened", R"(,"gateway_reference":"gw","amount":700,"currency":"EUR",)"
                              R"("dispute":{"id":"cb_1","reason":"fraud","fee":15})"),
    "alpha", 32);
  BOOST_REQUIRE(read.has_value());
  BOOST_REQUIRE(read->claimed.has_value());
  BOOST_TEST(read->claimed->amount.value() == 700);
  BOOST_REQUIRE(read->dispute.has_value());
  BOOST_TEST(read->dispute->id == "cb_1");
  BOOST_TEST(read->dispute->reason == "fraud");
  BOOST_TEST(read->dispute->fee.value() == 15);
  BOOST_TEST(read->gateway_reference == "gw");
}

BOOST_AUTO_TEST_CASE(is_strict_with_what_is_signed) {
  struct row {
    std::string body;
    std::string_view param;
  };
  const std::string approved = "authorization.approved";
  const std::vector<row> table{
    {"{", ""},
    {R"({"id":"e","id":"f"})", "id"},
    {body_of("payout.paid"), "type"},
    {R"({"type":")" + approved
       + R"(","created_at":"2026-11-23T12:00:00Z","data":{"reference":")" + reference
       + R"("}})",
     "id"},
    {R"({"id":"e","type":")" + approved + R"(","created_at":"noon","data":{"reference":")"
       + reference + R"("}})",
     "created_at"},
    {R"({"id":"e","type":")" + approved + R"(","created_at":"2026-11-23T12:00:00Z"})", "data"},
    {R"({"id":"e","type":")" + approved
       + R"(","created_at":"2026-11-23T12:00:00Z","data":{"reference":"order 7"}})",
     "data.reference"},
    // No such shard: a reference of another installation.
    {R"({"id":"e","type":")" + approved
       + R"(","created_at":"2026-11-23T12:00:00Z","data":{"reference":)"
       + R"("pay_019ab0c0d1e281f0bfff000000000001.1"}})",
     "data.reference"},
    {body_of(approved, R"(,"extra":1)"), "data.extra"},
    {body_of(approved, R"(,"amount":7)"), "data.currency"},
    {body_of(approved, R"(,"currency":"EUR")"), "data.amount"},
    {body_of(approved, R"(,"amount":0,"currency":"EUR")"), "data.amount"},
    {body_of(approved, R"(,"dispute":{"id":"cb"})"), "data.dispute"},
    {body_of("dispute.won", R"(,"amount":7,"currency":"EUR")"), "data.dispute"},
    {body_of("dispute.won", R"(,"dispute":{"id":"cb"})"), "data.amount"},
    {body_of("dispute.won", R"(,"amount":7,"currency":"EUR","dispute":{})"), "data.dispute.id"},
    {body_of("dispute.won", R"(,"amount":7,"currency":"EUR","dispute":{"id":"cb","fee":-1})"),
     "data.dispute.fee"},
    {body_of("dispute.won",
             R"(,"amount":7,"currency":"EUR","dispute":{"id":"4242424242424242"})"),
     "data.dispute.id"},
  };
  for (const auto& [body, param] : table)
    BOOST_TEST_CONTEXT(body) {
      const auto answer = send_signed(body);
      BOOST_TEST(answer.status == 400);
      const auto document = boost::json::parse(answer.body);
      const auto* given = document.as_object().if_contains("param");
      BOOST_TEST((given != nullptr ? std::string{given->as_string()} : std::string{}) == param);
    }
  BOOST_TEST(front.notices.empty());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::api
