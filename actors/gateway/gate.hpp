// Whether a call to a gateway may go out: breaker, retry budget and recovery in one. It
// outlives the gateway's actor, so that a trip is not forgotten when the actor dies.
#pragma once

#include "actors/gateway/breaker.hpp"
#include "actors/gateway/pace.hpp"

#include <mutex>
#include <optional>
#include <string_view>

namespace holdfast::gateways {

struct gate_rules {
  breaker_rules breaker;
  retry_rules retries;
  std::uint32_t recovery_rate = 100; ///< Owed calls a second once a gateway has recovered.
};

/// Why a call was not sent. Its text is the code of the answer.
enum class refusal : std::uint8_t { breaker_open, queue_full, queue_timeout, retry_budget };
inline constexpr std::size_t refusals = 4;

[[nodiscard]] std::string_view to_string(refusal why) noexcept;

/// Exactly one of `permit` and `why` is set, or neither: then the call waits.
struct gate_answer {
  std::optional<breaker::permit_number> permit;
  std::optional<refusal> why;
  /// When to ask again for a call that waits; none: when another call has ended.
  std::optional<timestamp> ask_at;
};

struct gate_view {
  breaker_view breaker;
  std::uint64_t retries_left = 0;
  bool recovering = false;
};

/// What is owed passes, bounded in each state: closed, by the retry budget; open, a trickle, so
/// that it never starves; half-open, as the probes; after that, by the pace of recovery in
/// place of the budget. Thread-safe; deterministic, for the time is an argument.
class gate {
public:
  explicit gate(gate_rules rules) noexcept;

  void configure(gate_rules rules);
  [[nodiscard]] gate_answer ask(timestamp now, call_kind kind);
  void record(timestamp now, breaker::permit_number permit, call_result result,
              milliseconds took);
  /// For an actor that starts: the one before it is gone, and its calls with it.
  void forget_calls();

  void trip(timestamp now, std::optional<milliseconds> duration, operator_order order);
  void reset(timestamp now, operator_order order);

  [[nodiscard]] breaker_state state(timestamp now);
  [[nodiscard]] gate_view view(timestamp now);

private:
  [[nodiscard]] gate_answer ask_for_owed(timestamp now);

  std::mutex mutex_;
  breaker breaker_;
  retry_budget budget_;
  recovery_pace pace_;
};

} // namespace holdfast::gateways
