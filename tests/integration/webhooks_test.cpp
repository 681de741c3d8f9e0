// Webhooks and disputes through a real node: what the sandbox tells unasked, once, many times,
// too early, too late, in the wrong order and with the wrong signature.
#include "tests/integration/dev_suite.hpp"
#include "tests/integration/expect.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <set>

namespace holdfast {

using test::api_answer;
using test::dev_suite;
using test::expect;
using test::expect_problem;
using test::make_payment;
using test::payment_order;
using test::test_merchant;

namespace {

namespace json = boost::json;

constexpr std::string_view gateway = "alder"; // the first of dev's route

/// What POST /sandbox/webhooks takes, but for where it goes.
struct webhook {
  std::string_view type;
  std::string reference;
  std::string id = {};
  json::object further = {};
};

/// Has the sandbox send it and returns how it was answered: {"200": 3}.
json::object send(const webhook& what) {
  auto& suite = dev_suite::here();
  auto order = what.further;
  order["gateway"] = gateway;
  order["url"] = suite.node().http();
  order["secret"] = suite.node().webhook_secret();
  order["type"] = what.type;
  order["reference"] = what.reference;
  if (!what.id.empty())
    order["id"] = what.id;
  const auto answer = suite.sandbox().post("/sandbox/webhooks", json::serialize(order));
  expect(answer, 200);
  return answer.at("/answers").as_object();
}

void send_well(const webhook& what) {
  const auto answers = send(what);
  BOOST_TEST_REQUIRE((answers == json::object{{"200", 1}}), json::serialize(answers));
}

webhook about(const std::string& payment, std::string_view type, json::object further = {}) {
  return {type, payment + ".1", {}, std::move(further)};
}

webhook about_dispute(const std::string& payment, std::string_view type, std::int64_t amount,
                      std::int64_t fee = 0, std::string_view id = "cb") {
  return about(
    payment, type,
    {{"amount", amount},
     {"currency", "EUR"},
     {"dispute", {{"id", payment + std::string{id}}, {"reason", "fraud"}, {"fee", fee}}}});
}

/// The events of a payment, oldest first.
json::array events_of(test::api_client& api, const std::string& payment) {
  return api.get("/v1/payments/" + payment + "/timeline").at("/events").as_array();
}

std::vector<std::string> findings_of(test::api_client& api, const std::string& payment) {
  std::vector<std::string> findings;
  for (const auto& event : events_of(api, payment))
    if (event.at("type").as_string() == "webhook.received")
      findings.emplace_back(event.at("data").at("finding").as_string());
  return findings;
}

void check_findings(test::api_client& api, const std::string& payment,
                    const std::vector<std::string>& wanted) {
  const auto found = findings_of(api, payment);
  BOOST_CHECK_EQUAL_COLLECTIONS(found.begin(), found.end(), wanted.begin(), wanted.end());
}

struct funds {
  std::int64_t pending = 0;
  std::int64_t available = 0;
  std::int64_t reserve = 0;

