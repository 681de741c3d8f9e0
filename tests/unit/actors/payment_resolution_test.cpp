// How an unknown outcome is brought to its end: why another gateway is asked, when a person is,
// and what the payment keeps of it.
#include "messages/limits.hpp"
#include "tests/unit/actors/fixtures.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

namespace holdfast::tests {

namespace {

using enum operation_kind;
using namespace std::chrono_literals;

story patient(std::string token = {}) {
  return story{
    {1'000, capture_mode::manual, {"alpha", "beta"}, patient_rules(), std::move(token)}};
}

void be_reversing(story& life) {
  life.answer(authorize(1), unknown());
  life.pass(life.rules().settle_time);
  life.answer(inquire(1), not_found());
}

/// The exceptions that the decision puts before people.
std::vector<new_exception> raised_by(const story& life, const payments::decision& decision) {
  std::vector<new_exception> raised;
  for (const auto& event : decision.events)
    if (auto one = payments::exception_of(life.state(), event))
      raised.push_back(std::move(*one));
  return raised;
}

} // namespace

BOOST_AUTO_TEST_SUITE(payment_resolution)

BOOST_AUTO_TEST_CASE(every_attempt_says_why_it_was_made) {
  BOOST_TEST(story{}.last_attempt().reason == "first of the route");

  story unsent;
  unsent.answer(authorize(1), not_sent());
  BOOST_TEST(unsent.last_attempt().reason == "alpha was not sent: breaker_open");
  BOOST_TEST(unsent.state().attempts[0].last_heard == "breaker_open");

  auto declined = patient();
  declined.answer(authorize(1), retryably_declined());
  BOOST_TEST(declined.last_attempt().reason == "alpha declined: processing_error");
  BOOST_TEST(declined.state().attempts[0].decline->code == "processing_error");

  auto reversed = patient();
  be_reversing(reversed);
  BOOST_TEST(reversed.last_attempt().last_heard == "not_found");
  reversed.answer(reverse(1), approved());
  BOOST_TEST(reversed.last_attempt().reason == "alpha's unknown outcome was reversed");
  BOOST_TEST(reversed.last_attempt().gateway == "beta");
}

BOOST_AUTO_TEST_CASE(why_a_gateway_stands_in_the_route_is_kept) {
  payments::create wish;
  wish.id = payment_id::make(noon(), shard_number{7}, 1);
  wish.order.total = {minor_units{5}, unit_of("EUR")};
  wish.order.path = {{"alpha", "beta"}, "acquirer-one", {"route 2", "route 2: overflow"}};
  payment state;
  const auto decision =
    payments::decide(state, wish, {noon(), payments::entropy{1}, payments::policy{}});
  for (const auto& event : decision.events)
    payments::apply(state, event, noon());
  BOOST_TEST(state.route_reasons == wish.order.path.reasons, boost::test_tools::per_element());
  BOOST_TEST(state.attempts.front().reason == "first of the route: route 2");
}

BOOST_AUTO_TEST_CASE(retryable_declines_are_tried_no_further_than_the_limit) {
  story life{
    {1'000, capture_mode::manual, std::vector<std::string>(20, "alpha"), patient_rules()}};
  for (std::uint32_t number = 1; number <= limits::payment_attempts_max; ++number)
    life.answer(authorize(number), retryably_declined());
  BOOST_TEST(life.state().attempts.size() == limits::payment_attempts_max);
  BOOST_TEST(to_string(life.state().status) == "declined");
  BOOST_TEST(life.state().decline->code == "processing_error");
}

BOOST_AUTO_TEST_CASE(a_late_approval_that_crosses_a_reversal_ends_reversed) {
  for (const auto late : {authorize(1), inquire(1)}) {
    story life;
    be_reversing(life);
    BOOST_TEST(life.answer(late, approved()).events.empty());
    life.answer(reverse(1), approved());
    BOOST_TEST(life.answer(late, approved()).events.empty());
    BOOST_TEST(to_string(life.state().status) == "failed");
    BOOST_TEST(to_string(life.last_attempt().status) == "reversed");
    BOOST_TEST(life.postings().empty());
  }
}

BOOST_AUTO_TEST_CASE(a_stale_decline_never_takes_an_approval_back) {
  for (const auto stale : {authorize(1), inquire(1)}) {
    story life;
    life.answer(authorize(1), unknown());
    life.answer(inquire(1), approved());
    BOOST_TEST(life.answer(stale, declined()).events.empty());
    BOOST_TEST(to_string(life.state().status) == "authorized");
  }
}

BOOST_AUTO_TEST_CASE(a_token_can_fail_over_after_a_restart_and_a_card_cannot) {
  auto by_card = patient();
  auto by_token = patient("tok_1");
  for (auto* life : {&by_card, &by_token}) {
    be_reversing(*life);
    life->rebuild();
    life->answer(reverse(1), approved());
  }
  BOOST_TEST(to_string(by_card.state().status) == "failed");
  BOOST_TEST(by_card.state().decline->code == "card_unavailable");
  BOOST_TEST(to_string(by_token.state().status) == "processing");
  BOOST_TEST(by_token.last_attempt().gateway == "beta");
}

BOOST_AUTO_TEST_CASE(a_retryable_decline_stands_when_the_card_is_gone) {
  auto life = patient();
  life.answer(authorize(1), unknown());
  life.rebuild();
  life.answer(inquire(1), retryably_declined());
  life.answer(reverse(1), approved());
  BOOST_TEST(to_string(life.state().status) == "declined");
  BOOST_TEST(life.state().decline->code == "processing_error");
}

BOOST_AUTO_TEST_CASE(the_card_is_kept_no_longer_than_a_gateway_may_need_it) {
  const auto needs = [](const story& life) {
    return payments::may_need_card(life.state(), life.rules());
  };
  auto life = patient();
  BOOST_TEST(needs(life));
  life.answer(authorize(1), unknown());
  BOOST_TEST(needs(life));
  life.pass(life.rules().settle_time);
  life.answer(inquire(1), not_found());
  life.answer(reverse(1), approved());
  BOOST_TEST(needs(life));
  life.answer(authorize(2), unknown()); // The last gateway of the route.
  BOOST_TEST(!needs(life));

  story plain;
  BOOST_TEST(needs(plain));
  plain.answer(authorize(1), unknown());
  BOOST_TEST(!needs(plain));

  auto by_token = patient("tok_1");
  BOOST_TEST(!needs(by_token));
}

BOOST_AUTO_TEST_CASE(a_person_is_asked_once_about_an_authorization_and_it_still_ends) {
  story life;
  life.answer(authorize(1), unknown());
  life.pass(life.rules().resolve_within - 1ms);
  BOOST_TEST(raised_by(life, life.answer(inquire(1), unknown())).empty());
  life.pass(1ms);
  const auto raised = raised_by(life, life.answer(inquire(1), unknown()));
  BOOST_REQUIRE_EQUAL(raised.size(), 1u);
  BOOST_TEST(raised[0].kind == "unresolved_authorization");
  BOOST_CHECK(raised[0].payment == life.state().id);
  BOOST_CHECK(raised[0].merchant == life.state().merchant);
  BOOST_TEST(!raised[0].operation);
  BOOST_TEST(raised[0].expected_amount.value() == 1'000);
  BOOST_TEST(raised[0].detail.find("timeout") != std::string::npos);
  BOOST_TEST(raised[0].external_ref == life.state().id.text() + ".1");
  BOOST_TEST(raised[0].source == "alpha");
  BOOST_TEST(life.last_attempt().escalated);

  BOOST_TEST(to_string(life.state().status) == "pending_gateway");
  BOOST_CHECK(life.state().next_action_at <= life.now() + life.rules().retry_max);
  BOOST_TEST(raised_by(life, life.answer(inquire(1), unknown())).empty());
  life.answer(inquire(1), approved());
  BOOST_TEST(to_string(life.state().status) == "authorized");
}

BOOST_AUTO_TEST_CASE(a_person_is_asked_about_an_operation) {
  story life;
  life.answer(authorize(1), approved());
  life.capture(300);
  life.pass(life.rules().resolve_within);
  const auto raised = raised_by(life, life.answer(operate(capture, 1), unknown()));
  BOOST_REQUIRE_EQUAL(raised.size(), 1u);
  BOOST_TEST(raised[0].kind == "unresolved_operation");
  BOOST_CHECK(raised[0].operation == life.last_operation().id);
  BOOST_TEST(raised[0].external_ref == life.state().id.text() + ".c1");
  BOOST_TEST(raised[0].source == "alpha");
  BOOST_TEST(raised[0].expected_amount.value() == 300);
  BOOST_TEST(life.last_operation().escalated);
  BOOST_TEST(raised_by(life, life.wake()).empty());
  life.answer(operate(capture, 1), approved());
  BOOST_TEST(life.state().captured.value() == 300);
}

BOOST_AUTO_TEST_CASE(a_void_has_no_row_for_its_exception_to_name) {
  story life;
  life.answer(authorize(1), approved());
  life.void_hold();
  life.pass(life.rules().resolve_within);
  const auto raised = raised_by(life, life.wake());
  BOOST_REQUIRE_EQUAL(raised.size(), 1u);
  BOOST_TEST(raised[0].kind == "unresolved_operation");
  BOOST_TEST(!raised[0].operation);
}

BOOST_AUTO_TEST_CASE(holds_lapse_by_brand) {
  const auto rules = patient_rules();
  BOOST_CHECK(rules.lifetime_of("mastercard") == milliseconds{30 * 24h});
  BOOST_CHECK(rules.lifetime_of("visa") == rules.lifetime);
  BOOST_CHECK(rules.lifetime_of("") == rules.lifetime);
  BOOST_CHECK(payments::policy{}.lifetime_of("mastercard") == rules.lifetime);
}

BOOST_AUTO_TEST_CASE(the_release_of_a_lapsed_hold_has_a_time_of_its_own) {
  story life;
  life.answer(authorize(1), approved());
  life.pass_to_next_action();
  life.wake();
  BOOST_TEST(to_string(life.state().status) == "expired");
  BOOST_TEST(has_pending_work(life.state()));
  // The authorization is seven days old; its release has just begun.
  BOOST_TEST(raised_by(life, life.answer(reverse(1), unknown())).empty());
  life.pass(life.rules().resolve_within);
  BOOST_TEST(raised_by(life, life.answer(reverse(1), declined())).size() == 1u);
  life.answer(reverse(1), approved());
  BOOST_TEST(!has_pending_work(life.state()));
  BOOST_TEST(to_string(life.state().status) == "expired");
  BOOST_TEST(sum_of(life.postings(), account_kind::hold) == 0);
}

BOOST_AUTO_TEST_CASE(what_a_partial_capture_leaves_lapses_without_a_call) {
  story life;
  life.answer(authorize(1), approved());
  life.capture(300);
  life.answer(operate(capture, 1), approved());
  life.pass_to_next_action();
  BOOST_TEST(life.wake().calls.empty());
  BOOST_TEST(to_string(life.last_attempt().status) == "approved");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::tests
