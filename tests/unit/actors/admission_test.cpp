// Which calls to a gateway go out, which wait and which are not sent: the bulkhead, its two
// lines and the gate behind them, on a virtual clock.
#include "actors/gateway/admission.hpp"

#include "messages/limits.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

namespace holdfast::gateways {

namespace {

using namespace std::chrono_literals;

const timestamp start{std::chrono::sys_days{std::chrono::November / 23 / 2026} + 12h};

gate_rules rules() {
  gate_rules some;
  some.breaker.min_calls = 10;
  some.breaker.open_for = 2s;
  some.retries = {0.2, 1};
  some.recovery_rate = 10;
  return some;
}

/// A gateway's gate and lines, with tickets in the order of their coming.
struct scene {
  gate through{rules()};
  admission lines{through, {4, 6s}}; // so they wait for three seconds
  timestamp now = start;
  admission::ticket last = 0;
  std::map<admission::ticket, breaker::permit_number> out;
  std::map<admission::ticket, refusal> refused;
  std::vector<admission::ticket> order; ///< in which calls were started

  bool offer(call_kind kind) { return lines.enqueue(now, ++last, kind); }
  void offer(call_kind kind, int count) {
    for (int i = 0; i < count; ++i)
      BOOST_REQUIRE(offer(kind));
    step();
  }
  void step() {
    const auto next = lines.advance(now);
    for (const auto& one : next.start) {
      BOOST_REQUIRE(out.emplace(one.call, one.permit).second);
      BOOST_REQUIRE(one.time_left >= 3s);
      BOOST_REQUIRE(one.time_left <= 6s);
      order.push_back(one.call);
    }
    for (const auto& one : next.refuse)
      BOOST_REQUIRE(refused.emplace(one.call, one.why).second);
    BOOST_REQUIRE_LE(lines.in_flight(), 4U);
    BOOST_REQUIRE_EQUAL(lines.in_flight(), out.size());
  }
  void end(admission::ticket call, call_result result) {
    lines.ended();
    through.record(now, out.at(call), result, 1ms);
    out.erase(call);
    step();
  }
  void end_all(call_result result) {
    while (!out.empty())
      end(out.begin()->first, result);
  }
  void advance(milliseconds by) {
    now += by;
    step();
  }
  void open_the_breaker() {
    for (int i = 0; i < 10; ++i) {
      offer(call_kind::charge, 1);
      end_all(call_result::failed);
    }
    BOOST_REQUIRE(through.state(now) == breaker_state::open);
    order.clear();
    refused.clear();
  }
  [[nodiscard]] std::size_t refusals_of(refusal why) const {
    return static_cast<std::size_t>(
      std::ranges::count_if(refused, [why](const auto& one) { return one.second == why; }));
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(gateway_admission, scene)

BOOST_AUTO_TEST_CASE(calls_above_the_concurrency_wait_for_their_turn) {
  offer(call_kind::charge, 6);
  BOOST_TEST(out.size() == 4U);
  BOOST_TEST(lines.waiting() == 2U);
  end(2, call_result::succeeded);
  BOOST_TEST(out.contains(5));
  end_all(call_result::succeeded);
  BOOST_TEST((order == std::vector<admission::ticket>{1, 2, 3, 4, 5, 6}));
  BOOST_TEST(!lines.look_at().has_value());
}

BOOST_AUTO_TEST_CASE(a_call_that_can_not_start_in_time_is_not_sent) {
  offer(call_kind::charge, 5);
  BOOST_TEST((lines.look_at() == start + 3s));
  advance(3s - 1ms);
  BOOST_TEST(refused.empty());
  advance(1ms);
  BOOST_TEST(refusals_of(refusal::queue_timeout) == 1U);
}

BOOST_AUTO_TEST_CASE(a_line_has_an_end) {
  offer(call_kind::charge, 4);
  for (std::size_t i = 0; i < limits::gateway_waiting_max; ++i)
    BOOST_REQUIRE(offer(call_kind::charge));
  BOOST_TEST(!offer(call_kind::operation));
  BOOST_TEST(offer(call_kind::owed));
}

BOOST_AUTO_TEST_CASE(what_is_owed_goes_first) {
  offer(call_kind::charge, 4);
  BOOST_REQUIRE(offer(call_kind::charge));
  BOOST_REQUIRE(offer(call_kind::owed));
  end(1, call_result::succeeded);
  BOOST_TEST(order.back() == 6U);
}

BOOST_AUTO_TEST_CASE(a_storm_of_retries_gets_the_budget_and_not_more) {
  int started = 0;
  for (int i = 0; i < 1'000; ++i) {
    offer(call_kind::owed, 1);
    started += static_cast<int>(out.size());
    end_all(call_result::succeeded);
  }
  BOOST_TEST(started == 10); // saved up
  BOOST_TEST(refusals_of(refusal::retry_budget) == 990U);
  for (int i = 0; i < 100; ++i) {
    offer(call_kind::charge, 1);
    end_all(call_result::succeeded);
  }
  order.clear();
  for (int i = 0; i < 100; ++i) {
    offer(call_kind::owed, 1);
    end_all(call_result::succeeded);
  }
  BOOST_TEST(order.size() == 10U); // a fifth of a hundred, but no more than can be saved up
}

BOOST_AUTO_TEST_CASE(an_open_breaker_refuses_new_calls_at_once_also_those_that_wait) {
  offer(call_kind::charge, 6);
  through.trip(now, std::nullopt, {"ada", ""});
  step();
  BOOST_TEST(refusals_of(refusal::breaker_open) == 2U);
  offer(call_kind::operation, 1);
  BOOST_TEST(refusals_of(refusal::breaker_open) == 3U);
  BOOST_TEST(!lines.look_at().has_value());
}

BOOST_AUTO_TEST_CASE(open_it_lets_what_is_owed_trickle_so_that_it_never_starves) {
  through.trip(now, std::nullopt, {"ada", ""});
  std::size_t sent = 0;
  for (int tenth = 0; tenth < 600; ++tenth) {
    offer(call_kind::owed, 1);
    BOOST_REQUIRE_LE(out.size(), limits::gateway_open_in_flight_max);
    sent += out.size();
    end_all(call_result::succeeded);
    advance(100ms);
    sent += out.size();
    end_all(call_result::succeeded);
  }
  BOOST_TEST((sent >= 55 && sent <= 65), sent); // a tenth of ten a second, for a minute
}

BOOST_AUTO_TEST_CASE(what_waited_too_long_for_an_open_breaker_is_told_so) {
  through.trip(now, std::nullopt, {"ada", ""});
  offer(call_kind::owed, 3);
  advance(3s);
  BOOST_TEST(refusals_of(refusal::breaker_open) + out.size() == 3U);
  BOOST_TEST(refusals_of(refusal::breaker_open) >= 1U);
}

BOOST_AUTO_TEST_CASE(the_probes_are_what_is_owed_as_long_as_there_is_any) {
  open_the_breaker();
  offer(call_kind::owed, 5);
  now += 2s;
  BOOST_REQUIRE(offer(call_kind::charge));
  step();
  BOOST_TEST(out.size() == 3U);
  BOOST_TEST(!out.contains(last));
  BOOST_TEST((refused.at(last) == refusal::breaker_open));
}

BOOST_AUTO_TEST_CASE(with_nothing_owed_new_charges_probe) {
  open_the_breaker();
  advance(2s);
  offer(call_kind::charge, 5);
  BOOST_TEST(out.size() == 3U);
  BOOST_TEST(refusals_of(refusal::breaker_open) == 2U);
  end_all(call_result::succeeded);
  BOOST_TEST((through.state(now) == breaker_state::closed));
}

BOOST_AUTO_TEST_CASE(half_open_no_new_call_waits_for_a_place) {
  offer(call_kind::charge, 4);
  through.trip(now, 1s, {"ada", ""});
  advance(1s);
  BOOST_REQUIRE((through.state(now) == breaker_state::half_open));
  offer(call_kind::charge, 1);
  BOOST_TEST((refused.at(last) == refusal::breaker_open));
}

BOOST_AUTO_TEST_CASE(a_gateway_that_comes_back_is_not_overrun_by_what_is_owed) {
  open_the_breaker();
  advance(2s);
  offer(call_kind::charge, 3);
  end_all(call_result::succeeded);
  order.clear();
  std::vector<std::size_t> by_second;
  for (int second = 0; second < 20; ++second) {
    const auto before = order.size();
    for (int tick = 0; tick < 100; ++tick) {
      BOOST_REQUIRE(offer(call_kind::owed));
      advance(10ms);
      end_all(call_result::succeeded);
    }
    by_second.push_back(order.size() - before);
  }
  BOOST_TEST(through.view(now).recovering);
  BOOST_TEST(by_second.front() <= 3U);
  BOOST_TEST(by_second[5] >= by_second.front());
  for (const auto calls : by_second)
    BOOST_TEST(calls <= 11U);
  BOOST_TEST(by_second.back() >= 9U);
  // New charges are not held up by it.
  order.clear();
  offer(call_kind::charge, 4);
  BOOST_TEST(std::ranges::count(order, last) == 1);
}

BOOST_AUTO_TEST_CASE(a_gateway_that_went_away_again_gets_the_lowest_rate_again) {
  auto some = rules();
  some.breaker.open_for = 1h;
  gate one{some};
  one.trip(start, std::nullopt, {"ada", ""});
  one.reset(start, {"ada", ""});
  auto at = start + 1min; // the ramp has long been climbed
  for (int i = 0; i < 10; ++i)
    one.record(at, one.ask(at, call_kind::charge).permit.value(), call_result::failed, 1ms);
  BOOST_REQUIRE((one.state(at) == breaker_state::open));
  int sent = 0;
  for (int tick = 0; tick < 1'000; ++tick, at += 10ms)
    if (const auto permit = one.ask(at, call_kind::owed).permit) {
      one.record(at, *permit, call_result::succeeded, 1ms);
      ++sent;
    }
  BOOST_TEST((sent >= 9 && sent <= 12), sent);
}

BOOST_AUTO_TEST_CASE(a_reset_closes_it_and_paces_what_is_owed) {
  through.trip(now, std::nullopt, {"ada", ""});
  through.reset(now, {"ada", ""});
  BOOST_TEST(through.view(now).recovering);
  offer(call_kind::charge, 4);
  BOOST_TEST(out.size() == 4U);
}

/// Any traffic: each call is started once or refused once, in time; no more are under way than
/// allowed; and when the gateway is well again, nothing is left waiting.
BOOST_AUTO_TEST_CASE(every_call_is_started_or_refused_once_and_in_time) {
  for (std::uint32_t seed = 1; seed <= 100; ++seed) {
    scene one;
    std::mt19937 random{seed};
    std::map<admission::ticket, timestamp> came;
    const auto kinds = {call_kind::charge, call_kind::operation, call_kind::owed};
    const auto check_ages = [&] {
      for (const auto& [call, at] : came)
        if (!one.refused.contains(call)
            && std::ranges::find(one.order, call) == one.order.end())
          BOOST_REQUIRE(one.now < at + 3s);
    };
    for (int step = 0; step < 300; ++step) {
      one.now += milliseconds{random() % 50};
      const bool ill = step % 100 < 50;
      if (random() % 2 == 0) {
        const auto kind = *(kinds.begin() + random() % 3);
        if (one.offer(kind))
          came.emplace(one.last, one.now);
      } else if (!one.out.empty()) {
        one.end(one.out.begin()->first,
                ill && random() % 2 ? call_result::failed : call_result::succeeded);
      }
      one.step();
      check_ages();
    }
    while (one.lines.waiting() > 0) {
      one.end_all(call_result::succeeded);
      if (const auto at = one.lines.look_at())
        one.now = std::max(one.now, *at);
      one.step();
    }
    BOOST_REQUIRE_EQUAL(one.order.size() + one.refused.size(), came.size());
  }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::gateways
