#include "runtime/node/actor_front.hpp"

#include "actors/caf.hpp"
#include "actors/protocol.hpp"
#include "runtime/cluster/cluster_metrics.hpp"
#include "runtime/telemetry/metrics.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::runtime {

namespace {

using telemetry::append_head;
using telemetry::append_sample;

} // namespace

actor_front::actor_front(actors::environment_ptr env, std::vector<named_board> gateways,
                         node_cluster& cluster)
  : env_(std::move(env)),
    gateways_(std::move(gateways)),
    cluster_(cluster) {}

// -- requests
// -----------------------------------------------------------------------------------------

bool actor_front::takes_another() {
  auto& intake = *env_->intake;
  if (intake.is_open())
    return true;
  intake.turned_away();
  return false;
}

void actor_front::submit(merchant_command command, std::function<void(api_reply)> done) {
  cluster_.router().submit(std::move(command), std::move(done));
}

void actor_front::notify(webhook_notice notice, std::string request_id,
                         std::function<void(api_reply)> done) {
  cluster_.router().notify(std::move(notice), std::move(request_id), std::move(done));
}

void actor_front::order(desk_order what, desk_callback done) {
  cluster_.router().order(std::move(what), std::move(done));
}

void actor_front::cutoff(cutoff_request request, milliseconds timeout,
                         std::function<void(cutoff_result)> done) {
  cluster_.cutoffs().close_everywhere(request, timeout, std::move(done));
}

bool actor_front::ready() const {
  return waiting_for().empty();
}

std::string actor_front::waiting_for() const {
  return cluster_.waiting_for();
}

std::vector<std::string> actor_front::warnings() const {
  return cluster_.warnings();
}

// -- gateways
// -----------------------------------------------------------------------------------------

std::vector<gateway_status> actor_front::gateways() const {
  std::vector<gateway_status> all;
  const auto now = actors::gateway_clock();
  for (const auto& [name, board] : gateways_) {
    gateway_status one;
    one.name = name;
    one.gate = board->gate.view(now);
    one.in_flight = board->in_flight.load(std::memory_order_relaxed);
    one.queued = board->queued.load(std::memory_order_relaxed);
    for (const auto& count : board->verdicts)
      one.calls += count.load(std::memory_order_relaxed);
    for (const auto verdict : {gateway_verdict::unknown, gateway_verdict::not_sent})
      one.failures +=
        board->verdicts[static_cast<std::size_t>(verdict)].load(std::memory_order_relaxed);
    for (std::size_t why = 0; why < one.refused.size(); ++why)
      one.refused[why] = board->refused[why].load(std::memory_order_relaxed);
    all.push_back(std::move(one));
  }
  return all;
}

actors::gateway_board* actor_front::board_of(const std::string& name) const {
  const auto found = std::ranges::find(gateways_, name, &named_board::first);
  return found == gateways_.end() ? nullptr : found->second.get();
}

bool actor_front::trip_here(const std::string& name, std::optional<milliseconds> duration,
                            gateways::operator_order order) {
  auto* board = board_of(name);
  if (board == nullptr)
    return false;
  env_->log(actors::severity::warning,
            order.by + " trips the breaker of gateway " + name + ": " + order.note);
  board->gate.trip(actors::gateway_clock(), duration, std::move(order));
  // What waits there may have somewhere else to go.
  actors::tell(env_->peers.gateway(name), actors::gateway_tick{});
  return true;
}

bool actor_front::reset_here(const std::string& name, gateways::operator_order order) {
  auto* board = board_of(name);
  if (board == nullptr)
    return false;
  env_->log(actors::severity::warning,
            order.by + " resets the breaker of gateway " + name + ": " + order.note);
  board->gate.reset(actors::gateway_clock(), std::move(order));
  actors::tell(env_->peers.gateway(name), actors::gateway_tick{});
  return true;
}

/// Each node has a breaker of its own for the gateway; the order is for all of them.
bool actor_front::trip_gateway(const std::string& name, std::optional<milliseconds> duration,
                               gateways::operator_order order) {
  const links::breaker_for_node same{name, true, duration, order.by, order.note};
  if (!trip_here(name, duration, std::move(order)))
    return false;
  cluster_.tell_others(same);
  return true;
}

