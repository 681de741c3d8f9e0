#include "runtime/node/actor_front.hpp"

#include "actors/api/render.hpp"
#include "actors/caf.hpp"
#include "actors/protocol.hpp"
#include "runtime/node/cutoff_gathering.hpp"
#include "runtime/telemetry/metrics.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::runtime {

namespace {

using telemetry::append_head;
using telemetry::append_sample;

/// Reads one number of each gateway into a metric family.
template <class Read>
void render_family(std::string& out, const std::vector<actor_front::named_gauges>& gateways,
                   std::string_view name, std::string_view help, std::string_view kind,
                   Read read) {
  append_head(out, name, help, kind);
  for (const auto& [gateway, gauges] : gateways)
    append_sample(out, name, {{"gateway", gateway}}, static_cast<double>(read(*gauges)));
}

} // namespace

actor_front::actor_front(actors::environment_ptr env, std::vector<named_gauges> gateways)
  : env_(std::move(env)),
    gateways_(std::move(gateways)) {}

shard_number actor_front::shard_for(const merchant_command& command) const {
  return std::visit(
    [&](const auto& action) {
      if constexpr (requires { action.payment; })
        return action.payment.shard();
      else
        return shard_of_key(command.merchant.shard(), command.stripes, env_->shard_count,
                            command.idempotency_key);
    },
    command.action);
}

void actor_front::submit(merchant_command command, std::function<void(api_reply)> done) {
  auto promise = std::make_shared<actors::reply_promise>(std::move(done), command.request_id);
  const auto owner = env_->peers.shard(shard_for(command));
  if (!owner)
    return promise->deliver(api::answer_problem(
      503, "shard_unavailable", "The shard of this payment is starting or moving; try again.",
      promise->request_id(), 1));
  actors::tell(owner, actors::submit{std::move(command), std::move(promise)});
}

void actor_front::cutoff(cutoff_request request, milliseconds timeout,
                         std::function<void(cutoff_result)> done) {
  const auto shards = env_->peers.shards();
  if (shards.empty()) {
    cutoff_result none;
    none.detail = "this node serves no shard yet";
    return done(none);
  }
  auto gathering = std::make_shared<cutoff_gathering>(shards.size(), std::move(done));
  const auto now = env_->now();
  for (const auto& [number, shard] : shards) {
    auto answer = std::make_shared<actors::close_callback>(
      [gathering](const actors::close_outcome& outcome) { gathering->add(outcome); });
    actors::tell(shard, actors::close_batches_now{request.merchant, now, request.settle,
                                                  std::move(answer)});
  }
  // A shard that dies with the question never answers it.
  env_->later(timeout, [gathering] { gathering->expire(); });
}

bool actor_front::ready() const {
  return !env_->gauges.empty() && std::ranges::all_of(env_->gauges, [](const auto& gauge) {
    return gauge->serving.load(std::memory_order_relaxed);
  });
}

std::vector<gateway_status> actor_front::gateways() const {
  std::vector<gateway_status> all;
  for (const auto& [name, gauges] : gateways_) {
    gateway_status one;
    one.name = name;
    one.breaker = to_string(gauges->breaker.load(std::memory_order_relaxed));
    one.in_flight = gauges->in_flight.load(std::memory_order_relaxed);
    one.queued = gauges->queued.load(std::memory_order_relaxed);
    for (const auto& count : gauges->verdicts)
      one.calls += count.load(std::memory_order_relaxed);
    for (const auto verdict : {gateway_verdict::unknown, gateway_verdict::not_sent})
      one.failures +=
        gauges->verdicts[static_cast<std::size_t>(verdict)].load(std::memory_order_relaxed);
    all.push_back(std::move(one));
  }
  return all;
}

std::vector<shard_status> actor_front::shards() const {
  std::vector<shard_status> all;
  if (leases_ == nullptr)
    return all;
  for (auto& lease : leases_->snapshot()) {
    const auto& gauge = env_->gauge(lease.shard);
    all.push_back({std::move(lease), gauge.serving.load(std::memory_order_relaxed),
                   gauge.in_flight.load(std::memory_order_relaxed),
                   gauge.live_payments.load(std::memory_order_relaxed)});
  }
  return all;
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
  append_head(out, "holdfast_payments_live", "Payments that have an actor.", "gauge");
  append_sample(out, "holdfast_payments_live", {}, sum(&actors::shard_gauges::live_payments));
  append_head(out, "holdfast_shards_serving", "Shards that this node serves.", "gauge");
  append_sample(out, "holdfast_shards_serving", {},
                static_cast<double>(std::ranges::count_if(env_->gauges, [](const auto& gauge) {
                  return gauge->serving.load(std::memory_order_relaxed);
                })));
  append_head(out, "holdfast_gateway_calls_total", "Gateway calls that ended, by verdict.",
              "counter");
  for (const auto& [name, gauges] : gateways_)
    for (std::size_t index = 0; index < gauges->verdicts.size(); ++index)
      append_sample(
        out, "holdfast_gateway_calls_total",
        {{"gateway", name}, {"verdict", to_string(static_cast<gateway_verdict>(index))}},
        static_cast<double>(gauges->verdicts[index].load()));
  render_family(out, gateways_, "holdfast_gateway_seconds_total",
                "Time spent in gateway calls.", "counter",
                [](const auto& g) { return static_cast<double>(g.total_us) / 1e6; });
  render_family(out, gateways_, "holdfast_gateway_in_flight", "Calls under way.", "gauge",
                [](const auto& g) { return g.in_flight.load(); });
  render_family(out, gateways_, "holdfast_gateway_queued", "Calls that wait for a connection.",
                "gauge", [](const auto& g) { return g.queued.load(); });
  render_family(
    out, gateways_, "holdfast_gateway_breaker_open",
    "1 while the circuit breaker holds new authorizations back.", "gauge",
    [](const auto& g) { return g.breaker.load() == gateways::breaker_state::open ? 1 : 0; });
  return out;
}

} // namespace holdfast::runtime
