#include "actors/gateway/pace.hpp"

#include "messages/limits.hpp"

#include <algorithm>

namespace holdfast::gateways {

namespace {

using std::chrono::microseconds;

constexpr std::int64_t one_retry = 1'000'000;
constexpr milliseconds saving{limits::retry_budget_saving_ms};
constexpr milliseconds ramp{limits::gateway_recovery_ramp_ms};
constexpr milliseconds quiet{limits::gateway_recovery_quiet_ms};
/// Wakings are late by milliseconds: so much may be caught up with.
constexpr milliseconds catch_up{20};

} // namespace

// -- retry_budget
// ----------------------------------------------------------------------------------

retry_budget::retry_budget(retry_rules rules) noexcept : rules_(rules), saved_(most()) {}

void retry_budget::configure(retry_rules rules) noexcept {
  rules_ = rules;
  saved_ = std::min(saved_, most());
}

void retry_budget::earn(timestamp now) noexcept {
  pass_time(now);
  saved_ = std::min(saved_ + static_cast<std::int64_t>(rules_.share * one_retry), most());
}

bool retry_budget::spend(timestamp now) noexcept {
  pass_time(now);
  if (saved_ < one_retry)
    return false;
  saved_ -= one_retry;
  return true;
}

std::uint64_t retry_budget::left(timestamp now) noexcept {
  pass_time(now);
  return static_cast<std::uint64_t>(saved_ / one_retry);
}

void retry_budget::pass_time(timestamp now) noexcept {
  // A rate of so many a second is so many millionths a microsecond.
  const auto passed = last_ ? now - *last_ : microseconds{0};
  const auto counted = std::clamp<microseconds>(passed, microseconds{0}, saving);
  saved_ = std::min(saved_ + counted.count() * rules_.rate, most());
  last_ = now;
}

std::int64_t retry_budget::most() const noexcept {
  return std::max<std::int64_t>(microseconds{saving}.count() * rules_.rate, one_retry);
}

// -- recovery_pace
// ---------------------------------------------------------------------------------

void recovery_pace::begin(timestamp now) noexcept {
  began_ = now;
  waited_at_ = now - quiet;
  next_at_ = now;
}

bool recovery_pace::rising(timestamp now) const noexcept {
  return began_ && (now < *began_ + ramp || now < waited_at_ + quiet);
}

std::optional<timestamp> recovery_pace::take(timestamp now) noexcept {
  const auto pause = spacing(now);
  // A clock that was set back must not stop what is owed.
  next_at_ = std::min(next_at_, now + pause);
  if (now < next_at_) {
    waited_at_ = now;
    return next_at_;
  }
  next_at_ = std::max<timestamp>(next_at_, now - catch_up) + pause;
  return std::nullopt;
}

microseconds recovery_pace::spacing(timestamp now) const noexcept {
  constexpr std::int64_t whole = 1'000;
  const auto risen =
    began_ ? std::clamp<microseconds>(now - *began_, microseconds{0}, ramp) : microseconds{0};
  const auto share = whole / 10 + whole * 9 / 10 * risen.count() / microseconds{ramp}.count();
  return microseconds{1'000'000 * whole / (share * rate_)};
}

} // namespace holdfast::gateways
