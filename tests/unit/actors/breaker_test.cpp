// When a gateway's circuit breaker opens, probes and closes again.
#include "actors/gateway/breaker.hpp"

#include <boost/test/unit_test.hpp>

namespace holdfast::gateways {

namespace {

using namespace std::chrono_literals;

const timestamp start{std::chrono::sys_days{std::chrono::November / 23 / 2026} + 12h};

constexpr breaker_rules rules{0.5, 10, 10s, 2s, 3};

void record(breaker& one, timestamp now, int succeeded, int failed) {
  for (int i = 0; i < succeeded; ++i)
    one.record(now, false);
  for (int i = 0; i < failed; ++i)
    one.record(now, true);
}

breaker opened(timestamp now = start) {
  breaker one{rules};
  record(one, now, 0, 10);
  return one;
}

/// The calls that it lets through, of many.
int permits(breaker& one, timestamp now) {
  int count = 0;
  for (int i = 0; i < 100; ++i)
    count += one.permit(now) ? 1 : 0;
  return count;
}

} // namespace

BOOST_AUTO_TEST_SUITE(gateway_breaker)

BOOST_AUTO_TEST_CASE(it_begins_closed) {
  breaker one{rules};
  BOOST_TEST(to_string(one.state()) == "closed");
  BOOST_TEST(permits(one, start) == 100);
}

BOOST_AUTO_TEST_CASE(it_opens_at_the_rate_and_not_below) {
  struct row {
    int succeeded;
    int failed;
    const char* state;
  };
  for (const auto& [succeeded, failed, state] :
       {row{0, 9, "closed"}, row{0, 10, "open"}, row{5, 5, "open"}, row{6, 5, "closed"},
        row{6, 6, "open"}, row{50, 49, "closed"}, row{50, 50, "open"}, row{100, 0, "closed"}}) {
    breaker one{rules};
    record(one, start, succeeded, failed);
    BOOST_TEST(to_string(one.state()) == state, succeeded << " and " << failed);
  }
}

BOOST_AUTO_TEST_CASE(a_success_never_opens_it) {
  breaker one{rules};
  record(one, start, 0, 9);
  record(one, start, 1, 0);
  BOOST_TEST(to_string(one.state()) == "closed");
}

BOOST_AUTO_TEST_CASE(open_it_lets_nothing_through_until_its_time_is_over) {
  auto one = opened();
  BOOST_TEST(permits(one, start) == 0);
  BOOST_TEST(permits(one, start + 1'999ms) == 0);
  BOOST_TEST(to_string(one.state()) == "open");
  BOOST_TEST(one.permit(start + 2s));
  BOOST_TEST(to_string(one.state()) == "half_open");
}

BOOST_AUTO_TEST_CASE(late_answers_do_not_move_an_open_one) {
  auto one = opened();
  record(one, start + 1s, 50, 50);
  BOOST_TEST(to_string(one.state()) == "open");
  BOOST_TEST(one.permit(start + 2s));
}

BOOST_AUTO_TEST_CASE(half_open_it_lets_its_probes_through_only) {
  auto one = opened();
  BOOST_TEST(permits(one, start + 2s) == 3);
  BOOST_TEST(permits(one, start + 3s) == 0);
}

BOOST_AUTO_TEST_CASE(it_closes_when_every_probe_has_passed) {
  auto one = opened();
  BOOST_TEST(permits(one, start + 2s) == 3);
  record(one, start + 2s, 2, 0);
  BOOST_TEST(to_string(one.state()) == "half_open");
  record(one, start + 2s, 1, 0);
  BOOST_TEST(to_string(one.state()) == "closed");
  BOOST_TEST(permits(one, start + 2s) == 100);
}

BOOST_AUTO_TEST_CASE(closed_again_it_has_forgotten_what_opened_it) {
  auto one = opened();
  BOOST_TEST(permits(one, start + 2s) == 3);
  record(one, start + 2s, 3, 0);
  record(one, start + 2s, 0, 9);
  BOOST_TEST(to_string(one.state()) == "closed");
  record(one, start + 2s, 0, 1);
  BOOST_TEST(to_string(one.state()) == "open");
}

BOOST_AUTO_TEST_CASE(one_failed_probe_opens_it_for_the_whole_time_again) {
  auto one = opened();
  BOOST_TEST(permits(one, start + 2s) == 3);
  record(one, start + 3s, 2, 1);
  BOOST_TEST(to_string(one.state()) == "open");
  BOOST_TEST(permits(one, start + 4'999ms) == 0);
  BOOST_TEST(permits(one, start + 5s) == 3);
}

BOOST_AUTO_TEST_CASE(probes_that_are_lost_are_replaced) {
  auto one = opened();
  BOOST_TEST(permits(one, start + 2s) == 3);
  BOOST_TEST(permits(one, start + 2s + rules.window - 1ms) == 0);
  BOOST_TEST(permits(one, start + 2s + rules.window) == 3);
  record(one, start + 15s, 3, 0);
  BOOST_TEST(to_string(one.state()) == "closed");
}

BOOST_AUTO_TEST_CASE(the_window_forgets_what_is_older) {
  breaker one{rules};
  record(one, start, 0, 9);
  record(one, start + 10s, 0, 9);
  BOOST_TEST(to_string(one.state()) == "closed");
  record(one, start + 11s, 0, 1);
  BOOST_TEST(to_string(one.state()) == "open");
}

BOOST_AUTO_TEST_CASE(the_window_holds_what_is_younger) {
  breaker one{rules};
  for (int second = 0; second < 9; ++second)
    record(one, start + second * 1s, 0, 1);
  BOOST_TEST(to_string(one.state()) == "closed");
  record(one, start + 9s, 0, 1);
  BOOST_TEST(to_string(one.state()) == "open");
}

BOOST_AUTO_TEST_CASE(old_successes_do_not_hide_new_failures) {
  breaker one{rules};
  record(one, start, 1'000, 0);
  record(one, start + 11s, 0, 10);
  BOOST_TEST(to_string(one.state()) == "open");
}

BOOST_AUTO_TEST_CASE(a_clock_set_back_does_not_keep_it_open) {
  auto one = opened();
  BOOST_TEST(permits(one, start - 1h) == 0);
  BOOST_TEST(permits(one, start - 1h + 2s) == 3);
}

BOOST_AUTO_TEST_CASE(a_clock_set_forward_does_not_shut_it) {
  breaker one{rules};
  record(one, start, 0, 9);
  record(one, start + 1h, 0, 1);
  BOOST_TEST(to_string(one.state()) == "closed");
  auto open = opened();
  BOOST_TEST(permits(open, start + 1h) == 3);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::gateways
