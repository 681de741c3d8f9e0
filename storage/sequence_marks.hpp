// How far the log of each shard is known to have come: by our own commits, and by what the
// other nodes say of theirs. A database whose log ends before a mark has lost acknowledged
// events.
#pragma once

#include "messages/shard.hpp"

#include <atomic>
#include <vector>

namespace holdfast::storage {

/// Thread-safe and wait-free. A mark only rises.
class sequence_marks {
public:
  explicit sequence_marks(std::uint16_t shards)
    : marks_(shards),
      seen_(shards),
      states_(shards) {}

  /// By what somebody says.
  void note(shard_number shard, sequence_number reached) noexcept {
    raise(marks_[shard.value], reached);
  }
  /// By what this process has read there or committed.
  void note_seen(shard_number shard, sequence_number reached) noexcept {
    raise(seen_[shard.value], reached);
    note(shard, reached);
  }
  /// 0 when nothing is known.
  [[nodiscard]] sequence_number known(shard_number shard) const noexcept {
    return {marks_[shard.value].load(std::memory_order_relaxed)};
  }

  /// Its log ends there, before its mark: it is not served. If it ends before what this process
  /// has seen of it, it is lost.
  void note_behind(shard_number shard, sequence_number has) noexcept {
    if (has.value < seen_[shard.value].load(std::memory_order_relaxed))
      return note_lost(shard);
    auto was = state::whole;
    states_[shard.value].compare_exchange_strong(was, state::behind);
  }
  /// Its database has lost acknowledged events, however long its log grows: it is not served
  /// again by this process.
  void note_lost(shard_number shard) noexcept { states_[shard.value] = state::lost; }
  /// Its log reaches its mark. Nothing changes for one that is lost.
  void note_whole(shard_number shard) noexcept {
    auto was = state::behind;
    states_[shard.value].compare_exchange_strong(was, state::whole);
  }
  /// Or lost.
  [[nodiscard]] bool is_behind(shard_number shard) const noexcept {
    return states_[shard.value] != state::whole;
  }
  [[nodiscard]] bool is_lost(shard_number shard) const noexcept {
    return states_[shard.value] == state::lost;
  }

  [[nodiscard]] std::uint16_t shards() const noexcept {
    return static_cast<std::uint16_t>(marks_.size());
  }

private:
  enum class state : std::uint8_t { whole, behind, lost };

  static void raise(std::atomic<std::int64_t>& mark, sequence_number reached) noexcept {
    auto known = mark.load(std::memory_order_relaxed);
    while (known < reached.value
           && !mark.compare_exchange_weak(known, reached.value, std::memory_order_relaxed))
      ;
  }

  std::vector<std::atomic<std::int64_t>> marks_;
  std::vector<std::atomic<std::int64_t>> seen_;
  std::vector<std::atomic<state>> states_;
};

} // namespace holdfast::storage
