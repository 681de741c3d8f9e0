// Answers that leave later, on purpose: slow ones, and those that never come.
#pragma once

#include "messages/time.hpp"
#include "runtime/http/server.hpp"

#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <map>
#include <utility>

namespace holdfast::sandbox {

/// One timer for all of them. Runs on the io_context's thread.
class delayed_answers {
public:
  explicit delayed_answers(boost::asio::io_context& io) : timer_(io) {}

  /// Answers after `delay`; at once when there is none, or when too many wait already.
  void send(milliseconds delay, http::responder to, http::response answer);

private:
  using steady_time = std::chrono::steady_clock::time_point;

  void wait();
  void send_due();

  boost::asio::steady_timer timer_;
  std::multimap<steady_time, std::pair<http::responder, http::response>> waiting_;
};

} // namespace holdfast::sandbox
