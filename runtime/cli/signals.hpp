// SIGTERM, Ctrl-C and the deaths of children, heard in order on the main thread.
#pragma once

#include "messages/time.hpp"

namespace holdfast::cli {

/// Blocks SIGINT, SIGTERM, SIGHUP and SIGCHLD for the calling thread and all that it starts
/// later, and ignores SIGPIPE: create it first, on the main thread. They then arrive through
/// `wait` alone.
class signals {
public:
  signals();

  /// True once somebody asked us to stop; returns early also when a child has died.
  bool wait(milliseconds limit);
  /// True once somebody asked us to stop. Does not wait.
  bool asked_to_stop() { return wait(milliseconds{0}); }

private:
  bool stop_ = false;
};

} // namespace holdfast::cli
