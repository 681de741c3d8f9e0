#include "runtime/sandbox/delayed_answers.hpp"

#include "messages/limits.hpp"

#include <boost/asio/io_context.hpp>

namespace holdfast::sandbox {

void delayed_answers::send(milliseconds delay, http::responder to, http::response answer) {
  if (delay.count() == 0 || waiting_.size() >= limits::sandbox_delayed_max)
    return to(std::move(answer));
  const auto due = std::chrono::steady_clock::now() + delay;
  const auto place = waiting_.emplace(due, std::pair{std::move(to), std::move(answer)});
  if (place == waiting_.begin())
    wait();
}

void delayed_answers::wait() {
  timer_.expires_at(waiting_.begin()->first);
  // The timer goes with this object, and cancels itself then.
  timer_.async_wait([this](const boost::system::error_code& aborted) {
    if (!aborted)
      send_due();
  });
}

void delayed_answers::send_due() {
  const auto now = std::chrono::steady_clock::now();
  while (!waiting_.empty() && waiting_.begin()->first <= now) {
    auto [to, answer] = std::move(waiting_.begin()->second);
    waiting_.erase(waiting_.begin());
    to(std::move(answer));
  }
  if (!waiting_.empty())
    wait();
}

} // namespace holdfast::sandbox
