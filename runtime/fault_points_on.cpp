// The deadly definition of the fault points: HOLDFAST_CRASH_AT="journal.before_commit:3" kills
// the process, as kill -9 would, when it passes that point for the third time.
#include "messages/fault_point.hpp"

#include <atomic>
#include <charconv>
#include <cstdlib>
#include <string>
#include <string_view>

#include <signal.h>

namespace holdfast {

namespace {

struct crash_plan {
  std::string point;
  std::atomic<long> passes_left{0};

  crash_plan() {
    const char* text = std::getenv("HOLDFAST_CRASH_AT");
    if (text == nullptr)
      return;
    const std::string_view plan{text};
    const auto colon = plan.rfind(':');
    point = plan.substr(0, colon);
    long passes = 1;
    if (colon != std::string_view::npos)
      std::from_chars(plan.data() + colon + 1, plan.data() + plan.size(), passes);
    passes_left = passes;
  }
};

} // namespace

void fault_point(const char* name) noexcept {
  static crash_plan plan;
  if (plan.point == name && plan.passes_left.fetch_sub(1) == 1)
    raise(SIGKILL);
}

} // namespace holdfast
