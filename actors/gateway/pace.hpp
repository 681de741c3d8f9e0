// How fast a gateway may be asked again: the share of retries among its calls, and the slow
// start of what is owed to a gateway that has come back. Pure.
#pragma once

#include "messages/time.hpp"

#include <cstdint>
#include <optional>

namespace holdfast::gateways {

struct retry_rules {
  double share = 0.2;      ///< Of a first try, so much of a retry is earned …
  std::uint32_t rate = 50; ///< … besides so many retries a second, so that none starves.
};

/// Retries are spent from what first tries and time have earned, so that they are never more
/// than a share of the calls plus a rate, and can't become a storm. Saves up at most what the
/// rate earns in limits::retry_budget_saving_ms; begins full. Not thread-safe.
class retry_budget {
public:
  explicit retry_budget(retry_rules rules) noexcept;

  /// What was saved stays, as far as it fits.
  void configure(retry_rules rules) noexcept;
  /// A first try went out.
  void earn(timestamp now) noexcept;
  /// Whether a retry may go out; if so, it is paid for.
  [[nodiscard]] bool spend(timestamp now) noexcept;
  /// Retries that may go out at this moment.
  [[nodiscard]] std::uint64_t left(timestamp now) noexcept;

private:
  void pass_time(timestamp now) noexcept;
  [[nodiscard]] std::int64_t most() const noexcept;

  retry_rules rules_;
  std::int64_t saved_ = 0; ///< millionths of a retry
  std::optional<timestamp> last_;
};

/// Spaces calls out. Rising, its rate grows from a tenth to the whole over
/// limits::gateway_recovery_ramp_ms, and it stays in force until no call has had to wait for
/// limits::gateway_recovery_quiet_ms. Not thread-safe.
class recovery_pace {
public:
  /// Calls a second, at least 1.
  explicit recovery_pace(std::uint32_t rate) noexcept : rate_(rate) {}

  void configure(std::uint32_t rate) noexcept { rate_ = rate; }
  /// The gateway is back: the ramp begins.
  void begin(timestamp now) noexcept;
  /// The gateway is away: only the lowest rate holds.
  void end() noexcept { began_.reset(); }
  [[nodiscard]] bool rising(timestamp now) const noexcept;
  /// None: a call may go now, and is counted. Else when to ask again.
  [[nodiscard]] std::optional<timestamp> take(timestamp now) noexcept;

private:
  [[nodiscard]] std::chrono::microseconds spacing(timestamp now) const noexcept;

  std::uint32_t rate_;
  std::optional<timestamp> began_;
  timestamp waited_at_; ///< when a call had to wait last
  timestamp next_at_;
};

} // namespace holdfast::gateways
