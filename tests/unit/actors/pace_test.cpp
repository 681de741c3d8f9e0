// How many retries a gateway gets, and how slowly a gateway that has come back is asked.
#include "actors/gateway/pace.hpp"

#include "messages/limits.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

namespace holdfast::gateways {

namespace {

using namespace std::chrono_literals;

const timestamp start{std::chrono::sys_days{std::chrono::November / 23 / 2026} + 12h};
constexpr milliseconds saving{limits::retry_budget_saving_ms};

int spent(retry_budget& budget, timestamp now) {
  int count = 0;
  while (budget.spend(now))
    ++count;
  return count;
}

/// The calls of one second, asked for as often as can be.
int calls_in_a_second(recovery_pace& pace, timestamp from) {
  int count = 0;
  for (auto now = from; now < from + 1s;) {
    const auto wait_until = pace.take(now);
    count += wait_until ? 0 : 1;
    now = wait_until.value_or(now);
  }
  return count;
}

} // namespace

BOOST_AUTO_TEST_SUITE(gateway_pace)

BOOST_AUTO_TEST_CASE(a_budget_begins_with_what_it_may_save_up) {
  retry_budget budget{{0.2, 5}};
  BOOST_TEST(budget.left(start) == 5U * saving.count() / 1'000U);
  BOOST_TEST(spent(budget, start) == 5 * saving.count() / 1'000);
  BOOST_TEST(budget.left(start) == 0U);
}

BOOST_AUTO_TEST_CASE(first_tries_earn_their_share_of_retries) {
  retry_budget budget{{0.2, 10}};
  static_cast<void>(spent(budget, start));
  for (int call = 0; call < 100; ++call)
    budget.earn(start);
  BOOST_TEST(spent(budget, start) == 20);
}

BOOST_AUTO_TEST_CASE(time_earns_the_least_rate) {
  retry_budget budget{{0.0, 5}};
  static_cast<void>(spent(budget, start));
  BOOST_TEST(spent(budget, start + 199ms) == 0);
  BOOST_TEST(spent(budget, start + 200ms) == 1);
  BOOST_TEST(spent(budget, start + 1'200ms) == 5);
  BOOST_TEST(spent(budget, start + 24h) == 5 * saving.count() / 1'000);
}

BOOST_AUTO_TEST_CASE(retries_are_never_more_than_the_share_and_the_rate) {
  retry_budget budget{{0.2, 5}};
  const auto saved = spent(budget, start);
  int calls = 0;
  int retries = 0;
  auto now = start;
  for (int step = 0; step < 10'000; ++step) {
    now += 1ms;
    if (step % 3 == 0) {
      budget.earn(now);
      ++calls;
    }
    retries += spent(budget, now);
    BOOST_REQUIRE_LE(retries, calls * 0.2 + 5 * step / 1'000.0 + 1);
  }
  BOOST_TEST(retries >= calls * 0.2 + 45);
  BOOST_TEST(saved == 50);
}

BOOST_AUTO_TEST_CASE(a_clock_set_back_earns_nothing_and_takes_nothing) {
  retry_budget budget{{0.0, 5}};
  static_cast<void>(spent(budget, start));
  BOOST_TEST(spent(budget, start - 1h) == 0);
  BOOST_TEST(spent(budget, start - 1h + 1s) == 5);
}

BOOST_AUTO_TEST_CASE(recovery_rises_from_a_tenth_to_the_whole) {
  const milliseconds ramp{limits::gateway_recovery_ramp_ms};
  recovery_pace pace{100};
  pace.begin(start);
  const auto first = calls_in_a_second(pace, start);
  const auto middle = calls_in_a_second(pace, start + ramp / 2);
  const auto last = calls_in_a_second(pace, start + ramp);
  BOOST_TEST((first >= 10 && first <= 20), first);
  BOOST_TEST((middle >= 50 && middle <= 65), middle);
  BOOST_TEST((last >= 99 && last <= 103), last);
}

BOOST_AUTO_TEST_CASE(it_never_lets_a_burst_through) {
  recovery_pace pace{100};
  pace.begin(start);
  int at_once = 0;
  while (!pace.take(start + 1h))
    ++at_once;
  BOOST_TEST(at_once <= 4);
}

BOOST_AUTO_TEST_CASE(while_the_gateway_is_away_the_lowest_rate_holds) {
  recovery_pace pace{100};
  pace.begin(start);
  pace.end();
  BOOST_TEST(!pace.rising(start));
  const auto calls = calls_in_a_second(pace, start + 1h);
  BOOST_TEST((calls >= 10 && calls <= 12), calls);
}

BOOST_AUTO_TEST_CASE(recovery_is_over_when_nothing_has_had_to_wait_for_a_while) {
  const milliseconds ramp{limits::gateway_recovery_ramp_ms};
  const milliseconds quiet{limits::gateway_recovery_quiet_ms};
  recovery_pace pace{100};
  BOOST_TEST(!pace.rising(start));
  pace.begin(start);
  BOOST_TEST(pace.rising(start + ramp - 1ms));
  BOOST_TEST(!pace.rising(start + ramp));
  static_cast<void>(calls_in_a_second(pace, start + ramp - 1s));
  BOOST_TEST(pace.rising(start + ramp + quiet - 1s));
  BOOST_TEST(!pace.rising(start + ramp + quiet));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::gateways
