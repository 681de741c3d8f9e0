#include "actors/gateway/breaker.hpp"

#include "messages/assert.hpp"
#include "messages/limits.hpp"

#include <algorithm>

namespace holdfast::gateways {

namespace {

std::string rate_text(std::string_view what, std::uint32_t part, std::uint32_t calls) {
  const auto percent = (std::uint64_t{part} * 100 + calls / 2) / calls;
  return std::string{what} + ' ' + std::to_string(percent) + "% of " + std::to_string(calls)
         + " calls";
}

std::string order_text(std::string_view what, const operator_order& order) {
  return std::string{what} + " by " + order.by + (order.note.empty() ? "" : ": " + order.note);
}

milliseconds elapsed(timestamp since, timestamp now) {
  return std::max(std::chrono::floor<milliseconds>(now - since), milliseconds{0});
}

} // namespace

std::string_view to_string(breaker_state state) noexcept {
  switch (state) {
    case breaker_state::closed: return "closed";
    case breaker_state::open: return "open";
    case breaker_state::half_open: return "half_open";
  }
  return "closed";
}

std::string_view to_string(trip_cause cause) noexcept {
  switch (cause) {
    case trip_cause::error_rate: return "error_rate";
    case trip_cause::slow_rate: return "slow_rate";
    case trip_cause::probes: return "probes";
    case trip_cause::by_hand: return "by_hand";
  }
  return "by_hand";
}

std::optional<breaker::permit_number> breaker::permit(timestamp now, call_kind kind) {
  advance(now);
  switch (state_) {
    case breaker_state::closed: return round_;
    case breaker_state::open:
      if (kind != call_kind::owed || !has_room_for_owed())
        return std::nullopt;
      ++owed_out_;
      return round_;
    case breaker_state::half_open:
      if (probes_sent_ >= rules_.probes)
        return std::nullopt;
      ++probes_sent_;
      return round_;
  }
  return std::nullopt;
}

void breaker::record(timestamp now, permit_number permit, call_result result,
                     milliseconds took) {
  advance(now);
  if (permit != round_)
    return;
  const bool failed = result == call_result::failed;
  const bool slow = took >= rules_.slow_call;
  switch (state_) {
    case breaker_state::closed: return judge_window(now, failed, slow);
    case breaker_state::open:
      HF_ASSERT(owed_out_ > 0);
      --owed_out_;
      return;
    case breaker_state::half_open: return judge_probe(now, !failed && !slow);
  }
}

void breaker::forget_calls() noexcept {
  ++round_;
  owed_out_ = probes_sent_ = probes_passed_ = probes_failed_ = 0;
}

void breaker::trip(timestamp now, std::optional<milliseconds> duration, operator_order order) {
  open(now, trip_cause::by_hand, order_text("tripped", order));
  open_for_ = duration;
  by_ = std::move(order.by);
}

void breaker::reset(timestamp now, operator_order order) {
  close(now, order_text("reset", order));
  by_ = std::move(order.by);
}

breaker_state breaker::state(timestamp now) noexcept {
  advance(now);
  return state_;
}

std::optional<timestamp> breaker::probes_at() const noexcept {
  if (state_ != breaker_state::open || !open_for_)
    return std::nullopt;
  return since_ + *open_for_;
}

bool breaker::has_room_for_owed() const noexcept {
  return owed_out_ < limits::gateway_open_in_flight_max;
}

breaker_view breaker::view(timestamp now) {
  advance(now);
  breaker_view shown;
  shown.state = state_;
  shown.reason = reason_;
  shown.by = by_;
  shown.age = elapsed(since_, now);
  if (const auto at = probes_at())
    shown.left = elapsed(now, *at);
  const auto [calls, failures, slow] = in_window(now);
  shown.calls = calls;
  shown.failures = failures;
  shown.slow = slow;
  shown.trips = trips_;
  return shown;
}

void breaker::advance(timestamp now) noexcept {
  // A clock that was set back must not keep the gateway shut until it has caught up.
  since_ = std::min(since_, now);
  const auto at = probes_at();
  if (!at || now < *at)
    return;
  state_ = breaker_state::half_open;
  since_ = now;
  // What trickles through at this moment is as good a probe as any.
  probes_sent_ = owed_out_;
  probes_passed_ = probes_failed_ = owed_out_ = 0;
}

void breaker::open(timestamp now, trip_cause cause, std::string reason) {
  ++round_;
  ++trips_[static_cast<std::size_t>(cause)];
  state_ = breaker_state::open;
  since_ = now;
  open_for_ = rules_.open_for;
  reason_ = std::move(reason);
  by_.clear();
  owed_out_ = 0;
}

void breaker::close(timestamp now, std::string reason) {
  ++round_;
  state_ = breaker_state::closed;
  since_ = now;
  open_for_.reset();
  reason_ = std::move(reason);
  by_.clear();
  window_ = {};
}

void breaker::judge_window(timestamp now, bool failed, bool slow) {
  auto& current = bucket_at(now).seen;
  ++current.calls;
  current.failures += failed ? 1 : 0;
  current.slow += slow ? 1 : 0;
  const auto [calls, failures, slow_calls] = in_window(now);
  if (calls < rules_.min_calls)
    return;
  if (failed && failures >= rules_.error_rate * calls)
    open(now, trip_cause::error_rate, rate_text("error rate", failures, calls));
  else if (slow && slow_calls >= rules_.slow_rate * calls)
    open(now, trip_cause::slow_rate, rate_text("slow-call rate", slow_calls, calls));
}

void breaker::judge_probe(timestamp now, bool passed) {
  ++(passed ? probes_passed_ : probes_failed_);
  const auto text = [&](std::uint32_t count, const char* how) {
    return std::to_string(count) + " of " + std::to_string(rules_.probes) + " probes " + how;
  };
  if (probes_passed_ >= rules_.probe_successes)
    close(now, text(probes_passed_, "succeeded"));
  else if (probes_failed_ + rules_.probe_successes > rules_.probes)
    open(now, trip_cause::probes, text(probes_failed_, "failed"));
}

std::int64_t breaker::slot_of(timestamp now) const noexcept {
  const auto width = std::max<std::int64_t>(rules_.window.count() / buckets_in_window, 1);
  return std::chrono::floor<milliseconds>(now.time_since_epoch()).count() / width;
}

breaker::bucket& breaker::bucket_at(timestamp now) noexcept {
  const auto slot = slot_of(now);
  auto& found = window_[static_cast<std::size_t>(slot % buckets_in_window)];
  if (found.slot != slot)
    found = bucket{slot, {}};
  return found;
}

breaker::tally breaker::in_window(timestamp now) const noexcept {
  const auto oldest = slot_of(now) - buckets_in_window + 1;
  tally sum;
  for (const auto& one : window_) {
    if (one.slot < oldest)
      continue;
    sum.calls += one.seen.calls;
    sum.failures += one.seen.failures;
    sum.slow += one.seen.slow;
  }
  return sum;
}

} // namespace holdfast::gateways
