// A simulated gateway: honest, idempotent on our references, with a record of its own. What
// lies between it and us (wire.hpp) is not.
#pragma once

#include "messages/gateway_types.hpp"
#include "messages/payment.hpp"
#include "runtime/simulation/types.hpp"

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace holdfast::simulation {

class world;

/// What a gateway says, as far as a well-formed answer can tell.
enum class told_status : std::uint8_t {
  approved,
  declined,
  reversed,
  refused,
  succeeded,
  not_found,
};

struct told {
  told_status status = told_status::not_found;
  gateway_number by = 0;
  std::uint32_t reference = 0; ///< the gateway's own number of the hold; 0: none
  const char* code = "";
};

/// What becomes of such an answer, by the rules of the wire's adapter.
[[nodiscard]] gateway_answer judge(const told& answer, gateway_verb verb);

struct gateway_operation {
  operation_kind kind = operation_kind::capture;
  std::uint32_t ordinal = 0;
  minor_units amount;
  bool succeeded = false;
  bool settled = false; ///< by an acquirer's report
};

/// An authorization, or the tombstone of one that was reversed before it came.
struct gateway_hold {
  bool came = false; ///< else a tombstone
  bool approved = false;
  bool reversed = false;
  bool closed = false; ///< by a final capture
  std::uint32_t number = 0;
  const char* code = "";
  minor_units amount;
  minor_units captured;
  minor_units refunded;
  timestamp expires_at;
  std::vector<gateway_operation> operations;

  /// It holds money, or has taken some.
  [[nodiscard]] bool is_effective() const noexcept { return approved && !reversed; }
  [[nodiscard]] const gateway_operation* find(operation_kind kind,
                                              std::uint32_t ordinal) const noexcept;
};

class gateway {
public:
  gateway(world& of, gateway_number number);

  [[nodiscard]] told handle(const gateway_request& asked);
  /// What it would have said before it heard of the reference's approval.
  [[nodiscard]] told stale_status(const gateway_request& asked) const;

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] const gateway_hold* find(payment_ref payment, std::uint32_t attempt) const;
  [[nodiscard]] gateway_hold* find(payment_ref payment, std::uint32_t attempt);
  [[nodiscard]] std::size_t size() const noexcept { return holds_.size(); }
  /// Calls `look(payment, attempt, hold)` for every hold, in no order that may matter.
  template <class Look>
  void for_each(Look look) const {
    for (const auto& [key, hold] : holds_)
      look(static_cast<payment_ref>(key >> 8), static_cast<std::uint32_t>(key & 0xff), hold);
  }

private:
  [[nodiscard]] told authorize(const attempt_name& name, const gateway_request& asked);
  [[nodiscard]] told reverse(const attempt_name& name);
  [[nodiscard]] told operate(const attempt_name& name, const gateway_request& asked);
  [[nodiscard]] told status_of(const gateway_hold& hold) const;
  [[nodiscard]] told say(told_status status, const char* code = "",
                         std::uint32_t reference = 0) const;

  world& world_;
  gateway_number number_;
  std::string name_;
  std::uint32_t next_number_ = 1;
  std::unordered_map<std::uint64_t, gateway_hold> holds_; ///< by payment << 8 | attempt
};

} // namespace holdfast::simulation
