#include "actors/gateway/admission.hpp"

#include "messages/assert.hpp"
#include "messages/limits.hpp"

#include <algorithm>

namespace holdfast::gateways {

bool admission::enqueue(timestamp now, ticket call, call_kind kind) {
  const bool owed = kind == call_kind::owed;
  auto& to = owed ? owed_ : fresh_;
  if (to.size() >= (owed ? limits::gateway_owed_waiting_max : limits::gateway_waiting_max))
    return false;
  to.push_back({call, kind, now + rules_.patience / 2});
  return true;
}

admission::step admission::advance(timestamp now) {
  step out;
  ask_at_.reset();
  const bool held_back = gate_.state(now) != breaker_state::closed;
  expire(owed_, now, held_back ? refusal::breaker_open : refusal::queue_timeout, out);
  expire(fresh_, now, refusal::queue_timeout, out);
  start_owed(now, out);
  start_fresh(now, out);
  return out;
}

void admission::ended() noexcept {
  HF_ASSERT(in_flight_ > 0);
  --in_flight_;
}

std::optional<timestamp> admission::look_at() const noexcept {
  std::optional<timestamp> at;
  const auto consider = [&](timestamp candidate) {
    at = at ? std::min(*at, candidate) : candidate;
  };
  if (!fresh_.empty())
    consider(fresh_.front().give_up_at);
  if (!owed_.empty()) {
    consider(owed_.front().give_up_at);
    if (ask_at_)
      consider(*ask_at_);
  }
  return at;
}

void admission::expire(line& from, timestamp now, refusal why, step& out) {
  while (!from.empty() && from.front().give_up_at <= now)
    refuse(from, why, out);
}

void admission::start_owed(timestamp now, step& out) {
  while (!owed_.empty() && in_flight_ < rules_.concurrency) {
    const auto answer = gate_.ask(now, call_kind::owed);
    if (answer.permit) {
      start(owed_, now, *answer.permit, out);
    } else if (answer.why) {
      refuse(owed_, *answer.why, out);
    } else {
      ask_at_ = answer.ask_at;
      return;
    }
  }
}

void admission::start_fresh(timestamp now, step& out) {
  while (!fresh_.empty()) {
    const auto state = gate_.state(now);
    const bool is_full = in_flight_ >= rules_.concurrency;
    if (state == breaker_state::open || (state == breaker_state::half_open && is_full)) {
      refuse(fresh_, refusal::breaker_open, out);
      continue;
    }
    if (is_full)
      return;
    const auto answer = gate_.ask(now, fresh_.front().kind);
    if (answer.permit)
      start(fresh_, now, *answer.permit, out);
    else
      refuse(fresh_, answer.why.value_or(refusal::breaker_open), out);
  }
}

void admission::start(line& from, timestamp now, breaker::permit_number permit, step& out) {
  const auto& first = from.front();
  // However the clock was set, a call never gets more time than it came with.
  const auto waits_left = std::chrono::ceil<milliseconds>(first.give_up_at - now);
  const auto left =
    std::min(waits_left + rules_.patience - rules_.patience / 2, rules_.patience);
  out.start.push_back({first.call, permit, left});
  ++in_flight_;
  from.pop_front();
}

void admission::refuse(line& from, refusal why, step& out) {
  out.refuse.push_back({from.front().call, why});
  from.pop_front();
}

} // namespace holdfast::gateways
