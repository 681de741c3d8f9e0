#include "runtime/simulation/wire.hpp"

#include "actors/gateway/classify.hpp"
#include "messages/assert.hpp"
#include "messages/limits.hpp"
#include "runtime/simulation/payment.hpp"
#include "runtime/simulation/world.hpp"

#include <algorithm>

namespace holdfast::simulation {

using namespace std::chrono_literals;

gateway_actor::gateway_actor(world& of, node_number node, gateway_number number)
  : world_(of),
    node_(node),
    number_(number),
    gate_(of.gate_rules()),
    lines_(std::in_place, gate_, of.admission_rules()) {}

void gateway_actor::call(gateway_request asked, const payments::call_target& target,
                         bool is_repeat, std::weak_ptr<payment_actor> from) {
  auto made = std::make_shared<call_state>();
  made->asked = std::move(asked);
  made->target = target;
  made->from = std::move(from);
  made->life = life_;
  const auto ticket = ++last_ticket_;
  if (!lines_->enqueue(world_.now(), ticket, gateways::kind_of(target, is_repeat)))
    return deliver(made, {gateway_verdict::not_sent, {}, "queue_full", {}});
  waiting_.emplace(ticket, std::move(made));
  step();
}

void gateway_actor::step() {
  const auto take = [&](gateways::admission::ticket ticket) {
    auto entry = waiting_.extract(ticket);
    HF_ASSERT(!entry.empty());
    return std::move(entry.mapped());
  };
  const auto next = lines_->advance(world_.now());
  for (const auto& [ticket, why] : next.refuse)
    deliver(take(ticket), {gateway_verdict::not_sent, {}, std::string{to_string(why)}, {}});
  for (const auto& [ticket, permit, time_left] : next.start) {
    auto call = take(ticket);
    call->permit = permit;
    send(std::move(call), time_left);
  }
  look_again();
}

void gateway_actor::send(call_ptr call, milliseconds patience) {
  call->began = world_.now();
  call->give_up_at = world_.now() + patience;
  if (world_.strikes(fault::gateway_actor_death))
    return world_.on_node(node_, 0us, [this] { die(); });
  if (world_.is_out(number_)) {
    // Refused at the door: certain that nothing was sent.
    return world_.on_node(node_, 2ms, [this, call = std::move(call)] {
      end(call, {gateway_verdict::not_sent, {}, "not_sent", {}});
    });
  }
  if (world_.strikes(fault::request_doubled)) {
    ++call->copies;
    travel(call);
  }
  travel(call);
}

/// One copy of the request on its way. Whatever will not be answered in time ends at the
/// caller's deadline.
void gateway_actor::travel(const call_ptr& call) {
  if (world_.strikes(fault::request_lost))
    return no_answer(call);
  auto takes = world_.chance().span(500us, 15ms);
  if (world_.strikes(fault::request_late))
    takes = world_.chance().span(2s, 90s);
  if (world_.now() + takes >= call->give_up_at)
    no_answer(call);
  world_.in_network(takes, [this, call] { arrive(call); });
}

/// At the gateway: whatever happens to the answer, what it did is done.
void gateway_actor::arrive(const call_ptr& call) {
  if (world_.strikes(fault::http_500_idle))
    return garbled(call, "http_500");
  const bool is_hold_reversal =
    call->target.verb == gateway_verb::reverse && !call->target.operation;
  if (is_hold_reversal && world_.strikes(fault::reversal_refused))
    return answer(call, {told_status::refused, number_, 0, "try_again"});
  auto& gateway = world_.gateway(number_);
  if (call->target.verb == gateway_verb::inquire && world_.strikes(fault::stale_status))
    return answer(call, gateway.stale_status(call->asked));
  const auto said = gateway.handle(call->asked);
  if (world_.strikes(fault::http_500))
    return garbled(call, "http_500");
  if (world_.strikes(fault::html))
    return garbled(call, "not_json");
  if (world_.strikes(fault::answer_lost))
    return no_answer(call);
  answer(call, said);
}

void gateway_actor::answer(const call_ptr& call, const told& what) {
  auto takes = world_.chance().span(1ms, 40ms);
  if (world_.strikes(fault::answer_late))
    takes = world_.chance().span(2s, 60s);
  if (world_.now() + takes >= call->give_up_at)
    return no_answer(call);
  world_.on_node(node_, takes,
                 [this, call, what] { end(call, judge(what, call->target.verb)); });
  if (world_.strikes(fault::answer_doubled))
    // Comes once more, to whoever looks after the payment then.
    world_.in_network(world_.chance().span(1ms, 60s), [this, call, what] {
      if (auto actor = call->from.lock(); actor && !world_.node(node_).is_paused(world_.now()))
        actor->gateway_answered(call->target, judge(what, call->target.verb));
    });
}

void gateway_actor::garbled(const call_ptr& call, const char* code) {
  const auto takes = world_.chance().span(1ms, 40ms);
  if (world_.now() + takes >= call->give_up_at)
    return no_answer(call);
  world_.on_node(node_, takes, [this, call, code] {
    end(call, {gateway_verdict::unknown, {}, code, {}});
  });
}

/// This copy will not be answered before the deadline; when none will, that is when it ends.
void gateway_actor::no_answer(const call_ptr& call) {
  if (call->ended || --call->copies > 0)
    return;
  const auto left = std::max(call->give_up_at - world_.now(), microseconds{0});
  world_.on_node(node_, left, [this, call] {
    end(call, {gateway_verdict::unknown, {}, "no_answer", {}});
  });
}

void gateway_actor::end(const call_ptr& call, gateway_answer answer) {
  if (call->ended || call->life != life_)
    return;
  call->ended = true;
  lines_->ended();
  gate_.record(world_.now(), call->permit, gateways::result_of(answer.verdict),
               std::chrono::floor<milliseconds>(world_.now() - call->began));
  deliver(call, std::move(answer));
  step();
}

void gateway_actor::deliver(const call_ptr& call, gateway_answer answer) {
  call->ended = true;
  // A message of its own: the asker may be in the midst of asking.
  world_.on_node(node_, 0us,
                 [from = call->from, target = call->target,
                  answer = std::make_unique<gateway_answer>(std::move(answer))] {
                   if (auto actor = from.lock())
                     actor->gateway_answered(target, std::move(*answer));
                 });
}

void gateway_actor::die() {
  ++life_;
  waiting_.clear();
  gate_.forget_calls();
  lines_.emplace(gate_, world_.admission_rules());
  look_at_.reset();
}

/// Asks for a delayed look, unless one is under way that comes early enough.
void gateway_actor::look_again() {
  const auto at = lines_->look_at();
  if (!at || (look_at_ && *look_at_ <= *at))
    return;
  look_at_ = at;
  const auto pause =
    std::max<microseconds>(*at - world_.now(), milliseconds{limits::gateway_look_ms_min});
  world_.on_node(node_, pause, [this, life = life_] {
    if (life != life_)
      return;
    look_at_.reset();
    step();
  });
}

} // namespace holdfast::simulation
