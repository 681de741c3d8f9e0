#include "tests/bench/sample.hpp"

#include "runtime/api/payment_requests.hpp"

namespace holdfast::bench {

merchant_id sample_merchant() {
  return merchant_id::make(sample_now, sample_shard, 1);
}

payments::create sample_creation(std::uint64_t number) {
  auto order = api::read_create_payment(sample_body).value();
  order.path.gateways = {"alder", "birch"};
  order.path.acquirer = "sandbox";
  order.path.reasons = {"route 1 (any payment): first of its gateways",
                        "route 1 (any payment): next of its gateways"};
  return {payment_id::make(sample_now, sample_shard, number), sample_merchant(),
          "run-1-1-" + std::to_string(number) + "-0", std::move(order)};
}

payments::gateway_answered sample_approval() {
  payments::gateway_answered yes;
  yes.target = {gateway_verb::authorize, 1, std::nullopt, 0};
  yes.answer.verdict = gateway_verdict::approved;
  yes.answer.gateway_reference = "alder_000000000001";
  return yes;
}

step_taken take_step(payment& subject, const payments::command& what) {
  const payments::context at{sample_now, payments::entropy{1}, payments::policy{}};
  auto decided = payments::decide(subject, what, at);
  step_taken taken;
  for (const auto& event : decided.events) {
    for (auto& each : payments::postings_of(subject, event))
      taken.postings.push_back(std::move(each));
    payments::apply(subject, event, sample_now);
  }
  taken.events = std::move(decided.events);
  return taken;
}

payment approved_sample() {
  payment subject;
  static_cast<void>(take_step(subject, sample_creation(1)));
  static_cast<void>(take_step(subject, sample_approval()));
  return subject;
}

} // namespace holdfast::bench
