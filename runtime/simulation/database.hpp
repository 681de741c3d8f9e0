// What is durable in a simulated world: leases, logs, payments, keys and the ledger. A commit
// takes no time here; the journal (journal.hpp) says when it happens and who hears of it.
#pragma once

#include "actors/payment/core.hpp"
#include "runtime/simulation/ledger.hpp"
#include "runtime/simulation/types.hpp"

#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

namespace holdfast::simulation {

class world;

/// The row of a shard and of its lease.
struct shard_row {
  node_number owner = 0;
  bool has_owner = false;
  timestamp lease_until;
  epoch_number epoch;
  sequence_number last_seq;
};

struct payment_row {
  state_ptr state; ///< null before the intent is durable
  std::vector<payments::recorded_event> history;
  ledger::totals moved{}; ///< by the payment's own postings
};

struct key_row {
  fingerprint request{};
  payment_ref subject = no_payment;
  answer_ptr answer; ///< null: the outcome is not known yet
  timestamp written_at;
};

struct key_claim {
  key_name name;
  fingerprint request{};
  payment_ref subject = no_payment;
};

struct key_answer {
  key_name name;
  answer_ptr answer;
};

/// What one decision of a payment makes durable, or none of it.
struct payment_write {
  shard_number shard;
  epoch_number epoch;
  payment_ref subject = no_payment;
  std::vector<payments::recorded_event> events;
  std::vector<posting> postings;
  state_ptr after; ///< null: only a key and its answer
  std::optional<key_claim> claim;
  std::optional<key_answer> answer;
};

enum class write_outcome : std::uint8_t { committed, key_conflict, not_owner, rejected, lost };

class database {
public:
  database(world& of, std::size_t shards);

  /// The fence, the key, then all of it. `first_seq` is the number that the writer gives the
  /// first event.
  [[nodiscard]] write_outcome commit(payment_write& write, sequence_number first_seq);
  /// The fence of settlement's units of work; they number no events here.
  [[nodiscard]] bool owns(shard_number shard, epoch_number epoch) const;
  /// A posting of settlement's.
  void post(const posting& entry);

  [[nodiscard]] shard_row& shard(shard_number number) { return shards_[number.value]; }
  [[nodiscard]] std::vector<shard_row>& shards() noexcept { return shards_; }
  [[nodiscard]] const payment_row* find_payment(payment_ref payment) const noexcept;
  [[nodiscard]] const key_row* find_key(const key_name& name) const;
  /// The row as a shard's memory takes it.
  [[nodiscard]] storage::stored_key stored(const key_row& row) const;
  [[nodiscard]] const ledger& books() const noexcept { return books_; }

  /// In the order in which they came to be.
  [[nodiscard]] const std::vector<payment_ref>& payments_of(shard_number shard) const {
    return payments_of_[shard.value];
  }
  [[nodiscard]] const std::vector<key_name>& keys_of(shard_number shard) const {
    return keys_of_[shard.value];
  }
  /// Payments with something under way.
  [[nodiscard]] std::size_t pending() const noexcept { return pending_; }

private:
  void keep(payment_write& write);

  world& world_;
  std::vector<shard_row> shards_;
  std::vector<payment_row> payments_; ///< by payment_ref
  std::unordered_map<key_name, key_row, key_name_hash> keys_;
  std::vector<std::vector<payment_ref>> payments_of_;
  std::vector<std::vector<key_name>> keys_of_;
  std::size_t pending_ = 0;
  ledger books_;
};

} // namespace holdfast::simulation
