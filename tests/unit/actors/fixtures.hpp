// What the tests of the pure cores share: fixed names, a gateway's answers, and payments that
// are driven through their life by commands, as their actor would drive them.
#pragma once

#include "actors/payment/core.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace holdfast::tests {

/// Monday 23 November 2026, 12:00 UTC.
[[nodiscard]] timestamp noon();
/// Asserts on a code or a text that can't be parsed: both are the test's own.
[[nodiscard]] currency unit_of(std::string_view code);
[[nodiscard]] timestamp at(std::string_view rfc3339);

[[nodiscard]] gateway_answer answer_of(gateway_verdict verdict);
[[nodiscard]] inline gateway_answer approved() {
  return answer_of(gateway_verdict::approved);
}
[[nodiscard]] inline gateway_answer declined() {
  return answer_of(gateway_verdict::declined);
}
/// A decline that `patient_rules` would have another gateway asked after.
[[nodiscard]] gateway_answer retryably_declined();
[[nodiscard]] inline gateway_answer not_found() {
  return answer_of(gateway_verdict::not_found);
}
[[nodiscard]] inline gateway_answer not_sent() {
  return answer_of(gateway_verdict::not_sent);
}
[[nodiscard]] inline gateway_answer unknown() {
  return answer_of(gateway_verdict::unknown);
}

[[nodiscard]] payments::call_target authorize(std::uint32_t attempt);
[[nodiscard]] payments::call_target inquire(std::uint32_t attempt);
[[nodiscard]] payments::call_target reverse(std::uint32_t attempt);
/// The call that an operation makes on the hold of `attempt`.
[[nodiscard]] payments::call_target operate(operation_kind kind, std::uint32_t ordinal,
                                            std::uint32_t attempt = 1);

/// Rules under which another gateway is asked wherever that can be right.
[[nodiscard]] payments::policy patient_rules();

struct order {
  std::int64_t amount = 1'000;
  capture_mode mode = capture_mode::manual;
  std::vector<std::string> route{"alpha", "beta"};
  payments::policy rules = {};
  std::string token = {}; ///< instead of the card
};

/// A payment under a clock of its own. Every decision is applied at once and kept, so `history`
/// is what the journal would hold.
class story {
public:
  /// Begins with `create`: the first attempt is started.
  explicit story(order wish = {});

  /// What `decide` says now, without consequences.
  [[nodiscard]] payments::decision ask(const payments::command& what) const;
  /// Decides and applies.
  payments::decision tell(const payments::command& what);

  payments::decision answer(payments::call_target target, gateway_answer what) {
    return tell(payments::gateway_answered{target, std::move(what)});
  }
  payments::decision capture(std::optional<std::int64_t> amount = std::nullopt,
                             bool final = false);
  payments::decision refund(std::optional<std::int64_t> amount = std::nullopt);
  payments::decision void_hold();
  payments::decision wake() { return tell(payments::woken{}); }
  /// The actor died: the state is folded from the history again, as after a restart. The
  /// card's number is gone with it.
  payments::decision rebuild();
  void lose_card() { card_at_hand_ = false; }

  void pass(milliseconds time) { now_ += time; }
  /// Moves on to `next_action_at`, where there is one that has not passed.
  void pass_to_next_action();

  [[nodiscard]] const payment& state() const noexcept { return state_; }
  [[nodiscard]] timestamp now() const noexcept { return now_; }
  [[nodiscard]] const payments::policy& rules() const noexcept { return rules_; }
  [[nodiscard]] const std::vector<payments::recorded_event>& history() const noexcept {
    return history_;
  }
  /// All that was posted, in order.
  [[nodiscard]] const std::vector<posting>& postings() const noexcept { return postings_; }
  [[nodiscard]] const attempt& last_attempt() const { return state_.attempts.back(); }
  [[nodiscard]] const operation& last_operation() const { return state_.operations.back(); }

private:
  timestamp now_;
  payments::policy rules_;
  bool card_at_hand_ = true;
  payment state_;
  std::vector<payments::recorded_event> history_;
  std::vector<posting> postings_;
};

/// A merchant's request as the API would hand it over, with a key of its own per ordinal.
[[nodiscard]] payments::request_operation request_of(operation_kind kind,
                                                     std::optional<std::int64_t> amount,
                                                     bool final, std::size_t nth);

/// A decision in one line, from the state before it:
/// "attempt.not_sent 1, attempt.started 2; calls authorize 2; settles …; now …", "refused …" or
/// "nothing". Operations are named as in references: c1, r1, v1.
[[nodiscard]] std::string outcome_of(const payments::decision& decision, const payment& before,
                                     timestamp at);

/// The name of the first field in which two payments differ; empty when they are equal.
[[nodiscard]] std::string difference(const payment& one, const payment& other);

/// The sum of the legs on accounts of one kind.
[[nodiscard]] std::int64_t sum_of(const std::vector<posting>& postings, account_kind kind);

} // namespace holdfast::tests
