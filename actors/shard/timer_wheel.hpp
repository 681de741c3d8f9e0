// A shard's timers: thousands of payments that wait for their next inquiry, repeat or expiry.
// Pure: told the time, it says who is due.
#pragma once

#include "messages/time.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <unordered_map>
#include <vector>

namespace holdfast::shards {

/// A hashed timer wheel: 512 slots of one tick each; what is further away than one turn stays
/// in its slot until its turn comes. Setting and cancelling are O(1), a tick costs what its
/// slot holds. Each key has at most one timer, and a timer that is cancelled leaves nothing
/// behind. Not thread-safe.
template <class Key, class Hash = std::hash<Key>>
class timer_wheel {
public:
  timer_wheel(timestamp start, milliseconds tick) : tick_(tick), now_tick_(tick_of(start)) {
    slots_.resize(slot_count);
  }

  /// Sets the key's timer, in place of the one it had. It is never early, for who is woken
  /// early finds nothing to do: it is due with the first tick at or after `at`. A time that has
  /// passed is due with the next tick.
  void set(const Key& key, timestamp at) {
    const auto due = std::max(tick_of(at + tick_ - timestamp::duration{1}), now_tick_ + 1);
    auto [timer, is_new] = timers_.try_emplace(key);
    if (!is_new) {
      if (timer->second.due == due)
        return;
      leave_slot(timer->second);
    }
    auto& slot = slot_of(due);
    timer->second = {due, slot.size()};
    slot.push_back(&*timer);
  }

  void cancel(const Key& key) {
    const auto timer = timers_.find(key);
    if (timer == timers_.end())
      return;
    leave_slot(timer->second);
    timers_.erase(timer);
  }

  /// Moves on to `now` and returns the keys that have become due, each once, their timers gone.
  /// When the clock was set back, so is the wheel: what is set from then on is due by the new
  /// time.
  [[nodiscard]] std::vector<Key> advance(timestamp now) {
    std::vector<Key> result;
    const auto target = tick_of(now);
    // After a long pause one turn visits every slot.
    const auto first =
      std::max(now_tick_ + 1, target - static_cast<std::int64_t>(slot_count) + 1);
    for (auto tick = first; tick <= target; ++tick)
      collect(slot_of(tick), target, result);
    now_tick_ = target;
    return result;
  }

  [[nodiscard]] std::size_t size() const noexcept { return timers_.size(); }

private:
  struct armed {
    std::int64_t due = 0;
    std::size_t place = 0; ///< in its slot
  };

  using timer_map = std::unordered_map<Key, armed, Hash>;
  /// The map's nodes stay where they are.
  using slot_list = std::vector<typename timer_map::value_type*>;

  static constexpr std::size_t slot_count = 512;

  [[nodiscard]] std::int64_t tick_of(timestamp at) const {
    return at.time_since_epoch() / tick_;
  }

  [[nodiscard]] slot_list& slot_of(std::int64_t due) {
    return slots_[static_cast<std::size_t>(due) % slot_count];
  }

  /// The last of the slot takes its place.
  void leave_slot(const armed& one) {
    auto& slot = slot_of(one.due);
    slot[one.place] = slot.back();
    slot[one.place]->second.place = one.place;
    slot.pop_back();
  }

  void collect(slot_list& slot, std::int64_t target, std::vector<Key>& result) {
    for (std::size_t at = 0; at < slot.size();) {
      const auto& [key, one] = *slot[at];
      if (one.due > target) {
        ++at;
        continue;
      }
      result.push_back(key);
      cancel(result.back());
    }
  }

  milliseconds tick_;
  std::int64_t now_tick_;
  std::vector<slot_list> slots_;
  timer_map timers_;
};

} // namespace holdfast::shards
