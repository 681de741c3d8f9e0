// Outcomes that nobody could tell, end to end: a node, a sandbox and a PostgreSQL of their own,
// under rules that ask the next gateway wherever that can be right; and what a gateway that
// contradicts itself can do to the real actors.
#include "tests/integration/dev_suite.hpp"
#include "tests/integration/expect.hpp"
#include "tests/support/crash_site.hpp"
#include "tests/support/stage.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>

namespace holdfast {

namespace json = boost::json;
using test::api_answer;
using test::api_client;
using test::await_status;
using test::crash_site;
using test::expect;
using test::fate;
using test::payment_order;
using test::stage;

namespace {

constexpr milliseconds patience{60'000};
constexpr std::string_view mastercard = "5555555555554444";

/// Rules that show within a test's patience what takes days otherwise.
void be_patient(config::node_config& node) {
  node.payments.unknown_outcome = "resolve_then_failover";
  node.payments.resolve_within = milliseconds{1'000};
  node.payments.expiry_by_brand = {{"mastercard", milliseconds{2'000}}};
}

/// One site for the suite: making a database's files takes longer than a test.
class patient_site {
public:
  patient_site() : site_("HOLDFAST_BINARY", be_patient) {
    start();
    key_ = site_.new_merchant(1);
    connect();
    running_ = this;
  }
  ~patient_site() { running_ = nullptr; }
  patient_site(const patient_site&) = delete;
  patient_site& operator=(const patient_site&) = delete;

  static patient_site& here() { return *running_; }

  api_client& api() { return *api_; }

  /// Every call to alder is answered 503 and has no effect, until told otherwise.
  void alder_is_out(bool out) {
    const json::object faults{{"gateway", "alder"}, {"outage", out}};
    expect(sandbox_->post("/sandbox/faults", json::serialize(faults)), 200);
  }

  /// 202: the outcome isn't known yet. The payment's id.
  std::string begin(const payment_order& order) {
    auto request = api_->make_post("/v1/payments", order.body());
    request.headers.emplace_back("Prefer", "respond-async");
    const auto answer = api_->send(std::move(request));
    expect(answer, 202);
    return answer.text("/id");
  }

  void restart_node() {
    site_.kill_node();
    start();
    connect();
  }

  /// The sandbox's facts, oldest first: "alder reverse 1" for each that moved money, with a
  /// question mark for each that did not.
  std::vector<std::string> deeds(const std::string& payment) {
    std::vector<std::string> told;
    for (const auto& fact : test::facts_of(*sandbox_, payment)) {
      const std::string reference{fact.at("reference").as_string()};
      told.push_back(std::string{fact.at("gateway").as_string()} + ' '
                     + std::string{fact.at("kind").as_string()} + ' '
                     + reference.substr(reference.rfind('.') + 1)
                     + (fact.at("effective").as_bool() ? "" : "?"));
    }
    return told;
  }

  /// Open exceptions of the class about the payment.
  std::size_t exceptions(std::string_view kind, const std::string& payment) {
    const auto listed = operators_->get("/admin/v1/exceptions?status=open&limit=100");
    const auto& rows = listed.at("/data").as_array();
    return static_cast<std::size_t>(std::ranges::count_if(rows, [&](const json::value& row) {
      return row.at("kind").as_string() == kind && row.at("payment").as_string() == payment;
    }));
  }

  void await(const char* what, const std::function<bool()>& condition) {
    if (!test::eventually(patience, condition))
      throw std::runtime_error(std::string{"waited in vain: "} + what + '\n' + site_.logs());
  }

private:
  void start() {
    site_.start_node();
    site_.await_ready();
  }

  void connect() {
    api_ = std::make_unique<api_client>(site_.http(), key_);
    operators_ = std::make_unique<api_client>(site_.operators_url());
    sandbox_ = std::make_unique<api_client>(site_.sandbox());
  }

  static inline patient_site* running_ = nullptr;
  crash_site site_;
  std::string key_;
  std::unique_ptr<api_client> api_;
  std::unique_ptr<api_client> operators_;
  std::unique_ptr<api_client> sandbox_;
};

bool has_attempt(const api_answer& payment, int index, std::string_view status) {
  const auto path = "/attempts/" + std::to_string(index) + "/status";
  return payment.has(path) && payment.text(path) == status;
}

/// A payment whose first gateway is out: begun, and known to be unknown.
std::string begin_unknown(const payment_order& order) {
  auto& site = patient_site::here();
  const auto id = site.begin(order);
  site.await("the outcome is unknown",
             [&] { return has_attempt(site.api().get("/v1/payments/" + id), 0, "unknown"); });
  return id;
}

} // namespace

BOOST_AUTO_TEST_SUITE(resolution, *boost::unit_test::fixture<patient_site>())

BOOST_AUTO_TEST_CASE(fails_over_once_the_unknown_outcome_is_reversed) {
  auto& site = patient_site::here();
  site.alder_is_out(true);
  const auto id = begin_unknown({});
  const auto pending = site.api().get("/v1/payments/" + id);
  BOOST_TEST(pending.text("/status") == "pending_gateway");
  BOOST_TEST(pending.has("/next_inquiry_at"));
  BOOST_TEST(pending.has("/attempts/0/next_try_at"));
  BOOST_TEST(pending.text("/attempts/0/last_heard") == "http_503");
  BOOST_TEST(!pending.has("/attempts/1"));
  site.alder_is_out(false);

  const auto end = await_status(site.api(), id, {"authorized", "failed", "declined"});
  BOOST_TEST(end.text("/status") == "authorized");
  BOOST_TEST(end.text("/gateway") == "birch");
  BOOST_TEST(end.text("/attempts/0/status") == "reversed");
  BOOST_TEST(end.text("/attempts/1/reason") == "alder's unknown outcome was reversed");
  // The reversal is acknowledged before birch hears of anything.
  BOOST_TEST(
    site.deeds(id) == (std::vector<std::string>{"alder reverse 1?", "birch authorize 2"}),
    boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_card_is_not_there_to_fail_over_with_after_a_restart) {
  auto& site = patient_site::here();
  site.alder_is_out(true);
  const auto by_card = begin_unknown({});
  const auto by_token = begin_unknown({.token = "tok_visa"});
  site.restart_node();
  site.alder_is_out(false);

  const auto failed = await_status(site.api(), by_card, {"authorized", "failed", "declined"});
  BOOST_TEST(failed.text("/status") == "failed");
  BOOST_TEST(failed.text("/decline/code") == "card_unavailable");
  BOOST_TEST(site.deeds(by_card) == (std::vector<std::string>{"alder reverse 1?"}),
             boost::test_tools::per_element());
  const auto other = await_status(site.api(), by_token, {"authorized", "failed", "declined"});
  BOOST_TEST(other.text("/status") == "authorized");
  BOOST_TEST(other.text("/gateway") == "birch");
}

BOOST_AUTO_TEST_CASE(a_person_is_asked_when_it_takes_too_long_and_it_still_ends) {
  auto& site = patient_site::here();
  const auto held = test::make_payment(site.api(), {});
  site.alder_is_out(true);
  const auto id = begin_unknown({});
  auto capture = site.api().make_post("/v1/payments/" + held + "/capture");
  capture.headers.emplace_back("Prefer", "wait=0");
  expect(site.api().send(std::move(capture)), 202);
  site.await("people are asked", [&] {
    return site.exceptions("unresolved_authorization", id) > 0
           && site.exceptions("unresolved_operation", held) > 0;
  });
  const auto asked = site.api().get("/v1/payments/" + id);
  BOOST_TEST(asked.text("/status") == "pending_gateway");
  BOOST_TEST(asked.at("/attempts/0/escalated").as_bool());
  BOOST_TEST(asked.has("/next_inquiry_at"));
  site.alder_is_out(false);

  await_status(site.api(), id, {"authorized"});
  await_status(site.api(), held, {"captured"});
  BOOST_TEST(site.exceptions("unresolved_authorization", id) == 1U);
  BOOST_TEST(site.exceptions("unresolved_operation", held) == 1U);
  BOOST_TEST(site.exceptions("unresolved_authorization", held) == 0U);
}

BOOST_AUTO_TEST_CASE(a_retryable_decline_is_put_to_the_next_gateway_and_a_hard_one_is_not) {
  auto& site = patient_site::here();
  const auto soft =
    site.api().post("/v1/payments", payment_order{.card = "4000000000000119"}.body());
  expect(soft, 402);
  BOOST_TEST(soft.text("/decline_code") == "processing_error");
  BOOST_TEST(soft.text("/payment/attempts/0/status") == "declined");
  BOOST_TEST(soft.text("/payment/attempts/1/gateway") == "birch");
  BOOST_TEST(soft.text("/payment/attempts/1/reason") == "alder declined: processing_error");
  const auto story = site.api().get("/v1/payments/" + soft.text("/payment/id") + "/timeline");
  std::vector<std::string> types;
  for (const auto& event : story.at("/events").as_array())
    types.emplace_back(event.at("type").as_string());
  BOOST_TEST(
    types
      == (std::vector<std::string>{"payment.created", "attempt.started", "attempt.declined",
                                   "attempt.started", "authorization.declined"}),
    boost::test_tools::per_element());

  const auto hard =
    site.api().post("/v1/payments", payment_order{.card = "4000000000009979"}.body());
  expect(hard, 402);
  BOOST_TEST(hard.text("/decline_code") == "stolen_card");
  BOOST_TEST(!hard.has("/payment/attempts/1"));
}

BOOST_AUTO_TEST_CASE(a_hold_lapses_by_its_brand_and_is_released_at_the_gateway) {
  auto& site = patient_site::here();
  const auto visa = test::make_payment(site.api(), {});
  const auto other = test::make_payment(site.api(), {.card = mastercard});
  await_status(site.api(), other, {"expired"});
  site.await("the gateway has let go of the hold", [&] {
    return has_attempt(site.api().get("/v1/payments/" + other), 0, "reversed");
  });
  BOOST_TEST(
    site.deeds(other) == (std::vector<std::string>{"alder authorize 1", "alder reverse 1"}),
    boost::test_tools::per_element());
  BOOST_TEST(site.api().get("/v1/payments/" + visa).text("/status") == "authorized");
}

BOOST_AUTO_TEST_SUITE_END()

namespace {

/// A gateway that holds the money and loses its answer, and whose status is written before the
/// issuer's approval: the first inquiries are told that the payment failed.
class stale_gateway {
public:
  fate operator()(const gateway_request& call) {
    switch (call.verb) {
      case gateway_verb::authorize: return fate::lose_answer;
      case gateway_verb::inquire: return fate::say_declined;
      default: return fate::answer;
    }
  }
};

bool has_ended(const payment& state) {
  return !has_pending_work(state);
}

} // namespace

BOOST_AUTO_TEST_SUITE(contradiction)

BOOST_AUTO_TEST_CASE(a_stale_failed_never_leaves_a_hold_behind) {
  stage on{test::shared_postgres().create_database(), stale_gateway{}};
  const auto reply = on.submit("key-1", on.authorize(10'000)).get();
  BOOST_TEST(reply.status == 402);
  const auto id = test::id_in(reply);
  const auto end = on.wait_for(id, has_ended);
  BOOST_TEST(to_string(end.status) == "declined");
  BOOST_TEST(end.decline->code == "failed");
  BOOST_TEST(on.gateway().holds_of(id.text()) == 0U);
  BOOST_TEST(on.prove().findings.empty());
}

BOOST_AUTO_TEST_CASE(a_stale_failed_after_an_approval_is_nothing) {
  std::atomic<bool> approved{false};
  stage on{test::shared_postgres().create_database(), [&](const gateway_request& call) {
             return call.verb == gateway_verb::inquire && approved ? fate::say_declined
                                                                   : fate::answer;
           }};
  const auto reply = on.submit("key-1", on.authorize(10'000)).get();
  BOOST_TEST(reply.status == 201);
  approved = true;
  // The actor is rebuilt, and asks about whatever may have been under way.
  on.kill_payment();
  const auto id = test::id_in(reply);
  const auto end =
    on.submit("key-2", capture_payment{.payment = id, .amount = {}, .final = false}).get();
  BOOST_TEST(end.status == 200);
  BOOST_TEST(on.gateway().captured_of(id.text()).value() == 10'000);
  BOOST_TEST(on.prove().findings.empty());
}

BOOST_AUTO_TEST_CASE(a_hold_lapses_by_its_brand_on_a_virtual_clock) {
  auto rules = test::quick_rules();
  rules.lifetime = std::chrono::hours{24 * 7};
  auto tables = std::make_shared<payments::policy_tables>();
  tables->lifetimes = {{"visa", std::chrono::hours{24 * 30}}};
  rules.tables = tables;
  stage on{test::shared_postgres().create_database(),
           [](const gateway_request&) { return fate::answer; }, rules};
  auto order = std::get<create_payment>(on.authorize(10'000));
  order.summary.brand = "visa";
  const auto reply = on.submit("key-1", std::move(order)).get();
  const auto id = test::id_in(reply);
  on.advance_clock(std::chrono::hours{24 * 8});
  BOOST_TEST(to_string(on.stored(id)->status) == "authorized");
  on.advance_clock(std::chrono::hours{24 * 23});
  const auto end = on.wait_for(id, [](const payment& state) {
    return state.status == payment_status::expired && has_ended(state);
  });
  BOOST_TEST(to_string(end.attempts.front().status) == "reversed");
  BOOST_TEST(on.gateway().holds_of(id.text()) == 0U);
  BOOST_TEST(on.prove().findings.empty());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast
