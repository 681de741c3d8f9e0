#include "runtime/demo/audit.hpp"

#include "runtime/client/json_members.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <span>
#include <unordered_map>

namespace holdfast::demo {

namespace json = boost::json;
using client::flag_at;
using client::integer_at;
using client::string_at;

namespace {

constexpr std::array<std::string_view, 4> captured_states{"captured", "batched", "settled",
                                                          "rejected"};
constexpr std::array<std::string_view, 4> dead_ends{"declined", "failed", "voided", "expired"};
constexpr std::array<std::string_view, 2> pending_states{"processing", "pending_gateway"};

bool is_in(std::span<const std::string_view> states, std::string_view status) {
  return std::ranges::find(states, status) != states.end();
}

/// Whether a payment that a client was told to be `then` may be `now`.
bool may_become(std::string_view then, std::string_view now) {
  if (then == now || is_in(pending_states, then))
    return true;
  if (is_in(dead_ends, then))
    return false;
  // Settlement moves captured money back and forth (a deferred item leaves its batch).
  if (is_in(captured_states, now))
    return true;
  return then == "authorized"
         && (now == "partially_captured" || now == "voided" || now == "expired");
}

/// What the gateways did for one payment.
struct gateway_side {
  std::map<std::string, std::int64_t> held; ///< by attempt's reference; not reversed ones
  std::set<std::string> reversed;
  std::int64_t captured = 0;
  std::int64_t refunded = 0;
  std::uint64_t captures = 0;
  std::uint64_t refunds = 0;
  std::string currency;
  bool mixed_currencies = false;
  std::vector<std::string> doubled; ///< references with two effective holds
};

using gateway_sides = std::map<std::string, gateway_side, std::less<>>;

gateway_sides fold(const std::vector<sandbox_record>& records) {
  gateway_sides sides;
  for (const auto& record : records) {
    if (!record.effective)
      continue;
    const auto kind = std::string_view{record.kind};
    if (kind != "authorize" && kind != "reverse" && kind != "capture" && kind != "refund")
      continue;
    auto& side = sides[std::string{payment_of(record.reference)}];
    if (side.currency.empty())
      side.currency = record.currency;
    side.mixed_currencies |= !record.currency.empty() && side.currency != record.currency;
    if (kind == "authorize") {
      if (!side.held.emplace(record.gateway + ' ' + record.reference, record.amount).second)
        side.doubled.push_back(record.reference);
    } else if (kind == "reverse") {
      side.reversed.insert(record.gateway + ' ' + record.reference);
    } else if (kind == "capture") {
      side.captured += record.amount;
      ++side.captures;
    } else {
      side.refunded += record.amount;
      ++side.refunds;
    }
  }
  return sides;
}

class auditor {
public:
  explicit auditor(const audit_input& input) : input_(input), sides_(fold(input.records)) {
    for (const auto& payment : input.payments) {
      if (!payments_.emplace(payment.id, &payment).second)
        differ(payment.id, "the API lists it twice");
    }
  }

  audit_result run() {
    for (const auto& answer : input_.answers)
      check_answer(answer);
    check_refunds_told();
    for (const auto& payment : input_.payments)
      check_payment(payment);
    check_orphans();
    result_.answers = input_.answers.size();
    result_.payments = input_.payments.size();
    result_.records = input_.records.size();
    return std::move(result_);
  }

private:
  void differ(const std::string& payment, std::string what) {
    result_.differences.push_back({payment, std::move(what)});
  }

  void check_answer(const acknowledged& answer) {
    const auto [known, first] = by_key_.emplace(answer.key, answer.payment);
    if (!first && known->second != answer.payment)
      differ(answer.payment,
             "key " + answer.key + " has another payment too: " + known->second);
    if (answer.payment.empty())
      return;
    const auto found = payments_.find(answer.payment);
    if (found == payments_.end()) {
      differ(answer.payment, "was acknowledged as " + answer.status + " and is lost");
      return;
    }
    const auto& now = *found->second;
    if (answer.what == acknowledged::kind::refund) {
      if (answer.status == "succeeded")
        refunds_told_[answer.payment] += answer.amount;
      return;
    }
    if (answer.amount != now.amount || answer.currency != now.currency)
      differ(now.id, "was acknowledged over " + std::to_string(answer.amount) + ' '
                       + answer.currency + " and is over " + std::to_string(now.amount) + ' '
                       + now.currency);
    if (!may_become(answer.status, now.status))
      differ(now.id, "was acknowledged as " + answer.status + " and is " + now.status);
    if (answer.captured > now.captured || answer.refunded > now.refunded)
      differ(now.id, "captured or refunded less than was acknowledged");
  }

