#include "actors/gateway/actor.hpp"

#include "actors/caf.hpp"
#include "actors/gateway/classify.hpp"
#include "actors/protocol.hpp"
#include "messages/assert.hpp"
#include "messages/limits.hpp"

#include <caf/event_based_actor.hpp>

#include <algorithm>
#include <chrono>
#include <unordered_map>

namespace holdfast::actors {

namespace {

using std::chrono::microseconds;

class gateway_actor : public caf::event_based_actor {
public:
  gateway_actor(caf::actor_config& cfg, gateway_seat seat)
    : caf::event_based_actor(cfg),
      seat_(std::move(seat)),
      lines_(seat_.board->gate, seat_.rules) {
    seat_.board->gate.forget_calls();
  }

  caf::behavior make_behavior() override {
    publish();
    return {
      [this](gateway_call& call) { admit(std::move(call)); },
      [this](const gateway_call_ended& ended) { on_ended(ended); },
      [this](gateway_tick) { on_tick(); },
    };
  }

  const char* name() const override { return "gateway"; }

private:
  struct waiting_call {
    gateway_call call;
    gateways::call_kind kind;
    timestamp since;
  };

  [[nodiscard]] timestamp now() const { return seat_.clock(); }

  void admit(gateway_call call) {
    const auto ticket = ++last_ticket_;
    const auto kind = gateways::kind_of(call.target, call.is_repeat);
    const auto entry =
      waiting_.emplace(ticket, waiting_call{std::move(call), kind, now()}).first;
    if (lines_.enqueue(entry->second.since, ticket, kind))
      return step();
    refuse(entry->second.call, gateways::refusal::queue_full);
    waiting_.erase(entry);
  }

  void step() {
    const auto next = lines_.advance(now());
    for (const auto& [ticket, why] : next.refuse)
      refuse(take(ticket).call, why);
    for (const auto& [ticket, permit, time_left] : next.start) {
      auto one = take(ticket);
      note_wait(one);
      send(std::move(one.call), permit, time_left);
    }
    publish();
    look_again();
  }

  waiting_call take(gateways::admission::ticket ticket) {
    auto entry = waiting_.extract(ticket);
    HF_ASSERT(!entry.empty());
    return std::move(entry.mapped());
  }

  /// What is owed has a line of its own, and nobody waits for it.
  void note_wait(const waiting_call& one) const {
    if (one.kind == gateways::call_kind::charge)
      seat_.env->intake->waited(admission::stage::gateway_line, now() - one.since);
  }

  void send(gateway_call call, gateways::breaker::permit_number permit, milliseconds timeout) {
    seat_.wire->send(std::move(call.request), timeout,
                     [me = caf::actor_cast<caf::actor>(this), asker = std::move(call.reply_to),
                      target = call.target, permit, clock = seat_.clock,
                      began = now()](gateway_answer answer) {
                       const auto took = clock() - began;
                       tell(me, gateway_call_ended{answer.verdict, took.count(), permit});
                       tell(asker, gateway_reply{target, std::move(answer)});
                     });
  }

  void on_ended(const gateway_call_ended& ended) {
    auto& board = *seat_.board;
    lines_.ended();
    board.gate.record(now(), ended.permit, gateways::result_of(ended.verdict),
                      std::chrono::floor<milliseconds>(microseconds{ended.duration_us}));
    board.verdicts[static_cast<std::size_t>(ended.verdict)].fetch_add(
      1, std::memory_order_relaxed);
    board.total_us.fetch_add(static_cast<std::uint64_t>(ended.duration_us),
                             std::memory_order_relaxed);
    tell_of_changes();
    step();
  }

  void refuse(const gateway_call& call, gateways::refusal why) {
    seat_.board->refused[static_cast<std::size_t>(why)].fetch_add(1, std::memory_order_relaxed);
    tell(call.reply_to,
         gateway_reply{call.target,
                       {gateway_verdict::not_sent, {}, std::string{to_string(why)}, {}}});
  }

  /// Asks for a delayed message, unless one is under way that comes early enough.
  void look_again() {
    const auto at = lines_.look_at();
    if (!at || (look_at_ && *look_at_ <= *at))
      return;
    look_at_ = at;
    const auto pause = std::chrono::ceil<milliseconds>(*at - now());
    tell_self_later(this, std::max(pause, milliseconds{limits::gateway_look_ms_min}),
                    gateway_tick{});
  }

  void on_tick() {
    look_at_.reset();
    tell_of_changes();
    step();
  }

  /// The breaker's moves are rare, and the first thing to look for after an incident.
  void tell_of_changes() {
    const auto state = seat_.board->gate.state(now());
    if (std::exchange(told_, state) == state)
      return;
    const auto shown = seat_.board->gate.view(now()).breaker;
    seat_.env->log(
      state == gateways::breaker_state::closed ? severity::info : severity::warning,
      "the breaker of gateway " + seat_.name + " is " + std::string{to_string(state)} + ": "
        + shown.reason);
  }

  void publish() {
    seat_.board->in_flight.store(lines_.in_flight(), std::memory_order_relaxed);
    seat_.board->queued.store(lines_.waiting(), std::memory_order_relaxed);
  }

  gateway_seat seat_;
  gateways::admission lines_;
  gateways::breaker_state told_ = gateways::breaker_state::closed;
  gateways::admission::ticket last_ticket_ = 0;
  std::unordered_map<gateways::admission::ticket, waiting_call> waiting_;
  std::optional<timestamp> look_at_; ///< when the delayed message comes
};

} // namespace

timestamp gateway_clock() noexcept {
  return timestamp{
    std::chrono::floor<microseconds>(std::chrono::steady_clock::now().time_since_epoch())};
}

caf::actor spawn_gateway(caf::actor_system& system, gateway_seat seat) {
  return system.spawn<gateway_actor>(std::move(seat));
}

} // namespace holdfast::actors
