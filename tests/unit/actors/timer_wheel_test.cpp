// The shard's timers: never early, at most a tick late, each once, also when the clock jumps.
#include "actors/shard/timer_wheel.hpp"

#include "actors/payment/core.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace holdfast::shards {

namespace {

using namespace std::chrono_literals;

constexpr auto tick = 50ms;
constexpr auto turn = 512 * tick;
const timestamp start{std::chrono::sys_days{std::chrono::November / 23 / 2026} + 12h};

using keys = std::vector<int>;

struct first_timer : timer {};
struct second_timer : timer {};

/// What has timers in two wheels, as a payment has.
struct sleeper : first_timer, second_timer {
  explicit sleeper(int number) : key(number) {}

  int key;
};

using first_wheel = timer_wheel<sleeper, first_timer>;
using second_wheel = timer_wheel<sleeper, second_timer>;

template <class Wheel>
keys take_all(Wheel& timers) {
  keys due;
  while (const auto* one = timers.take_due())
    due.push_back(one->key);
  return due;
}

/// A wheel and what its timers are for, by number.
class wheel {
public:
  wheel(timestamp since, milliseconds tick_length) : timers_(since, tick_length) {}

  void set(int key, timestamp at) { timers_.set(owner(key), at); }
  void cancel(int key) { timers_.cancel(owner(key)); }
  [[nodiscard]] keys advance(timestamp now) {
    timers_.advance(now);
    return take_all(timers_);
  }
  [[nodiscard]] std::size_t size() const { return timers_.size(); }

private:
  sleeper& owner(int key) { return owners_.try_emplace(key, key).first->second; }

  first_wheel timers_;
  std::map<int, sleeper> owners_;
};

keys sorted(keys some) {
  std::ranges::sort(some);
  return some;
}

/// What the wheel should be, without its speed: each key with its time.
class plain_timers {
public:
  void set(int key, timestamp at) { due_[key] = at; }
  void cancel(int key) { due_.erase(key); }

