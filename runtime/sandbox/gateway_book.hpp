// What one gateway holds: authorizations and the captures, refunds and reversals on them. A
// pure core: it plans what a call would do and applies facts; the same `apply` rebuilds it at a
// start.
#pragma once

#include "messages/expected.hpp"
#include "runtime/sandbox/fact.hpp"
#include "runtime/sandbox/outcomes.hpp"
#include "runtime/sandbox/reference_map.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::sandbox {

enum class hold_status : std::uint8_t { approved, declined, reversed };

[[nodiscard]] std::string_view to_string(hold_status status) noexcept;

/// An authorization, or the tombstone of one that was reversed before it came (seq 0).
struct hold {
  std::int64_t seq = 0;
  timestamp at;
  std::int64_t amount_minor = 0;
  std::int64_t captured_minor = 0;
  std::int64_t refunded_minor = 0;
  std::array<char, 3> currency{};
  hold_status status = hold_status::approved;
  reason code = reason::none;
  bool is_closed = false; ///< by a final capture

  [[nodiscard]] bool is_tombstone() const noexcept { return seq == 0; }
  [[nodiscard]] std::string_view currency_code() const noexcept {
    return is_tombstone() ? std::string_view{}
                          : std::string_view{currency.data(), currency.size()};
  }
};

/// A capture or refund and how it was answered for good.
struct hold_operation {
  hold* of = nullptr;
  fact_kind kind = fact_kind::capture;
  reason code = reason::none; ///< none: it succeeded
  std::int64_t amount_minor = 0;
  std::uint32_t settled_by = 0; ///< the number of the settlement file; 0: none yet
  std::uint32_t deferred_by = 0;
  std::uint32_t missed_by = 0; ///< it was accepted, but left out of that file's report
};

struct authorization_request {
  std::string_view reference;
  std::int64_t amount_minor = 0;
  std::string_view currency; ///< three upper-case letters
  reason verdict = reason::none;
  std::string_view last4;
};

struct operation_request {
  fact_kind kind = fact_kind::capture; ///< or refund
  std::string_view hold;
  std::string_view reference;
  std::int64_t amount_minor = 0;
  bool final = false;
};

/// What a call comes to: the fact to record, apply and answer from. Its views point into the
/// request, the book and `gateway_reference`; it stays where it was made.
struct plan {
  fact entry;
  std::string gateway_reference;
  bool is_new_hold = false;
};

class gateway_book {
public:
  explicit gateway_book(std::string name) : name_(std::move(name)) {}

  [[nodiscard]] const std::string& name() const noexcept { return name_; }

  /// `next_seq` is the number that the fact will get. Errors: conflict (the reference was used
  /// for another amount or currency), overloaded (limits.hpp).
  [[nodiscard]] expected<void> plan_authorization(const authorization_request& request,
                                                  std::int64_t next_seq, plan& out) const;
  /// Never refused for a reference that nobody knows: it leaves a tombstone, so that an
  /// authorization that comes late is declined. Errors: overloaded.
  [[nodiscard]] expected<void> plan_reversal(std::string_view reference, plan& out) const;
  /// Errors: conflict (the operation's reference was used for something else), overloaded.
  [[nodiscard]] expected<void> plan_operation(const operation_request& request,
                                              plan& out) const;

  /// Errors: corrupt (the fact contradicts the book).
  [[nodiscard]] expected<void> apply(const fact& entry);
  /// A settlement file's word on an operation.
  [[nodiscard]] expected<void> apply_settlement(const fact& entry, std::uint32_t file_number);

  [[nodiscard]] const hold* find_hold(std::string_view reference) const {
    return holds_.find(reference);
  }
  [[nodiscard]] const hold_operation* find_operation(std::string_view reference) const {
    return operations_.find(reference);
  }
  /// "alpha_000000000042"; empty for a tombstone.
  [[nodiscard]] std::string gateway_reference(const hold& of) const;

  /// Authorizations in the order in which they came, tombstones not among them.
  using recent_entry = const reference_map<hold>::entry*;
  [[nodiscard]] const std::deque<recent_entry>& recent() const noexcept { return recent_; }

private:
  [[nodiscard]] std::string make_gateway_reference(std::int64_t seq) const;
  [[nodiscard]] reason judge_operation(const operation_request& request, const hold& of) const;
  expected<void> apply_authorization(const fact& entry);
  expected<void> apply_reversal(const fact& entry);
  expected<void> apply_operation(const fact& entry);

  std::string name_;
  reference_map<hold> holds_;
  reference_map<hold_operation> operations_;
  std::deque<recent_entry> recent_;
};

} // namespace holdfast::sandbox
