#include "runtime/node/node_wires.hpp"

#include "runtime/gateways/sandbox_acquirer.hpp"
#include "runtime/gateways/sandbox_gateway.hpp"
#include "runtime/gateways/sandbox_lister.hpp"
#include "runtime/node/route_reload.hpp"

namespace holdfast::runtime {

namespace {

error about(const std::string& whom, const error& failure) {
  return make_error(errc::invalid_argument, whom + ": " + failure.detail);
}

} // namespace

expected<std::vector<actors::gateway_seat>> make_gateways(const config::node_config& settings,
                                                          const actors::environment_ptr& env,
                                                          boost::asio::io_context& io,
                                                          std::vector<named_board>& boards) {
  std::vector<actors::gateway_seat> seats;
  for (const auto& gateway : settings.gateways) {
    auto wire = gateways::make_sandbox_gateway(io, {gateway.url, gateway.concurrency});
    if (!wire)
      return about("gateway " + gateway.name, wire.error());
    auto board = std::make_shared<actors::gateway_board>(gate_rules_of(gateway.breaker));
    boards.emplace_back(gateway.name, board);
    seats.push_back({env,
                     gateway.name,
                     std::move(*wire),
                     std::move(board),
                     {gateway.concurrency, gateway.timeout}});
  }
  return seats;
}

expected<std::vector<actors::supervisor_plan::acquirer_seat>> make_acquirers(
  const config::node_config& settings, boost::asio::io_context& io) {
  std::vector<actors::supervisor_plan::acquirer_seat> seats;
  for (const auto& acquirer : settings.acquirers) {
    auto wire = acquirers::make_sandbox_acquirer(io, acquirer.url);
    if (!wire)
      return about("acquirer " + acquirer.name, wire.error());
    seats.push_back({acquirer.name, std::move(*wire), acquirer.timeout});
  }
  return seats;
}

expected<actors::orphan_search_plan> plan_orphan_search(const config::node_config& settings,
                                                        const actors::environment_ptr& env,
                                                        boost::asio::io_context& io) {
  actors::orphan_search_plan plan;
  plan.env = env;
  plan.every = settings.settlement.orphan_search;
  plan.window = settings.settlement.orphan_window;
  for (const auto& gateway : settings.gateways) {
    auto wire = gateways::make_sandbox_lister(io, gateway.url);
    if (!wire)
      return about("gateway " + gateway.name, wire.error());
    plan.gateways.push_back({gateway.name, std::move(*wire)});
  }
  return plan;
}

} // namespace holdfast::runtime
