// The vocabulary of the double-entry ledger: accounts, legs and postings. A positive amount is
// a debit, a negative one a credit; the legs of a posting sum to zero per currency.
#pragma once

#include "messages/ids.hpp"
#include "messages/money.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

/// Persisted: numbers are never changed or reused.
enum class account_kind : std::uint8_t {
  hold = 1,                ///< memo: held at a gateway; owner = gateway
  hold_contra = 2,         ///< memo: the other side of hold; owner = merchant
  acquirer_receivable = 3, ///< the acquirer owes us; owner = acquirer
  acquirer_cash = 4,       ///< the acquirer has paid; owner = acquirer
  merchant_pending = 5,    ///< we owe the merchant once the acquirer pays; owner = merchant
  merchant_available = 6,  ///< we owe the merchant now; owner = merchant
  merchant_reserve = 7,    ///< withheld from the merchant (disputes); owner = merchant
  platform_fees = 8,       ///< our income, less what acquirers charge; owner = "platform"
  suspense = 9,            ///< money whose reason is not yet known; owner = acquirer
};

[[nodiscard]] std::string_view to_string(account_kind kind) noexcept;

/// An account is named by what it is: kind, owner and currency, striped per shard by storage.
struct account {
  account_kind kind = account_kind::suspense;
  std::string owner; ///< a merchant's id as text, or the name of a gateway or acquirer
  currency unit;

  friend auto operator<=>(const account&, const account&) = default;
};

struct ledger_leg {
  account where;
  minor_units amount; ///< debit positive, credit negative; never zero
};

/// Why money moved. Persisted. With the subject and the ordinal it is unique, so that no bug
/// above can post the same thing twice.
enum class posting_kind : std::uint8_t {
  authorization = 1,
  release = 2, ///< of a hold: void, reversal, expiry or the rest of a final capture
  capture = 3,
  refund = 4,
  settlement = 5,      ///< of a batch, by the acquirer's report
  rejection = 6,       ///< of a batch item, by the acquirer
  unexplained = 7,     ///< money in a report that matches nothing of ours
  dispute_reserve = 8, ///< withheld while a dispute is open, and the acquirer's fee for it
  dispute_release = 9, ///< a dispute was won
  dispute_loss = 10,   ///< a dispute was lost: the acquirer has taken the reserve
  adjustment = 11, ///< a person resolved an exception; the merchant or the acquirer bears it
  write_off = 12,  ///< likewise, but the platform bears it
};

[[nodiscard]] std::string_view to_string(posting_kind kind) noexcept;

/// One balanced ledger transaction.
struct posting {
  posting_kind kind = posting_kind::authorization;
  uuid subject;              ///< payment, or batch for settlement
  std::uint32_t ordinal = 0; ///< attempt, operation, dispute or line
  std::string external_ref;  ///< the gateway's or acquirer's own reference
  std::vector<ledger_leg> legs;
};

/// True when the legs sum to zero in every currency and none is zero.
[[nodiscard]] bool is_balanced(const posting& entry) noexcept;

} // namespace holdfast
