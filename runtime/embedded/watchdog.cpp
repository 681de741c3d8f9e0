#include "runtime/embedded/watchdog.hpp"

#include "messages/limits.hpp"
#include "runtime/embedded/child.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <tuple>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace holdfast::embedded {

namespace {

/// One message in the pipe; smaller than PIPE_BUF, so it is never torn.
struct order {
  pid_t pid = 0;
  int signal_number = 0;
};

struct ward {
  int pidfd = -1;
  int signal_number = 0;
};

void await_all(const std::vector<ward>& wards, milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  for (const auto& each : wards) {
    const auto left = deadline - std::chrono::steady_clock::now();
    std::ignore = await_end(each.pidfd, std::chrono::ceil<milliseconds>(left));
  }
}

std::vector<ward> listen_until_closed(int pipe) {
  std::vector<ward> wards;
  for (;;) {
    order next;
    const auto got = ::read(pipe, &next, sizeof next);
    if (got < 0 && errno == EINTR)
      continue;
    if (got != static_cast<ssize_t>(sizeof next))
      return wards;
    // Drop the handles of those that have ended: a node may be restarted any number of times.
    std::erase_if(wards, [](const ward& each) {
      const bool ended = await_end(each.pidfd, milliseconds{0});
      if (ended)
        ::close(each.pidfd);
      return ended;
    });
    if (const int handle = open_process(next.pid); handle >= 0)
      wards.push_back({handle, next.signal_number});
  }
}

[[noreturn]] void keep_watch(int pipe) {
  // A group of its own and deaf to the signals that a terminal or a script sends to all of us.
  ::setpgid(0, 0);
  ::prctl(PR_SET_NAME, "holdfast-watch");
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE})
    ::signal(number, SIG_IGN);
  // Whoever reads our output must not wait for us.
  if (const int null = ::open("/dev/null", O_RDWR); null >= 0) {
    for (const int fd : {0, 1, 2})
      ::dup2(null, fd);
  }
  const auto wards = listen_until_closed(pipe);
  for (const auto& each : wards)
    signal_process(each.pidfd, each.signal_number);
  await_all(wards, milliseconds{limits::watchdog_grace_ms});
  for (const auto& each : wards)
    signal_process(each.pidfd, SIGKILL);
  await_all(wards, milliseconds{limits::watchdog_grace_ms});
  ::_exit(0);
}

} // namespace

expected<watchdog> watchdog::start() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return make_error(errc::unavailable, std::string{"pipe: "} + std::strerror(errno));
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::close(ends[1]);
    keep_watch(ends[0]);
  }
  ::close(ends[0]);
  if (pid < 0) {
    ::close(ends[1]);
    return make_error(errc::unavailable, std::string{"fork: "} + std::strerror(errno));
  }
  return watchdog{pid, ends[1]};
}

watchdog::watchdog(watchdog&& other) noexcept
  : pid_(std::exchange(other.pid_, -1)),
    pipe_(std::exchange(other.pipe_, -1)) {}

watchdog::~watchdog() {
  if (pipe_ < 0)
    return;
  ::close(pipe_);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR)
    ;
}

void watchdog::guard(pid_t pid, int signal_number) noexcept {
  const order message{pid, signal_number};
  // Should the watchdog be gone, the parent-death signals are still there.
  std::ignore = ::write(pipe_, &message, sizeof message);
}

} // namespace holdfast::embedded
