// Which accounts an event moves money between. Debit positive, credit negative.
#include "actors/payment/core.hpp"
#include "actors/payment/disputes.hpp"
#include "messages/assert.hpp"

#include <algorithm>

namespace holdfast::payments {

namespace {

class poster {
public:
  explicit poster(const payment& before) noexcept : state_(before) {}

  std::vector<posting> operator()(const authorization_approved& e) const {
    auto held = std::ranges::find(state_.attempts, e.attempt, &attempt::number);
    HF_ASSERT(held != state_.attempts.end());
    auto entry = make(posting_kind::authorization, e.attempt, e.gateway_reference);
    entry.legs = {leg(account_kind::hold, held->gateway, state_.amount),
                  leg(account_kind::hold_contra, merchant(), -state_.amount)};
    return {std::move(entry)};
  }

  std::vector<posting> operator()(const authorization_expired&) const {
    return release(state_.amount - state_.captured);
  }

  std::vector<posting> operator()(const operation_succeeded& e) const {
    const auto* op = find_operation(state_, e.kind, e.ordinal);
    HF_ASSERT(op != nullptr);
    switch (op->kind) {
      case operation_kind::capture: return captured(*op, e.gateway_reference);
      case operation_kind::refund: return refunded(*op, e.gateway_reference);
      case operation_kind::void_hold: return release(state_.amount - state_.captured);
    }
    return {};
  }

  std::vector<posting> operator()(const dispute_opened& e) const {
    return dispute_postings(state_, e);
  }
  std::vector<posting> operator()(const dispute_won& e) const {
    return dispute_postings(state_, e);
  }
  std::vector<posting> operator()(const dispute_lost& e) const {
    return dispute_postings(state_, e);
  }

  /// No other event moves money.
  template <class Other>
  std::vector<posting> operator()(const Other&) const {
    return {};
  }

private:
  std::vector<posting> captured(const operation& op, const std::string& reference) const {
    const auto& gateway = approved_attempt(state_)->gateway;
    auto entry = make(posting_kind::capture, op.ordinal, reference);
    entry.legs = {leg(account_kind::hold, gateway, -op.amount),
                  leg(account_kind::hold_contra, merchant(), op.amount),
                  leg(account_kind::acquirer_receivable, state_.acquirer, op.amount),
                  leg(account_kind::merchant_pending, merchant(), -op.amount)};
    std::vector<posting> entries{std::move(entry)};
    const auto rest = state_.amount - state_.captured - op.amount;
    if (op.final && rest > minor_units{})
      std::ranges::move(release(rest), std::back_inserter(entries));
    return entries;
  }

  std::vector<posting> refunded(const operation& op, const std::string& reference) const {
    auto entry = make(posting_kind::refund, op.ordinal, reference);
    entry.legs = {leg(account_kind::merchant_pending, merchant(), op.amount),
                  leg(account_kind::acquirer_receivable, state_.acquirer, -op.amount)};
    return {std::move(entry)};
  }

  /// A hold is released at most once, hence the fixed ordinal: the ledger refuses a second one.
  std::vector<posting> release(minor_units amount) const {
    const auto* held = approved_attempt(state_);
    HF_ASSERT(held != nullptr && amount > minor_units{});
    auto entry = make(posting_kind::release, 0, held->gateway_reference);
    entry.legs = {leg(account_kind::hold, held->gateway, -amount),
                  leg(account_kind::hold_contra, merchant(), amount)};
    return {std::move(entry)};
  }

  posting make(posting_kind kind, std::uint32_t ordinal, const std::string& reference) const {
    posting entry;
    entry.kind = kind;
    entry.subject = state_.id.value;
    entry.ordinal = ordinal;
    entry.external_ref = reference;
    return entry;
  }

  ledger_leg leg(account_kind kind, const std::string& owner, minor_units amount) const {
    return {account{kind, owner, state_.unit}, amount};
  }

  std::string merchant() const { return state_.merchant.text(); }

  const payment& state_;
};

} // namespace

std::vector<posting> postings_of(const payment& before, const payment_event& event) {
  return std::visit(poster{before}, event);
}

} // namespace holdfast::payments
