#include "tests/support/scripted_gateway.hpp"

namespace holdfast::test {

scripted_gateway::~scripted_gateway() {
  // No call can come any more: whoever sends holds this gateway.
  for (auto& call : calls_under_way_)
    call.join();
}

void scripted_gateway::send(gateway_request request, milliseconds,
                            std::function<void(gateway_answer)> done) {
  std::unique_lock guard{mutex_};
  ++calls_[request.verb];
  calls_under_way_.emplace_back([this, request = std::move(request), done = std::move(done)] {
    const auto chosen = decide_(request);
    gateway_answer answer;
    if (chosen != fate::drop_request && chosen != fate::never_sent)
      answer = perform(request);
    if (chosen == fate::say_declined)
      answer = {gateway_verdict::declined, {}, "failed", "The payment failed."};
    else if (chosen == fate::never_sent)
      answer = {gateway_verdict::not_sent, {}, "refused", {}};
    else if (chosen != fate::answer)
      answer = {gateway_verdict::unknown, {}, "no_answer", {}};
    done(std::move(answer));
  });
}

gateway_answer scripted_gateway::perform(const gateway_request& request) {
  std::unique_lock guard{mutex_};
  const auto found = holds_.find(request.reference);
  const bool known = found != holds_.end();
  const auto as = [&](gateway_verdict verdict, const char* code) {
    return gateway_answer{verdict, "gw_" + request.reference, code, {}};
  };
  switch (request.verb) {
    case gateway_verb::authorize:
      if (known && found->second.reversed)
        return as(gateway_verdict::declined, "reversed");
      holds_[request.reference];
      return as(gateway_verdict::approved, "");
    case gateway_verb::inquire:
      if (!known || found->second.tombstone)
        return as(gateway_verdict::not_found, "not_found");
      return found->second.reversed ? as(gateway_verdict::declined, "reversed")
                                    : as(gateway_verdict::approved, "");
    case gateway_verb::reverse:
      if (!known)
        holds_[request.reference].tombstone = true;
      holds_[request.reference].reversed = true;
      return as(gateway_verdict::approved, "");
    case gateway_verb::capture:
      if (!known || found->second.reversed)
        return as(gateway_verdict::declined, "no_hold");
      found->second.captures[request.operation_reference] = request.total.amount;
      return as(gateway_verdict::approved, "");
    case gateway_verb::refund:
      if (!known)
        return as(gateway_verdict::declined, "no_hold");
      found->second.refunds[request.operation_reference] = request.total.amount;
      return as(gateway_verdict::approved, "");
  }
  return {};
}

std::size_t scripted_gateway::holds_of(const std::string& payment) const {
  std::unique_lock guard{mutex_};
  std::size_t count = 0;
  for (const auto& [reference, one] : holds_)
    if (reference.starts_with(payment + '.') && !one.reversed)
      ++count;
  return count;
}

minor_units scripted_gateway::sum_of(const std::string& payment,
                                     std::map<std::string, minor_units> hold::*which) const {
  std::unique_lock guard{mutex_};
  minor_units sum;
  for (const auto& [reference, one] : holds_)
    if (reference.starts_with(payment + '.'))
      for (const auto& [operation, amount] : one.*which)
        sum += amount;
  return sum;
}

minor_units scripted_gateway::captured_of(const std::string& payment) const {
  return sum_of(payment, &hold::captures);
}

minor_units scripted_gateway::refunded_of(const std::string& payment) const {
  return sum_of(payment, &hold::refunds);
}

std::size_t scripted_gateway::calls(gateway_verb verb) const {
  std::unique_lock guard{mutex_};
  const auto found = calls_.find(verb);
  return found == calls_.end() ? 0 : found->second;
}

} // namespace holdfast::test
