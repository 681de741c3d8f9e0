#include "runtime/node/actor_front.hpp"

#include "actors/api/render.hpp"
#include "actors/caf.hpp"
#include "actors/protocol.hpp"
#include "messages/limits.hpp"
#include "runtime/node/cutoff_gathering.hpp"
#include "runtime/telemetry/metrics.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::runtime {

namespace {

using telemetry::append_head;
using telemetry::append_sample;

} // namespace

actor_front::actor_front(actors::environment_ptr env, std::vector<named_board> gateways)
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

void actor_front::notify(webhook_notice notice, std::string request_id,
                         std::function<void(api_reply)> done) {
  auto promise =
    std::make_shared<actors::reply_promise>(std::move(done), std::move(request_id));
  const auto owner = env_->peers.shard(notice.about.payment.shard());
  if (!owner)
    return promise->deliver(
      api::answer_problem(503, "shard_unavailable",
                          "The shard of this payment is starting or moving; send it again.",
                          promise->request_id(), 1));
  actors::tell(owner, actors::deliver_webhook{std::move(notice), std::move(promise)});
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

void actor_front::order(desk_order what, desk_callback done) {
  const auto shard = what.verb == order_verb::replay           ? what.letter.shard()
                     : what.verb == order_verb::resubmit_batch ? what.batch.shard()
                                                               : what.exception.shard();
  const auto owner = env_->peers.shard(shard);
  if (!owner)
    return done(make_error(errc::unavailable, "Its shard is starting or moving; try again."));
  // Whoever is first answers; an actor that is killed with the order never does.
  auto answered = std::make_shared<std::atomic<bool>>(false);
  auto once = std::make_shared<desk_callback>([answered, done](expected<exception_id> outcome) {
    if (!answered->exchange(true))
      done(std::move(outcome));
  });
  env_->later(milliseconds{limits::exception_order_ms_max + limits::answer_margin_ms}, [once] {
    (*once)(
      make_error(errc::unknown_outcome, "Nobody has answered; look whether it has been done."));
  });
  actors::tell(owner, actors::desk_call{std::move(what), std::move(once)});
}

bool actor_front::ready() const {
  return !env_->gauges.empty() && std::ranges::all_of(env_->gauges, [](const auto& gauge) {
    return gauge->serving.load(std::memory_order_relaxed);
  });
}

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

bool actor_front::trip_gateway(const std::string& name, std::optional<milliseconds> duration,
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

bool actor_front::reset_gateway(const std::string& name, gateways::operator_order order) {
  auto* board = board_of(name);
  if (board == nullptr)
    return false;
  env_->log(actors::severity::warning,
            order.by + " resets the breaker of gateway " + name + ": " + order.note);
  board->gate.reset(actors::gateway_clock(), std::move(order));
  actors::tell(env_->peers.gateway(name), actors::gateway_tick{});
  return true;
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
  append_gateway_metrics(out, gateways_);
  return out;
}

} // namespace holdfast::runtime