  friend bool operator==(const funds&, const funds&) = default;
};

std::ostream& operator<<(std::ostream& out, const funds& of) {
  return out << "pending " << of.pending << ", available " << of.available << ", reserve "
             << of.reserve;
}

funds funds_of(const test_merchant& merchant) {
  const auto answer = merchant.api->get("/v1/balances");
  expect(answer, 200);
  return {answer.number("/data/0/pending"), answer.number("/data/0/available"),
          answer.number("/data/0/reserve")};
}

void check_ledger() {
  const auto proof = dev_suite::here().admin().get("/admin/v1/ledger/verify");
  expect(proof, 200);
  BOOST_TEST(proof.at("/holds").as_bool(), proof.body);
}

void settle(const test_merchant& merchant) {
  const auto done = dev_suite::here().admin().post(
    "/admin/v1/cutoff", R"({"settle":true,"merchant":")" + merchant.id + R"("})");
  expect(done, 200);
  BOOST_TEST(done.at("/complete").as_bool(), done.body);
}

/// Of the payment, by class.
std::multiset<std::string> exceptions_about(const std::string& payment) {
  const auto answer = dev_suite::here().admin().get("/admin/v1/exceptions?limit=100");
  expect(answer, 200);
  std::multiset<std::string> kinds;
  for (const auto& one : answer.at("/data").as_array())
    if (one.at("payment").is_string() && one.at("payment").as_string() == payment)
      kinds.emplace(one.at("kind").as_string());
  return kinds;
}

std::string only_dispute(const test_merchant& merchant) {
  const auto list = merchant.api->get("/v1/disputes");
  expect(list, 200);
  BOOST_TEST_REQUIRE(list.at("/data").as_array().size() == 1U);
  return list.text("/data/0/id");
}

} // namespace

BOOST_AUTO_TEST_SUITE(webhooks, *boost::unit_test::fixture<dev_suite>())

// -- hints
// ----------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_notice_told_a_thousand_times_is_one_event) {
  auto& api = dev_suite::here().api();
  const auto id = make_payment(api, {});
  auto notice = about(id, "authorization.approved", {{"copies", 1'000}});
  notice.id = "evt-thousand";
  BOOST_TEST((send(notice) == json::object{{"200", 1'000}}));
  check_findings(api, id, {"agrees"});
  BOOST_TEST(api.get("/v1/payments/" + id).text("/status") == "authorized");
  check_ledger();
}

BOOST_AUTO_TEST_CASE(a_notice_before_the_answer_makes_the_gateway_be_asked) {
  auto& suite = dev_suite::here();
  auto& api = suite.api();
  // Charged, and never answered.
  auto request = api.make_post("/v1/payments", payment_order{.amount = 3'051}.body());
  request.headers.emplace_back("Prefer", "respond-async");
  const auto made = api.send(std::move(request));
  expect(made, 202);
  const auto id = made.text("/id");
  send_well(about(id, "authorization.approved"));
  test::await_status(api, id, {"authorized"});
  check_findings(api, id, {"asked"});
  BOOST_TEST(suite.effective(id, "authorize") == 1U);
  BOOST_TEST(suite.effective(id, "reverse") == 0U);
}

BOOST_AUTO_TEST_CASE(a_lie_before_the_answer_changes_nothing) {
  auto& suite = dev_suite::here();
  auto& api = suite.api();
  auto request = api.make_post("/v1/payments", payment_order{.amount = 3'151}.body());
  request.headers.emplace_back("Prefer", "respond-async");
  const auto made = api.send(std::move(request));
  expect(made, 202);
  const auto id = made.text("/id");
  send_well(about(id, "authorization.declined"));
  test::await_status(api, id, {"authorized"});
  send_well(about(id, "authorization.declined"));
  BOOST_TEST(api.get("/v1/payments/" + id).text("/status") == "authorized");
  check_findings(api, id, {"asked", "contradicts"});
}

BOOST_AUTO_TEST_CASE(the_order_of_notices_means_nothing) {
  auto& api = dev_suite::here().api();
  const auto id = make_payment(api, {.capture = "automatic"});
  expect(api.post("/v1/payments/" + id + "/refunds", R"({"amount":100})"), 201);
  for (const auto* type : {"authorization.refunded", "authorization.reversed",
                           "authorization.captured", "authorization.approved"})
    send_well(about(id, type));
  check_findings(api, id, {"agrees", "contradicts", "agrees", "agrees"});
  const auto payment = api.get("/v1/payments/" + id);
  BOOST_TEST(payment.text("/status") == "captured");
  BOOST_TEST(payment.number("/amount_refunded") == 100);
  check_ledger();
}

BOOST_AUTO_TEST_CASE(a_later_notice_may_overtake_an_earlier_one) {
  auto& suite = dev_suite::here();
  const auto merchant = suite.new_merchant();
  const auto id = make_payment(*merchant.api, {.capture = "automatic"});
  auto opened = about_dispute(id, "dispute.opened", 1'000);
  opened.further["delay_ms"] = 300;
  json::object order = opened.further;
  order["gateway"] = gateway;
  order["url"] = suite.node().http();
  order["secret"] = suite.node().webhook_secret();
  order["type"] = opened.type;
  order["reference"] = opened.reference;
  auto late = suite.sandbox().begin(
    suite.sandbox().make_post("/sandbox/webhooks", json::serialize(order)));
  send_well(about_dispute(id, "dispute.lost", 1'000));
  expect(late.get(), 200);
  check_findings(*merchant.api, id, {"applied", "agrees"});
  BOOST_TEST(merchant.api->get("/v1/disputes/" + only_dispute(merchant)).text("/status")
             == "lost");
  check_ledger();
}

BOOST_AUTO_TEST_CASE(what_is_forged_or_stale_leaves_nothing) {
  auto& suite = dev_suite::here();
  const auto merchant = suite.new_merchant();
  auto& api = *merchant.api;
  const auto id = make_payment(api, {.capture = "automatic"});
  const auto before = events_of(api, id).size();
  for (const json::object& flaw :
       {json::object{{"forged", true}}, json::object{{"age_s", 301}},
        json::object{{"age_s", -310}}, json::object{{"forged", true}, {"copies", 50}}}) {
    auto notice = about_dispute(id, "dispute.opened", 1'000);
    for (const auto& [name, value] : flaw)
      notice.further[name] = value;
    const auto answers = send(notice);
    BOOST_TEST(answers.size() == 1U);
    BOOST_TEST(answers.contains("400"), json::serialize(answers));
  }
  BOOST_TEST(events_of(api, id).size() == before);
  BOOST_TEST(api.get("/v1/disputes").at("/data").as_array().empty());
  BOOST_TEST(funds_of(merchant) == (funds{.pending = 1'000}));
  // Who can't sign hears the same of a payment that exists and of one that doesn't.
  test::api_client stranger{suite.node().http()};
  const auto body_about = [](const std::string& payment) {
    return R"({"id":"e","type":"authorization.approved","created_at":"2026-01-01T00:00:00Z",)"
           R"("data":{"reference":")"
           + payment + R"(.1"}})";
  };
  const auto real = stranger.post("/webhooks/alder", body_about(id));
  const auto made_up =
    stranger.post("/webhooks/alder", body_about("pay_" + std::string(32, '0')));
  expect_problem(real, 400, "webhook_forged", "Webhook-Signature");
  expect_problem(made_up, 400, "webhook_forged", "Webhook-Signature");
  BOOST_TEST(real.text("/detail") == made_up.text("/detail"));
  check_ledger();
}

BOOST_AUTO_TEST_CASE(a_notice_about_no_payment_is_kept_for_a_person) {
  auto& suite = dev_suite::here();
  // As of another installation: well formed, of a shard of ours, and unknown.
  auto unknown = make_payment(suite.api(), {});
  unknown.back() = unknown.back() == '0' ? '1' : '0';
  auto notice = about(unknown, "authorization.approved");
  notice.id = "evt-unmatched";
  send_well(notice);
  send_well(notice);
  BOOST_TEST(exceptions_about(unknown).count("unmatched_webhook") == 1U);
  check_ledger();
}

// -- disputes
// -------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_dispute_on_a_settled_payment_is_won_or_lost) {
  for (const bool won : {true, false}) {
    const auto merchant = dev_suite::here().new_merchant();
    const auto id = make_payment(*merchant.api, {.amount = 10'000, .capture = "automatic"});
    settle(merchant);
    const auto net = funds_of(merchant).available;
    send_well(about_dispute(id, "dispute.opened", 10'000, 1'500));
    BOOST_TEST(funds_of(merchant) == (funds{0, net - 11'500, 10'000}));
    check_ledger();
    const auto dispute = only_dispute(merchant);
    BOOST_TEST(merchant.api->get("/v1/payments/" + id).number("/amount_disputed") == 10'000);
    send_well(about_dispute(id, won ? "dispute.won" : "dispute.lost", 10'000));
    BOOST_TEST(funds_of(merchant) == (funds{0, won ? net - 1'500 : net - 11'500, 0}));
    BOOST_TEST(merchant.api->get("/v1/disputes/" + dispute).text("/status")
               == (won ? "won" : "lost"));
    BOOST_TEST(merchant.api->get("/v1/payments/" + id).text("/status") == "settled");
    BOOST_TEST(exceptions_about(id).empty());
    check_ledger();
  }
}

BOOST_AUTO_TEST_CASE(a_dispute_on_an_unsettled_payment_does_not_disturb_its_settlement) {
  for (const bool won : {true, false}) {
    const auto merchant = dev_suite::here().new_merchant();
    const auto id = make_payment(*merchant.api, {.amount = 10'000, .capture = "automatic"});
    send_well(about_dispute(id, "dispute.opened", 4'000));
    BOOST_TEST(funds_of(merchant) == (funds{10'000, -4'000, 4'000}));
    check_ledger();
    settle(merchant);
    const auto batch = merchant.api->get("/v1/batches");
    const auto net = batch.number("/data/0/net");
    BOOST_TEST(batch.number("/data/0/gross") == 10'000);
    BOOST_TEST(funds_of(merchant) == (funds{0, net - 4'000, 4'000}));
    check_ledger();
    send_well(about_dispute(id, won ? "dispute.won" : "dispute.lost", 4'000));
    BOOST_TEST(funds_of(merchant) == (funds{0, won ? net : net - 4'000, 0}));
    check_ledger();
  }
}

BOOST_AUTO_TEST_CASE(a_dispute_and_refunds_never_exceed_what_was_captured) {
  const auto merchant = dev_suite::here().new_merchant();
  auto& api = *merchant.api;
  const auto id = make_payment(api, {.capture = "automatic"});
  const auto refunds = "/v1/payments/" + id + "/refunds";
  expect(api.post(refunds, R"({"amount":300})"), 201);
  send_well(about_dispute(id, "dispute.opened", 600));
  expect_problem(api.post(refunds, R"({"amount":101})"), 422, "amount_too_large");
  expect(api.post(refunds, R"({"amount":100})"), 201);
  const auto refused = api.post(refunds);
  expect_problem(refused, 409, "invalid_state");
  BOOST_TEST(refused.text("/detail").find("disputed") != std::string::npos);
  check_ledger();
  // A second dispute finds nothing left: all of it is a person's business.
  send_well(about_dispute(id, "dispute.opened", 1'000, 0, "second"));
  BOOST_TEST(exceptions_about(id).count("dispute_exceeds_captured") == 1U);
  BOOST_TEST(api.get("/v1/payments/" + id).number("/amount_disputed") == 600);
  send_well(about_dispute(id, "dispute.won", 600));
  // The second one claims what the first has set free.
  expect_problem(api.post(refunds, R"({"amount":600})"), 409, "invalid_state");
  send_well(about_dispute(id, "dispute.won", 1'000, 0, "second"));
  check_ledger();
  // What was won back can be refunded.
  expect(api.post(refunds, R"({"amount":600})"), 201);
  BOOST_TEST(api.get("/v1/payments/" + id).number("/amount_refunded") == 1'000);
  check_ledger();
}

BOOST_AUTO_TEST_CASE(a_dispute_on_a_refunded_payment_reserves_nothing) {
  const auto merchant = dev_suite::here().new_merchant();
  const auto id = make_payment(*merchant.api, {.capture = "automatic"});
  expect(merchant.api->post("/v1/payments/" + id + "/refunds"), 201);
  settle(merchant);
  const auto before = funds_of(merchant);
  send_well(about_dispute(id, "dispute.opened", 1'000));
  BOOST_TEST(funds_of(merchant) == before);
  BOOST_TEST(exceptions_about(id).count("dispute_exceeds_captured") == 1U);
  send_well(about_dispute(id, "dispute.lost", 1'000));
  BOOST_TEST(funds_of(merchant) == before);
  check_ledger();
}

BOOST_AUTO_TEST_CASE(a_race_of_refund_and_dispute_never_pays_twice) {
  const auto merchant = dev_suite::here().new_merchant();
  auto& api = *merchant.api;
  for (int round = 0; round < 20; ++round) {
    const auto id = make_payment(api, {.capture = "automatic"});
    auto refund =
      api.begin(api.make_post("/v1/payments/" + id + "/refunds", R"({"amount":600})"));
    send_well(about_dispute(id, "dispute.opened", 600));
    const auto answer = refund.get();
    const auto payment = api.get("/v1/payments/" + id);
    const auto gone = payment.number("/amount_refunded") + payment.number("/amount_disputed");
    BOOST_TEST(gone <= 1'000);
    BOOST_TEST(payment.number("/amount_refunded") == (answer.status == 201 ? 600 : 0));
  }
  check_ledger();
}

BOOST_AUTO_TEST_CASE(evidence_is_noted_by_the_merchant_alone) {
  auto& suite = dev_suite::here();
  const auto merchant = suite.new_merchant();
  auto& api = *merchant.api;
  const auto id = make_payment(api, {.capture = "automatic"});
  send_well(about_dispute(id, "dispute.opened", 500));
  const auto path = "/v1/disputes/" + only_dispute(merchant);
  const auto note = api.make_post(path + "/evidence", R"({"note":"Delivered to the door."})");
  const auto noted = api.send(note);
  expect(noted, 200);
  BOOST_TEST(noted.text("/evidence/0/note") == "Delivered to the door.");
  const auto again = api.send(note);
  BOOST_TEST(again.body == noted.body);
  BOOST_TEST(again.header("idempotent-replayed") == "true");
  BOOST_TEST(api.get(path).at("/evidence").as_array().size() == 1U);

  const auto other = suite.new_merchant();
  expect(other.api->get(path), 404);
  expect(other.api->post(path + "/evidence", R"({"note":"x"})"), 404);
  send_well(about_dispute(id, "dispute.won", 500));
  expect_problem(api.post(path + "/evidence", R"({"note":"late"})"), 409, "invalid_state");

  // The merchant's feed tells all of it.
  std::vector<std::string> told;
  const auto feed = api.get("/v1/events?limit=100");
  for (const auto& event : feed.at("/data").as_array())
    if (const auto type = std::string{event.at("type").as_string()};
        type.starts_with("dispute."))
      told.push_back(type);
  const std::vector<std::string> wanted{"dispute.opened", "dispute.evidence_noted",
                                        "dispute.won"};
  BOOST_CHECK_EQUAL_COLLECTIONS(told.begin(), told.end(), wanted.begin(), wanted.end());
  check_ledger();
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast
