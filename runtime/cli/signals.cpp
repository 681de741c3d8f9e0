#include "runtime/cli/signals.hpp"

#include <csignal>
#include <ctime>

namespace holdfast::cli {

namespace {

sigset_t heard() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGCHLD})
    sigaddset(&set, number);
  return set;
}

} // namespace

signals::signals(hang_up meaning) : meaning_(meaning) {
  std::signal(SIGPIPE, SIG_IGN);
  const auto set = heard();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

bool signals::wait(milliseconds limit) {
  if (stop_)
    return true;
  const auto set = heard();
  timespec time{};
  time.tv_sec = static_cast<std::time_t>(limit.count() / 1'000);
  time.tv_nsec = static_cast<long>(limit.count() % 1'000) * 1'000'000;
  const int number = sigtimedwait(&set, nullptr, &time);
  if (number == SIGHUP && meaning_ == hang_up::reloads)
    reload_ = true;
  else
    stop_ = number == SIGINT || number == SIGTERM || number == SIGHUP;
  return stop_;
}

} // namespace holdfast::cli
