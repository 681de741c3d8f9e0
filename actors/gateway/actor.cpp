#include "actors/gateway/actor.hpp"

#include "actors/caf.hpp"
#include "actors/protocol.hpp"
#include "messages/limits.hpp"

#include <caf/event_based_actor.hpp>

#include <chrono>
#include <deque>

namespace holdfast::actors {

namespace {

using steady = std::chrono::steady_clock;

class gateway_actor : public caf::event_based_actor {
public:
  gateway_actor(caf::actor_config& cfg, gateway_seat seat)
    : caf::event_based_actor(cfg),
      seat_(std::move(seat)),
      breaker_(seat_.breaker) {}

  caf::behavior make_behavior() override {
    return {
      [this](gateway_call& call) { admit(std::move(call)); },
      [this](const gateway_call_ended& ended) { on_ended(ended); },
    };
  }

  const char* name() const override { return "gateway"; }

private:
  struct waiting_call {
    gateway_call call;
    steady::time_point give_up_at;
  };

  /// Only new money is held back by the breaker; what settles an open question always goes out.
  void admit(gateway_call call) {
    const bool is_new = call.target.verb == gateway_verb::authorize;
    if (is_new && !breaker_.permit(seat_.env->now()))
      return refuse(call, "breaker_open");
    if (waiting_.size() >= limits::gateway_waiting_max)
      return refuse(call, "queue_full");
    waiting_.push_back({std::move(call), steady::now() + seat_.timeout});
    step();
  }

  void step() {
    while (in_flight_ < seat_.concurrency && !waiting_.empty()) {
      auto [call, give_up_at] = std::move(waiting_.front());
      waiting_.pop_front();
      const auto left = std::chrono::floor<milliseconds>(give_up_at - steady::now());
      if (left <= milliseconds{0})
        refuse(call, "queue_timeout");
      else
        send(std::move(call), left);
    }
    publish();
  }

  void send(gateway_call call, milliseconds timeout) {
    ++in_flight_;
    seat_.wire->send(std::move(call.request), timeout,
                     [me = caf::actor_cast<caf::actor>(this), asker = std::move(call.reply_to),
                      target = call.target, began = steady::now()](gateway_answer answer) {
                       const auto took = std::chrono::duration_cast<std::chrono::microseconds>(
                         steady::now() - began);
                       tell(me, gateway_call_ended{answer.verdict, took.count()});
                       tell(asker, gateway_reply{target, std::move(answer)});
                     });
  }

  void on_ended(const gateway_call_ended& ended) {
    --in_flight_;
    const bool failed =
      ended.verdict == gateway_verdict::unknown || ended.verdict == gateway_verdict::not_sent;
    breaker_.record(seat_.env->now(), failed);
    seat_.gauges->verdicts[static_cast<std::size_t>(ended.verdict)].fetch_add(
      1, std::memory_order_relaxed);
    seat_.gauges->total_us.fetch_add(static_cast<std::uint64_t>(ended.duration_us),
                                     std::memory_order_relaxed);
    step();
  }

  void refuse(const gateway_call& call, const char* reason) {
    tell(call.reply_to,
         gateway_reply{call.target, {gateway_verdict::not_sent, {}, reason, {}}});
    publish();
  }

  void publish() {
    seat_.gauges->breaker.store(breaker_.state(), std::memory_order_relaxed);
    seat_.gauges->in_flight.store(in_flight_, std::memory_order_relaxed);
    seat_.gauges->queued.store(waiting_.size(), std::memory_order_relaxed);
  }

  gateway_seat seat_;
  gateways::breaker breaker_;
  std::deque<waiting_call> waiting_;
  std::size_t in_flight_ = 0;
};

} // namespace

caf::actor spawn_gateway(caf::actor_system& system, gateway_seat seat) {
  return system.spawn<gateway_actor>(std::move(seat));
}

} // namespace holdfast::actors