  void check_refunds_told() {
    for (const auto& [id, told] : refunds_told_) {
      const auto refunded = payments_.at(id)->refunded;
      if (told > refunded)
        differ(id, "refunds of " + std::to_string(told) + " were acknowledged, "
                     + std::to_string(refunded) + " are there");
    }
  }

  void check_payment(const payment_seen& payment) {
    const bool pending = is_in(pending_states, payment.status);
    if (pending && input_.at_rest)
      differ(payment.id, "is still " + payment.status);
    if (pending)
      return;
    static const gateway_side untouched;
    const auto found = sides_.find(payment.id);
    const auto& side = found == sides_.end() ? untouched : found->second;
    result_.captures += side.captures;
    result_.refunds += side.refunds;
    check_holds(payment, side);
    if (side.captured != payment.captured)
      differ(payment.id, "the gateway captured " + std::to_string(side.captured)
                           + ", the payment says " + std::to_string(payment.captured));
    if (side.refunded != payment.refunded)
      differ(payment.id, "the gateway refunded " + std::to_string(side.refunded)
                           + ", the payment says " + std::to_string(payment.refunded));
    if (side.mixed_currencies || (!side.currency.empty() && side.currency != payment.currency))
      differ(payment.id, "the gateway's currency is not the payment's " + payment.currency);
    if (!(payment.refunded <= payment.captured && payment.captured <= payment.amount))
      differ(payment.id, "refunded <= captured <= amount does not hold");
  }

  void check_holds(const payment_seen& payment, const gateway_side& side) {
    for (const auto& reference : side.doubled)
      differ(payment.id, "was authorized twice under " + reference);
    std::uint64_t holds = 0;
    std::int64_t held = 0;
    for (const auto& [reference, amount] : side.held) {
      // What a capture has left may have been released; what it has taken was held all the
      // same.
      const bool released_rest = payment.captured > 0 && payment.captured < payment.amount;
      if (side.reversed.contains(reference) && !released_rest)
        continue;
      ++holds;
      held += amount;
    }
    result_.holds += holds;
    // A hold that expired may or may not have been reversed at the gateway as well.
    if (payment.status == "expired" && holds <= 1)
      return;
    const std::uint64_t expected = is_in(dead_ends, payment.status) ? 0 : 1;
    if (holds != expected)
      differ(payment.id, "is " + payment.status + ", and gateways hold money for it "
                           + std::to_string(holds) + " times");
    else if (expected == 1 && held != payment.amount)
      differ(payment.id, "is over " + std::to_string(payment.amount)
                           + ", and the gateway holds " + std::to_string(held));
  }

  void check_orphans() {
    for (const auto& each : sides_) {
      const auto& side = each.second;
      if (payments_.contains(each.first))
        continue;
      const auto reversed = [&](const auto& hold) {
        return side.reversed.contains(hold.first);
      };
      if (!std::ranges::all_of(side.held, reversed) || side.captured != 0 || side.refunded != 0)
        differ(each.first,
               "a gateway holds or moved money for it, and the API does not know it");
    }
  }

  const audit_input& input_;
  gateway_sides sides_;
  std::unordered_map<std::string, const payment_seen*> payments_;
  std::unordered_map<std::string, std::string> by_key_;
  std::map<std::string, std::int64_t> refunds_told_;
  audit_result result_;
};

} // namespace

audit_result audit(const audit_input& input) {
  return auditor{input}.run();
}

expected<sandbox_record> parse_record(std::string_view line) {
  boost::system::error_code bad;
  const auto value = json::parse(line, bad);
  const auto* object = bad ? nullptr : value.if_object();
  if (!object || !object->contains("seq") || !object->contains("kind"))
    return make_error(errc::invalid_argument, "not a record of the sandbox");
  sandbox_record record;
  record.seq = integer_at(*object, "seq");
  record.kind = string_at(*object, "kind");
  record.gateway = string_at(*object, "gateway");
  record.reference = string_at(*object, "reference");
  record.gateway_reference = string_at(*object, "gateway_reference");
  record.currency = string_at(*object, "currency");
  record.amount = integer_at(*object, "amount");
  record.effective = flag_at(*object, "effective");
  return record;
}

std::string_view payment_of(std::string_view reference) noexcept {
  return reference.substr(0, reference.find('.'));
}

} // namespace holdfast::demo
