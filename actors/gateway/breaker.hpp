// The circuit breaker of one gateway. Pure: told the time and the outcomes, it says whether to
// call. Any clock will do that is the same in all calls; one that was set back does no harm.
#pragma once

#include "messages/time.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::gateways {

struct breaker_rules {
  milliseconds window{10'000};   ///< What the two rates are taken over.
  std::uint32_t min_calls = 20;  ///< Fewer calls in the window say nothing.
  double error_rate = 0.5;       ///< Opens at this share of failed calls …
  milliseconds slow_call{2'000}; ///< … or when calls that took at least so long …
  double slow_rate = 0.8;        ///< … are this share of all.
  milliseconds open_for{2'000};  ///< How long it stays open before it probes.
  std::uint32_t probes = 3;      ///< Calls let through half-open.
  /// How many of them must succeed to close it; 1 to `probes`.
  std::uint32_t probe_successes = 3;
};

enum class breaker_state : std::uint8_t { closed, open, half_open };

/// What opened it last.
enum class trip_cause : std::uint8_t { error_rate, slow_rate, probes, by_hand };
inline constexpr std::size_t trip_causes = 4;

/// What a call is for. An owed one settles what a gateway may already have done: an inquiry, a
/// reversal, the repeat of an operation.
enum class call_kind : std::uint8_t { charge, operation, owed };

/// A call failed when its outcome is unknown or it could not be sent. A decline is a success of
/// the gateway, and so is "not found".
enum class call_result : std::uint8_t { succeeded, failed };

[[nodiscard]] std::string_view to_string(breaker_state state) noexcept;
[[nodiscard]] std::string_view to_string(trip_cause cause) noexcept;

/// What an operator has to say.
struct operator_order {
  std::string by;
  std::string note;
};

struct breaker_view {
  breaker_state state = breaker_state::closed;
  /// "error rate 62% of 50 calls"; empty for one that has always been closed.
  std::string reason;
  std::string by; ///< the operator; empty when it moved by itself
  milliseconds age{0};
  /// Until it probes by itself. None: it is not open, or tripped until it is reset.
  std::optional<milliseconds> left;
  // Of the window:
  std::uint32_t calls = 0;
  std::uint32_t failures = 0;
  std::uint32_t slow = 0;
  std::array<std::uint64_t, trip_causes> trips{}; ///< by cause, ever
};

/// Open, it refuses new calls, but lets what is owed trickle through: a customer's money may
/// hang on it, and the operator who trips a gateway wants no new charges, not forgotten ones.
/// The trickle never closes it by itself. A permit belongs to a round, which begins whenever
/// the breaker opens or closes, so that late answers move nothing. Not thread-safe.
class breaker {
public:
  using permit_number = std::uint64_t;

  explicit breaker(breaker_rules rules) noexcept : rules_(rules) {}

  /// What was counted stays.
  void configure(breaker_rules rules) noexcept { rules_ = rules; }

  /// Whether a call may go out now. Half-open, a permit is used up by it; whom to prefer then
  /// is the caller's.
  [[nodiscard]] std::optional<permit_number> permit(timestamp now, call_kind kind);
  void record(timestamp now, permit_number permit, call_result result, milliseconds took);
  /// Whoever made the calls under way is gone: none of their outcomes will come.
  void forget_calls() noexcept;

  /// Opens it until it is reset, or probes after `duration`.
  void trip(timestamp now, std::optional<milliseconds> duration, operator_order order);
  /// Closes it, whatever had opened it, and forgets the window.
  void reset(timestamp now, operator_order order);

  [[nodiscard]] breaker_state state(timestamp now) noexcept;
  /// When an open one is half-open by itself; none: not open, or tripped until reset.
  [[nodiscard]] std::optional<timestamp> probes_at() const noexcept;
  /// Whether an open one lets another owed call through.
  [[nodiscard]] bool has_room_for_owed() const noexcept;
  [[nodiscard]] breaker_view view(timestamp now);

private:
  struct tally {
    std::uint32_t calls = 0;
    std::uint32_t failures = 0;
    std::uint32_t slow = 0;
  };
  struct bucket {
    std::int64_t slot = -1;
    tally seen;
  };

  static constexpr std::int64_t buckets_in_window = 10;

  void advance(timestamp now) noexcept;
  void open(timestamp now, trip_cause cause, std::string reason);
  void close(timestamp now, std::string reason);
  void judge_window(timestamp now, bool failed, bool slow);
  void judge_probe(timestamp now, bool passed);
  [[nodiscard]] std::int64_t slot_of(timestamp now) const noexcept;
  [[nodiscard]] bucket& bucket_at(timestamp now) noexcept;
  [[nodiscard]] tally in_window(timestamp now) const noexcept;

  breaker_rules rules_;
  breaker_state state_ = breaker_state::closed;
  std::uint64_t round_ = 1;
  timestamp since_;                      ///< of the state
  std::optional<milliseconds> open_for_; ///< none: until it is reset
  std::string reason_;
  std::string by_;
  std::uint32_t owed_out_ = 0; ///< owed calls under way while open
  std::uint32_t probes_sent_ = 0;
  std::uint32_t probes_passed_ = 0;
  std::uint32_t probes_failed_ = 0;
  std::array<bucket, buckets_in_window> window_{};
  std::array<std::uint64_t, trip_causes> trips_{};
};

} // namespace holdfast::gateways
