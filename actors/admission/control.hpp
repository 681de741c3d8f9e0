// How many merchants' requests a node works on at once. Pure: told what happens, and when.
//
// A node that takes in all that comes answers nobody in time: its queues grow until every
// client has given up on what is at their head. So the next request is turned away, at once and
// cheaply, when those that are in wait too long within the node: for its actors, its journal,
// its line to a gateway. What a gateway takes to answer doesn't count, for fewer requests would
// not make it any faster.
#pragma once

#include "messages/time.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace holdfast::admission {

using steady_time = std::chrono::steady_clock::time_point;
using microseconds = std::chrono::microseconds;

/// What a request waits for within the node.
enum class stage : std::uint8_t { mailbox, journal, gateway_line };
inline constexpr std::size_t stages = 3;

/// Thread-safe, and never waits for another thread.
class control {
public:
  /// `began`: now, by the clock that it is told later.
  explicit control(steady_time began) noexcept;

  /// Whether another request may come in.
  [[nodiscard]] bool is_open() const noexcept {
    return in_flight_.load(std::memory_order_relaxed) < limit_.load(std::memory_order_relaxed);
  }

  void entered() noexcept { in_flight_.fetch_add(1, std::memory_order_relaxed); }
  /// Somebody has waited so long there, a request or what the node does by itself.
  void waited(stage where, microseconds so_long) noexcept;
  /// It is answered, `stay` after it came in.
  void left(steady_time now, microseconds stay) noexcept;
  void turned_away() noexcept { turned_away_.fetch_add(1, std::memory_order_relaxed); }

  [[nodiscard]] std::size_t in_flight() const noexcept {
    return in_flight_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::size_t limit() const noexcept {
    return limit_.load(std::memory_order_relaxed);
  }
  /// Since the start.
  [[nodiscard]] std::uint64_t refusals() const noexcept {
    return turned_away_.load(std::memory_order_relaxed);
  }

private:
  /// A sum and how many it is of, since the last look.
  struct tally {
    std::atomic<std::int64_t> sum_us{0};
    std::atomic<std::int64_t> count{0};

    void add(microseconds one) noexcept;
    [[nodiscard]] double take_mean_s() noexcept;
  };

  void look(steady_time now) noexcept;

  std::atomic<std::size_t> in_flight_{0};
  std::atomic<std::size_t> limit_;
  std::atomic<std::uint64_t> turned_away_{0};
  std::array<tally, stages> waits_;
  tally stays_; ///< from entered to left
  std::atomic<steady_time> next_look_;

  std::mutex looking_; ///< what follows is the looker's
  steady_time last_look_;
  double answers_a_second_ = 0; ///< of late
  std::uint32_t strained_ = 0;  ///< looks in a row that found too long a wait
};

} // namespace holdfast::admission
