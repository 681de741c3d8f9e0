#include "runtime/bench/launcher.hpp"

#include <algorithm>
#include <cmath>

namespace holdfast::bench {

std::optional<launch> launcher::take(nanoseconds now) noexcept {
  if (in_flight_ >= plan_.connections || is_over(now))
    return std::nullopt;
  if (plan_.rate && due_of(begun_) > now)
    return std::nullopt;
  const launch next{begun_, plan_.rate ? due_of(begun_) : now};
  ++begun_;
  ++in_flight_;
  return next;
}

std::optional<nanoseconds> launcher::wake_at() const noexcept {
  const auto next = plan_.rate ? due_of(begun_) : plan_.length;
  if (!plan_.rate || in_flight_ >= plan_.connections || next >= plan_.length)
    return std::nullopt;
  const auto step = plan_.step;
  return step > nanoseconds{0} ? (next + step - nanoseconds{1}) / step * step : next;
}

bool launcher::is_over(nanoseconds now) const noexcept {
  if (!plan_.rate)
    return now >= plan_.length;
  return due_of(begun_) >= plan_.length || now >= plan_.length + plan_.grace;
}

std::uint64_t launcher::late(nanoseconds now) const noexcept {
  return plan_.rate ? due_by(now) - begun_ : 0;
}

nanoseconds launcher::due_of(std::uint64_t index) const noexcept {
  return nanoseconds{std::llround(static_cast<double>(index) * 1e9 / *plan_.rate)};
}

/// The launches with `due_of(i) <= now` that lie before the end.
std::uint64_t launcher::due_by(nanoseconds now) const noexcept {
  const auto last = std::min(now, plan_.length - nanoseconds{1});
  if (last < nanoseconds{0})
    return begun_;
  auto count =
    static_cast<std::uint64_t>(static_cast<double>(last.count()) / 1e9 * *plan_.rate) + 1;
  // The division above may be off by one either way.
  while (count > 0 && due_of(count - 1) > last)
    --count;
  while (due_of(count) <= last)
    ++count;
  return std::max(count, begun_);
}

} // namespace holdfast::bench
