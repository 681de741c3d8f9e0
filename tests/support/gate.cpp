#include "tests/support/gate.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::test {

namespace {

bool is_step_of_settlement(door which) {
  return which == door::unit || which == door::unit_answer || which == door::settlement_read
         || which == door::settlement_answer;
}

} // namespace

void gate::shut(std::initializer_list<door> doors) {
  std::unique_lock guard{mutex_};
  shut_.insert(doors.begin(), doors.end());
}

void gate::open(std::initializer_list<door> doors) {
  std::unique_lock guard{mutex_};
  for (const auto one : doors)
    shut_.erase(one);
  const auto stays = [&](const kept_crossing& one) { return shut_.contains(one.where); };
  const auto first = std::ranges::stable_partition(kept_, stays).begin();
  const std::vector<kept_crossing> freed(first, kept_.end());
  kept_.erase(first, kept_.end());
  guard.unlock();
  for (const auto& one : freed)
    one.go();
}

void gate::open() {
  std::unique_lock guard{mutex_};
  shut_.clear();
  hold_up_.reset();
  const auto freed = std::exchange(kept_, {});
  guard.unlock();
  for (const auto& one : freed)
    one.go();
}

std::size_t gate::kept() const {
  std::unique_lock guard{mutex_};
  return kept_.size();
}

void gate::hold_up(std::size_t step) {
  std::unique_lock guard{mutex_};
  hold_up_ = step;
  steps_ = 0;
}

std::size_t gate::steps() const {
  std::unique_lock guard{mutex_};
  return steps_;
}

std::size_t gate::crossed(door which) const {
  std::unique_lock guard{mutex_};
  const auto found = crossed_.find(which);
  return found == crossed_.end() ? 0 : found->second;
}

void gate::cross(door which, std::function<void()> go) {
  std::unique_lock guard{mutex_};
  ++crossed_[which];
  if (must_wait(which)) {
    kept_.push_back({which, std::move(go)});
    return;
  }
  guard.unlock();
  go();
}

bool gate::must_wait(door which) {
  if (shut_.contains(which))
    return true;
  if (!hold_up_ || !is_step_of_settlement(which) || (steps_ == 0 && which != door::unit))
    return false;
  return steps_++ == *hold_up_;
}

} // namespace holdfast::test
