// The circuit breaker of one gateway. Pure: told the time and the outcomes, it says whether to
// call.
#pragma once

#include "messages/time.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace holdfast::gateways {

struct breaker_rules {
  double error_rate = 0.5;      ///< Opens at this share of failed calls …
  std::uint32_t calls_min = 20; ///< … of at least so many in the window.
  milliseconds window{10'000};
  milliseconds open_for{2'000}; ///< How long it stays open before it probes.
  std::uint32_t probes = 3;     ///< Calls let through half-open; all must succeed to close.
};

enum class breaker_state : std::uint8_t { closed, open, half_open };

[[nodiscard]] std::string_view to_string(breaker_state state) noexcept;

/// A call failed when its outcome is unknown or it could not be sent; a decline is a success of
/// the gateway. Inquiries and reversals pass an open breaker: they settle what is owed, and
/// they are the gentlest probe there is. Not thread-safe.
class breaker {
public:
  explicit breaker(breaker_rules rules) noexcept : rules_(rules) {}

  /// Whether a new call may go out now; a half-open permit is used up by it.
  [[nodiscard]] bool permit(timestamp now) noexcept;
  void record(timestamp now, bool failed) noexcept;
  [[nodiscard]] breaker_state state() const noexcept { return state_; }

private:
  struct bucket {
    std::int64_t slot = -1;
    std::uint32_t calls = 0;
    std::uint32_t failures = 0;
  };

  static constexpr std::int64_t buckets_in_window = 10;

  [[nodiscard]] bucket& bucket_at(timestamp now) noexcept;
  [[nodiscard]] bool too_many_failures(timestamp now) const noexcept;
  [[nodiscard]] std::int64_t slot_of(timestamp now) const noexcept;
  void open(timestamp now) noexcept;

  breaker_rules rules_;
  breaker_state state_ = breaker_state::closed;
  timestamp opened_at_;
  std::uint32_t probes_sent_ = 0;
  std::uint32_t probes_passed_ = 0;
  std::array<bucket, buckets_in_window> window_{};
};

} // namespace holdfast::gateways