bool actor_front::reset_gateway(const std::string& name, gateways::operator_order order) {
  const links::breaker_for_node same{name, false, std::nullopt, order.by, order.note};
  if (!reset_here(name, std::move(order)))
    return false;
  cluster_.tell_others(same);
  return true;
}

void actor_front::obey(const std::string& from, const links::breaker_for_node& wish) {
  gateways::operator_order order;
  order.by = wish.by;
  order.note = wish.note;
  const bool done = wish.trip ? trip_here(wish.gateway, wish.duration, std::move(order))
                              : reset_here(wish.gateway, std::move(order));
  if (!done)
    env_->log(actors::severity::warning,
              "node " + from + " knows a gateway that this one doesn't: " + wish.gateway);
}

// -- the cluster
// --------------------------------------------------------------------------------------

std::vector<shard_status> actor_front::shards() const {
  std::vector<shard_status> all;
  auto seen = cluster_.ownership().view();
  for (auto& lease : seen.leases) {
    const auto& gauge = env_->gauge(lease.shard);
    shard_status one;
    one.is_here = lease.owner == cluster_.id();
    if (one.is_here) {
      one.serving = gauge.serving.load(std::memory_order_relaxed);
      one.in_flight = gauge.in_flight.load(std::memory_order_relaxed);
      one.live_payments = gauge.live_payments.load(std::memory_order_relaxed);
      one.overdue = milliseconds{gauge.overdue_ms.load(std::memory_order_relaxed)};
    }
    one.lease = std::move(lease);
    all.push_back(std::move(one));
  }
  return all;
}

std::vector<node_status> actor_front::nodes() const {
  std::vector<node_status> all;
  const auto seen = cluster_.ownership().view();
  const auto links = cluster_.links();
  for (const auto& row : seen.nodes) {
    node_status one;
    one.row = row;
    one.is_self = row.card.id == cluster_.id();
    one.shards = static_cast<std::uint32_t>(
      std::ranges::count(seen.leases, row.card.id, &storage::lease_row::owner));
    const auto link = std::ranges::find(links, row.card.id, &links::link_status::node);
    if (link != links.end())
      one.link = *link;
    all.push_back(std::move(one));
  }
  return all;
}

void actor_front::move_shards(shard_move what, std::function<void(expected<void>)> done) {
  // Those who should have them then find out as they look; soon, if they are told to.
  cluster_.ownership().pin({what.first, what.last}, what.to,
                           [this, done = std::move(done)](expected<void> pinned) {
                             if (pinned)
                               cluster_.tell_others(links::shards_released{});
                             done(std::move(pinned));
                           });
}

std::string actor_front::metrics_text() const {
  std::string out;
  const auto sum = [&](auto member) {
    std::size_t total = 0;
    for (const auto& gauge : env_->gauges)
      total += ((*gauge).*member).load(std::memory_order_relaxed);
    return static_cast<double>(total);
  };
  append_head(out, "holdfast_requests_in_flight", "Commands that shards work on.", "gauge");
  append_sample(out, "holdfast_requests_in_flight", {}, sum(&actors::shard_gauges::in_flight));
  const auto& intake = *env_->intake;
  append_head(out, "holdfast_requests_in_flight_max",
              "Commands that this node works on at once, as their waiting has it now.",
              "gauge");
  append_sample(out, "holdfast_requests_in_flight_max", {},
                static_cast<double>(intake.limit()));
  append_head(out, "holdfast_requests_turned_away_total",
              "Commands that were answered 503 because too many were under way.", "counter");
  append_sample(out, "holdfast_requests_turned_away_total", {},
                static_cast<double>(intake.refusals()));
  append_head(out, "holdfast_payments_live", "Payments that have an actor.", "gauge");
  append_sample(out, "holdfast_payments_live", {}, sum(&actors::shard_gauges::live_payments));
  append_head(out, "holdfast_shards_serving", "Shards that this node serves.", "gauge");
  append_sample(out, "holdfast_shards_serving", {},
                static_cast<double>(std::ranges::count_if(env_->gauges, [](const auto& gauge) {
                  return gauge->serving.load(std::memory_order_relaxed);
                })));
  append_gateway_metrics(out, gateways_);
  cluster::append_cluster_metrics(out, cluster_.router().figures(),
                                  cluster_.ownership().figures(), cluster_.links());
  return out;
}

} // namespace holdfast::runtime
