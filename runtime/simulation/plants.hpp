// Bugs on purpose. Each is one that payment systems really have; built into the simulator's own
// glue, never into production code, it shows that the invariants can fail.
#pragma once

#include <array>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string_view>

namespace holdfast::simulation {

enum class plant : std::uint8_t {
  none,
  skip_intent,         ///< The gateway is called before the intent is durable.
  failover_on_unknown, ///< A call without an answer is taken for one that was not sent.
  forget_reversal,     ///< A reversal is taken for done without being made.
  double_apply,        ///< A transaction whose COMMIT got no answer is simply sent again.
  drop_fence,          ///< The journal takes writes of any epoch.
  stale_status_wins,   ///< A late "declined" overwrites what had been approved.
  lost_timer,          ///< Some timers are set and never fire.
  replay_as_new,       ///< A repeated key that a new owner doesn't know is done again.
};

inline constexpr std::array all_plants{
  plant::skip_intent, plant::failover_on_unknown, plant::forget_reversal, plant::double_apply,
  plant::drop_fence,  plant::stale_status_wins,   plant::lost_timer,      plant::replay_as_new,
};

[[nodiscard]] std::string_view to_string(plant which) noexcept;
std::ostream& operator<<(std::ostream& out, plant which);
/// None for a name that is not one of `all_plants`.
[[nodiscard]] std::optional<plant> parse_plant(std::string_view name) noexcept;

} // namespace holdfast::simulation
