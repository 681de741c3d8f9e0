#include "actors/gateway/gate.hpp"

namespace holdfast::gateways {

std::string_view to_string(refusal why) noexcept {
  switch (why) {
    case refusal::breaker_open: return "breaker_open";
    case refusal::queue_full: return "queue_full";
    case refusal::queue_timeout: return "queue_timeout";
    case refusal::retry_budget: return "retry_budget";
  }
  return "breaker_open";
}

gate::gate(gate_rules rules) noexcept
  : breaker_(rules.breaker),
    budget_(rules.retries),
    pace_(rules.recovery_rate) {}

void gate::configure(gate_rules rules) {
  const std::lock_guard lock{mutex_};
  breaker_.configure(rules.breaker);
  budget_.configure(rules.retries);
  pace_.configure(rules.recovery_rate);
}

gate_answer gate::ask(timestamp now, call_kind kind) {
  const std::lock_guard lock{mutex_};
  if (kind == call_kind::owed)
    return ask_for_owed(now);
  const auto permit = breaker_.permit(now, kind);
  if (!permit)
    return {std::nullopt, refusal::breaker_open, std::nullopt};
  budget_.earn(now);
  return {permit, std::nullopt, std::nullopt};
}

gate_answer gate::ask_for_owed(timestamp now) {
  const auto wait_until = [](std::optional<timestamp> at) {
    return gate_answer{std::nullopt, std::nullopt, at};
  };
  switch (breaker_.state(now)) {
    case breaker_state::closed:
      if (pace_.rising(now)) {
        if (const auto at = pace_.take(now))
          return wait_until(at);
      } else if (!budget_.spend(now)) {
        return {std::nullopt, refusal::retry_budget, std::nullopt};
      }
      break;
    case breaker_state::open:
      if (!breaker_.has_room_for_owed())
        return wait_until(breaker_.probes_at());
      if (const auto at = pace_.take(now))
        return wait_until(at);
      break;
    case breaker_state::half_open: break;
  }
  return {breaker_.permit(now, call_kind::owed), std::nullopt, std::nullopt};
}

void gate::record(timestamp now, breaker::permit_number permit, call_result result,
                  milliseconds took) {
  const std::lock_guard lock{mutex_};
  const auto before = breaker_.state(now);
  breaker_.record(now, permit, result, took);
  const auto after = breaker_.state(now);
  if (before == after)
    return;
  if (after == breaker_state::closed)
    pace_.begin(now);
  else
    pace_.end();
}

void gate::forget_calls() {
  const std::lock_guard lock{mutex_};
  breaker_.forget_calls();
}

void gate::trip(timestamp now, std::optional<milliseconds> duration, operator_order order) {
  const std::lock_guard lock{mutex_};
  breaker_.trip(now, duration, std::move(order));
  pace_.end();
}

void gate::reset(timestamp now, operator_order order) {
  const std::lock_guard lock{mutex_};
  const bool was_closed = breaker_.state(now) == breaker_state::closed;
  breaker_.reset(now, std::move(order));
  if (!was_closed)
    pace_.begin(now);
}

breaker_state gate::state(timestamp now) {
  const std::lock_guard lock{mutex_};
  return breaker_.state(now);
}

gate_view gate::view(timestamp now) {
  const std::lock_guard lock{mutex_};
  gate_view shown;
  shown.breaker = breaker_.view(now);
  shown.retries_left = budget_.left(now);
  shown.recovering = shown.breaker.state == breaker_state::closed && pace_.rising(now);
  return shown;
}

} // namespace holdfast::gateways
