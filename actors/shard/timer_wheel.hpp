// A shard's timers: thousands of payments that wait for their next inquiry, repeat or expiry.
// Pure: told the time, it says who is due.
#pragma once

#include "messages/time.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace holdfast::shards {

class wheel_of_timers;

/// One time that something waits for. What has a timer derives from it, so that a wheel finds
/// it without a look-up; it stays where it is, and leaves the wheel as it goes.
class timer {
public:
  timer(const timer&) = delete;
  timer& operator=(const timer&) = delete;

protected:
  timer() = default;
  ~timer();

private:
  friend class wheel_of_timers;

  timer* before_ = this;
  timer* after_ = this;
  wheel_of_timers* wheel_ = nullptr; ///< null: not set
  std::int64_t due_ = 0;
};

/// A timer wheel without the types of what it is for; see timer_wheel.
class wheel_of_timers {
public:
  wheel_of_timers(timestamp start, milliseconds tick);
  ~wheel_of_timers();
  wheel_of_timers(const wheel_of_timers&) = delete;
  wheel_of_timers& operator=(const wheel_of_timers&) = delete;

  void set(timer& one, timestamp at) noexcept;
  void cancel(timer& one) noexcept;
  void advance(timestamp now) noexcept;
  [[nodiscard]] timer* take_due() noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

private:
  /// The head of a ring.
  struct ring : timer {};

  [[nodiscard]] std::int64_t tick_of(timestamp at) const noexcept;
  [[nodiscard]] ring& slot_of(std::int64_t due) noexcept;
  static void leave_ring(timer& one) noexcept;
  static void append(ring& to, timer& one) noexcept;
  void collect(ring& slot, std::int64_t target) noexcept;
  void let_go(ring& all) noexcept;

  milliseconds tick_;
  std::int64_t now_tick_;
  std::vector<ring> slots_;
  ring due_; ///< the longest due first
  std::size_t size_ = 0;
};

/// A hashed timer wheel: 512 slots of one tick each; what is further away than one turn stays
/// in its slot until its turn comes. Setting and cancelling are O(1) and allocate nothing, a
/// tick costs what its slot holds. `Owner` derives from `Timer`, which is a class of its own
/// where an owner is in several wheels. Not thread-safe.
template <class Owner, class Timer = timer>
class timer_wheel {
public:
  timer_wheel(timestamp start, milliseconds tick) : wheel_(start, tick) {}

  /// Sets the owner's timer, in place of the time that it had. It is never early, for who is
  /// woken early finds nothing to do: it is due with the first tick at or after `at`. A time
  /// that has passed is due with the next tick.
  void set(Owner& owner, timestamp at) noexcept { wheel_.set(timer_of(owner), at); }
  /// Also of what is due and was not taken yet.
  void cancel(Owner& owner) noexcept { wheel_.cancel(timer_of(owner)); }

  /// Moves on to `now`. When the clock was set back, so is the wheel: what is set from then on
  /// is due by the new time.
  void advance(timestamp now) noexcept { wheel_.advance(now); }
  /// Who is due, each once: its timer is not set any more. Null: nobody else.
  [[nodiscard]] Owner* take_due() noexcept {
    return static_cast<Owner*>(static_cast<Timer*>(wheel_.take_due()));
  }

  /// The timers that are set, those included that are due and were not taken yet.
  [[nodiscard]] std::size_t size() const noexcept { return wheel_.size(); }

private:
  [[nodiscard]] static Timer& timer_of(Owner& owner) noexcept { return owner; }

  wheel_of_timers wheel_;
};

} // namespace holdfast::shards
