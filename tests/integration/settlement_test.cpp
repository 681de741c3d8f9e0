// The way of captured money through the API: batches, items, statuses, exceptions and what the
// merchant gets. Part of the suite of api_test.cpp.
#include "tests/integration/dev_suite.hpp"
#include "tests/integration/expect.hpp"

#include <boost/json/array.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <map>
#include <set>

namespace holdfast {

using test::api_answer;
using test::dev_suite;
using test::expect;
using test::make_payment;
using test::test_merchant;

namespace {

/// The sandbox takes 1.2 % and 5 of a capture, we take 0.3 % of it.
constexpr std::int64_t acquirer_fee_of_10000 = 125;
constexpr std::int64_t platform_fee_of_10000 = 30;

api_answer settle(const test_merchant& merchant) {
  auto answer = dev_suite::here().admin().post(
    "/admin/v1/cutoff", R"({"settle":true,"merchant":")" + merchant.id + R"("})");
  expect(answer, 200);
  BOOST_TEST(answer.at("/complete").as_bool(), answer.body);
  return answer;
}

std::string status_of(const test_merchant& merchant, const std::string& payment) {
  return merchant.api->get("/v1/payments/" + payment).text("/status");
}

/// Kind by payment; the dev database has the exceptions of other test cases too.
std::map<std::string, std::string> exceptions_of(const test_merchant& merchant) {
  const auto answer = dev_suite::here().admin().get("/admin/v1/exceptions?limit=100");
  expect(answer, 200);
  std::map<std::string, std::string> found;
  for (const auto& one : answer.at("/data").as_array())
    if (one.at("merchant").as_string() == merchant.id)
      found[std::string{one.at("payment").as_string()}] =
        std::string{one.at("kind").as_string()};
  return found;
}

} // namespace

BOOST_AUTO_TEST_SUITE(api)

BOOST_AUTO_TEST_CASE(settles_captures_and_refunds_in_a_batch) {
  const auto merchant = dev_suite::here().new_merchant();
  auto& api = *merchant.api;
  const auto id = make_payment(api, {.amount = 10'000, .capture = "automatic"});
  expect(api.post("/v1/payments/" + id + "/refunds", R"({"amount":4000})"), 201);
  const auto uncaptured = make_payment(api, {.amount = 500});

  const auto done = settle(merchant);
  BOOST_TEST(done.number("/batches") == 1);
  BOOST_TEST(done.number("/items") == 2);
  BOOST_TEST(done.number("/files") == 1);
  BOOST_TEST(done.number("/reconciled") == 1);
  BOOST_TEST(done.number("/exceptions") == 0);

  const auto list = api.get("/v1/batches");
  expect(list, 200);
  const auto batch = api.get("/v1/batches/" + list.text("/data/0/id"));
  expect(batch, 200);
  const auto acquirer_fees = batch.number("/acquirer_fees");
  const auto platform_fees = batch.number("/platform_fees");
  BOOST_TEST(batch.text("/status") == "reconciled");
  BOOST_TEST(batch.text("/merchant") == merchant.id);
  BOOST_TEST(batch.text("/currency") == "EUR");
  BOOST_TEST(batch.number("/gross") == 6'000);
  BOOST_TEST(platform_fees == platform_fee_of_10000);
  BOOST_TEST(batch.number("/net") == 6'000 - acquirer_fees - platform_fees);
  BOOST_TEST(batch.number("/items") == 2);
  BOOST_TEST(batch.at("/items_data/data").as_array().size() == 2U);
  for (const auto& item : batch.at("/items_data/data").as_array()) {
    BOOST_TEST(item.at("status").as_string() == "settled");
    BOOST_TEST(item.at("payment").as_string() == id);
    BOOST_TEST(item.at("report_line").is_int64());
    if (item.at("kind").as_string() == "capture")
      BOOST_TEST(item.at("fee").as_int64() == acquirer_fee_of_10000);
  }

  const auto payment = api.get("/v1/payments/" + id);
  BOOST_TEST(payment.text("/status") == "settled");
  BOOST_TEST(payment.text("/batch") == batch.text("/id"));
  BOOST_TEST(status_of(merchant, uncaptured) == "authorized");
  const auto balances = api.get("/v1/balances");
  BOOST_TEST(balances.number("/data/0/pending") == 0);
  BOOST_TEST(balances.number("/data/0/available") == batch.number("/net"));
  BOOST_TEST(balances.number("/data/0/held") == 500);

  const auto story = api.get("/v1/payments/" + id + "/timeline");
  BOOST_TEST(story.text("/settlement/0/batch") == batch.text("/id"));
  BOOST_TEST(story.text("/settlement/0/file") == batch.text("/file"));
  // Nothing is left to settle.
  BOOST_TEST(settle(merchant).number("/batches") == 0);
}

BOOST_AUTO_TEST_CASE(goes_on_settling_when_the_operator_does_not_wait) {
  const auto merchant = dev_suite::here().new_merchant();
  const auto id = make_payment(*merchant.api, {.capture = "automatic"});
  const auto done = dev_suite::here().admin().post("/admin/v1/cutoff",
                                                   R"({"merchant":")" + merchant.id + R"("})");
  expect(done, 200);
  BOOST_TEST(done.number("/items") == 1);
  BOOST_TEST(done.number("/files") == 1);
  test::await_status(*merchant.api, id, {"settled"});
}

BOOST_AUTO_TEST_CASE(tells_what_went_wrong_with_which_item) {
  const auto merchant = dev_suite::here().new_merchant();
  auto& api = *merchant.api;
  std::map<int, std::string> by_ending;
  for (const int ending : {0, 61, 62, 63, 64, 65})
    by_ending[ending] = make_payment(api, {.amount = 2'000 + ending, .capture = "automatic"});

  const auto first = settle(merchant);
  BOOST_TEST(first.number("/items") == 6);
  BOOST_TEST(first.number("/exceptions") == 4);
  BOOST_TEST(status_of(merchant, by_ending[0]) == "settled");
  BOOST_TEST(status_of(merchant, by_ending[61]) == "rejected");
  BOOST_TEST(status_of(merchant, by_ending[62]) == "captured"); // once more, with the next file
  BOOST_TEST(status_of(merchant, by_ending[63]) == "batched");
  BOOST_TEST(status_of(merchant, by_ending[64]) == "batched");
  BOOST_TEST(status_of(merchant, by_ending[65]) == "settled");

  const auto exceptions = exceptions_of(merchant);
  BOOST_TEST(exceptions.size() == 4U);
  BOOST_TEST(exceptions.at(by_ending[61]) == "rejected_item");
  BOOST_TEST(exceptions.at(by_ending[63]) == "missing_in_report");
  BOOST_TEST(exceptions.at(by_ending[64]) == "amount_mismatch");
  BOOST_TEST(exceptions.at(by_ending[65]) == "duplicate_line");
  const auto story = api.get("/v1/payments/" + by_ending[64] + "/timeline");
  BOOST_TEST(story.text("/exceptions/0/kind") == "amount_mismatch");
  BOOST_TEST(!story.text("/exceptions/0/raw_line").empty());
  BOOST_TEST(story.number("/exceptions/0/expected_amount") == 2'064);

  const auto second = settle(merchant);
  BOOST_TEST(second.number("/items") == 1);
  BOOST_TEST(second.number("/exceptions") == 0);
  BOOST_TEST(status_of(merchant, by_ending[62]) == "settled");

  const auto proof = dev_suite::here().admin().get("/admin/v1/ledger/verify");
  BOOST_TEST(proof.at("/holds").as_bool(), proof.body);
}

BOOST_AUTO_TEST_CASE(shows_what_a_rejection_took_back) {
  const auto merchant = dev_suite::here().new_merchant();
  auto& api = *merchant.api;
  const auto id = make_payment(api, {.amount = 2'061, .capture = "automatic"});
  make_payment(api, {.amount = 2'000, .capture = "automatic"});
  settle(merchant);
  BOOST_TEST(status_of(merchant, id) == "rejected");
  const auto rejected_legs = [](const boost::json::value& entries) {
    std::map<std::string, std::int64_t> legs;
    for (const auto& entry : entries.as_array())
      if (entry.at("event_type").as_string() == "rejection")
        legs[std::string{entry.at("account").as_string()}] += entry.at("amount").as_int64();
    return legs;
  };
  const std::map<std::string, std::int64_t> wanted{{"merchant_pending", 2'061},
                                                   {"acquirer_receivable", -2'061}};
  const auto story = api.get("/v1/payments/" + id + "/timeline");
  BOOST_TEST((rejected_legs(story.at("/ledger_entries")) == wanted), story.body);
  const auto entries = api.get("/v1/ledger/entries?limit=100&payment=" + id);
  BOOST_TEST((rejected_legs(entries.at("/data")) == wanted), entries.body);
  BOOST_TEST(entries.at("/data").as_array().size()
             == story.at("/ledger_entries").as_array().size());
}

BOOST_AUTO_TEST_CASE(gives_a_batchs_items_in_pages) {
  const auto merchant = dev_suite::here().new_merchant();
  auto& api = *merchant.api;
  constexpr std::size_t payments = 12;
  for (std::size_t i = 0; i < payments; ++i)
    make_payment(api, {.capture = "automatic"});
  settle(merchant);
  const auto path = "/v1/batches/" + api.get("/v1/batches").text("/data/0/id");
  const auto batch = api.get(path);
  expect(batch, 200);
  BOOST_TEST(batch.number("/items") == static_cast<std::int64_t>(payments));
  BOOST_TEST(batch.at("/items_data/data").as_array().size() == 10U);
  BOOST_TEST(batch.at("/items_data/has_more").as_bool());
  BOOST_TEST(batch.text("/items_data/url") == path + "/items");

  std::vector<std::string> ids;
  std::string after;
  for (bool more = true; more;) {
    const auto page = api.get(path + "/items?limit=5" + after);
    expect(page, 200);
    more = page.at("/has_more").as_bool();
    for (const auto& item : page.at("/data").as_array())
      ids.emplace_back(item.at("id").as_string());
    after = "&starting_after=" + ids.back();
  }
  BOOST_TEST(ids.size() == payments);
  BOOST_TEST(std::set<std::string>(ids.begin(), ids.end()).size() == payments);
  BOOST_TEST(std::is_sorted(ids.begin(), ids.end()));
  // The same pages come with the batch.
  const auto rest = api.get(path + "?limit=5&starting_after=" + ids[9]);
  BOOST_TEST(rest.text("/items_data/data/0/id") == ids[10]);
  BOOST_TEST(!rest.at("/items_data/has_more").as_bool());
  for (const auto& target : {path, path + "/items"})
    test::expect_problem(api.get(target + "?starting_after=pay_1"), 400, "invalid_parameter",
                         "starting_after");
}

BOOST_AUTO_TEST_CASE(lists_the_merchants_own_batches_only) {
  auto& suite = dev_suite::here();
  const auto owner = suite.new_merchant();
  const auto stranger = suite.new_merchant();
  make_payment(*owner.api, {.capture = "automatic"});
  settle(owner);
  const auto path = "/v1/batches/" + owner.api->get("/v1/batches").text("/data/0/id");
  for (const auto& target : {path, path + "/items"}) {
    expect(owner.api->get(target), 200);
    test::expect_problem(stranger.api->get(target), 404, "not_found");
    expect(suite.admin().get("/admin" + target), 200);
  }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast
