#include "actors/gateway/breaker.hpp"

#include <algorithm>

namespace holdfast::gateways {

std::string_view to_string(breaker_state state) noexcept {
  switch (state) {
    case breaker_state::closed: return "closed";
    case breaker_state::open: return "open";
    case breaker_state::half_open: return "half_open";
  }
  return "closed";
}

bool breaker::permit(timestamp now) noexcept {
  // A clock that was set back must not keep the gateway shut until it has caught up.
  opened_at_ = std::min(opened_at_, now);
  if (state_ == breaker_state::open && now >= opened_at_ + rules_.open_for) {
    state_ = breaker_state::half_open;
    opened_at_ = now;
    probes_sent_ = probes_passed_ = 0;
  }
  switch (state_) {
    case breaker_state::closed: return true;
    case breaker_state::open: return false;
    case breaker_state::half_open:
      // A probe whose outcome never came must not block the gateway for ever.
      if (probes_sent_ >= rules_.probes && now >= opened_at_ + rules_.window) {
        opened_at_ = now;
        probes_sent_ = probes_passed_ = 0;
      }
      if (probes_sent_ >= rules_.probes)
        return false;
      ++probes_sent_;
      return true;
  }
  return true;
}

void breaker::record(timestamp now, bool failed) noexcept {
  auto& current = bucket_at(now);
  ++current.calls;
  current.failures += failed ? 1 : 0;
  switch (state_) {
    case breaker_state::closed:
      if (failed && too_many_failures(now))
        open(now);
      break;
    case breaker_state::half_open:
      if (failed) {
        open(now);
      } else if (++probes_passed_ >= rules_.probes) {
        state_ = breaker_state::closed;
        window_ = {};
      }
      break;
    case breaker_state::open: break; // a late answer to a call from before
  }
}

void breaker::open(timestamp now) noexcept {
  state_ = breaker_state::open;
  opened_at_ = now;
}

std::int64_t breaker::slot_of(timestamp now) const noexcept {
  const auto width = std::max<std::int64_t>(rules_.window.count() / buckets_in_window, 1);
  return std::chrono::floor<milliseconds>(now.time_since_epoch()).count() / width;
}

breaker::bucket& breaker::bucket_at(timestamp now) noexcept {
  const auto slot = slot_of(now);
  auto& found = window_[static_cast<std::size_t>(slot % buckets_in_window)];
  if (found.slot != slot)
    found = bucket{slot, 0, 0};
  return found;
}

bool breaker::too_many_failures(timestamp now) const noexcept {
  const auto oldest = slot_of(now) - buckets_in_window + 1;
  std::uint32_t calls = 0;
  std::uint32_t failures = 0;
  for (const auto& one : window_) {
    if (one.slot < oldest)
      continue;
    calls += one.calls;
    failures += one.failures;
  }
  return calls >= rules_.calls_min && failures >= rules_.error_rate * calls;
}

} // namespace holdfast::gateways
