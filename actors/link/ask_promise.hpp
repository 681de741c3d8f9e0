// The one outcome that everybody is owed who asks another node.
#pragma once

#include "actors/link/port.hpp"

#include <chrono>
#include <memory>

namespace holdfast::links {

/// The clock of links: it has nothing to do with the time of day.
using steady_time = std::chrono::steady_clock::time_point;

/// Delivers exactly once, whatever becomes of the link in between: if it is dropped, the
/// outcome is `unknown_outcome` once the request has been sent, and `unavailable` before. Used
/// by one thread at a time.
class ask_promise {
public:
  explicit ask_promise(peer_callback done) : done_(std::move(done)) {}
  ask_promise(const ask_promise&) = delete;
  ask_promise& operator=(const ask_promise&) = delete;
  ~ask_promise();

  /// From here on it may have been done.
  void mark_sent() noexcept { sent_ = true; }
  void deliver(peer_outcome outcome);
  /// The link is gone, or the time is up: what that means depends on whether it was sent.
  void give_up(const std::string& why);

private:
  peer_callback done_;
  bool sent_ = false;
};

using ask_promise_ptr = std::shared_ptr<ask_promise>;

} // namespace holdfast::links
