// Reads the configuration file again while the node runs, and takes over what may change then:
// the routing table, and the rules of the gateways' breakers.
#pragma once

#include "runtime/api/routing.hpp"
#include "runtime/node/gateway_metrics.hpp"

#include <string>
#include <vector>

namespace holdfast::runtime {

[[nodiscard]] gateways::gate_rules gate_rules_of(const config::breaker_settings& settings);

/// What routes may name: gateways and acquirers are made when the node starts.
struct route_ends {
  std::vector<named_board> gateways;
  std::vector<std::string> acquirers;
};

/// All or nothing: a file with any mistake changes nothing. Reads a small file, so that it may
/// be called from an event loop. One call at a time. Errors: invalid_argument, whose detail is
/// "file:line: …", a line each; it is logged too.
[[nodiscard]] expected<void> reload_routes(const std::string& file, const route_ends& ends,
                                           api::routing& in_force);

/// Warnings about the routes in force, in the log.
void log_doubts(const api::routing& in_force);

} // namespace holdfast::runtime
