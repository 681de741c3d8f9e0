// The virtual clock, and what is to be done when. One thread, no waiting: time jumps to the
// next task. Tasks of the same instant run in the order in which they were put in.
#pragma once

#include "messages/assert.hpp"
#include "messages/time.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

namespace holdfast::simulation {

using microseconds = std::chrono::microseconds;

class agenda {
public:
  explicit agenda(timestamp start) : now_(start) {}
  agenda(const agenda&) = delete;
  agenda& operator=(const agenda&) = delete;
  ~agenda();

  [[nodiscard]] timestamp now() const noexcept { return now_; }
  /// Tasks done so far: with the seed, the name of a moment.
  [[nodiscard]] std::uint64_t steps() const noexcept { return steps_; }
  [[nodiscard]] bool empty() const noexcept { return heap_.empty(); }
  /// When the next task is due. Not of an empty agenda.
  [[nodiscard]] timestamp next_at() const noexcept { return heap_.front().at; }

  template <class Work>
  void after(microseconds delay, Work work) {
    at(now_ + delay, std::move(work));
  }

  /// A time that has passed means now.
  template <class Work>
  void at(timestamp when, Work work) {
    static_assert(sizeof(Work) <= slot_bytes, "captures too much: hand over a pointer");
    const auto number = free_slot();
    auto& place = slots_[number];
    ::new (static_cast<void*>(place.bytes)) Work(std::move(work));
    place.run = [](void* at_place) {
      auto& held = *static_cast<Work*>(at_place);
      Work mine(std::move(held));
      held.~Work();
      return mine();
    };
    place.drop = [](void* at_place) { static_cast<Work*>(at_place)->~Work(); };
    push({std::max(when, now_), next_order_++, number});
  }

  /// Moves the clock on to the next task and does it. False: there is none.
  bool run_next();

private:
  static constexpr std::size_t slot_bytes = 112;

  struct slot {
    alignas(std::max_align_t) std::byte bytes[slot_bytes];
    void (*run)(void*) = nullptr; ///< destroys what it runs, too
    void (*drop)(void*) = nullptr;
  };

  struct entry {
    timestamp at;
    std::uint64_t order;
    std::uint32_t slot;
  };

  [[nodiscard]] std::uint32_t free_slot();
  void push(entry made);
  static bool later(const entry& one, const entry& other) noexcept {
    return one.at != other.at ? one.at > other.at : one.order > other.order;
  }

  timestamp now_;
  std::uint64_t next_order_ = 0;
  std::uint64_t steps_ = 0;
  std::vector<entry> heap_;
  std::deque<slot> slots_; ///< never moved: tasks stay where they were made
  std::vector<std::uint32_t> free_;
};

} // namespace holdfast::simulation
