// Requests that race each other on a real node: whatever wins, money moves once.
#include "tests/integration/dev_suite.hpp"
#include "tests/integration/expect.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <set>

namespace holdfast {

using test::api_answer;
using test::dev_suite;
using test::make_payment;
using test::payment_order;

namespace {

constexpr int clients = 64;
constexpr int key_rounds = 20;
constexpr int pair_rounds = 50;

std::ptrdiff_t count_of(const std::vector<api_answer>& answers, int status) {
  return std::count_if(answers.begin(), answers.end(),
                       [status](const auto& answer) { return answer.status == status; });
}

const api_answer& only_one_of(const std::vector<api_answer>& answers, int status) {
  BOOST_TEST_REQUIRE(count_of(answers, status) == 1);
  return *std::find_if(answers.begin(), answers.end(),
                       [status](const auto& answer) { return answer.status == status; });
}

/// Two requests about a payment, at once.
std::vector<api_answer> race(const std::string& payment, const std::string& one,
                             std::string one_body, const std::string& other,
                             std::string other_body) {
  auto& api = dev_suite::here().api();
  const auto path = "/v1/payments/" + payment;
  return api.send_all({api.make_post(path + one, std::move(one_body)),
                       api.make_post(path + other, std::move(other_body))});
}

} // namespace

BOOST_AUTO_TEST_SUITE(races, *boost::unit_test::fixture<dev_suite>())

BOOST_AUTO_TEST_CASE(charges_once_when_64_clients_send_one_key) {
  auto& suite = dev_suite::here();
  auto& api = suite.api();
  std::set<std::string> payments;
  for (int round = 0; round < key_rounds; ++round) {
    const std::string reference = "round-" + std::to_string(round);
    const auto further = R"("reference":")" + reference + '"';
    const auto order = payment_order{.amount = 1'000 + round, .further = further}.body();
    const std::vector<http::call> same(clients,
                                       api.make_post("/v1/payments", order, test::fresh_key()));
    const auto answers = api.send_all(same);

    std::set<std::string> bodies;
    for (const auto& answer : answers) {
      if (answer.status == 201)
        bodies.insert(answer.body);
      else
        test::expect_problem(answer, 409, "request_in_progress");
    }
    BOOST_TEST_REQUIRE(bodies.size() == 1U);
    // One of them is the first; the others were told that theirs is a repeat.
    BOOST_TEST(std::count_if(answers.begin(), answers.end(),
                             [](const auto& answer) {
                               return answer.status == 201
                                      && answer.header("idempotent-replayed").empty();
                             })
               == 1);
    const auto listed = api.get("/v1/payments?reference=" + reference);
    BOOST_TEST(listed.has("/data/0"));
    BOOST_TEST(!listed.has("/data/1"));
    payments.insert(listed.text("/data/0/id"));
  }
  BOOST_TEST(payments.size() == static_cast<std::size_t>(key_rounds));
  for (const auto& payment : payments)
    BOOST_TEST(suite.effective(payment, "authorize") == 1U);
}

BOOST_AUTO_TEST_CASE(refunds_once_when_two_together_are_too_much) {
  auto& suite = dev_suite::here();
  for (int round = 0; round < pair_rounds; ++round) {
    const auto payment = make_payment(suite.api(), {.amount = 100, .capture = "automatic"});
    const auto answers =
      race(payment, "/refunds", R"({"amount":60})", "/refunds", R"({"amount":60})");
    BOOST_TEST(only_one_of(answers, 201).number("/amount") == 60);
    test::expect_problem(only_one_of(answers, 422), 422, "amount_too_large");
    BOOST_TEST(suite.api().get("/v1/payments/" + payment).number("/amount_refunded") == 60);
    BOOST_TEST(suite.effective(payment, "refund") == 1U);
  }
}

BOOST_AUTO_TEST_CASE(captures_once_when_two_together_are_too_much) {
  auto& suite = dev_suite::here();
  for (int round = 0; round < pair_rounds; ++round) {
    const auto payment = make_payment(suite.api(), {.amount = 100});
    const auto answers =
      race(payment, "/capture", R"({"amount":60})", "/capture", R"({"amount":60})");
    BOOST_TEST(only_one_of(answers, 200).number("/amount_captured") == 60);
    test::expect_problem(only_one_of(answers, 422), 422, "amount_too_large");
    BOOST_TEST(suite.effective(payment, "capture") == 1U);
  }
}

BOOST_AUTO_TEST_CASE(captures_or_voids_but_never_both) {
  auto& suite = dev_suite::here();
  for (int round = 0; round < pair_rounds; ++round) {
    const auto payment = make_payment(suite.api(), {.amount = 100});
    const auto answers = race(payment, "/capture", {}, "/void", {});
    const auto won = only_one_of(answers, 200).text("/status");
    test::expect_problem(only_one_of(answers, 409), 409, "invalid_state");
    BOOST_TEST(won == (answers.front().status == 200 ? "captured" : "voided"));
    BOOST_TEST(suite.api().get("/v1/payments/" + payment).text("/status") == won);
    BOOST_TEST(suite.effective(payment, "capture") == (won == "captured" ? 1U : 0U));
    BOOST_TEST(suite.effective(payment, "reverse") == (won == "voided" ? 1U : 0U));
  }
}

BOOST_AUTO_TEST_CASE(leaves_a_ledger_that_balances) {
  const auto proof = dev_suite::here().admin().get("/admin/v1/ledger/verify");
  test::expect(proof, 200);
  BOOST_TEST(proof.at("/holds").as_bool(), proof.body);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast
