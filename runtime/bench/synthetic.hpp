// Payments as the journal hears of them, made by the payment's own core once and copied from
// then on. Pure but for the templates' time.
#pragma once

#include "messages/payment.hpp"
#include "storage/journal.hpp"

#include <cstdint>

namespace holdfast::bench {

/// A shard as its owner knows it, and the merchant whose payments are made up there.
struct synthetic_shard {
  shard_number number;
  epoch_number epoch;
  merchant_id merchant;
};

class synthetic_payments {
public:
  explicit synthetic_payments(timestamp now);

  /// The intent: payment, key and two events. `number` must be new in the database.
  [[nodiscard]] storage::journal_write intent(const synthetic_shard& where,
                                              const payment_id& id, std::uint64_t number) const;
  /// The approval of the same payment: its row, an event, two ledger entries, the key's answer.
  [[nodiscard]] storage::journal_write approval(const synthetic_shard& where,
                                                const payment_id& id,
                                                std::uint64_t number) const;
  /// The payment as the approval leaves it.
  [[nodiscard]] const payment& approved() const noexcept { return *approval_.snapshot; }

private:
  storage::journal_write intent_;
  storage::journal_write approval_;
};

} // namespace holdfast::bench
