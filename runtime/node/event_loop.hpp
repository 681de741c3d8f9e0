// An io_context with the one thread that runs it.
#pragma once

#include "messages/time.hpp"

#include <functional>
#include <memory>
#include <string>

namespace boost::asio {
class io_context;
}

namespace holdfast::runtime {

class event_loop {
public:
  /// `name` is the thread's.
  explicit event_loop(std::string name);
  ~event_loop(); ///< Stops, if that has not been done.
  event_loop(const event_loop&) = delete;
  event_loop& operator=(const event_loop&) = delete;

  [[nodiscard]] boost::asio::io_context& io() noexcept;
  void start();
  /// Ends the thread; what is pending is dropped.
  void stop();
  /// Runs on the loop's thread after the pause, unless the loop has stopped. Thread-safe.
  void run_later(milliseconds pause, std::function<void()> run);

private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace holdfast::runtime
