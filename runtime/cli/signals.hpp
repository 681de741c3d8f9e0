// SIGTERM, Ctrl-C and the deaths of children, heard in order on the main thread.
#pragma once

#include "messages/time.hpp"

#include <cstdint>
#include <utility>

namespace holdfast::cli {

/// What SIGHUP asks for: of a server, to read its configuration anew.
enum class hang_up : std::uint8_t { stops, reloads };

/// Blocks SIGINT, SIGTERM, SIGHUP and SIGCHLD for the calling thread and all that it starts
/// later, and ignores SIGPIPE: create it first, on the main thread. They then arrive through
/// `wait` alone.
class signals {
public:
  explicit signals(hang_up meaning = hang_up::stops);

  /// True once somebody asked us to stop; returns early also when a child has died, or when a
  /// reload was asked for.
  bool wait(milliseconds limit);
  /// True once, if `wait` has heard somebody ask for a reload since the last call.
  bool take_reload() noexcept { return std::exchange(reload_, false); }
  /// True once somebody asked us to stop. Does not wait.
  bool asked_to_stop() { return wait(milliseconds{0}); }

private:
  hang_up meaning_;
  bool stop_ = false;
  bool reload_ = false;
};

} // namespace holdfast::cli
