// Replaying stored history: what decide wrote folds to what apply made of it, and what can't
// have been written is refused as corrupt. Rows are never asserted, whatever was done to them.
#include "tests/unit/actors/fixtures.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <limits>

namespace holdfast::tests {

namespace {

using enum operation_kind;
using namespace std::chrono_literals;
using history = std::vector<payments::recorded_event>;

/// Failed over, found out late, captured in parts beside a refusal, refunded twice.
story long_life() {
  story life;
  life.answer(authorize(1), not_sent());
  life.wake();
  life.answer(authorize(2), unknown());
  life.answer(inquire(2), not_found());
  life.answer(inquire(2), approved());
  life.capture(300);
  life.capture(200);
  life.answer(operate(capture, 2, 2), unknown());
  life.answer(operate(capture, 1, 2), approved());
  life.answer(operate(capture, 2, 2), declined());
  life.refund(100);
  life.capture(400, true);
  life.answer(operate(capture, 3, 2), approved());
  life.refund(50);
  life.answer(operate(refund, 2, 2), approved());
  life.answer(operate(refund, 1, 2), approved());
  return life;
}

story reversed_life() {
  story life;
  life.answer(authorize(1), unknown());
  life.answer(inquire(1), unknown());
  life.pass(life.rules().settle_time);
  life.answer(inquire(1), not_found());
  life.answer(reverse(1), unknown());
  life.answer(reverse(1), approved());
  return life;
}

story voided_life() {
  story life;
  life.answer(authorize(1), approved());
  life.void_hold();
  life.answer(operate(void_hold, 1), declined());
  life.capture(100);
  life.answer(operate(capture, 1), declined());
  life.void_hold();
  life.answer(operate(void_hold, 2), approved());
  return life;
}

story lapsed_life() {
  story life{{1'000, capture_mode::automatic, {"alpha"}}};
  life.answer(authorize(1), approved());
  life.answer(operate(capture, 1), declined());
  life.capture(100);
  life.answer(operate(capture, 2), approved());
  life.pass_to_next_action();
  life.wake();
  return life;
}

story declined_life() {
  story life;
  life.answer(authorize(1), declined());
  return life;
}

story failed_life() {
  story life;
  life.answer(authorize(1), not_sent());
  life.answer(authorize(2), not_sent());
  return life;
}

const std::vector<history>& lives() {
  static const std::vector<history> all{
    long_life().history(),   reversed_life().history(), voided_life().history(),
    lapsed_life().history(), declined_life().history(), failed_life().history(),
  };
  return all;
}

/// Either refused as corrupt, or a payment that the core can go on with: nothing in it asserts,
/// and the money is right.
void check_refused_or_sound(const history& events) {
  const auto folded = payments::fold(events);
  if (!folded) {
    BOOST_CHECK(folded.error().code == errc::corrupt);
    return;
  }
  BOOST_TEST(folded->captured.value() <= folded->amount.value());
  BOOST_TEST(folded->refunded.value() <= folded->captured.value());
  BOOST_TEST(std::ranges::count(folded->attempts, attempt_status::approved, &attempt::status)
             <= 1);
  for (const auto& command :
       {payments::command{payments::recovered{}}, payments::command{payments::woken{}}}) {
    const auto decision = payments::decide(
      *folded, command, {noon() + milliseconds{30 * 24h}, payments::entropy{1}, {}});
    for (const auto& target : decision.calls)
      static_cast<void>(payments::make_request(*folded, target, {}));
  }
  payment state;
  std::vector<posting> postings;
  for (const auto& [when, event] : events) {
    for (auto& entry : payments::postings_of(state, event))
      postings.push_back(std::move(entry));
    payments::apply(state, event, when);
  }
  BOOST_TEST(std::ranges::all_of(postings, is_balanced));
  if (payments::is_terminal(state.status))
    BOOST_TEST(sum_of(postings, account_kind::hold) == 0);
}

void shuffle(history& events, payments::entropy& random) {
  for (auto left = events.size(); left > 1; --left)
    std::swap(events[left - 1], events[random.below(left)]);
}

/// Events that may stand twice in a row.
bool is_repeatable(const payment_event& event) {
  return std::holds_alternative<inquiry_scheduled>(event)
         || std::holds_alternative<reversal_scheduled>(event)
         || std::holds_alternative<operation_rescheduled>(event);
}

} // namespace

BOOST_AUTO_TEST_SUITE(payment_fold)

BOOST_AUTO_TEST_CASE(folding_gives_the_state_again) {
  for (const auto& life : {long_life(), reversed_life(), voided_life(), lapsed_life(),
                           declined_life(), failed_life()}) {
    const auto folded = payments::fold(life.history());
    BOOST_REQUIRE(folded);
    BOOST_TEST(difference(*folded, life.state()) == "");
    BOOST_TEST(payments::is_terminal(folded->status));
  }
}

BOOST_AUTO_TEST_CASE(an_empty_history_is_corrupt) {
  BOOST_CHECK(payments::fold({}).error().code == errc::corrupt);
}

BOOST_AUTO_TEST_CASE(every_beginning_of_a_history_is_one) {
  for (const auto& events : lives())
    for (std::size_t length = 1; length <= events.size(); ++length) {
      const history beginning(events.begin(), events.begin() + static_cast<long>(length));
      BOOST_TEST(payments::fold(beginning).has_value());
      check_refused_or_sound(beginning);
    }
}

BOOST_AUTO_TEST_CASE(a_history_without_its_beginning_is_corrupt) {
  for (const auto& events : lives())
    for (std::size_t lost = 1; lost <= events.size(); ++lost)
      BOOST_TEST(!payments::fold({events.begin() + static_cast<long>(lost), events.end()}));
}

BOOST_AUTO_TEST_CASE(an_event_that_stands_twice_is_corrupt) {
  for (const auto& events : lives())
    for (std::size_t i = 0; i < events.size(); ++i) {
      auto doubled = events;
      doubled.insert(doubled.begin() + static_cast<long>(i), events[i]);
      BOOST_TEST(payments::fold(doubled).has_value() == is_repeatable(events[i].event),
                 to_string(type_of(events[i].event)));
    }
}

BOOST_AUTO_TEST_CASE(a_history_with_a_hole_is_refused_or_sound) {
  for (const auto& events : lives())
    for (std::size_t i = 0; i < events.size(); ++i) {
      auto holed = events;
      holed.erase(holed.begin() + static_cast<long>(i));
      check_refused_or_sound(holed);
    }
}

BOOST_AUTO_TEST_CASE(histories_in_any_order_are_refused_or_sound) {
  payments::entropy random{1};
  for (int round = 0; round < 5'000; ++round) {
    auto events = lives()[random.below(lives().size())];
    shuffle(events, random);
    check_refused_or_sound(events);
  }
}

BOOST_AUTO_TEST_CASE(histories_with_two_events_swapped_are_refused_or_sound) {
  for (const auto& events : lives())
    for (std::size_t i = 0; i < events.size(); ++i)
      for (std::size_t j = i + 1; j < events.size(); ++j) {
        auto swapped = events;
        std::swap(swapped[i], swapped[j]);
        check_refused_or_sound(swapped);
      }
}

BOOST_AUTO_TEST_CASE(histories_with_events_of_other_payments_are_refused_or_sound) {
  payments::entropy random{2};
  for (int round = 0; round < 20'000; ++round) {
    auto events = lives()[random.below(lives().size())];
    const auto& others = lives()[random.below(lives().size())];
    for (auto count = 1 + random.below(3); count > 0; --count)
      events.insert(events.begin() + 1 + static_cast<long>(random.below(events.size())),
                    others[random.below(others.size())]);
    check_refused_or_sound(events);
  }
}

BOOST_AUTO_TEST_CASE(what_follows_an_end_is_corrupt) {
  const auto ends = {reversed_life(), voided_life(), declined_life(), failed_life()};
  for (const auto& life : ends) {
    for (const auto& others : lives())
      for (const auto& event : others) {
        auto longer = life.history();
        longer.push_back(event);
        BOOST_TEST(!payments::fold(longer), to_string(type_of(event.event)));
      }
  }
}

BOOST_AUTO_TEST_CASE(an_operation_without_a_hold_is_corrupt) {
  story life;
  auto events = life.history();
  for (const auto kind : {capture, refund, void_hold}) {
    operation_requested asked;
    asked.kind = kind;
    asked.ordinal = 1;
    asked.amount = minor_units{1};
    auto longer = events;
    longer.push_back({noon(), asked});
    BOOST_TEST(!payments::fold(longer), to_string(kind));
  }
}

BOOST_AUTO_TEST_CASE(an_expiry_under_an_open_capture_or_void_is_corrupt) {
  for (const auto kind : {capture, void_hold}) {
    story life;
    life.answer(authorize(1), approved());
    life.tell(request_of(kind, {}, false, 0));
    auto longer = life.history();
    longer.push_back({life.now(), authorization_expired{}});
    BOOST_TEST(!payments::fold(longer), to_string(kind));
  }
}

BOOST_AUTO_TEST_CASE(amounts_beyond_what_is_left_are_corrupt) {
  story life;
  life.answer(authorize(1), approved());
  life.capture(600);
  for (const std::int64_t amount :
       {std::numeric_limits<std::int64_t>::min(), std::int64_t{-1}, std::int64_t{0},
        std::int64_t{401}, std::numeric_limits<std::int64_t>::max()}) {
    auto longer = life.history();
    operation_requested asked;
    asked.ordinal = 2;
    asked.amount = minor_units{amount};
    longer.push_back({noon(), asked});
    BOOST_TEST(!payments::fold(longer), amount);
  }
}

BOOST_AUTO_TEST_CASE(a_second_attempt_beside_one_that_may_hold_is_corrupt) {
  for (const auto verdict : {gateway_verdict::approved, gateway_verdict::unknown}) {
    story life;
    life.answer(authorize(1), answer_of(verdict));
    auto events = life.history();
    events.push_back({noon(), attempt_started{2, "beta", noon(), {}}});
    BOOST_TEST(!payments::fold(events));
  }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::tests
