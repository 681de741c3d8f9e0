// Wakes a thread that waits in poll(): an eventfd.
#pragma once

#include <chrono>

namespace holdfast::storage {

using steady_time = std::chrono::steady_clock::time_point;

class wake_event {
public:
  wake_event();
  ~wake_event();
  wake_event(const wake_event&) = delete;
  wake_event& operator=(const wake_event&) = delete;

  /// Any thread. Remembered until the next wait has seen it.
  void signal() noexcept;
  /// Returns when signalled or at the deadline; `steady_time::max()` waits for ever.
  void wait_until(steady_time deadline) noexcept;

  /// Any thread. Whether a signal is remembered.
  [[nodiscard]] bool is_signalled() const noexcept;
  /// For a poll() of one's own: readable while a signal is remembered.
  [[nodiscard]] int descriptor() const noexcept { return fd_; }

private:
  int fd_ = -1;
};

/// Milliseconds until then for poll(): rounded up, 0 when past, -1 for `steady_time::max()`.
[[nodiscard]] int poll_timeout(steady_time deadline) noexcept;

} // namespace holdfast::storage
