#include "runtime/sandbox/gateway_book.hpp"

#include "messages/limits.hpp"

#include <algorithm>

namespace holdfast::sandbox {

namespace {

constexpr std::size_t seq_digits = 12;

error full() {
  return make_error(errc::overloaded, "the sandbox keeps no more; give it a new state folder");
}

error contradiction(std::string_view what) {
  return make_error(errc::corrupt, "a fact contradicts those before it: " + std::string{what});
}

} // namespace

std::string_view to_string(hold_status status) noexcept {
  switch (status) {
    case hold_status::approved: return "approved";
    case hold_status::declined: return "declined";
    case hold_status::reversed: return "reversed";
  }
  return "declined";
}

std::string gateway_book::make_gateway_reference(std::int64_t seq) const {
  const auto digits = std::to_string(seq);
  std::string text = name_;
  text.push_back('_');
  text.append(seq_digits - std::min(digits.size(), seq_digits), '0');
  return text.append(digits);
}

std::string gateway_book::gateway_reference(const hold& of) const {
  return of.is_tombstone() ? std::string{} : make_gateway_reference(of.seq);
}

expected<void> gateway_book::plan_authorization(const authorization_request& request,
                                                std::int64_t next_seq, plan& out) const {
  auto& entry = out.entry;
  entry.kind = fact_kind::authorize;
  entry.gateway = name_;
  entry.reference = request.reference;
  entry.amount_minor = request.amount_minor;
  entry.currency = request.currency;
  const auto* known = holds_.find(request.reference);
  if (!known) {
    if (holds_.size() >= limits::sandbox_holds_max)
      return full();
    entry.last4 = request.last4;
    entry.code = to_string(request.verdict);
    entry.effective = request.verdict == reason::none;
    entry.status = entry.effective ? fact_status::approved : fact_status::declined;
    out.is_new_hold = true;
    out.gateway_reference = make_gateway_reference(next_seq);
    entry.gateway_reference = out.gateway_reference;
    return {};
  }
  if (known->is_tombstone() || known->status == hold_status::reversed) {
    entry.status = fact_status::declined;
    entry.code = to_string(reason::reversed);
    entry.repeat = !known->is_tombstone();
    return {};
  }
  if (known->amount_minor != request.amount_minor || known->currency_code() != request.currency)
    return make_error(errc::conflict, "the reference was used for another amount");
  entry.repeat = true;
  entry.status =
    known->status == hold_status::approved ? fact_status::approved : fact_status::declined;
  entry.code = to_string(known->code);
  out.gateway_reference = gateway_reference(*known);
  entry.gateway_reference = out.gateway_reference;
  return {};
}

expected<void> gateway_book::plan_reversal(std::string_view reference, plan& out) const {
  auto& entry = out.entry;
  entry.kind = fact_kind::reverse;
  entry.gateway = name_;
  entry.reference = reference;
  entry.status = fact_status::reversed;
  const auto* known = holds_.find(reference);
  if (!known)
    return holds_.size() >= limits::sandbox_holds_max ? full() : expected<void>{};
  entry.amount_minor = known->amount_minor;
  entry.currency = known->currency_code();
  out.gateway_reference = gateway_reference(*known);
  entry.gateway_reference = out.gateway_reference;
  if (known->captured_minor > 0) {
    entry.status = fact_status::refused;
    entry.code = to_string(reason::already_captured);
    return {};
  }
  entry.effective = known->status == hold_status::approved;
  entry.repeat = known->status == hold_status::reversed;
  return {};
}

reason gateway_book::judge_operation(const operation_request& request, const hold& of) const {
  if (of.status != hold_status::approved)
    return reason::not_authorized;
  if (request.kind == fact_kind::refund) {
    const auto left = of.captured_minor - of.refunded_minor;
    return request.amount_minor > left ? reason::amount_too_large : reason::none;
  }
  if (of.is_closed)
    return reason::closed;
  const auto left = of.amount_minor - of.captured_minor;
  return request.amount_minor > left ? reason::amount_too_large : reason::none;
}

expected<void> gateway_book::plan_operation(const operation_request& request, plan& out) const {
  auto& entry = out.entry;
  entry.kind = request.kind;
  entry.gateway = name_;
  entry.reference = request.reference;
  entry.hold = request.hold;
  entry.amount_minor = request.amount_minor;
  entry.final = request.final;
  const auto* of = holds_.find(request.hold);
  if (!of) {
    entry.status = fact_status::refused;
    entry.code = to_string(reason::unknown_reference);
    return {};
  }
  entry.currency = of->currency_code();
  out.gateway_reference = gateway_reference(*of);
  entry.gateway_reference = out.gateway_reference;
  auto verdict = reason::none;
  if (const auto* known = operations_.find(request.reference)) {
    if (known->of != of || known->kind != request.kind
        || known->amount_minor != request.amount_minor)
      return make_error(errc::conflict,
                        "the operation's reference was used for something else");
    verdict = known->code;
    entry.repeat = true;
  } else if (operations_.size() >= limits::sandbox_operations_max) {
    return full();
  } else {
    verdict = judge_operation(request, *of);
    entry.effective = verdict == reason::none;
  }
  entry.status = verdict == reason::none ? fact_status::succeeded : fact_status::refused;
  entry.code = to_string(verdict);
  return {};
}

expected<void> gateway_book::apply(const fact& entry) {
  if (entry.status == fact_status::dropped || entry.repeat)
    return {};
  switch (entry.kind) {
    case fact_kind::authorize: return apply_authorization(entry);
    case fact_kind::reverse: return apply_reversal(entry);
    case fact_kind::capture:
    case fact_kind::refund: return apply_operation(entry);
    default: return contradiction("a gateway has no facts of this kind");
  }
}

expected<void> gateway_book::apply_authorization(const fact& entry) {
  const auto code = parse_reason(entry.code);
  hold made;
  if (!code || entry.currency.size() != made.currency.size())
    return contradiction("an unknown code or currency");
  if (holds_.find(entry.reference)) {
    // The late original of a tombstone.
    return entry.effective ? contradiction("a reference was authorized twice")
                           : expected<void>{};
  }
  made.seq = entry.seq;
  made.at = entry.at;
  made.amount_minor = entry.amount_minor;
  std::copy(entry.currency.begin(), entry.currency.end(), made.currency.begin());
  made.status = entry.effective ? hold_status::approved : hold_status::declined;
  made.code = *code;
  recent_.push_back(&holds_.insert(entry.reference, made));
  return {};
}

expected<void> gateway_book::apply_reversal(const fact& entry) {
  if (entry.status == fact_status::refused)
    return {};
  auto* known = holds_.find(entry.reference);
  if (!known) {
    hold tombstone;
    tombstone.at = entry.at;
    tombstone.status = hold_status::reversed;
    tombstone.code = reason::reversed;
    holds_.insert(entry.reference, tombstone);
    return {};
  }
  if (entry.effective)
    known->status = hold_status::reversed;
  return {};
}

expected<void> gateway_book::apply_operation(const fact& entry) {
  auto* of = holds_.find(entry.hold);
  const auto code = parse_reason(entry.code);
  if (!code)
    return contradiction("an unknown code");
  if (!of)
    return *code == reason::unknown_reference ? expected<void>{}
                                              : contradiction("an operation without its hold");
  hold_operation made;
  made.of = of;
  made.kind = entry.kind;
  made.code = *code;
  made.amount_minor = entry.amount_minor;
  // A refusal for want of the hold binds nobody: the hold may have come since.
  if (*code == reason::unknown_reference)
    return {};
  if (operations_.find(entry.reference))
    return contradiction("an operation was done twice");
  operations_.insert(entry.reference, made);
  if (!entry.effective)
    return {};
  if (entry.kind == fact_kind::refund) {
    of->refunded_minor += entry.amount_minor;
  } else {
    of->captured_minor += entry.amount_minor;
    of->is_closed = of->is_closed || entry.final;
  }
  return {};
}

expected<void> gateway_book::apply_settlement(const fact& entry, std::uint32_t file_number) {
  auto* subject = operations_.find(entry.reference);
  if (entry.status == fact_status::rejected)
    return {};
  if (!subject)
    return contradiction("a settlement of an unknown operation");
  if (entry.status == fact_status::deferred)
    subject->deferred_by = file_number;
  else if (entry.code == to_string(reason::missing_from_report))
    subject->missed_by = file_number;
  else
    subject->settled_by = file_number;
  return {};
}

} // namespace holdfast::sandbox
