// The actor of one gateway: it sends what its admission lets go, and answers every call.
#pragma once

#include "actors/environment.hpp"
#include "actors/gateway/admission.hpp"
#include "actors/gateway/client.hpp"

#include <caf/fwd.hpp>

#include <array>
#include <atomic>

namespace holdfast::actors {

/// What a gateway's actor says of itself, and its gate, which operators use too. Outlives the
/// actor. Read by metrics, by routing and by `ctl gateways`.
struct gateway_board {
  explicit gateway_board(gateways::gate_rules rules = {}) : gate(rules) {}

  gateways::gate gate;
  std::atomic<std::size_t> in_flight{0};
  std::atomic<std::size_t> queued{0};
  /// Calls ended, by gateway_verdict.
  std::array<std::atomic<std::uint64_t>, 5> verdicts{};
  /// Calls not sent, by gateways::refusal.
  std::array<std::atomic<std::uint64_t>, gateways::refusals> refused{};
  std::atomic<std::uint64_t> total_us{0};
};

/// The clock of gates and lines: it is never set.
[[nodiscard]] timestamp gateway_clock() noexcept;

struct gateway_seat {
  environment_ptr env;
  std::string name;
  std::shared_ptr<gateways::client> wire;
  std::shared_ptr<gateway_board> board;
  gateways::admission_rules rules;
  timestamp (*clock)() = gateway_clock; ///< the same as that of the board's other users
};

/// Handles: gateway_call, gateway_call_ended, gateway_tick. Kept alive by the supervisor. Every
/// call is answered with a gateway_reply, unless this actor dies first: payments then take it
/// for unknown.
[[nodiscard]] caf::actor spawn_gateway(caf::actor_system& system, gateway_seat seat);

} // namespace holdfast::actors
