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
/// slot holds. Each key has at most one timer. Not thread-safe.
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
    if (auto [found, is_new] = due_.try_emplace(key, due); !is_new) {
      if (found->second == due)
        return;
      found->second = due;
    }
    slots_[static_cast<std::size_t>(due) % slot_count].push_back({key, due});
  }

  void cancel(const Key& key) { due_.erase(key); }

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
      collect(slots_[static_cast<std::size_t>(tick) % slot_count], target, result);
    now_tick_ = target;
    return result;
  }

  [[nodiscard]] std::size_t size() const noexcept { return due_.size(); }

private:
  struct entry {
    Key key;
    std::int64_t due;
  };

  static constexpr std::size_t slot_count = 512;

  [[nodiscard]] std::int64_t tick_of(timestamp at) const {
    return at.time_since_epoch() / tick_;
  }

  void collect(std::vector<entry>& slot, std::int64_t target, std::vector<Key>& result) {
    std::erase_if(slot, [&](const entry& one) {
      auto found = due_.find(one.key);
      // Cancelled, or set again for another time: this entry is a leftover.
      if (found == due_.end() || found->second != one.due)
        return true;
      if (one.due > target)
        return false;
      result.push_back(one.key);
      due_.erase(found);
      return true;
    });
  }

  milliseconds tick_;
  std::int64_t now_tick_;
  std::vector<std::vector<entry>> slots_;
  std::unordered_map<Key, std::int64_t, Hash> due_;
};

} // namespace holdfast::shards
