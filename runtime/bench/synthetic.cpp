#include "runtime/bench/synthetic.hpp"

#include "actors/api/render.hpp"
#include "actors/payment/core.hpp"
#include "messages/codec.hpp"

#include <memory>

namespace holdfast::bench {

namespace {

constexpr minor_units amount{1'000};
constexpr std::uint64_t seed = 1;

create_payment make_order() {
  create_payment order;
  order.total = {amount, currency::parse("EUR").value()};
  order.summary = {"visa", "4242", 12, 2034};
  order.path.gateways = {"alder", "birch"};
  order.path.acquirer = "sandbox";
  order.path.reasons = {"route 1 (any payment): first of its gateways",
                        "route 1 (any payment): next of its gateways"};
  return order;
}

/// The write that makes a decision durable; `subject` is moved on by it.
storage::journal_write write_of(payment& subject, const payments::command& what,
                                timestamp now) {
  const payments::context at{now, payments::entropy{seed}, payments::policy{}};
  const auto decided = payments::decide(subject, what, at);
  storage::journal_write write;
  for (const auto& event : decided.events) {
    auto postings = payments::postings_of(subject, event);
    payments::apply(subject, event, now);
    write.events.push_back({type_of(event), subject.merchant, subject.id.value, now,
                            encode(event), std::move(postings)});
  }
  write.snapshot = std::make_shared<const payment>(subject);
  return write;
}

std::string key_of(std::uint64_t number) {
  return "bench-1-" + std::to_string(number) + "-0";
}

/// A copy of the template that is about another payment. What only its payloads know of the
/// first one stays: the journal doesn't look inside.
storage::journal_write copy_for(const storage::journal_write& model,
                                const synthetic_shard& where, const payment_id& id,
                                std::uint64_t number) {
  auto write = model;
  write.shard = where.number;
  write.epoch = where.epoch;
  for (auto& event : write.events) {
    event.merchant = where.merchant;
    event.subject = id.value;
    for (auto& entry : event.postings)
      entry.subject = id.value;
  }
  auto snapshot = std::make_shared<payment>(*model.snapshot);
  snapshot->id = id;
  snapshot->merchant = where.merchant;
  write.snapshot = std::move(snapshot);
  if (write.claim) {
    write.claim->merchant = where.merchant;
    write.claim->key = key_of(number);
    write.claim->subject = id.value;
  }
  if (write.answer) {
    write.answer->merchant = where.merchant;
    write.answer->key = key_of(number);
  }
  return write;
}

} // namespace

synthetic_payments::synthetic_payments(timestamp now) {
  const auto id = payment_id::make(now, {}, seed);
  const auto merchant = merchant_id::make(now, {}, seed);
  payment subject;
  intent_ = write_of(subject, payments::create{id, merchant, key_of(0), make_order()}, now);
  for (auto& event : intent_.events)
    event.merchant = merchant;
  intent_.claim.emplace();

  payments::gateway_answered yes;
  yes.target = {gateway_verb::authorize, 1, std::nullopt, 0};
  yes.answer.verdict = gateway_verdict::approved;
  yes.answer.gateway_reference = "alder_000000000001";
  approval_ = write_of(subject, yes, now);
  const auto reply = api::answer_created(subject);
  storage::key_answer answer;
  answer.answer = {reply.status, reply.content_type, reply.body, reply.location};
  approval_.answer = std::move(answer);
}

storage::journal_write synthetic_payments::intent(const synthetic_shard& where,
                                                  const payment_id& id,
                                                  std::uint64_t number) const {
  return copy_for(intent_, where, id, number);
}

storage::journal_write synthetic_payments::approval(const synthetic_shard& where,
                                                    const payment_id& id,
                                                    std::uint64_t number) const {
  return copy_for(approval_, where, id, number);
}

} // namespace holdfast::bench
