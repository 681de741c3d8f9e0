#include "runtime/simulation/plants.hpp"

#include <ostream>

namespace holdfast::simulation {

std::string_view to_string(plant which) noexcept {
  switch (which) {
    case plant::none: return "none";
    case plant::skip_intent: return "skip_intent";
    case plant::failover_on_unknown: return "failover_on_unknown";
    case plant::forget_reversal: return "forget_reversal";
    case plant::double_apply: return "double_apply";
    case plant::drop_fence: return "drop_fence";
    case plant::stale_status_wins: return "stale_status_wins";
    case plant::lost_timer: return "lost_timer";
    case plant::replay_as_new: return "replay_as_new";
  }
  return "none";
}

std::ostream& operator<<(std::ostream& out, plant which) {
  return out << to_string(which);
}

std::optional<plant> parse_plant(std::string_view name) noexcept {
  for (const auto one : all_plants)
    if (to_string(one) == name)
      return one;
  return std::nullopt;
}

} // namespace holdfast::simulation
