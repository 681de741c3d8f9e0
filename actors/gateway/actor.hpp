// The actor of one gateway: its circuit breaker, its bulkhead and its line of waiting calls.
#pragma once

#include "actors/environment.hpp"
#include "actors/gateway/breaker.hpp"
#include "actors/gateway/client.hpp"

#include <caf/fwd.hpp>

#include <array>
#include <atomic>

namespace holdfast::actors {

/// What a gateway's actor says of itself; outlives it. Read by metrics and `ctl gateways`.
struct gateway_gauges {
  std::atomic<gateways::breaker_state> breaker{gateways::breaker_state::closed};
  std::atomic<std::size_t> in_flight{0};
  std::atomic<std::size_t> queued{0};
  /// Calls ended, by gateway_verdict.
  std::array<std::atomic<std::uint64_t>, 5> verdicts{};
  std::atomic<std::uint64_t> total_us{0};
};

struct gateway_seat {
  environment_ptr env;
  std::string name;
  std::shared_ptr<gateways::client> wire;
  std::shared_ptr<gateway_gauges> gauges;
  gateways::breaker_rules breaker;
  milliseconds timeout{3'000};
  std::size_t concurrency = 256;
};

/// Handles: gateway_call, gateway_call_ended. Kept alive by the supervisor. Every call is
/// answered with a gateway_reply, unless this actor dies first: payments then take it for
/// unknown.
[[nodiscard]] caf::actor spawn_gateway(caf::actor_system& system, gateway_seat seat);

} // namespace holdfast::actors
