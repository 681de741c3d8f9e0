// Gateways' notices on their way through the shard: to the payment that they name, or into the
// log by themselves when there is no such payment.
#include "actors/api/render.hpp"
#include "actors/caf.hpp"
#include "actors/payment/disputes.hpp"
#include "actors/shard/state.hpp"
#include "messages/codec.hpp"
#include "messages/limits.hpp"

#include <utility>

namespace holdfast::actors {

void shard_actor::on_webhook(deliver_webhook& message) {
  const auto& request_id = message.promise->request_id();
  if (!serving_ || draining_)
    return hand_back(std::move(message));
  const auto id = message.notice.about.payment;
  auto [found, is_new] = payments_.try_emplace(id);
  auto& seat = found->second;
  if (seat.at == slot::stage::live) {
    idle_.cancel(seat);
    return tell(seat.who, std::move(message));
  }
  if (seat.notices.size() >= limits::payment_waiting_max)
    return message.promise->deliver(api::answer_problem(
      503, "overloaded", "Too much is told of this payment at once; send it again.", request_id,
      1));
  seat.notices.push_back(std::move(message));
  if (is_new)
    begin_load(id);
}

/// Nothing was done with it, and it isn't served here.
void shard_actor::hand_back(deliver_webhook message) {
  if (message.elsewhere)
    return (*message.elsewhere)(std::move(message.notice), std::move(message.promise));
  message.promise->deliver(api::answer_problem(
    503, "shard_unavailable", "This shard is starting or moving; send it again.",
    message.promise->request_id(), 1));
}

void shard_actor::hand_over_notices(slot& seat) {
  for (auto& notice : std::exchange(seat.notices, {}))
    tell(seat.who, std::move(notice));
}

/// Looked, and there is no such payment. Sending it again would not help, for a payment is
/// durable before any gateway hears of it; so the notice is kept, a person is told, and the
/// gateway hears 200.
void shard_actor::record_unmatched(deliver_webhook message) {
  const auto& notice = message.notice;
  const auto now = env_->now();
  const auto subject = notice.about.payment;
  const auto event = payments::received(notice, webhook_finding::unmatched);
  storage::journal_write write;
  write.shard = number_;
  write.epoch = epoch_;
  write.webhook = storage::webhook_claim{notice.gateway, notice.event_id, subject.value, now};
  write.events.push_back({event_type::webhook_received,
                          merchant_id{},
                          subject.value,
                          now,
                          encode(payment_event{event}),
                          {}});
  if (auto raised = payments::webhook_exception(merchant_id{}, subject, event))
    write.exceptions.push_back(
      {exception_id::make(now, number_, env_->random()), now, std::move(*raised)});
  env_->journal->submit(std::move(write), [promise = message.promise, id = notice.event_id](
                                            const storage::write_result& result) {
    using kind = storage::write_result::kind;
    if (result.outcome == kind::committed || result.outcome == kind::webhook_known)
      promise->deliver(api::answer_webhook(id, result.outcome == kind::webhook_known));
    // Otherwise the promise goes unanswered, which is a 503.
  });
}

} // namespace holdfast::actors
