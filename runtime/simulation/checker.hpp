// The invariants, by the letters of the design. What can be checked at a step is checked at
// each; the rest once all is quiet. The first violation ends the run.
//
//   M  money: debits = credits, balances = fold, captured <= authorised, refunded <= captured
//   O  at most one effective charge per idempotency key, over all gateways, and none without a
//      durable intent
//   D  nothing acknowledged is lost
//   W  one writer per shard; epochs rise; no gap in seq
//   E  a terminal state stays, and only evidence makes one
//   R  same key, same answer
//   L  when faults stop, everything ends within a bounded time
#pragma once

#include "runtime/simulation/database.hpp"
#include "runtime/simulation/types.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace holdfast::simulation {

class world;

struct violation {
  char letter = '?';
  std::string sentence;
  payment_ref payment = no_payment;
  std::uint64_t step = 0;
  timestamp at;
};

class checker {
public:
  explicit checker(world& of) : world_(of) {}

  // at every step
  void commit(const payment_write& write, const shard_row& row, sequence_number first_seq,
              const payment* before);
  void committed(payment_ref payment, const payment_row& row);
  void gateway_heard(const attempt_name& name, const gateway_request& asked);
  void hold_opened(const attempt_name& name);
  void hold_closed(const attempt_name& name);
  void answered(const request& about, const reply& what);

  /// Faults have stopped and nothing is under way: both sides' records must agree.
  void when_quiet();
  /// Nothing more will happen: that, and each history for itself.
  void at_the_end();

  /// Keeps the first.
  void fail(char letter, std::string sentence, payment_ref payment);
  [[nodiscard]] const std::optional<violation>& found() const noexcept { return found_; }

private:
  void evidence(const payment* before, const payment& after, const payment_event& event,
                payment_ref payment);
  void gateways_agree();
  void histories_agree();
  void answers_are_kept();
  void settlement_agrees();

  struct kept_answer {
    answer_ptr answer;
    payment_ref payment = no_payment;
  };

  world& world_;
  std::vector<std::uint8_t> charges_; ///< effective holds, by client
  std::unordered_map<key_name, kept_answer, key_name_hash> answers_;
  std::optional<violation> found_;
};

} // namespace holdfast::simulation
