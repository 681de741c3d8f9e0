#include "actors/payment/disputes.hpp"

#include "messages/assert.hpp"
#include "messages/limits.hpp"

#include <algorithm>

namespace holdfast::payments {

namespace {

template <class Payment>
auto* find_dispute(Payment& state, std::uint32_t ordinal) noexcept {
  const auto found = std::ranges::find(state.disputes, ordinal, &dispute::ordinal);
  return found == state.disputes.end() ? nullptr : &*found;
}

dispute& open_dispute(payment& state, std::uint32_t ordinal) {
  auto* one = find_dispute(state, ordinal);
  HF_ASSERT(one != nullptr && one->status == dispute_status::open);
  return *one;
}

bool is_open(const payment& state, std::uint32_t ordinal, const dispute_id& id) {
  const auto* one = find_dispute(state, ordinal);
  return one != nullptr && one->id == id && one->status == dispute_status::open;
}

const operation* operation_of(const payment& state, const reference_parts& about) {
  const auto found = std::ranges::find_if(state.operations, [&](const operation& op) {
    return op.kind == about.operation && op.ordinal == about.ordinal;
  });
  return found == state.operations.end() ? nullptr : &*found;
}

/// The operation that the notice names has succeeded; or, where it names the authorization, any
/// of this kind.
bool has_succeeded(const payment& state, const reference_parts& about, operation_kind kind) {
  if (about.operation) {
    const auto* op = operation_of(state, about);
    return op != nullptr && op->kind == kind && op->status == operation_status::succeeded;
  }
  return std::ranges::any_of(state.operations, [kind](const operation& op) {
    return op.kind == kind && op.status == operation_status::succeeded;
  });
}

bool agrees(const payment& state, const webhook_notice& notice, const attempt& one) {
  if (notice.claimed && notice.claimed->unit != state.unit)
    return false;
  switch (notice.type) {
    case webhook_type::approved:
      return one.status == attempt_status::approved
             && (!notice.claimed || notice.claimed->amount == state.amount);
    case webhook_type::declined: return one.status == attempt_status::declined;
    case webhook_type::captured:
      return has_succeeded(state, notice.about, operation_kind::capture);
    case webhook_type::refunded:
      return has_succeeded(state, notice.about, operation_kind::refund);
    case webhook_type::reversed:
      return one.status == attempt_status::reversed
             || has_succeeded(state, notice.about, operation_kind::void_hold);
    case webhook_type::dispute_opened:
    case webhook_type::dispute_won:
    case webhook_type::dispute_lost: break;
  }
  return false;
}

decision only(const webhook_notice& notice, webhook_finding finding) {
  decision out;
  out.events.emplace_back(received(notice, finding));
  return out;
}

/// Of a dispute that is known already.
decision go_on(const webhook_notice& notice, const dispute& known) {
  const bool ends = notice.type != webhook_type::dispute_opened;
  const auto wanted =
    notice.type == webhook_type::dispute_won ? dispute_status::won : dispute_status::lost;
  if (!ends || known.status == wanted)
    return only(notice, webhook_finding::agrees);
  if (known.status != dispute_status::open)
    return only(notice, webhook_finding::contradicts);
  auto out = only(notice, webhook_finding::applied);
  if (wanted == dispute_status::won)
    out.events.emplace_back(dispute_won{known.ordinal, known.id});
  else
    out.events.emplace_back(dispute_lost{known.ordinal, known.id});
  return out;
}

dispute_opened open(const payment& state, const webhook_notice& notice, context& at) {
  dispute_opened made;
  made.ordinal = static_cast<std::uint32_t>(state.disputes.size()) + 1;
  made.id = dispute_id::make(at.now, state.id.shard(), at.random.next());
  made.gateway = notice.gateway;
  made.gateway_dispute = notice.dispute->id;
  made.amount = notice.claimed->amount;
  made.reserved = std::min(made.amount, std::max(refundable(state), minor_units{}));
  made.fee = notice.dispute->fee;
  made.reason = notice.dispute->reason;
  return made;
}

posting make_posting(const payment& state, posting_kind kind, std::uint32_t ordinal,
                     const std::string& reference) {
  posting entry;
  entry.kind = kind;
  entry.subject = state.id.value;
  entry.ordinal = ordinal;
  entry.external_ref = reference;
  return entry;
}

/// Legs of zero say nothing and the ledger refuses them.
void add_leg(posting& entry, const payment& state, account_kind kind, minor_units amount) {
  if (amount == minor_units{})
    return;
  const auto& owner =
    kind == account_kind::acquirer_cash ? state.acquirer : state.merchant.text();
  entry.legs.push_back({account{kind, owner, state.unit}, amount});
}

std::vector<posting> unless_empty(posting entry) {
  if (entry.legs.empty())
    return {};
  return {std::move(entry)};
}

/// Moves what an open dispute has reserved to where its end puts it.
std::vector<posting> end_posting(const payment& state, std::uint32_t ordinal, posting_kind kind,
                                 account_kind to) {
  const auto* one = find_dispute(state, ordinal);
  HF_ASSERT(one != nullptr);
  auto entry = make_posting(state, kind, ordinal, one->gateway_dispute);
  add_leg(entry, state, account_kind::merchant_reserve, one->reserved);
  add_leg(entry, state, to, -one->reserved);
  return unless_empty(std::move(entry));
}

} // namespace

minor_units uncovered(const payment& state) noexcept {
  minor_units sum;
  for (const auto& one : state.disputes)
    if (one.status != dispute_status::won)
      sum += one.amount - one.reserved;
  return sum;
}

minor_units refundable(const payment& state) noexcept {
  return state.captured - state.refunded - state.disputed
         - pending_amount(state, operation_kind::refund);
}

const attempt* attempt_of(const payment& state, const webhook_notice& notice) {
  const auto& about = notice.about;
  const attempt* one = nullptr;
  if (about.operation) {
    one = operation_of(state, about) != nullptr ? approved_attempt(state) : nullptr;
  } else {
    const auto found = std::ranges::find(state.attempts, about.attempt, &attempt::number);
    one = found != state.attempts.end() ? &*found : nullptr;
  }
  return one != nullptr && one->gateway == notice.gateway ? one : nullptr;
}

webhook_received received(const webhook_notice& notice, webhook_finding finding) {
  webhook_received event;
  event.gateway = notice.gateway;
  event.event_id = notice.event_id;
  event.type = notice.type;
  event.finding = finding;
  event.reference = notice.reference;
  event.gateway_reference = notice.gateway_reference;
  if (notice.claimed) {
    event.currency_code = std::string{notice.claimed->unit.code()};
    event.amount = notice.claimed->amount;
  }
  event.sent_at = notice.sent_at;
  return event;
}

webhook_finding compare(const payment& state, const webhook_notice& notice) {
  const auto* one = attempt_of(state, notice);
  return one != nullptr && agrees(state, notice, *one) ? webhook_finding::agrees
                                                       : webhook_finding::contradicts;
}

decision decide_dispute(const payment& state, const webhook_notice& notice, context& at) {
  HF_ASSERT(is_dispute(notice.type) && notice.dispute && notice.claimed);
  const auto known = std::ranges::find_if(state.disputes, [&](const dispute& one) {
    return one.gateway == notice.gateway && one.gateway_dispute == notice.dispute->id;
  });
  if (known != state.disputes.end())
    return go_on(notice, *known);
  const auto* charged = attempt_of(state, notice);
  // An attempt that never held money took none from the cardholder: nothing is moved, no fee.
  if (charged == nullptr || charged->status != attempt_status::approved
      || notice.claimed->unit != state.unit
      || state.disputes.size() >= limits::payment_disputes_max)
    return only(notice, webhook_finding::contradicts);
  auto out = only(notice, webhook_finding::applied);
  const auto opened = open(state, notice, at);
  out.events.emplace_back(opened);
  if (notice.type == webhook_type::dispute_won)
    out.events.emplace_back(dispute_won{opened.ordinal, opened.id});
  if (notice.type == webhook_type::dispute_lost)
    out.events.emplace_back(dispute_lost{opened.ordinal, opened.id});
  return out;
}

decision decide_evidence(const payment& state, const note_dispute_evidence& wish) {
  const auto one = std::ranges::find(state.disputes, wish.dispute, &dispute::id);
  decision out;
  if (one == state.disputes.end())
    out.refused = refusal{errc::invalid_state, "This payment has no such dispute."};
  else if (one->status != dispute_status::open)
    out.refused = refusal{errc::invalid_state, "This dispute has been "
                                                 + std::string{to_string(one->status)}
                                                 + "; evidence can't change that any more."};
  else if (one->evidence.size() >= limits::dispute_notes_max)
    out.refused =
      refusal{errc::invalid_state, "This dispute has reached its limit of evidence notes."};
  else {
    out.events.emplace_back(
      dispute_evidence_noted{one->ordinal, one->id, wish.note, wish.idempotency_key});
    out.settled.push_back(
      {wish.idempotency_key, settled_request::kind::dispute, std::nullopt, one->ordinal});
  }
  return out;
}

void apply_dispute(payment& state, const dispute_opened& event, timestamp at) {
  HF_ASSERT(event.ordinal == state.disputes.size() + 1);
  dispute one;
  one.id = event.id;
  one.ordinal = event.ordinal;
  one.gateway = event.gateway;
  one.gateway_dispute = event.gateway_dispute;
  one.amount = event.amount;
  one.reserved = event.reserved;
  one.fee = event.fee;
  one.reason = event.reason;
  one.opened_at = at;
  state.disputes.push_back(std::move(one));
  state.disputed += event.reserved;
  HF_ASSERT(state.refunded + state.disputed <= state.captured);
}

void apply_dispute(payment& state, const dispute_evidence_noted& event, timestamp at) {
  open_dispute(state, event.ordinal).evidence.push_back({event.note, at});
}

void apply_dispute(payment& state, const dispute_won& event, timestamp at) {
  auto& one = open_dispute(state, event.ordinal);
  one.status = dispute_status::won;
  one.closed_at = at;
  state.disputed -= one.reserved;
  HF_ASSERT(state.disputed >= minor_units{});
}

void apply_dispute(payment& state, const dispute_lost& event, timestamp at) {
  auto& one = open_dispute(state, event.ordinal);
  one.status = dispute_status::lost;
  one.closed_at = at;
}

bool may_follow(const payment& state, const dispute_opened& event) {
  return !state.id.is_nil() && event.ordinal == state.disputes.size() + 1
         && event.amount > minor_units{} && event.reserved >= minor_units{}
         && event.reserved <= event.amount && event.fee >= minor_units{}
         && event.reserved <= std::max(refundable(state), minor_units{});
}

bool may_follow(const payment& state, const dispute_evidence_noted& event) {
  return is_open(state, event.ordinal, event.id);
}

bool may_follow(const payment& state, const dispute_won& event) {
  return is_open(state, event.ordinal, event.id);
}

bool may_follow(const payment& state, const dispute_lost& event) {
  return is_open(state, event.ordinal, event.id);
}

std::vector<posting> dispute_postings(const payment& before, const dispute_opened& event) {
  auto entry =
    make_posting(before, posting_kind::dispute_reserve, event.ordinal, event.gateway_dispute);
  add_leg(entry, before, account_kind::merchant_available, event.reserved + event.fee);
  add_leg(entry, before, account_kind::merchant_reserve, -event.reserved);
  add_leg(entry, before, account_kind::acquirer_cash, -event.fee);
  return unless_empty(std::move(entry));
}

std::vector<posting> dispute_postings(const payment& before, const dispute_won& event) {
  return end_posting(before, event.ordinal, posting_kind::dispute_release,
                     account_kind::merchant_available);
}

std::vector<posting> dispute_postings(const payment& before, const dispute_lost& event) {
  return end_posting(before, event.ordinal, posting_kind::dispute_loss,
                     account_kind::acquirer_cash);
}

std::optional<new_exception> dispute_exception(const payment& state,
                                               const dispute_opened& event) {
  if (event.reserved == event.amount)
    return std::nullopt;
  new_exception made;
  made.kind = dispute_exceeds_captured;
  made.merchant = state.merchant;
  made.payment = state.id;
  made.source = event.gateway;
  made.external_ref = event.gateway_dispute;
  made.unit = state.unit;
  made.expected_amount = event.reserved;
  made.reported_amount = event.amount;
  made.detail = "Dispute " + event.gateway_dispute + " at " + event.gateway
                + " is over more than is left of the payment: show the gateway the refunds, or "
                  "recover the rest.";
  return made;
}

std::optional<new_exception> webhook_exception(const merchant_id& merchant,
                                               const payment_id& subject,
                                               const webhook_received& event) {
  const bool is_lost_dispute =
    is_dispute(event.type) && event.finding == webhook_finding::contradicts;
  if (event.finding != webhook_finding::unmatched && !is_lost_dispute)
    return std::nullopt;
  new_exception made;
  made.kind = unmatched_webhook;
  made.merchant = merchant;
  made.payment = subject;
  if (auto unit = currency::parse(event.currency_code))
    made.unit = *unit;
  made.reported_amount = event.amount;
  made.source = event.gateway;
  made.external_ref =
    event.gateway_reference.empty() ? event.reference : event.gateway_reference;
  made.raw_line = std::string{to_string(event.type)} + ' ' + event.reference;
  made.detail = "Notice " + event.event_id + " of " + event.gateway
                + (is_lost_dispute ? " tells of a dispute that doesn't fit the payment."
                                   : " is about a payment that doesn't exist.");
  return made;
}

} // namespace holdfast::payments