  /// The keys that must have been returned by `now`, and those that may not be: the tick
  /// between is the wheel's own.
  [[nodiscard]] bool must_be_due(int key, timestamp now) const {
    const auto found = due_.find(key);
    return found != due_.end() && found->second + tick <= now;
  }
  [[nodiscard]] bool may_be_due(int key, timestamp now) const {
    const auto found = due_.find(key);
    return found != due_.end() && found->second <= now;
  }
  [[nodiscard]] std::size_t size() const { return due_.size(); }
  [[nodiscard]] const std::map<int, timestamp>& all() const { return due_; }

private:
  std::map<int, timestamp> due_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(shard_timers)

BOOST_AUTO_TEST_CASE(a_timer_is_due_once_and_not_early) {
  wheel timers{start, tick};
  timers.set(1, start + 120ms);
  BOOST_TEST(timers.size() == 1u);
  BOOST_TEST(timers.advance(start + 119ms).empty());
  BOOST_TEST(timers.advance(start + 150ms) == keys{1});
  BOOST_TEST(timers.size() == 0u);
  BOOST_TEST(timers.advance(start + 1h).empty());
}

BOOST_AUTO_TEST_CASE(a_timer_is_never_early_by_even_a_microsecond) {
  for (auto offset = 1us; offset < 2 * tick; offset += 777us) {
    wheel timers{start, tick};
    timers.set(1, start + offset);
    BOOST_TEST(timers.advance(start + offset - 1us).empty());
    BOOST_TEST(timers.advance(start + offset + tick) == keys{1});
  }
}

BOOST_AUTO_TEST_CASE(timers_come_in_the_order_of_their_time) {
  wheel timers{start, tick};
  for (const int key : {5, 1, 4, 2, 3})
    timers.set(key, start + key * 200ms);
  keys order;
  for (auto now = start; now <= start + 2s; now += tick)
    std::ranges::copy(timers.advance(now), std::back_inserter(order));
  BOOST_TEST(order == (keys{1, 2, 3, 4, 5}));
}

BOOST_AUTO_TEST_CASE(a_time_that_has_passed_is_due_with_the_next_tick) {
  wheel timers{start, tick};
  timers.set(1, start - 1h);
  timers.set(2, timestamp{});
  BOOST_TEST(timers.advance(start).empty());
  BOOST_TEST(sorted(timers.advance(start + tick)) == (keys{1, 2}));
}

BOOST_AUTO_TEST_CASE(setting_again_replaces) {
  wheel timers{start, tick};
  timers.set(1, start + 1s);
  timers.set(1, start + 3s);
  timers.set(2, start + 3s);
  timers.set(2, start + 1s);
  timers.set(3, start + 1s);
  timers.set(3, start + 1s);
  BOOST_TEST(timers.size() == 3u);
  BOOST_TEST(sorted(timers.advance(start + 2s)) == (keys{2, 3}));
  BOOST_TEST(timers.advance(start + 4s) == keys{1});
}

BOOST_AUTO_TEST_CASE(setting_there_and_back_fires_once) {
  wheel timers{start, tick};
  timers.set(1, start + 1s);
  timers.set(1, start + 2s);
  timers.set(1, start + 1s);
  BOOST_TEST(timers.advance(start + 1s) == keys{1});
  BOOST_TEST(timers.advance(start + 3s).empty());
}

BOOST_AUTO_TEST_CASE(a_cancelled_timer_is_gone) {
  wheel timers{start, tick};
  timers.set(1, start + 1s);
  timers.set(2, start + 1s);
  timers.cancel(1);
  timers.cancel(77);
  BOOST_TEST(timers.size() == 1u);
  BOOST_TEST(timers.advance(start + 2s) == keys{2});
  timers.set(1, start + 3s);
  timers.cancel(1);
  timers.set(1, start + 3s);
  BOOST_TEST(timers.advance(start + 4s) == keys{1});
}

BOOST_AUTO_TEST_CASE(far_times_wait_their_turns) {
  wheel timers{start, tick};
  timers.set(1, start + turn);
  timers.set(2, start + 10 * turn);
  timers.set(3, start + 7 * 24h);
  keys order;
  std::vector<timestamp> when;
  for (auto now = start; now <= start + 7 * 24h; now += 1s)
    for (const auto key : timers.advance(now)) {
      order.push_back(key);
      when.push_back(now);
    }
  BOOST_TEST(order == (keys{1, 2, 3}));
  BOOST_TEST((when[0] >= start + turn && when[0] <= start + turn + 1s));
  BOOST_TEST((when[1] >= start + 10 * turn && when[1] <= start + 10 * turn + 1s));
  BOOST_CHECK(when[2] == start + 7 * 24h);
}

BOOST_AUTO_TEST_CASE(a_jump_of_an_hour_forward_makes_all_of_the_hour_due) {
  wheel timers{start, tick};
  for (int key = 0; key < 72; ++key)
    timers.set(key, start + key * 1min);
  const auto due = timers.advance(start + 1h);
  BOOST_TEST(due.size() == 61u);
  BOOST_TEST(std::ranges::all_of(due, [](int key) { return key <= 60; }));
  BOOST_TEST(timers.size() == 11u);
  BOOST_TEST(timers.advance(start + 2h).size() == 11u);
}

BOOST_AUTO_TEST_CASE(after_a_long_pause_the_next_tick_is_still_to_come) {
  wheel timers{start, tick};
  timers.set(1, start + 10 * turn);
  timers.set(2, start + 10 * turn + 1us);
  BOOST_TEST(timers.advance(start + 10 * turn) == keys{1});
  BOOST_TEST(timers.advance(start + 10 * turn + tick) == keys{2});
}

BOOST_AUTO_TEST_CASE(a_jump_of_an_hour_back_does_not_hold_up_what_is_set_after_it) {
  wheel timers{start, tick};
  timers.set(1, start + 1s);
  BOOST_TEST(timers.advance(start - 1h).empty());
  timers.set(2, start - 1h + 1s);
  BOOST_TEST(timers.advance(start - 1h + 2s) == keys{2});
  BOOST_TEST(timers.advance(start).empty());
  BOOST_TEST(timers.advance(start + 2s) == keys{1});
}

BOOST_AUTO_TEST_CASE(many_keys_are_each_due_in_their_tick) {
  wheel timers{start, tick};
  constexpr int count = 100'000;
  for (int key = 0; key < count; ++key)
    timers.set(key, start + key * 1ms);
  int seen = 0;
  for (auto now = start; now <= start + count * 1ms + tick; now += tick)
    for (const auto key : timers.advance(now)) {
      ++seen;
      const auto late = now - (start + key * 1ms);
      BOOST_TEST_REQUIRE((late >= 0ms && late < tick + (key == 0 ? tick : 0ms)));
    }
  BOOST_TEST(seen == count);
  BOOST_TEST(timers.size() == 0u);
}

BOOST_AUTO_TEST_CASE(who_is_gone_has_no_timer_any_more) {
  first_wheel timers{start, tick};
  std::optional<sleeper> early{1};
  std::optional<sleeper> late{2};
  sleeper other{3};
  for (auto* one : {&*early, &other, &*late})
    timers.set(*one, start + 1s);
  late.reset();
  BOOST_TEST(timers.size() == 2u);
  timers.advance(start + 1s);
  // Also when it was due already.
  early.reset();
  BOOST_TEST(timers.size() == 1u);
  BOOST_TEST(take_all(timers) == keys{3});
}

BOOST_AUTO_TEST_CASE(whoever_is_due_may_end_the_others) {
  first_wheel timers{start, tick};
  std::map<int, sleeper> owners;
  for (int key = 1; key <= 3; ++key)
    timers.set(owners.try_emplace(key, key).first->second, start + 1s);
  timers.advance(start + 1s);
  BOOST_TEST_REQUIRE(timers.take_due()->key == 1);
  owners.clear();
  BOOST_TEST(timers.take_due() == nullptr);
  BOOST_TEST(timers.size() == 0u);
}

BOOST_AUTO_TEST_CASE(who_outlives_the_wheel_has_no_timer_any_more) {
  auto timers = std::make_unique<first_wheel>(start, tick);
  sleeper waits{1};
  sleeper due{2};
  timers->set(waits, start + 1h);
  timers->set(due, start + 1s);
  timers->advance(start + 1s);
  timers = std::make_unique<first_wheel>(start, tick);
  timers->set(waits, start + 1s);
  timers->advance(start + 1s);
  BOOST_TEST(take_all(*timers) == keys{1});
}

BOOST_AUTO_TEST_CASE(what_is_due_counts_until_it_is_taken_set_anew_or_cancelled) {
  first_wheel timers{start, tick};
  sleeper taken{1};
  sleeper set_anew{2};
  sleeper cancelled{3};
  for (auto* one : {&taken, &set_anew, &cancelled})
    timers.set(*one, start + 1s);
  timers.advance(start + 1s);
  BOOST_TEST(timers.size() == 3u);
  timers.set(set_anew, start + 2s);
  timers.cancel(cancelled);
  BOOST_TEST(timers.size() == 2u);
  BOOST_TEST(take_all(timers) == keys{1});
  timers.advance(start + 2s);
  BOOST_TEST(take_all(timers) == keys{2});
}

BOOST_AUTO_TEST_CASE(what_is_due_and_not_taken_comes_before_what_is_due_later) {
  first_wheel timers{start, tick};
  sleeper one{1};
  sleeper other{2};
  timers.set(other, start + 2s);
  timers.set(one, start + 1s);
  timers.advance(start + 1s);
  timers.advance(start + 1h);
  BOOST_TEST(take_all(timers) == (keys{1, 2}));
}

BOOST_AUTO_TEST_CASE(the_timers_of_one_owner_are_apart) {
  first_wheel wakes{start, tick};
  second_wheel rests{start, tick};
  sleeper one{1};
  wakes.set(one, start + 1s);
  rests.set(one, start + 1s);
  wakes.cancel(one);
  wakes.advance(start + 1s);
  rests.advance(start + 1s);
  BOOST_TEST(wakes.take_due() == nullptr);
  BOOST_TEST(rests.take_due() == &one);
}

BOOST_AUTO_TEST_CASE(it_does_what_plain_timers_do) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    payments::entropy random{seed};
    wheel timers{start, tick};
    plain_timers plain;
    auto now = start;
    const auto up_to = [&](milliseconds most) {
      return milliseconds{
        static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(most.count())))};
    };
    for (int step = 0; step < 500; ++step) {
      const auto key = static_cast<int>(random.below(40));
      switch (random.below(6)) {
        case 0:
        case 1: {
          // Never in the past: then the next tick counts, which a test of its own looks at.
          const auto at = now + tick + up_to(random.below(4) == 0 ? 1h : milliseconds{2s});
          timers.set(key, at);
          plain.set(key, at);
          break;
        }
        case 2:
          timers.cancel(key);
          plain.cancel(key);
          break;
        case 3: now += random.below(10) == 0 ? up_to(2h) : up_to(10s); [[fallthrough]];
        default: {
          now += up_to(200ms);
          for (const auto due : timers.advance(now)) {
            BOOST_TEST_REQUIRE(plain.may_be_due(due, now), "seed " << seed << ": early");
            plain.cancel(due);
          }
          for (const auto& [left, at] : plain.all())
            BOOST_TEST_REQUIRE(!plain.must_be_due(left, now), "seed " << seed << ": late");
        }
      }
      BOOST_TEST_REQUIRE(timers.size() == plain.size());
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::shards
