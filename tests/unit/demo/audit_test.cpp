// The audit must see every way in which clients, gateways and the ledger can disagree.
#include "runtime/demo/audit.hpp"

#include "runtime/demo/plan.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <map>

namespace demo = holdfast::demo;

namespace {

demo::sandbox_record record(std::string kind, std::string reference, std::int64_t amount,
                            bool effective = true) {
  static std::int64_t seq = 0;
  return {++seq,  std::move(kind), "alder", std::move(reference),
          "gw_1", "EUR",           amount,  effective};
}

demo::payment_seen payment(std::string status, std::int64_t captured = 0,
                           std::int64_t refunded = 0) {
  return {"pay_1", std::move(status), "EUR", 1'000, captured, refunded};
}

demo::acknowledged told(std::string status, std::int64_t captured = 0) {
  demo::acknowledged answer;
  answer.key = "key-1";
  answer.payment = "pay_1";
  answer.status = std::move(status);
  answer.currency = "EUR";
  answer.amount = 1'000;
  answer.captured = captured;
  return answer;
}

/// One captured and partly refunded payment on which all three sides agree.
demo::audit_input agreed() {
  demo::audit_input input;
  input.answers = {told("captured", 1'000)};
  input.payments = {payment("settled", 1'000, 300)};
  input.records = {record("authorize", "pay_1.1", 1'000),
                   record("authorize", "pay_1.1", 1'000, false),
                   record("capture", "pay_1.c1", 1'000), record("refund", "pay_1.r1", 300),
                   record("settle", "pay_1.c1", 1'000)};
  return input;
}

/// The differences' texts, all in one.
std::string differences(const demo::audit_input& input) {
  std::string text;
  for (const auto& [id, what] : demo::audit(input).differences)
    text += id + ' ' + what + '\n';
  return text;
}

void expect_difference(const demo::audit_input& input, const std::string& part) {
  const auto text = differences(input);
  BOOST_TEST(text.find(part) != std::string::npos,
             "expected \"" << part << "\", got: " << text);
}

} // namespace

BOOST_AUTO_TEST_SUITE(audit)

BOOST_AUTO_TEST_CASE(agreement_has_no_difference) {
  const auto result = demo::audit(agreed());
  BOOST_TEST(result.differences.empty(), differences(agreed()));
  BOOST_TEST(result.holds == 1U);
  BOOST_TEST(result.captures == 1U);
  BOOST_TEST(result.refunds == 1U);
}

BOOST_AUTO_TEST_CASE(lost_acknowledgement_is_seen) {
  auto input = agreed();
  input.payments.clear();
  input.records.clear();
  expect_difference(input, "is lost");
}

BOOST_AUTO_TEST_CASE(status_that_goes_back_is_seen) {
  auto input = agreed();
  input.payments[0].status = "authorized";
  expect_difference(input, "was acknowledged as captured and is authorized");
}

BOOST_AUTO_TEST_CASE(changed_amount_is_seen) {
  auto input = agreed();
  input.answers[0].amount = 999;
  expect_difference(input, "was acknowledged over 999 EUR");
}

BOOST_AUTO_TEST_CASE(two_payments_of_one_key_are_seen) {
  auto input = agreed();
  input.answers.push_back(told("captured", 1'000));
  input.answers[1].payment = "pay_2";
  expect_difference(input, "key key-1 has another payment too");
}

BOOST_AUTO_TEST_CASE(second_hold_at_another_gateway_is_seen) {
  auto input = agreed();
  input.records.push_back(record("authorize", "pay_1.2", 1'000));
  input.records.back().gateway = "birch";
  expect_difference(input, "hold money for it 2 times");
  // Reversed, it is as it should be.
  input.records.push_back(record("reverse", "pay_1.2", 1'000));
  input.records.back().gateway = "birch";
  BOOST_TEST(differences(input).empty(), differences(input));
}

BOOST_AUTO_TEST_CASE(hold_of_a_declined_payment_is_seen) {
  demo::audit_input input;
  input.payments = {payment("declined")};
  input.records = {record("authorize", "pay_1.1", 1'000)};
  expect_difference(input, "is declined, and gateways hold money for it 1 times");
}

BOOST_AUTO_TEST_CASE(missing_hold_of_an_authorized_payment_is_seen) {
  demo::audit_input input;
  input.payments = {payment("authorized")};
  expect_difference(input, "is authorized, and gateways hold money for it 0 times");
}

BOOST_AUTO_TEST_CASE(voided_payment_needs_its_reversal) {
  demo::audit_input input;
  input.payments = {payment("voided")};
  input.records = {record("authorize", "pay_1.1", 1'000)};
  expect_difference(input, "is voided, and gateways hold money");
  input.records.push_back(record("reverse", "pay_1.1", 1'000));
  BOOST_TEST(differences(input).empty(), differences(input));
}

BOOST_AUTO_TEST_CASE(double_capture_and_double_refund_are_seen) {
  auto input = agreed();
  input.records.push_back(record("capture", "pay_1.c2", 1'000));
  expect_difference(input, "the gateway captured 2000, the payment says 1000");
  input = agreed();
  input.records.push_back(record("refund", "pay_1.r2", 300));
  expect_difference(input, "the gateway refunded 600, the payment says 300");
}

BOOST_AUTO_TEST_CASE(lost_refund_is_seen) {
  auto input = agreed();
  auto refund = told("succeeded");
  refund.what = demo::acknowledged::kind::refund;
  refund.key = "key-2";
  refund.amount = 301;
  input.answers.push_back(refund);
  expect_difference(input, "refunds of 301 were acknowledged, 300 are there");
}

BOOST_AUTO_TEST_CASE(hold_that_nobody_knows_is_seen) {
  auto input = agreed();
  input.records.push_back(record("authorize", "pay_9.1", 1'000));
  expect_difference(input, "pay_9 a gateway holds or moved money for it");
}

BOOST_AUTO_TEST_CASE(pending_payment_is_a_difference_only_at_rest) {
  demo::audit_input input;
  input.payments = {payment("pending_gateway")};
  input.records = {record("authorize", "pay_1.1", 1'000)};
  expect_difference(input, "is still pending_gateway");
  input.at_rest = false;
  BOOST_TEST(differences(input).empty());
}

BOOST_AUTO_TEST_CASE(record_of_the_sandbox_is_parsed) {
  const auto parsed = demo::parse_record(
    R"({"seq":7,"at":"2026-01-01T00:00:00Z","kind":"authorize","gateway":"alder",)"
    R"("reference":"pay_1.1","gateway_reference":"gw","amount":1250,"currency":"EUR","effective":true})");
  BOOST_REQUIRE(parsed);
  BOOST_TEST(parsed->seq == 7);
  BOOST_TEST(parsed->effective);
  BOOST_TEST(demo::payment_of(parsed->reference) == "pay_1");
  BOOST_TEST(!demo::parse_record("<html>"));
  BOOST_TEST(!demo::parse_record("{}"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(demo_plan)

BOOST_AUTO_TEST_CASE(same_seed_makes_the_same_day) {
  const auto one = demo::make_plan(500, 7);
  const auto two = demo::make_plan(500, 7);
  const auto same = [](const demo::planned_payment& a, const demo::planned_payment& b) {
    return a.which == b.which && a.merchant == b.merchant && a.amount == b.amount
           && a.card == b.card;
  };
  BOOST_TEST(std::ranges::equal(one, two, same));
  BOOST_TEST(!std::ranges::equal(one, demo::make_plan(500, 8), same));
}

BOOST_AUTO_TEST_CASE(a_small_day_has_every_story_and_every_special_amount) {
  const auto plan = demo::make_plan(200, 1);
  BOOST_TEST(plan.size() == 200U);
  std::map<demo::story, int> stories;
  std::map<int, int> endings;
  for (const auto& payment : plan) {
    ++stories[payment.which];
    ++endings[payment.ending()];
  }
  BOOST_TEST(stories.size() == demo::story_count);
  for (const int ending : {51, 52, 53, 54, 55, 56, 61, 62, 63, 64, 65})
    BOOST_TEST(endings[ending] > 0, "ending " << ending);
}

BOOST_AUTO_TEST_CASE(follow_ups_never_ask_for_more_than_there_is) {
  for (const auto& payment : demo::make_plan(5'000, 3)) {
    std::int64_t captured = 0;
    for (const auto& step : payment.then) {
      BOOST_TEST(step.amount % 100 < 50);
      if (step.what == demo::follow_up::kind::capture)
        captured += step.amount;
    }
    BOOST_TEST(captured <= payment.amount);
  }
}

BOOST_AUTO_TEST_SUITE_END()
