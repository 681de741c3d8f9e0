// The last line of defence against processes left behind: a process of its own that holds one
// end of a pipe. When we die, however we die, the pipe closes and it ends what we had started.
#pragma once

#include "messages/expected.hpp"

#include <sys/types.h>

namespace holdfast::embedded {

/// Complements the parent-death signals of the children, which reach neither a child that has
/// cleared them nor one that hangs. Its process inherits every descriptor that is open when it
/// starts, the data folder's lock above all: so a free lock means that nothing is left running.
class watchdog {
public:
  /// Forks, so call it before any thread is started. Errors: unavailable.
  [[nodiscard]] static expected<watchdog> start();

  watchdog(watchdog&& other) noexcept;
  watchdog& operator=(watchdog&&) = delete;
  watchdog(const watchdog&) = delete;
  watchdog& operator=(const watchdog&) = delete;
  /// Closes the pipe and waits until the process has ended what still ran, and itself.
  ~watchdog();

  /// From now on `pid` is ended with us: by `signal_number` first, by SIGKILL some seconds
  /// later.
  void guard(pid_t pid, int signal_number) noexcept;
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }

private:
  watchdog(pid_t pid, int pipe) noexcept : pid_(pid), pipe_(pipe) {}

  pid_t pid_;
  int pipe_;
};

} // namespace holdfast::embedded
