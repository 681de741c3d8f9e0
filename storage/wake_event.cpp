#include "storage/wake_event.hpp"

#include "messages/assert.hpp"

#include <algorithm>
#include <cstdint>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace holdfast::storage {

wake_event::wake_event() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  HF_ASSERT(fd_ >= 0);
}

wake_event::~wake_event() {
  close(fd_);
}

void wake_event::signal() noexcept {
  const std::uint64_t one = 1;
  // A full counter means that the signal is pending already.
  [[maybe_unused]] const auto written = write(fd_, &one, sizeof one);
}

void wake_event::wait_until(steady_time deadline) noexcept {
  pollfd watched{fd_, POLLIN, 0};
  poll(&watched, 1, poll_timeout(deadline));
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = read(fd_, &count, sizeof count);
}

bool wake_event::is_signalled() const noexcept {
  pollfd watched{fd_, POLLIN, 0};
  return poll(&watched, 1, 0) == 1;
}

int poll_timeout(steady_time deadline) noexcept {
  if (deadline == steady_time::max())
    return -1;
  const auto left =
    std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
}

} // namespace holdfast::storage
