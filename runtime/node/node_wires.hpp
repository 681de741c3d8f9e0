// A node's wires to the outside: its gateways, its acquirers, and the lists that orphans are
// looked for in. Errors of all: invalid_argument, which names whose configuration is wrong.
#pragma once

#include "actors/supervisor/actor.hpp"
#include "runtime/config/config.hpp"
#include "runtime/node/gateway_metrics.hpp"

#include <vector>

namespace boost::asio {
class io_context;
}

namespace holdfast::runtime {

/// Their boards are added to `boards`.
[[nodiscard]] expected<std::vector<actors::gateway_seat>> make_gateways(
  const config::node_config& settings, const actors::environment_ptr& env,
  boost::asio::io_context& io, std::vector<named_board>& boards);

[[nodiscard]] expected<std::vector<actors::supervisor_plan::acquirer_seat>> make_acquirers(
  const config::node_config& settings, boost::asio::io_context& io);

/// Without the way to those who are to hear of what is found.
[[nodiscard]] expected<actors::orphan_search_plan> plan_orphan_search(
  const config::node_config& settings, const actors::environment_ptr& env,
  boost::asio::io_context& io);

} // namespace holdfast::runtime
