#include "runtime/bench/launcher.hpp"

#include <boost/test/unit_test.hpp>

#include <vector>

namespace holdfast::bench {

namespace {

using namespace std::chrono_literals;

launch_plan open_loop(double rate, nanoseconds length, std::size_t connections = 1'000) {
  return {connections, rate, length, 1s, 0s};
}

/// All that may begin at that moment.
std::vector<launch> take_all(launcher& from, nanoseconds now) {
  std::vector<launch> taken;
  while (const auto next = from.take(now))
    taken.push_back(*next);
  return taken;
}

} // namespace

BOOST_AUTO_TEST_SUITE(bench_launcher)

BOOST_AUTO_TEST_CASE(an_open_loop_goes_by_the_clock_whatever_comes_back) {
  launcher load{open_loop(1'000, 100ms)};
  std::uint64_t begun = 0;
  for (auto now = 0ns; now < 100ms; now = *load.wake_at()) {
    const auto next = load.take(now);
    BOOST_REQUIRE(next.has_value());
    BOOST_TEST(next->index == begun++);
    BOOST_TEST((next->due == now));
    if (!load.wake_at())
      break;
  }
  BOOST_TEST(begun == 100U);
  BOOST_TEST(load.is_over(99ms));
  BOOST_TEST(load.late(1h) == 0U);
}

BOOST_AUTO_TEST_CASE(a_late_journey_counts_from_when_it_was_due) {
  launcher load{open_loop(1'000, 1s)};
  const auto taken = take_all(load, 10ms);
  BOOST_REQUIRE_EQUAL(taken.size(), 11U);
  BOOST_TEST((taken.front().due == 0ms));
  BOOST_TEST((taken.back().due == 10ms));
}

BOOST_AUTO_TEST_CASE(what_becomes_due_between_two_steps_begins_together) {
  launcher load{{1'000, 4'000.0, 1s, 1s, 1ms}};
  BOOST_TEST(take_all(load, 0s).size() == 1U);
  BOOST_TEST((*load.wake_at() == 1ms));
  const auto taken = take_all(load, 1ms);
  BOOST_REQUIRE_EQUAL(taken.size(), 4U);
  BOOST_TEST((taken.front().due == 250us));
  BOOST_TEST((taken.back().due == 1ms));
  BOOST_TEST((*load.wake_at() == 2ms));
}

BOOST_AUTO_TEST_CASE(without_a_free_connection_nothing_begins_and_the_queue_shows) {
  launcher load{open_loop(1'000, 1s, 2)};
  BOOST_TEST(take_all(load, 9ms).size() == 2U);
  BOOST_TEST(load.late(9ms) == 8U);
  BOOST_TEST(!load.wake_at().has_value());
  load.give_back();
  const auto next = take_all(load, 9ms);
  BOOST_REQUIRE_EQUAL(next.size(), 1U);
  BOOST_TEST((next.front().due == 2ms));
}

BOOST_AUTO_TEST_CASE(what_was_due_in_time_may_begin_until_the_grace_ends_and_is_dropped_then) {
  launcher load{open_loop(10, 1s, 1)};
  BOOST_TEST(load.take(0s).has_value());
  load.give_back();
  BOOST_TEST(load.take(1'500ms).has_value());
  BOOST_TEST(!load.is_over(1'999ms));
  load.give_back();
  BOOST_TEST(load.is_over(2s));
  BOOST_TEST(!load.take(2s).has_value());
  BOOST_TEST(load.late(2s) == 8U);
}

BOOST_AUTO_TEST_CASE(a_rate_that_does_not_divide_a_second_neither_gains_nor_loses) {
  launcher load{open_loop(3'333.3, 10s, 100'000)};
  BOOST_TEST(take_all(load, 10s).size() == 33'333U);
}

BOOST_AUTO_TEST_CASE(a_closed_loop_fills_its_connections_and_goes_on_as_they_come_free) {
  launcher load{{3, std::nullopt, 1s, 1s, 0s}};
  BOOST_TEST(take_all(load, 0s).size() == 3U);
  BOOST_TEST(load.in_flight() == 3U);
  BOOST_TEST(!load.wake_at().has_value());
  load.give_back();
  const auto next = load.take(700ms);
  BOOST_REQUIRE(next.has_value());
  BOOST_TEST(next->index == 3U);
  BOOST_TEST((next->due == 700ms));
  load.give_back();
  BOOST_TEST(!load.take(1s).has_value());
  BOOST_TEST(load.is_over(1s));
  BOOST_TEST(load.late(1s) == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::bench
