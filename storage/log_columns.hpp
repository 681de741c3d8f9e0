// The part of a transaction that is a shard's log: events, their ledger entries, the accounts
// that those touch, and the hash chain over it all. Pure.
#pragma once

#include "storage/chain.hpp"
#include "storage/transaction.hpp"

#include <unordered_map>

namespace holdfast::storage {

/// The statements that the columns below are for.
extern const sql append_log_events;
extern const sql append_log_entries;

[[nodiscard]] constexpr std::int16_t number_of(shard_number shard) noexcept {
  return static_cast<std::int16_t>(shard.value);
}

/// The number that an enum is persisted by.
template <class Enum>
[[nodiscard]] constexpr std::int16_t persisted(Enum value) noexcept {
  return static_cast<std::int16_t>(value);
}

/// Gathers shard by shard. The events must outlive it.
class log_columns {
public:
  /// Appends the shard's events, in order, and moves its head on. Once a shard.
  void append(shard_number shard, shard_head& head,
              std::span<const event_record* const> events);

  /// The finished statements; the builder is spent.
  void take_into(std::vector<transaction::step>& steps);

private:
  struct touched_account {
    shard_number shard;
    const account* which;
    uuid id;
    minor_units change;
  };

  struct entry {
    shard_number shard;
    sequence_number seq;
    std::int32_t leg;
    std::int32_t posting;
    std::size_t account;
    const struct posting* of;
    minor_units amount;
    minor_units change; ///< of the account so far, this one included
    timestamp at;
  };

  void append_legs(shard_number shard, sequence_number seq, const event_record& event);
  [[nodiscard]] std::size_t touch(shard_number shard, const account& which);
  void add_accounts(parameters& values) const;
  void add_entries(parameters& values) const;

  array_of<std::int16_t> shards_, types_;
  array_of<std::int64_t> seqs_;
  array_of<uuid> merchants_, subjects_;
  array_of<timestamp> times_;
  array_of<byte_view> payloads_, chains_;
  chain_link link_;
  std::vector<touched_account> accounts_;
  std::unordered_map<uuid, std::size_t> index_;
  std::vector<entry> legs_;
};

} // namespace holdfast::storage
