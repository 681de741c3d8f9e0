// When a gateway's circuit breaker opens, probes and closes again.
#include "actors/gateway/breaker.hpp"

#include "messages/limits.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <random>
#include <vector>

namespace holdfast::gateways {

namespace {

using namespace std::chrono_literals;

const timestamp start{std::chrono::sys_days{std::chrono::November / 23 / 2026} + 12h};

constexpr milliseconds fast{10};
constexpr milliseconds slow{500};

breaker_rules rules() {
  breaker_rules some;
  some.window = 10s;
  some.min_calls = 10;
  some.error_rate = 0.5;
  some.slow_call = slow;
  some.slow_rate = 0.8;
  some.open_for = 2s;
  some.probes = 3;
  some.probe_successes = 3;
  return some;
}

/// Calls that go out and end at once.
void call(breaker& one, timestamp now, int count, call_result result,
          milliseconds took = fast) {
  for (int i = 0; i < count; ++i)
    if (const auto permit = one.permit(now, call_kind::charge))
      one.record(now, *permit, result, took);
}

void succeed(breaker& one, timestamp now, int count) {
  call(one, now, count, call_result::succeeded);
}

void fail(breaker& one, timestamp now, int count) {
  call(one, now, count, call_result::failed);
}

breaker opened(timestamp now = start, const breaker_rules& by = rules()) {
  breaker one{by};
  fail(one, now, 10);
  return one;
}

/// The permits that it gives, of many asked for.
std::vector<breaker::permit_number> permits(breaker& one, timestamp now,
                                            call_kind kind = call_kind::charge) {
  std::vector<breaker::permit_number> given;
  for (int i = 0; i < 100; ++i)
    if (const auto permit = one.permit(now, kind))
      given.push_back(*permit);
  return given;
}

std::string state_of(breaker& one, timestamp now = start) {
  return std::string{to_string(one.state(now))};
}

} // namespace

BOOST_AUTO_TEST_SUITE(gateway_breaker)

BOOST_AUTO_TEST_CASE(it_begins_closed) {
  breaker one{rules()};
  BOOST_TEST(state_of(one) == "closed");
  BOOST_TEST(permits(one, start).size() == 100U);
  BOOST_TEST(one.view(start).reason == "");
}

BOOST_AUTO_TEST_CASE(it_opens_at_the_error_rate_and_not_below) {
  struct row {
    int succeeded;
    int failed;
    const char* state;
    const char* reason;
  };
  for (const auto& [succeeded, failed, state, reason] :
       {row{0, 9, "closed", ""}, row{0, 10, "open", "error rate 100% of 10 calls"},
        row{5, 5, "open", "error rate 50% of 10 calls"}, row{6, 5, "closed", ""},
        row{6, 6, "open", "error rate 50% of 12 calls"}, row{50, 49, "closed", ""},
        row{50, 50, "open", "error rate 50% of 100 calls"}, row{100, 0, "closed", ""}}) {
    breaker one{rules()};
    succeed(one, start, succeeded);
    fail(one, start, failed);
    BOOST_TEST(state_of(one) == state, succeeded << " and " << failed);
    BOOST_TEST(one.view(start).reason == reason, succeeded << " and " << failed);
  }
}

BOOST_AUTO_TEST_CASE(it_opens_at_the_rate_of_slow_calls_and_not_below) {
  struct row {
    int quick;
    int late;
    milliseconds took;
    const char* state;
    const char* reason;
  };
  for (const auto& [quick, late, took, state, reason] :
       {row{0, 9, slow, "closed", ""},
        row{2, 8, slow, "open", "slow-call rate 80% of 10 calls"},
        row{3, 7, slow, "closed", ""}, row{2, 8, slow - 1ms, "closed", ""},
        row{0, 10, slow + 1s, "open", "slow-call rate 100% of 10 calls"}}) {
    breaker one{rules()};
    succeed(one, start, quick);
    call(one, start, late, call_result::succeeded, took);
    BOOST_TEST(state_of(one) == state, quick << " and " << late);
    BOOST_TEST(one.view(start).reason == reason, quick << " and " << late);
  }
}

BOOST_AUTO_TEST_CASE(a_quick_success_never_opens_it) {
  breaker one{rules()};
  fail(one, start, 9);
  succeed(one, start, 1);
  BOOST_TEST(state_of(one) == "closed");
}

BOOST_AUTO_TEST_CASE(open_it_lets_no_new_call_through_until_its_time_is_over) {
  auto one = opened();
  BOOST_TEST(permits(one, start).empty());
  BOOST_TEST(permits(one, start, call_kind::operation).empty());
  BOOST_TEST(permits(one, start + 1'999ms).empty());
  BOOST_TEST(state_of(one, start + 1'999ms) == "open");
  BOOST_TEST(one.view(start + 500ms).left->count() == 1'500);
  BOOST_TEST(state_of(one, start + 2s) == "half_open");
}

BOOST_AUTO_TEST_CASE(open_it_lets_what_is_owed_trickle) {
  auto one = opened();
  const auto first = permits(one, start, call_kind::owed);
  BOOST_TEST(first.size() == limits::gateway_open_in_flight_max);
  one.record(start + 1s, first.front(), call_result::succeeded, fast);
  BOOST_TEST(permits(one, start + 1s, call_kind::owed).size()
             == limits::gateway_open_in_flight_max);
  BOOST_TEST(state_of(one, start + 1s) == "open");
}

BOOST_AUTO_TEST_CASE(an_owed_call_under_way_when_it_turns_half_open_is_a_probe) {
  auto one = opened();
  const auto owed = permits(one, start, call_kind::owed);
  const auto probes = permits(one, start + 2s);
  BOOST_TEST(owed.size() + probes.size() == 3U);
  one.record(start + 3s, owed.front(), call_result::succeeded, fast);
  for (const auto probe : probes)
    one.record(start + 3s, probe, call_result::succeeded, fast);
  BOOST_TEST(state_of(one, start + 3s) == "closed");
}

BOOST_AUTO_TEST_CASE(late_answers_move_nothing) {
  breaker one{rules()};
  const auto before = permits(one, start);
  fail(one, start, 10);
  for (const auto late : before)
    one.record(start + 1s, late, call_result::failed, fast);
  BOOST_TEST(one.view(start + 1s).reason == "error rate 100% of 10 calls");
  const auto probes = permits(one, start + 2s);
  for (const auto late : before)
    one.record(start + 2s, late, call_result::failed, fast);
  BOOST_TEST(state_of(one, start + 2s) == "half_open");
  for (const auto probe : probes)
    one.record(start + 2s, probe, call_result::succeeded, fast);
  for (const auto late : before)
    one.record(start + 2s, late, call_result::failed, fast);
  BOOST_TEST(state_of(one, start + 2s) == "closed");
}

BOOST_AUTO_TEST_CASE(half_open_it_lets_its_probes_through_only) {
  auto one = opened();
  BOOST_TEST(permits(one, start + 2s).size() == 3U);
  BOOST_TEST(permits(one, start + 1h).empty());
  BOOST_TEST(permits(one, start + 1h, call_kind::owed).empty());
}

BOOST_AUTO_TEST_CASE(it_closes_and_opens_as_soon_as_the_probes_have_decided) {
  struct row {
    std::uint32_t needed;
    std::vector<bool> outcomes;
    const char* state;
    const char* reason;
  };
  for (const auto& [needed, outcomes, state, reason] :
       {row{3, {true, true}, "half_open", "error rate 100% of 10 calls"},
        row{3, {true, true, true}, "closed", "3 of 3 probes succeeded"},
        row{3, {false}, "open", "1 of 3 probes failed"},
        row{2, {false}, "half_open", "error rate 100% of 10 calls"},
        row{2, {false, true, true}, "closed", "2 of 3 probes succeeded"},
        row{2, {true, false, false}, "open", "2 of 3 probes failed"},
        row{2, {true, true}, "closed", "2 of 3 probes succeeded"},
        row{1, {false, false}, "half_open", "error rate 100% of 10 calls"},
        row{1, {false, false, false}, "open", "3 of 3 probes failed"}}) {
    auto some = rules();
    some.probe_successes = needed;
    auto one = opened(start, some);
    const auto probes = permits(one, start + 2s);
    for (std::size_t at = 0; at < outcomes.size(); ++at)
      one.record(start + 2s, probes[at],
                 outcomes[at] ? call_result::succeeded : call_result::failed, fast);
    BOOST_TEST(state_of(one, start + 2s) == state, needed << " needed: " << reason);
    BOOST_TEST(one.view(start + 2s).reason == reason);
  }
}

BOOST_AUTO_TEST_CASE(a_slow_probe_is_a_failed_one) {
  auto one = opened();
  one.record(start + 2s, permits(one, start + 2s).front(), call_result::succeeded, slow);
  BOOST_TEST(state_of(one, start + 2s) == "open");
}

BOOST_AUTO_TEST_CASE(opened_by_its_probes_it_waits_for_the_whole_time_again) {
  auto one = opened();
  one.record(start + 3s, permits(one, start + 2s).front(), call_result::failed, fast);
  BOOST_TEST(permits(one, start + 4'999ms).empty());
  BOOST_TEST(permits(one, start + 5s).size() == 3U);
}

BOOST_AUTO_TEST_CASE(closed_again_it_has_forgotten_what_opened_it) {
  auto one = opened();
  succeed(one, start + 2s, 3);
  fail(one, start + 2s, 9);
  BOOST_TEST(state_of(one, start + 2s) == "closed");
  fail(one, start + 2s, 1);
  BOOST_TEST(state_of(one, start + 2s) == "open");
}

BOOST_AUTO_TEST_CASE(an_actor_that_starts_anew_gets_fresh_probes) {
  auto one = opened();
  const auto lost = permits(one, start + 2s);
  one.forget_calls();
  const auto probes = permits(one, start + 3s);
  BOOST_TEST(probes.size() == 3U);
  one.record(start + 3s, lost.front(), call_result::failed, fast);
  BOOST_TEST(state_of(one, start + 3s) == "half_open");
}

BOOST_AUTO_TEST_CASE(tripped_by_hand_it_stays_open_until_it_is_reset) {
  breaker one{rules()};
  one.trip(start, std::nullopt, {"ada", "their maintenance"});
  BOOST_TEST(permits(one, start + 240h).empty());
  const auto shown = one.view(start + 1h);
  BOOST_TEST(shown.reason == "tripped by ada: their maintenance");
  BOOST_TEST(shown.by == "ada");
  BOOST_TEST(shown.age.count() == milliseconds{1h}.count());
  BOOST_TEST(!shown.left.has_value());
  one.reset(start + 240h, {"bob", ""});
  BOOST_TEST(permits(one, start + 240h).size() == 100U);
  BOOST_TEST(one.view(start + 240h).reason == "reset by bob");
}

BOOST_AUTO_TEST_CASE(tripped_by_hand_for_a_time_it_probes_after_it) {
  breaker one{rules()};
  one.trip(start, 10min, {"ada", ""});
  BOOST_TEST(permits(one, start + 10min - 1ms).empty());
  succeed(one, start + 10min, 3);
  BOOST_TEST(state_of(one, start + 10min) == "closed");
}

BOOST_AUTO_TEST_CASE(what_trickles_through_never_ends_a_trip_by_hand) {
  breaker one{rules()};
  one.trip(start, std::nullopt, {"ada", ""});
  for (int i = 0; i < 100; ++i) {
    const auto permit = one.permit(start + i * 1s, call_kind::owed);
    BOOST_REQUIRE(permit);
    one.record(start + i * 1s, *permit, call_result::succeeded, fast);
  }
  BOOST_TEST(state_of(one, start + 101s) == "open");
}

BOOST_AUTO_TEST_CASE(it_counts_what_opened_it) {
  auto one = opened();
  one.record(start + 2s, permits(one, start + 2s).front(), call_result::failed, fast);
  one.trip(start + 3s, std::nullopt, {"ada", ""});
  one.reset(start + 3s, {"ada", ""});
  call(one, start + 3s, 10, call_result::succeeded, slow);
  for (const auto count : one.view(start + 3s).trips)
    BOOST_TEST(count == 1U);
}

BOOST_AUTO_TEST_CASE(the_window_forgets_what_is_older) {
  breaker one{rules()};
  fail(one, start, 9);
  fail(one, start + 10s, 9);
  BOOST_TEST(state_of(one, start + 10s) == "closed");
  fail(one, start + 11s, 1);
  BOOST_TEST(state_of(one, start + 11s) == "open");
}

BOOST_AUTO_TEST_CASE(the_window_holds_what_is_younger) {
  breaker one{rules()};
  for (int second = 0; second < 9; ++second)
    fail(one, start + second * 1s, 1);
  BOOST_TEST(state_of(one, start + 9s) == "closed");
  fail(one, start + 9s, 1);
  BOOST_TEST(state_of(one, start + 9s) == "open");
}

BOOST_AUTO_TEST_CASE(old_successes_do_not_hide_new_failures) {
  breaker one{rules()};
  succeed(one, start, 1'000);
  fail(one, start + 11s, 10);
  BOOST_TEST(state_of(one, start + 11s) == "open");
}

BOOST_AUTO_TEST_CASE(a_clock_set_back_does_not_keep_it_open) {
  auto one = opened();
  BOOST_TEST(permits(one, start - 1h).empty());
  BOOST_TEST(permits(one, start - 1h + 2s).size() == 3U);
}

BOOST_AUTO_TEST_CASE(a_clock_set_forward_does_not_shut_it) {
  breaker one{rules()};
  fail(one, start, 9);
  fail(one, start + 1h, 1);
  BOOST_TEST(state_of(one, start + 1h) == "closed");
  auto open = opened();
  BOOST_TEST(permits(open, start + 1h).size() == 3U);
}

/// Any gateway, any traffic: half-open there are never more calls than probes; open, never more
/// than the trickle; and once everything succeeds it closes again.
BOOST_AUTO_TEST_CASE(whatever_happens_it_never_lets_more_through_than_its_state_allows) {
  for (std::uint32_t seed = 1; seed <= 200; ++seed) {
    std::mt19937 random{seed};
    auto some = rules();
    some.probes = static_cast<std::uint32_t>(1 + random() % 5);
    some.probe_successes = static_cast<std::uint32_t>(1 + random() % some.probes);
    breaker one{some};
    std::vector<breaker::permit_number> out;
    auto now = start;
    const auto end_one = [&](call_result result) {
      const auto at = random() % out.size();
      one.record(now, out[at], result, fast);
      out.erase(out.begin() + static_cast<std::ptrdiff_t>(at));
    };
    for (int step = 0; step < 2'000; ++step) {
      now += milliseconds{random() % 200};
      if (random() % 3 == 0) {
        if (!out.empty())
          end_one(random() % 3 == 0 ? call_result::succeeded : call_result::failed);
        continue;
      }
      const auto kind = random() % 2 == 0 ? call_kind::owed : call_kind::charge;
      const auto permit = one.permit(now, kind);
      if (!permit)
        continue;
      out.push_back(*permit);
      const auto of_this_round = std::ranges::count(out, *permit);
      if (one.state(now) == breaker_state::half_open)
        BOOST_REQUIRE_LE(of_this_round, some.probes);
      if (one.state(now) == breaker_state::open)
        BOOST_REQUIRE_LE(of_this_round, limits::gateway_open_in_flight_max);
    }
    while (!out.empty())
      end_one(call_result::succeeded);
    one.forget_calls();
    now += 1h;
    succeed(one, now, 10);
    BOOST_TEST(state_of(one, now) == "closed", "seed " << seed);
  }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::gateways
