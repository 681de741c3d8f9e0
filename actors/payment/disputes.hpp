// What gateways tell unasked, and the chargebacks that they tell of: the part of a payment's
// core that begins with a webhook. Pure.
//
// Of an authorization a webhook is a hint only: it makes the gateway be asked at once where
// something is open, and changes nothing else. A dispute has no other source, so there the
// notice is the evidence. Of the disputed amount, what has not been refunded (or is not being
// refunded) nor disputed before is reserved, so that refunded + disputed never exceeds what was
// captured; the rest is put before a person.
#pragma once

#include "actors/payment/core.hpp"

namespace holdfast::payments {

/// What open and lost disputes claim beyond what could be reserved for them. The gateway pays
/// it to the cardholder all the same, so it is not refunded besides.
[[nodiscard]] minor_units uncovered(const payment& state) noexcept;

/// What can still be refunded, or reserved for a dispute.
[[nodiscard]] minor_units refundable(const payment& state) noexcept;

/// The attempt that the notice is about, if the payment has it and it is of that gateway.
[[nodiscard]] const attempt* attempt_of(const payment& state, const webhook_notice& notice);

/// The event that the notice leaves, whatever follows it.
[[nodiscard]] webhook_received received(const webhook_notice& notice, webhook_finding finding);
/// Agrees or contradicts: what a hint means where nothing is open.
[[nodiscard]] webhook_finding compare(const payment& state, const webhook_notice& notice);

/// Of a notice that is_dispute. One that ends a dispute which we haven't heard of opens it too:
/// notices overtake one another.
[[nodiscard]] decision decide_dispute(const payment& state, const webhook_notice& notice,
                                      context& at);
[[nodiscard]] decision decide_evidence(const payment& state, const note_dispute_evidence& wish);

void apply_dispute(payment& state, const dispute_opened& event, timestamp at);
void apply_dispute(payment& state, const dispute_evidence_noted& event, timestamp at);
void apply_dispute(payment& state, const dispute_won& event, timestamp at);
void apply_dispute(payment& state, const dispute_lost& event, timestamp at);

/// Whether a stored event can follow; see `fold`.
[[nodiscard]] bool may_follow(const payment& state, const dispute_opened& event);
[[nodiscard]] bool may_follow(const payment& state, const dispute_evidence_noted& event);
[[nodiscard]] bool may_follow(const payment& state, const dispute_won& event);
[[nodiscard]] bool may_follow(const payment& state, const dispute_lost& event);

/// The reserve comes out of what is available to the merchant, which becomes negative where the
/// captured money has not been settled yet: the settlement then brings it back, and posts as if
/// there were no dispute.
[[nodiscard]] std::vector<posting> dispute_postings(const payment& before,
                                                    const dispute_opened& event);
[[nodiscard]] std::vector<posting> dispute_postings(const payment& before,
                                                    const dispute_won& event);
[[nodiscard]] std::vector<posting> dispute_postings(const payment& before,
                                                    const dispute_lost& event);

/// What a notice or a dispute puts before a person, if anything.
[[nodiscard]] std::optional<new_exception> dispute_exception(const payment& state,
                                                             const dispute_opened& event);
[[nodiscard]] std::optional<new_exception> webhook_exception(const merchant_id& merchant,
                                                             const payment_id& subject,
                                                             const webhook_received& event);

} // namespace holdfast::payments
