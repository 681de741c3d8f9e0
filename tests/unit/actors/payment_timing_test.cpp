// When the payment core looks again: next actions, backoff, expiry, and what a rebuilt payment
// does first.
#include "tests/unit/actors/fixtures.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

namespace holdfast::tests {

namespace {

using enum operation_kind;
using namespace std::chrono_literals;

story authorized() {
  story life;
  life.answer(authorize(1), approved());
  return life;
}

/// How long until the payment looks again; -1 for never.
std::int64_t wait_ms(const story& life) {
  const auto& next = life.state().next_action_at;
  return next ? std::chrono::floor<milliseconds>(*next - life.now()).count() : -1;
}

/// The pause that an undecided inquiry is followed by.
milliseconds pause_after(const payment& state, std::uint64_t seed,
                         const payments::policy& rules) {
  const auto decision =
    payments::decide(state, payments::gateway_answered{inquire(1), unknown()},
                     {noon(), payments::entropy{seed}, rules});
  const auto& scheduled = std::get<inquiry_scheduled>(decision.events.at(0));
  return std::chrono::duration_cast<milliseconds>(scheduled.next_inquiry_at - noon());
}

/// A round: the inquiry goes out when it is due, and is answered without deciding anything.
void ask_in_vain(story& life) {
  life.pass_to_next_action();
  life.wake();
  life.answer(inquire(1), unknown());
}

/// A payment whose gateway could not say, so often, what became of it.
story undecided_after(int inquiries) {
  story life;
  life.answer(authorize(1), unknown());
  for (int i = 0; i < inquiries; ++i)
    ask_in_vain(life);
  return life;
}

} // namespace

BOOST_AUTO_TEST_SUITE(payment_timing)

BOOST_AUTO_TEST_CASE(a_call_is_due_for_an_answer) {
  story life;
  BOOST_TEST(wait_ms(life) == 4'000);
  life.pass(1s);
  life.answer(authorize(1), not_sent());
  BOOST_TEST(wait_ms(life) == 4'000);
  life.pass_to_next_action();
  life.wake();
  BOOST_TEST(wait_ms(life) == 4'000);
}

BOOST_AUTO_TEST_CASE(a_hold_is_due_at_its_end) {
  const auto life = authorized();
  BOOST_TEST(wait_ms(life) == life.rules().lifetime.count());
  BOOST_CHECK(life.state().expires_at == life.now() + life.rules().lifetime);
}

BOOST_AUTO_TEST_CASE(the_earliest_of_several_is_next) {
  auto life = authorized();
  life.capture(300);
  life.answer(operate(capture, 1), approved());
  life.capture(100);
  life.pass(1s);
  life.refund(100);
  BOOST_TEST(wait_ms(life) == 3'000);
  life.answer(operate(capture, 2), approved());
  BOOST_TEST(wait_ms(life) == 4'000);
  life.answer(operate(refund, 1), approved());
  BOOST_CHECK(life.state().next_action_at == life.state().expires_at);
}

BOOST_AUTO_TEST_CASE(an_end_leaves_nothing_due) {
  story life;
  life.answer(authorize(1), declined());
  BOOST_TEST(wait_ms(life) == -1);

  auto captured = authorized();
  captured.capture();
  captured.answer(operate(capture, 1), approved());
  BOOST_TEST(wait_ms(captured) == -1);
  captured.refund(1);
  BOOST_TEST(wait_ms(captured) == 4'000);
}

BOOST_AUTO_TEST_CASE(only_what_is_due_is_woken) {
  auto life = authorized();
  life.capture(100);
  life.pass(1s);
  life.capture(100);
  life.pass_to_next_action();
  const auto decision = life.wake();
  BOOST_REQUIRE_EQUAL(decision.calls.size(), 1u);
  BOOST_CHECK(decision.calls[0] == operate(capture, 1));
}

BOOST_AUTO_TEST_CASE(everything_open_is_looked_at_after_a_restart) {
  auto life = authorized();
  life.capture(100);
  life.pass(1s);
  life.capture(100);
  const auto decision = life.tell(payments::recovered{});
  BOOST_REQUIRE_EQUAL(decision.calls.size(), 2u);
  BOOST_CHECK(decision.calls[0] == operate(capture, 1));
  BOOST_CHECK(decision.calls[1] == operate(capture, 2));
}

BOOST_AUTO_TEST_CASE(a_hold_that_lapsed_during_a_downtime_expires_at_the_restart) {
  auto life = authorized();
  life.pass(life.rules().lifetime);
  life.tell(payments::recovered{});
  BOOST_TEST(to_string(life.state().status) == "expired");
}

BOOST_AUTO_TEST_CASE(a_hold_does_not_lapse_under_a_capture_or_void_that_is_open) {
  for (const auto kind : {capture, void_hold}) {
    auto life = authorized();
    life.tell(request_of(kind, {}, false, 0));
    life.pass(life.rules().lifetime + 1h);
    const auto decision = life.wake();
    BOOST_TEST(to_string(life.state().status) == "authorized");
    BOOST_TEST(decision.calls.size() == 1u);
    BOOST_TEST(wait_ms(life) == 4'000);
    life.answer(operate(kind, 1), declined());
    BOOST_TEST(wait_ms(life) <= 0);
    life.wake();
    BOOST_TEST(to_string(life.state().status) == "expired");
    BOOST_TEST(sum_of(life.postings(), account_kind::hold) == 0);
  }
}

BOOST_AUTO_TEST_CASE(a_hold_lapses_beside_an_open_refund) {
  auto life = authorized();
  life.capture(300);
  life.answer(operate(capture, 1), approved());
  life.pass(life.rules().lifetime - 1s);
  life.refund(100);
  BOOST_TEST(wait_ms(life) == 1'000);
  life.pass(1s);
  life.wake();
  BOOST_TEST(to_string(life.state().status) == "captured");
  BOOST_TEST(wait_ms(life) == 3'000);
  life.answer(operate(refund, 1), approved());
  BOOST_TEST(life.state().refunded.value() == 100);
}

BOOST_AUTO_TEST_CASE(what_was_captured_stays_captured_when_the_rest_lapses) {
  auto life = authorized();
  life.capture(300);
  life.answer(operate(capture, 1), approved());
  life.pass_to_next_action();
  life.wake();
  BOOST_TEST(to_string(life.state().status) == "captured");
  BOOST_TEST(life.state().captured.value() == 300);
  BOOST_TEST(sum_of(life.postings(), account_kind::hold) == 0);
  BOOST_TEST(sum_of(life.postings(), account_kind::merchant_pending) == -300);
}

BOOST_AUTO_TEST_CASE(not_found_is_believed_from_the_settle_time_on) {
  const auto heard_after = [](milliseconds time) {
    story life;
    life.answer(authorize(1), unknown());
    life.pass(time);
    life.answer(inquire(1), not_found());
    return std::string{to_string(life.last_attempt().status)};
  };
  const auto settle_time = payments::policy{}.settle_time;
  BOOST_TEST(heard_after(settle_time - 1ms) == "unknown");
  BOOST_TEST(heard_after(settle_time) == "reversing");
}

BOOST_AUTO_TEST_CASE(the_settle_time_counts_from_the_attempts_own_start) {
  story life;
  life.pass(life.rules().settle_time);
  life.answer(authorize(1), not_sent());
  life.answer(authorize(2), unknown());
  const auto decision = life.answer(inquire(2), not_found());
  BOOST_TEST(to_string(type_of(decision.events.at(0))) == "inquiry.scheduled");
}

BOOST_AUTO_TEST_CASE(backoff_stays_within_its_bounds) {
  for (const int inquiries : {0, 1, 3, 7, 20, 70}) {
    const auto life = undecided_after(inquiries);
    for (std::uint64_t seed = 0; seed < 10'000; ++seed) {
      const auto pause = pause_after(life.state(), seed, life.rules());
      BOOST_TEST_REQUIRE(
        (pause >= life.rules().retry_min && pause <= life.rules().retry_max),
        "after " << inquiries << " inquiries, seed " << seed << ": " << pause.count() << " ms");
    }
  }
}

BOOST_AUTO_TEST_CASE(backoff_grows_to_its_whole_range_and_spreads) {
  const auto longest_after = [](int inquiries) {
    const auto life = undecided_after(inquiries);
    milliseconds longest{0};
    for (std::uint64_t seed = 0; seed < 1'000; ++seed)
      longest = std::max(longest, pause_after(life.state(), seed, life.rules()));
    return longest.count();
  };
  BOOST_TEST(longest_after(0) > 380);
  BOOST_TEST(longest_after(0) <= 400);
  BOOST_TEST(longest_after(3) > 3'000);
  BOOST_TEST(longest_after(3) <= 3'200);
  BOOST_TEST(longest_after(20) > 29'000);
}

BOOST_AUTO_TEST_CASE(a_try_is_what_was_sent_and_counts_once) {
  story life;
  life.answer(authorize(1), unknown());
  BOOST_TEST(life.last_attempt().tries == 0u);
  for (std::uint32_t round = 1; round <= 3; ++round) {
    ask_in_vain(life);
    BOOST_TEST(life.last_attempt().tries == round);
  }
  // An inquiry that nobody answers is one too.
  life.pass_to_next_action();
  life.wake();
  life.pass_to_next_action();
  life.wake();
  BOOST_TEST(life.last_attempt().tries == 5u);
  life.pass(life.rules().settle_time);
  life.answer(inquire(1), not_found());
  BOOST_TEST(life.last_attempt().tries == 0u);
  for (std::uint32_t round = 1; round <= 3; ++round) {
    life.answer(reverse(1), unknown());
    life.pass_to_next_action();
    life.wake();
    BOOST_TEST(life.last_attempt().tries == round);
  }
}

BOOST_AUTO_TEST_CASE(an_unanswered_authorization_is_asked_about_and_that_is_a_try) {
  story life;
  life.pass_to_next_action();
  BOOST_TEST(life.wake().calls.size() == 1u);
  BOOST_TEST(life.last_attempt().tries == 1u);
  life.answer(inquire(1), unknown());
  BOOST_TEST(life.last_attempt().tries == 1u);
}

BOOST_AUTO_TEST_CASE(repeats_of_an_operation_count_once) {
  auto life = authorized();
  life.capture(100);
  for (std::uint32_t round = 1; round <= 3; ++round) {
    life.answer(operate(capture, 1), unknown());
    BOOST_TEST(life.last_operation().tries == round - 1);
    life.pass_to_next_action();
    life.wake();
    BOOST_TEST(life.last_operation().tries == round);
  }
}

BOOST_AUTO_TEST_CASE(backoff_copes_with_a_range_of_nothing) {
  story life;
  life.answer(authorize(1), unknown());
  auto rules = life.rules();
  rules.retry_max = rules.retry_min;
  BOOST_TEST(pause_after(life.state(), 1, rules).count() == rules.retry_min.count());
}

BOOST_AUTO_TEST_CASE(the_same_seed_gives_the_same_decision) {
  story life;
  life.answer(authorize(1), unknown());
  BOOST_TEST(pause_after(life.state(), 5, life.rules()).count()
             == pause_after(life.state(), 5, life.rules()).count());
  BOOST_TEST(payments::entropy{1}.next() == payments::entropy{1}.next());
  BOOST_TEST(payments::entropy{1}.next() != payments::entropy{2}.next());
  BOOST_TEST(payments::entropy{1}.below(0) == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::tests
