// The harmful definition of the fault points: HOLDFAST_CRASH_AT="journal.before_commit:3" kills
// the process, as kill -9 would, when it passes that point for the third time, and
// HOLDFAST_FREEZE_AT stops it there, as kill -STOP would, until it is told to go on.
#include "messages/fault_point.hpp"

#include <atomic>
#include <charconv>
#include <cstdlib>
#include <string>
#include <string_view>

#include <signal.h>

namespace holdfast {

namespace {

/// A signal to raise at one point, once.
class fault_plan {
public:
  fault_plan(const char* variable, int signal) : signal_(signal) {
    const char* text = std::getenv(variable);
    if (text == nullptr)
      return;
    const std::string_view plan{text};
    const auto colon = plan.rfind(':');
    point_ = plan.substr(0, colon);
    long passes = 1;
    if (colon != std::string_view::npos)
      std::from_chars(plan.data() + colon + 1, plan.data() + plan.size(), passes);
    passes_left_ = passes;
  }

  void pass(const char* name) noexcept {
    if (point_ == name && passes_left_.fetch_sub(1) == 1)
      raise(signal_);
  }

private:
  const int signal_;
  std::string point_;
  std::atomic<long> passes_left_{0};
};

} // namespace

void fault_point(const char* name) noexcept {
  static fault_plan crash{"HOLDFAST_CRASH_AT", SIGKILL};
  static fault_plan freeze{"HOLDFAST_FREEZE_AT", SIGSTOP};
  crash.pass(name);
  freeze.pass(name);
}

} // namespace holdfast
