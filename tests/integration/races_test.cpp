// Requests that race each other on a real node: whatever wins, money moves once. `make races`
// tries more rounds.
#include "runtime/demo/reading.hpp"
#include "tests/integration/dev_suite.hpp"
#include "tests/integration/expect.hpp"
#include "tests/support/environment.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <map>
#include <set>

namespace holdfast {

using test::api_answer;
using test::dev_suite;
using test::make_payment;
using test::payment_order;

namespace {

constexpr int clients = 64;
constexpr int key_rounds = 20;
constexpr std::uint64_t pair_rounds_in_a_test_run = 50;

std::uint64_t pair_rounds() {
  return test::number_from_environment("HOLDFAST_RACE_ROUNDS", pair_rounds_in_a_test_run);
}

std::ptrdiff_t count_of(const std::vector<api_answer>& answers, int status) {
  return std::count_if(answers.begin(), answers.end(),
                       [status](const auto& answer) { return answer.status == status; });
}

const api_answer& only_one_of(const std::vector<api_answer>& answers, int status) {
  BOOST_TEST_REQUIRE(count_of(answers, status) == 1);
  return *std::find_if(answers.begin(), answers.end(),
                       [status](const auto& answer) { return answer.status == status; });
}

/// How often money moved for each payment by this kind of call, as the sandbox recorded it.
std::map<std::string, int> moves_by_payment(std::string_view kind) {
  const auto records = demo::read_records(dev_suite::here().sandbox().url());
  BOOST_REQUIRE_MESSAGE(records, (records ? std::string{} : records.error().detail));
  std::map<std::string, int> moves;
  for (const auto& record : *records)
    if (record.effective && record.kind == kind)
      ++moves[std::string{demo::payment_of(record.reference)}];
  return moves;
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
  auto& api = dev_suite::here().api();
  std::vector<std::string> payments;
  for (std::uint64_t round = 0; round < pair_rounds(); ++round) {
    const auto payment = make_payment(api, {.amount = 100, .capture = "automatic"});
    const auto answers =
      race(payment, "/refunds", R"({"amount":60})", "/refunds", R"({"amount":60})");
    BOOST_TEST(only_one_of(answers, 201).number("/amount") == 60);
    test::expect_problem(only_one_of(answers, 422), 422, "amount_too_large");
    BOOST_TEST(api.get("/v1/payments/" + payment).number("/amount_refunded") == 60);
    payments.push_back(payment);
  }
  auto refunds = moves_by_payment("refund");
  for (const auto& payment : payments)
    BOOST_TEST(refunds[payment] == 1);
  BOOST_TEST_MESSAGE(payments.size()
                     << " pairs of refunds of 60 on 100: one of each succeeded");
}

BOOST_AUTO_TEST_CASE(captures_once_when_two_together_are_too_much) {
  auto& api = dev_suite::here().api();
  std::vector<std::string> payments;
  for (std::uint64_t round = 0; round < pair_rounds(); ++round) {
    const auto payment = make_payment(api, {.amount = 100});
    const auto answers =
      race(payment, "/capture", R"({"amount":60})", "/capture", R"({"amount":60})");
    BOOST_TEST(only_one_of(answers, 200).number("/amount_captured") == 60);
    test::expect_problem(only_one_of(answers, 422), 422, "amount_too_large");
    payments.push_back(payment);
  }
  auto captures = moves_by_payment("capture");
  for (const auto& payment : payments)
    BOOST_TEST(captures[payment] == 1);
  BOOST_TEST_MESSAGE(payments.size()
                     << " pairs of captures of 60 of 100: one of each succeeded");
}

BOOST_AUTO_TEST_CASE(captures_or_voids_but_never_both) {
  auto& api = dev_suite::here().api();
  std::map<std::string, std::string> won;
  for (std::uint64_t round = 0; round < pair_rounds(); ++round) {
    const auto payment = make_payment(api, {.amount = 100});
    // Who is sent first usually wins.
    const bool capture_first = round % 2 == 0;
    const auto answers = capture_first ? race(payment, "/capture", {}, "/void", {})
                                       : race(payment, "/void", {}, "/capture", {});
    const auto status = only_one_of(answers, 200).text("/status");
    test::expect_problem(only_one_of(answers, 409), 409, "invalid_state");
    const bool first_won = answers.front().status == 200;
    BOOST_TEST(status == (first_won == capture_first ? "captured" : "voided"));
    BOOST_TEST(api.get("/v1/payments/" + payment).text("/status") == status);
    won[payment] = status;
  }
  auto captures = moves_by_payment("capture");
  auto reversals = moves_by_payment("reverse");
  std::size_t captured = 0;
  for (const auto& [payment, status] : won) {
    const bool is_captured = status == "captured";
    captured += is_captured ? 1 : 0;
    BOOST_TEST(captures[payment] == (is_captured ? 1 : 0));
    BOOST_TEST(reversals[payment] == (is_captured ? 0 : 1));
  }
  BOOST_TEST_MESSAGE(won.size() << " pairs of capture and void: " << captured
                                << " captured, the others voided, none both");
}

BOOST_AUTO_TEST_CASE(leaves_a_ledger_that_balances) {
  const auto proof = dev_suite::here().admin().get("/admin/v1/ledger/verify");
  test::expect(proof, 200);
  BOOST_TEST(proof.at("/holds").as_bool(), proof.body);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast
