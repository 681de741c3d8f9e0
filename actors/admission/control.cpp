#include "actors/admission/control.hpp"

#include "messages/limits.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::admission {

namespace {

constexpr milliseconds look_pause{limits::node_admission_look_ms};
constexpr double bearable_s = static_cast<double>(limits::node_queueing_ms_max) / 1'000;
/// The latest look's part in the mean: the journal answers in bursts.
constexpr double weight = 0.3;
/// How often a payment passes each stage: its intent is written, and then its outcome.
constexpr std::array<double, stages> times_a_request{1, 2, 1};
/// Looks in a row that must find too long a wait before the first is turned away: a sync of the
/// journal that takes a moment longer is no overload.
constexpr std::uint32_t strained_looks = 5;
/// What the limit grows by in one look, its eighth, while nobody waits too long.
constexpr std::size_t growth = 8;

std::size_t bounded(double wanted) noexcept {
  return static_cast<std::size_t>(std::clamp(wanted,
                                             static_cast<double>(limits::node_in_flight_min),
                                             static_cast<double>(limits::node_in_flight_max)));
}

} // namespace

control::control(steady_time began) noexcept
  : limit_(limits::node_in_flight_max),
    next_look_(began + look_pause),
    last_look_(began) {}

void control::tally::add(microseconds one) noexcept {
  sum_us.fetch_add(one.count(), std::memory_order_relaxed);
  count.fetch_add(1, std::memory_order_relaxed);
}

double control::tally::take_mean_s() noexcept {
  const auto number = count.exchange(0, std::memory_order_relaxed);
  const auto sum = sum_us.exchange(0, std::memory_order_relaxed);
  return number == 0 ? 0 : static_cast<double>(sum) / static_cast<double>(number) / 1e6;
}

void control::waited(stage where, microseconds so_long) noexcept {
  waits_[static_cast<std::size_t>(where)].add(so_long);
}

void control::left(steady_time now, microseconds stay) noexcept {
  in_flight_.fetch_sub(1, std::memory_order_relaxed);
  stays_.add(stay);
  if (now >= next_look_.load(std::memory_order_relaxed))
    look(now);
}

/// By Little's law: who lets in as many as are answered in a while keeps each for that while.
void control::look(steady_time now) noexcept {
  const std::unique_lock alone{looking_, std::try_to_lock};
  if (!alone || now < next_look_.load(std::memory_order_relaxed))
    return;
  next_look_.store(now + look_pause, std::memory_order_relaxed);
  const auto answered = stays_.count.load(std::memory_order_relaxed);
  const std::chrono::duration<double> passed = now - std::exchange(last_look_, now);
  answers_a_second_ +=
    weight * (static_cast<double>(answered) / passed.count() - answers_a_second_);
  double wait_s = 0;
  for (std::size_t where = 0; where < stages; ++where)
    wait_s += times_a_request[where] * waits_[where].take_mean_s();
  const auto elsewhere_s = std::max(stays_.take_mean_s() - wait_s, 0.0);
  strained_ = wait_s > bearable_s ? strained_ + 1 : 0;
  const auto limit = limit_.load(std::memory_order_relaxed);
  auto next = std::min(limit + limit / growth, limits::node_in_flight_max);
  const bool is_regulated = limit < limits::node_in_flight_max;
  if (strained_ >= (is_regulated ? 1 : strained_looks))
    next = bounded(answers_a_second_ * (bearable_s + elsewhere_s));
  limit_.store(next, std::memory_order_relaxed);
}

} // namespace holdfast::admission
