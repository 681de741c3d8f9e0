#include "runtime/simulation/trace.hpp"

#include "messages/events.hpp"
#include "messages/gateway_types.hpp"
#include "messages/time.hpp"

namespace holdfast::simulation {

namespace {

constexpr std::size_t lines_max = 60;

std::string describe(step_kind kind, std::uint64_t a, std::uint64_t b) {
  const auto one = std::to_string(a);
  const auto other = std::to_string(b);
  switch (kind) {
    case step_kind::event:
      return "committed " + std::string{to_string(static_cast<event_type>(a))} + ", epoch "
             + other;
    case step_kind::gateway_call:
      return "gateway " + one + " hears "
             + std::string{to_string(static_cast<gateway_verb>(b))};
    case step_kind::reply: {
      constexpr const char* kinds[] = {"definitive", "pending", "try again", "key reused",
                                       "not found"};
      return std::string{"the client is answered: "} + kinds[a] + (b != 0 ? ' ' + other : "");
    }
    case step_kind::actor_death: return "its actor dies in shard " + one;
    case step_kind::node_crash: return "node " + one + " crashes";
    case step_kind::node_pause: return "node " + one + " is stopped for a while";
    case step_kind::node_cut: return "node " + one + " is cut off from the database";
    case step_kind::take_over: return "shard " + one + " is taken over, epoch " + other;
    case step_kind::settlement: return "settlement: " + one + ", " + other;
  }
  return {};
}

} // namespace

void trace::keep(timestamp at, std::uint64_t number, step_kind kind, std::uint64_t a,
                 std::uint64_t b) {
  if (kept_.size() >= lines_max)
    kept_.pop_front();
  kept_.push_back(to_rfc3339(at) + "  step " + std::to_string(number) + "  "
                  + describe(kind, a, b));
}

} // namespace holdfast::simulation
