#include "tests/unit/actors/fixtures.hpp"

#include "messages/codec.hpp"

#include <algorithm>
#include <array>

namespace holdfast::tests {

using payments::call_target;
using payments::decision;

namespace {

constexpr shard_number home_shard{7};

payments::create creation_of(const order& wish, timestamp now) {
  payments::create made;
  made.id = payment_id::make(now, home_shard, 1);
  made.merchant = merchant_id::make(now, home_shard, 2);
  made.idempotency_key = "key-create";
  made.order.total = {minor_units{wish.amount}, unit_of("EUR")};
  made.order.mode = wish.mode;
  made.order.summary = {"visa", "4242", 12, 2030};
  made.order.reference = "order-1";
  made.order.description = "two chairs";
  made.order.region = "eu";
  made.order.metadata = {{"basket", "17"}};
  made.order.token = wish.token;
  made.order.path = {wish.route, "acquirer-one", {}};
  return made;
}

std::string operation_name(operation_kind kind, std::uint32_t ordinal) {
  const auto reference = operation_reference({}, kind, ordinal);
  return reference.substr(reference.rfind('.') + 1);
}

/// What an event is about: the attempt's number or the operation's name.
std::string subject_of(const payment_event& event) {
  return std::visit(
    [](const auto& e) -> std::string {
      if constexpr (std::is_same_v<std::decay_t<decltype(e)>, resolution_escalated>)
        return ' ' + (e.kind ? operation_name(*e.kind, e.ordinal) : std::to_string(e.attempt));
      else if constexpr (requires { e.attempt; })
        return ' ' + std::to_string(e.attempt);
      else if constexpr (requires { e.number; })
        return ' ' + std::to_string(e.number);
      else if constexpr (requires { e.finding; })
        return ' ' + std::string{to_string(e.finding)};
      else if constexpr (requires { e.ordinal, e.kind; })
        return ' ' + operation_name(e.kind, e.ordinal);
      else if constexpr (requires { e.ordinal; })
        return " d" + std::to_string(e.ordinal);
      else
        return {};
    },
    event);
}

std::string text_of(const call_target& target) {
  return std::string{to_string(target.verb)} + ' '
         + (target.operation ? operation_name(*target.operation, target.ordinal)
                             : std::to_string(target.attempt));
}

std::string text_of(const payments::settled_request& settled) {
  static constexpr std::array names{"created", "declined", "updated",
                                    "refund",  "refused",  "dispute"};
  std::string text = names.at(static_cast<std::size_t>(settled.how));
  if (settled.operation)
    text += ' ' + operation_name(*settled.operation, settled.ordinal);
  if (settled.how == payments::settled_request::kind::dispute)
    text += " d" + std::to_string(settled.ordinal);
  return text;
}

template <class T, class Text>
std::string joined(const char* intro, const std::vector<T>& parts, Text text) {
  std::string out;
  for (const auto& part : parts)
    out += (out.empty() ? intro : ", ") + text(part);
  return out;
}

} // namespace

timestamp noon() {
  return at("2026-11-23T12:00:00Z");
}

currency unit_of(std::string_view code) {
  return currency::parse(code).value();
}

timestamp at(std::string_view rfc3339) {
  return parse_rfc3339(rfc3339).value();
}

gateway_answer answer_of(gateway_verdict verdict) {
  switch (verdict) {
    case gateway_verdict::approved: return {verdict, "gw-ref", {}, {}};
    case gateway_verdict::declined:
      return {verdict, {}, "insufficient_funds", "The card has no cover."};
    case gateway_verdict::not_found: return {verdict, {}, "not_found", {}};
    case gateway_verdict::not_sent: return {verdict, {}, "breaker_open", {}};
    case gateway_verdict::unknown: return {verdict, {}, "timeout", {}};
  }
  return {};
}

call_target authorize(std::uint32_t attempt) {
  return {gateway_verb::authorize, attempt, std::nullopt, 0};
}

call_target inquire(std::uint32_t attempt) {
  return {gateway_verb::inquire, attempt, std::nullopt, 0};
}

call_target reverse(std::uint32_t attempt) {
  return {gateway_verb::reverse, attempt, std::nullopt, 0};
}

call_target operate(operation_kind kind, std::uint32_t ordinal, std::uint32_t attempt) {
  const auto verb = kind == operation_kind::capture  ? gateway_verb::capture
                    : kind == operation_kind::refund ? gateway_verb::refund
                                                     : gateway_verb::reverse;
  return {verb, attempt, kind, ordinal};
}

gateway_answer retryably_declined() {
  return {gateway_verdict::declined, {}, "processing_error", "Try again."};
}

payments::policy patient_rules() {
  payments::policy rules;
  rules.after_reversal = payments::unknown_outcome::resolve_then_failover;
  auto tables = std::make_shared<payments::policy_tables>();
  tables->retryable_declines = {"processing_error"};
  tables->lifetimes = {{"mastercard", std::chrono::hours{24 * 30}}};
  rules.tables = std::move(tables);
  return rules;
}

story::story(order wish) : now_(noon()), rules_(wish.rules) {
  tell(creation_of(wish, now_));
}

decision story::ask(const payments::command& what) const {
  return payments::decide(state_, what,
                          {now_, payments::entropy{history_.size()}, rules_, card_at_hand_});
}

decision story::tell(const payments::command& what) {
  auto made = ask(what);
  for (const auto& event : made.events) {
    for (auto& entry : payments::postings_of(state_, event))
      postings_.push_back(std::move(entry));
    payments::apply(state_, event, now_);
    history_.push_back({now_, event});
  }
  return made;
}

decision story::capture(std::optional<std::int64_t> amount, bool final) {
  return tell(request_of(operation_kind::capture, amount, final, state_.operations.size()));
}

decision story::refund(std::optional<std::int64_t> amount) {
  return tell(request_of(operation_kind::refund, amount, false, state_.operations.size()));
}

decision story::void_hold() {
  return tell(request_of(operation_kind::void_hold, {}, false, state_.operations.size()));
}

decision story::rebuild() {
  state_ = payments::fold(history_).value();
  card_at_hand_ = false;
  return tell(payments::recovered{});
}

void story::pass_to_next_action() {
  if (state_.next_action_at)
    now_ = std::max(now_, *state_.next_action_at);
}

payments::request_operation request_of(operation_kind kind, std::optional<std::int64_t> amount,
                                       bool final, std::size_t nth) {
  payments::request_operation wish;
  wish.kind = kind;
  if (kind != operation_kind::void_hold)
    wish.id = make_uuid(noon(), home_shard, 1'000 + nth);
  if (amount)
    wish.amount = minor_units{*amount};
  wish.final = final;
  wish.reason = kind == operation_kind::refund ? "returned" : "";
  wish.idempotency_key = "key-" + std::to_string(nth);
  return wish;
}

std::string outcome_of(const decision& decision, const payment& before, timestamp at) {
  if (decision.refused)
    return "refused " + std::string{to_string(decision.refused->code)};
  auto after = before;
  for (const auto& event : decision.events)
    payments::apply(after, event, at);
  auto text = joined("", decision.events, [](const payment_event& event) {
    return std::string{to_string(type_of(event))} + subject_of(event);
  });
  text += joined("; calls ", decision.calls, [](const auto& call) { return text_of(call); });
  text += joined("; settles ", decision.settled, [](const auto& one) { return text_of(one); });
  if (after.status != before.status)
    text += "; now " + std::string{to_string(after.status)};
  return text.empty() ? "nothing" : text;
}

std::string difference(const payment& one, const payment& other) {
  // All that has no column of its own is in the detail.
  const auto differs = [&](auto... fields) { return ((one.*fields != other.*fields) || ...); };
  if (encode_detail(one) != encode_detail(other))
    return "detail";
  if (differs(&payment::id, &payment::merchant, &payment::unit, &payment::mode,
              &payment::reference, &payment::acquirer, &payment::created_at))
    return "origin";
  if (differs(&payment::status, &payment::settlement))
    return "status";
  if (differs(&payment::amount, &payment::captured, &payment::refunded, &payment::disputed))
    return "amounts";
  if (differs(&payment::expires_at, &payment::next_action_at, &payment::updated_at))
    return "times";
  return {};
}

std::int64_t sum_of(const std::vector<posting>& postings, account_kind kind) {
  std::int64_t sum = 0;
  for (const auto& entry : postings)
    for (const auto& leg : entry.legs)
      if (leg.where.kind == kind)
        sum += leg.amount.value();
  return sum;
}

} // namespace holdfast::tests
