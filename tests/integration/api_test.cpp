// The life of payments through the public API of a real node: authorized, captured, voided,
// refunded, and what lists, timeline, balances, ledger and the event feed say of it.
#include "tests/integration/dev_suite.hpp"
#include "tests/integration/expect.hpp"

#include <boost/json/array.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <map>

namespace holdfast {

namespace data = boost::unit_test::data;

using test::api_answer;
using test::dev_suite;
using test::expect;
using test::expect_problem;
using test::make_payment;
using test::payment_order;

namespace {

struct funds {
  std::int64_t pending = 0;
  std::int64_t available = 0;
  std::int64_t held = 0;

  friend bool operator==(const funds&, const funds&) = default;
  friend std::ostream& operator<<(std::ostream& out, const funds& f) {
    return out << f.pending << " pending, " << f.available << " available, " << f.held
               << " held";
  }
};

/// In the only currency that there is.
funds funds_of(test::api_client& api) {
  const auto answer = api.get("/v1/balances");
  expect(answer, 200);
  if (!answer.has("/data/0"))
    return {};
  BOOST_TEST(answer.text("/data/0/currency") == "EUR");
  return {answer.number("/data/0/pending"), answer.number("/data/0/available"),
          answer.number("/data/0/held")};
}

std::vector<std::string> texts(const api_answer& list, std::string_view member) {
  std::vector<std::string> found;
  for (std::size_t i = 0; i < list.at("/data").as_array().size(); ++i)
    found.push_back(list.text("/data/" + std::to_string(i) + '/' + std::string{member}));
  return found;
}

} // namespace

BOOST_AUTO_TEST_SUITE(api, *boost::unit_test::fixture<dev_suite>())

BOOST_AUTO_TEST_CASE(authorizes_and_shows_what_it_knows) {
  const auto merchant = dev_suite::here().new_merchant();
  auto& api = *merchant.api;
  const auto made =
    api.post("/v1/payments",
             payment_order{
               .amount = 2'500,
               .further = R"("reference":"order-7","description":"two\nlines","region":"EU",)"
                          R"("metadata":{"b":"2","a":"1"})"}
               .body());
  expect(made, 201);
  BOOST_TEST(made.header("content-type") == "application/json");
  const auto id = made.text("/id");
  BOOST_TEST(made.header("location") == "/v1/payments/" + id);
  BOOST_TEST(made.text("/object") == "payment");
  BOOST_TEST(made.text("/status") == "authorized");
  BOOST_TEST(made.number("/amount") == 2'500);
  BOOST_TEST(made.number("/amount_captured") == 0);
  BOOST_TEST(made.number("/amount_refunded") == 0);
  BOOST_TEST(made.text("/currency") == "EUR");
  BOOST_TEST(made.text("/capture") == "manual");
  BOOST_TEST(made.text("/payment_method/brand") == "visa");
  BOOST_TEST(made.text("/payment_method/last4") == "4242");
  BOOST_TEST(made.number("/payment_method/exp_month") == 12);
  BOOST_TEST(made.number("/payment_method/exp_year") == 2'034);
  BOOST_TEST(made.text("/gateway") == "alder");
  BOOST_TEST(!made.text("/gateway_reference").empty());
  BOOST_TEST(made.text("/reference") == "order-7");
  BOOST_TEST(made.text("/description") == "two\nlines");
  BOOST_TEST(made.text("/metadata/a") == "1");
  BOOST_TEST(made.text("/metadata/b") == "2");

  const auto shown = api.get("/v1/payments/" + id);
  expect(shown, 200);
  BOOST_TEST(shown.body == made.body);
  BOOST_TEST(funds_of(api) == (funds{.held = 2'500}));
  BOOST_TEST(dev_suite::here().effective(id, "authorize") == 1U);
}

BOOST_AUTO_TEST_CASE(captures_in_parts_and_releases_the_rest_with_the_final_one) {
  const auto merchant = dev_suite::here().new_merchant();
  auto& api = *merchant.api;
  const auto path = "/v1/payments/" + make_payment(api, {.amount = 1'000});

  const auto first = api.post(path + "/capture", R"({"amount":300})");
  expect(first, 200);
  BOOST_TEST(first.text("/status") == "partially_captured");
  BOOST_TEST(first.number("/amount_captured") == 300);
  const auto second = api.post(path + "/capture", R"({"amount":200})");
  expect(second, 200);
  BOOST_TEST(second.number("/amount_captured") == 500);
  BOOST_TEST(funds_of(api) == (funds{.pending = 500, .held = 500}));

  expect_problem(api.post(path + "/capture", R"({"amount":501})"), 422, "amount_too_large");
  expect_problem(api.post(path + "/void"), 409, "invalid_state");

  const auto last = api.post(path + "/capture", R"({"amount":100,"final":true})");
  expect(last, 200);
  BOOST_TEST(last.text("/status") == "captured");
  BOOST_TEST(last.number("/amount_captured") == 600);
  BOOST_TEST(funds_of(api) == (funds{.pending = 600}));
  expect_problem(api.post(path + "/capture"), 409, "invalid_state");
}

BOOST_AUTO_TEST_CASE(captures_all_that_is_left_when_no_amount_is_named) {
  auto& api = dev_suite::here().api();
  const auto path = "/v1/payments/" + make_payment(api, {.amount = 900});
  expect(api.post(path + "/capture", R"({"amount":400})"), 200);
  const auto rest = api.post(path + "/capture");
  expect(rest, 200);
  BOOST_TEST(rest.text("/status") == "captured");
  BOOST_TEST(rest.number("/amount_captured") == 900);
}

BOOST_AUTO_TEST_CASE(voids_what_is_held) {
  const auto merchant = dev_suite::here().new_merchant();
  auto& api = *merchant.api;
  const auto id = make_payment(api, {.amount = 700});
  const auto path = "/v1/payments/" + id;
  const auto voided = api.post(path + "/void");
  expect(voided, 200);
  BOOST_TEST(voided.text("/status") == "voided");
  BOOST_TEST(funds_of(api) == funds{});
  BOOST_TEST(dev_suite::here().effective(id, "reverse") == 1U);
  expect_problem(api.post(path + "/void"), 409, "invalid_state");
  expect_problem(api.post(path + "/capture"), 409, "invalid_state");
  expect_problem(api.post(path + "/refunds"), 409, "invalid_state");
}

BOOST_AUTO_TEST_CASE(refunds_in_parts_but_never_more_than_was_captured) {
  const auto merchant = dev_suite::here().new_merchant();
  auto& api = *merchant.api;
  const auto id = make_payment(api, {.amount = 1'000, .capture = "automatic"});
  const auto path = "/v1/payments/" + id;
  const auto refund = api.post(path + "/refunds", R"({"amount":250,"reason":"too small"})");
  expect(refund, 201);
  BOOST_TEST(refund.text("/object") == "refund");
  BOOST_TEST(refund.text("/status") == "succeeded");
  BOOST_TEST(refund.text("/payment") == id);
  BOOST_TEST(refund.number("/amount") == 250);
  BOOST_TEST(refund.text("/reason") == "too small");
  BOOST_TEST(refund.header("location") == "/v1/refunds/" + refund.text("/id"));
  const auto shown = api.get(refund.header("location"));
  expect(shown, 200);
  BOOST_TEST(shown.body == refund.body);

  expect_problem(api.post(path + "/refunds", R"({"amount":751})"), 422, "amount_too_large");
  const auto rest = api.post(path + "/refunds");
  expect(rest, 201);
  BOOST_TEST(rest.number("/amount") == 750);
  expect_problem(api.post(path + "/refunds"), 409, "invalid_state");
  BOOST_TEST(api.get(path).number("/amount_refunded") == 1'000);
  BOOST_TEST(funds_of(api) == funds{});
}

BOOST_AUTO_TEST_CASE(captures_by_itself_when_told_so) {
  auto& api = dev_suite::here().api();
  const auto made =
    api.post("/v1/payments", payment_order{.amount = 1'200, .capture = "automatic"}.body());
  expect(made, 201);
  BOOST_TEST(made.text("/status") == "captured");
  BOOST_TEST(made.text("/capture") == "automatic");
  BOOST_TEST(made.number("/amount_captured") == 1'200);
}

// -- cards and tokens -------------------------------------------------------------------------

struct declined_method {
  std::string_view card;
  std::string_view token;
  std::string_view decline_code;

  friend std::ostream& operator<<(std::ostream& out, const declined_method& one) {
    return out << one.decline_code << (one.token.empty() ? " by card" : " by token");
  }
};

constexpr std::array declined_methods{
  declined_method{"4000000000000002", "", "generic_decline"},
  declined_method{"4000000000009995", "", "insufficient_funds"},
  declined_method{"4000000000009987", "", "lost_card"},
  declined_method{"4000000000009979", "", "stolen_card"},
  declined_method{"4000000000000069", "", "expired_card"},
  declined_method{"4000000000000127", "", "incorrect_cvc"},
  declined_method{"4000000000000119", "", "processing_error"},
  declined_method{"", "tok_declined", "generic_decline"},
  declined_method{"", "tok_insufficient_funds", "insufficient_funds"},
  declined_method{"", "tok_of_nobody", "invalid_token"},
};

BOOST_DATA_TEST_CASE(says_why_a_payment_was_declined, data::make(declined_methods), method) {
  auto& suite = dev_suite::here();
  const auto answer = suite.api().post(
    "/v1/payments", payment_order{.card = method.card, .token = method.token}.body());
  expect_problem(answer, 402, "payment_declined");
  BOOST_TEST(answer.text("/decline_code") == method.decline_code);
  BOOST_TEST(answer.text("/payment/status") == "declined");
  BOOST_TEST(answer.text("/payment/decline/code") == method.decline_code);
  const auto id = answer.text("/payment/id");
  BOOST_TEST(answer.text("/instance") == "/v1/payments/" + id);
  BOOST_TEST(suite.api().get("/v1/payments/" + id).text("/status") == "declined");
  BOOST_TEST(suite.effective(id, "authorize") == 0U);
}

BOOST_AUTO_TEST_CASE(takes_the_gateways_tokens) {
  const auto made =
    dev_suite::here().api().post("/v1/payments", payment_order{.token = "tok_visa"}.body());
  expect(made, 201);
  BOOST_TEST(made.text("/payment_method/token") == "tok_visa");
  BOOST_TEST(made.at("/payment_method/last4").is_null());
}

// -- what can be read -------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(lists_payments_page_by_page_and_filtered) {
  const auto merchant = dev_suite::here().new_merchant();
  auto& api = *merchant.api;
  std::vector<std::string> ids;
  for (const auto* further : {R"("reference":"a")", R"("reference":"b")", R"("reference":"a")"})
    ids.push_back(make_payment(api, {.further = further}));
  expect(api.post("/v1/payments/" + ids[1] + "/void"), 200);

  std::vector<std::string> listed;
  std::string after;
  for (int page = 0; page < 3; ++page) {
    const auto answer = api.get("/v1/payments?limit=1" + after);
    expect(answer, 200);
    BOOST_TEST(answer.text("/object") == "list");
    BOOST_TEST(answer.text("/url") == "/v1/payments");
    BOOST_TEST(answer.at("/has_more").as_bool() == (page < 2));
    listed.push_back(answer.text("/data/0/id"));
    after = "&starting_after=" + listed.back();
  }
  auto newest_first = ids;
  std::sort(newest_first.rbegin(), newest_first.rend());
  BOOST_TEST(listed == newest_first);

  auto both_a = texts(api.get("/v1/payments?reference=a"), "id");
  std::sort(both_a.begin(), both_a.end());
  BOOST_TEST(both_a == (std::vector{std::min(ids[0], ids[2]), std::max(ids[0], ids[2])}));
  BOOST_TEST(texts(api.get("/v1/payments?status=voided"), "id") == std::vector{ids[1]});
  BOOST_TEST(texts(api.get("/v1/payments?status=authorized&reference=b"), "id").empty());
}

BOOST_AUTO_TEST_CASE(tells_a_payments_whole_story) {
  const auto merchant = dev_suite::here().new_merchant();
  auto& api = *merchant.api;
  const auto id = make_payment(api, {.amount = 1'000});
  const auto path = "/v1/payments/" + id;
  expect(api.send(api.make_post(path + "/capture", {}, "\"the-capture\"")), 200);
  expect(api.post(path + "/refunds", R"({"amount":100})"), 201);

  const auto story = api.get(path + "/timeline");
  expect(story, 200);
  BOOST_TEST(story.text("/object") == "timeline");
  BOOST_TEST(story.text("/payment/id") == id);
  BOOST_TEST(story.text("/request/acquirer") == "sandbox");
  BOOST_TEST(story.text("/attempts/0/gateway") == "alder");
  BOOST_TEST(story.text("/attempts/0/status") == "approved");
  BOOST_TEST(story.text("/attempts/0/reference") == id + ".1");
  BOOST_TEST(story.text("/operations/0/kind") == "capture");
  BOOST_TEST(story.text("/operations/0/status") == "succeeded");
  BOOST_TEST(story.text("/operations/0/idempotency_key") == "the-capture");
  BOOST_TEST(story.text("/operations/1/kind") == "refund");
  std::vector<std::string> types;
  for (const auto& event : story.at("/events").as_array())
    types.emplace_back(event.at("type").as_string());
  BOOST_TEST(
    types
    == (std::vector<std::string>{"payment.created", "attempt.started", "authorization.approved",
                                 "capture.requested", "capture.succeeded", "refund.requested",
                                 "refund.succeeded"}));
}

BOOST_AUTO_TEST_CASE(keeps_a_ledger_that_balances) {
  const auto merchant = dev_suite::here().new_merchant();
  auto& api = *merchant.api;
  const auto id = make_payment(api, {.amount = 1'000, .capture = "automatic"});
  expect(api.post("/v1/payments/" + id + "/refunds", R"({"amount":100})"), 201);
  make_payment(api, {.amount = 50});

  const auto entries = api.get("/v1/ledger/entries?limit=100&payment=" + id);
  expect(entries, 200);
  std::map<std::string, std::int64_t> sums;
  for (const auto& entry : entries.at("/data").as_array()) {
    BOOST_TEST(entry.at("payment").as_string() == id);
    sums[std::string{entry.at("account").as_string()}] += entry.at("amount").as_int64();
  }
  BOOST_TEST(sums["merchant_pending"] == -900);
  BOOST_TEST(sums["hold_contra"] == 0);

  const auto pending = api.get("/v1/ledger/entries?account=merchant_pending");
  expect(pending, 200);
  for (const auto& account : texts(pending, "account"))
    BOOST_TEST(account == "merchant_pending");
  // Newest first: the latest balance is the account's.
  BOOST_TEST(pending.number("/data/0/balance_after") == -900);
  BOOST_TEST(funds_of(api) == (funds{.pending = 900, .held = 50}));

  const auto proof = dev_suite::here().admin().get("/admin/v1/ledger/verify");
  expect(proof, 200);
  BOOST_TEST(proof.at("/holds").as_bool(), proof.body);
}

BOOST_AUTO_TEST_CASE(replays_the_event_feed_from_any_point) {
  const auto merchant = dev_suite::here().new_merchant();
  auto& api = *merchant.api;
  for (int i = 0; i < 3; ++i)
    make_payment(api, {.capture = "automatic"});

  const auto whole = api.get("/v1/events?limit=100");
  expect(whole, 200);
  BOOST_TEST(!whole.at("/has_more").as_bool());
  const auto ids = texts(whole, "id");
  BOOST_TEST(ids.size() == 15U); // created, started, approved, and the capture's two
  BOOST_TEST(whole.text("/next") == ids.back());

  std::vector<std::string> in_pages;
  std::string after;
  while (in_pages.size() < ids.size()) {
    const auto page = api.get("/v1/events?limit=4" + after);
    expect(page, 200);
    const auto more = texts(page, "id");
    BOOST_TEST_REQUIRE(!more.empty());
    in_pages.insert(in_pages.end(), more.begin(), more.end());
    after = "&after=" + page.text("/next");
  }
  BOOST_TEST(in_pages == ids);
  const auto at_the_end = api.get("/v1/events?after=" + ids.back());
  BOOST_TEST(at_the_end.at("/data").as_array().empty());
  BOOST_TEST(at_the_end.text("/next") == ids.back());
}

// -- who may see what -------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(shows_nothing_of_another_merchant) {
  auto& suite = dev_suite::here();
  const auto owner = suite.new_merchant();
  const auto stranger = suite.new_merchant();
  const auto id = make_payment(*owner.api, {.capture = "automatic"});
  const auto path = "/v1/payments/" + id;
  const auto refund = owner.api->post(path + "/refunds", R"({"amount":1})");
  expect(refund, 201);

  for (const auto& target : {path, path + "/timeline", refund.header("location")})
    expect_problem(stranger.api->get(target), 404, "not_found");
  for (const auto* action : {"/capture", "/void", "/refunds"})
    expect_problem(stranger.api->post(path + action), 404, "not_found");
  for (const auto& target : {std::string{"/v1/payments"}, std::string{"/v1/events"},
                             std::string{"/v1/batches"}, "/v1/ledger/entries?payment=" + id})
    BOOST_TEST(stranger.api->get(target).at("/data").as_array().empty());
  BOOST_TEST(owner.api->get(path).number("/amount_refunded") == 1);
}

BOOST_AUTO_TEST_CASE(refuses_a_revoked_key_at_once) {
  auto& suite = dev_suite::here();
  const auto merchant = suite.new_merchant();
  expect(merchant.api->get("/v1/balances"), 200);
  expect(suite.admin().post("/admin/v1/keys/" + merchant.key_id + "/revoke"), 200);
  const auto refused = merchant.api->get("/v1/balances");
  expect_problem(refused, 401, "invalid_api_key");
  BOOST_TEST(refused.header("www-authenticate").starts_with("Bearer"));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast
