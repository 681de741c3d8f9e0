#include "runtime/node/route_reload.hpp"

#include "messages/time.hpp"
#include "runtime/log/log.hpp"

#include <algorithm>

namespace holdfast::runtime {

namespace {

/// What the file's routes name and this node does not have.
std::string missing_ends(const config::node_config& read, const route_ends& ends) {
  std::string found;
  const auto complain = [&](const config::route_settings& route, const std::string& what) {
    found += (found.empty() ? "" : "\n") + read.file + ':' + std::to_string(route.line)
             + ": [[routes]] " + what
             + " is not known to the running node; a new one needs a restart";
  };
  for (const auto& route : read.routes) {
    for (const auto& name : route.gateways)
      if (std::ranges::find(ends.gateways, name, &named_board::first) == ends.gateways.end())
        complain(route, "gateways: \"" + name + '"');
    if (std::ranges::find(ends.acquirers, route.acquirer) == ends.acquirers.end())
      complain(route, "acquirer: \"" + route.acquirer + '"');
  }
  return found;
}

expected<config::node_config> read_anew(const std::string& file, const route_ends& ends) {
  if (file.empty())
    return make_error(errc::invalid_argument, "this node was started without a file");
  // How it is linked to other nodes was checked when it started and does not change.
  auto read = config::load(file, config::loopback::insecure);
  if (!read)
    return read;
  if (auto missing = missing_ends(*read, ends); !missing.empty())
    return make_error(errc::invalid_argument, std::move(missing));
  return read;
}

} // namespace

gateways::gate_rules gate_rules_of(const config::breaker_settings& settings) {
  gateways::gate_rules rules;
  rules.breaker.window = settings.window;
  rules.breaker.min_calls = settings.min_calls;
  rules.breaker.error_rate = settings.error_rate;
  rules.breaker.slow_call = settings.slow_call;
  rules.breaker.slow_rate = settings.slow_rate;
  rules.breaker.open_for = settings.open_for;
  rules.breaker.probes = settings.probes;
  rules.breaker.probe_successes = settings.probe_successes;
  rules.retries = {settings.retry_share, settings.retry_rate};
  rules.recovery_rate = settings.recovery_rate;
  return rules;
}

expected<void> reload_routes(const std::string& file, const route_ends& ends,
                             api::routing& in_force) {
  auto read = read_anew(file, ends);
  if (!read) {
    log::fail("routes are not reloaded; the table in force stays",
              {{"reason", read.error().detail}});
    return read.error();
  }
  in_force.replace(std::move(read->routes), wall_clock_now());
  for (const auto& gateway : read->gateways) {
    const auto known = std::ranges::find(ends.gateways, gateway.name, &named_board::first);
    if (known != ends.gateways.end())
      known->second->gate.configure(gate_rules_of(gateway.breaker));
  }
  const auto now = in_force.in_force();
  log::info("routes are reloaded",
            {{"generation", now->generation}, {"routes", now->table.routes().size()}});
  log_doubts(in_force);
  return {};
}

void log_doubts(const api::routing& in_force) {
  const auto now = in_force.in_force();
  for (const auto& doubt : now->table.doubts(now->file))
    log::warn("a route is doubtful", {{"route", doubt}});
}

} // namespace holdfast::runtime
