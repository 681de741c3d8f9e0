#include "actors/shard/timer_wheel.hpp"

#include "messages/assert.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::shards {

namespace {

constexpr std::size_t slot_count = 512;

} // namespace

timer::~timer() {
  if (wheel_ != nullptr)
    wheel_->cancel(*this);
}

wheel_of_timers::wheel_of_timers(timestamp start, milliseconds tick)
  : tick_(tick),
    now_tick_(tick_of(start)),
    slots_(slot_count) {}

/// Whoever outlives the wheel has no timer any more.
wheel_of_timers::~wheel_of_timers() {
  for (auto& slot : slots_)
    let_go(slot);
  let_go(due_);
}

void wheel_of_timers::set(timer& one, timestamp at) noexcept {
  HF_ASSERT(one.wheel_ == nullptr || one.wheel_ == this);
  cancel(one);
  one.wheel_ = this;
  one.due_ = std::max(tick_of(at + tick_ - timestamp::duration{1}), now_tick_ + 1);
  append(slot_of(one.due_), one);
  ++size_;
}

void wheel_of_timers::cancel(timer& one) noexcept {
  if (std::exchange(one.wheel_, nullptr) == nullptr)
    return;
  leave_ring(one);
  --size_;
}

void wheel_of_timers::advance(timestamp now) noexcept {
  const auto target = tick_of(now);
  // After a long pause one turn visits every slot.
  const auto first =
    std::max(now_tick_ + 1, target - static_cast<std::int64_t>(slot_count) + 1);
  for (auto tick = first; tick <= target; ++tick)
    collect(slot_of(tick), target);
  now_tick_ = target;
}

timer* wheel_of_timers::take_due() noexcept {
  if (due_.after_ == &due_)
    return nullptr;
  auto* one = due_.after_;
  cancel(*one);
  return one;
}

std::int64_t wheel_of_timers::tick_of(timestamp at) const noexcept {
  return at.time_since_epoch() / tick_;
}

wheel_of_timers::ring& wheel_of_timers::slot_of(std::int64_t due) noexcept {
  return slots_[static_cast<std::size_t>(due) % slot_count];
}

void wheel_of_timers::leave_ring(timer& one) noexcept {
  one.before_->after_ = one.after_;
  one.after_->before_ = one.before_;
  one.before_ = one.after_ = &one;
}

void wheel_of_timers::append(ring& to, timer& one) noexcept {
  one.before_ = std::exchange(to.before_, &one);
  one.before_->after_ = &one;
  one.after_ = &to;
}

void wheel_of_timers::collect(ring& slot, std::int64_t target) noexcept {
  for (auto* one = slot.after_; one != &slot;) {
    auto& due = *std::exchange(one, one->after_);
    if (due.due_ > target)
      continue;
    leave_ring(due);
    append(due_, due);
  }
}

void wheel_of_timers::let_go(ring& all) noexcept {
  while (all.after_ != &all)
    cancel(*all.after_);
}

} // namespace holdfast::shards
