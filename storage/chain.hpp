// The hash chain over a shard's log, and the ids of its accounts. Pure.
//
//   head(0)   = 32 zero bytes
//   head(seq) = SHA-256(head(seq - 1) ‖ canonical(event seq))
//
// canonical(event), all integers big-endian and of fixed width, all byte strings preceded by
// their length in 4 bytes:
//
//   shard 2 · seq 8 · type 2 · merchant 16 · subject 16 · at 8 (microseconds since 1970) ·
//   payload then for each of its ledger legs in order: posting 4 · kind 2 · subject 16 ·
//   ordinal 4 · account 16 · amount 8 · external reference
//
// The shard's row keeps the head of its last event, and the last event of every transaction
// keeps its own, so that a break can be narrowed down.
#pragma once

#include "messages/events.hpp"
#include "messages/ledger.hpp"

#include <string>
#include <string_view>

namespace holdfast::storage {

inline constexpr std::size_t chain_bytes = 32;

/// The head of an empty log.
[[nodiscard]] std::string empty_chain();

/// The canonical form of one event after the other; an event's legs are added in order.
class chain_link {
public:
  void begin(shard_number shard, sequence_number seq, event_type type, const uuid& merchant,
             const uuid& subject, timestamp at, std::string_view payload);

  void add_leg(std::int32_t posting, posting_kind kind, const uuid& subject,
               std::uint32_t ordinal, const uuid& account, minor_units amount,
               std::string_view external_ref);

  /// Moves the head, 32 bytes, on to the one after this event.
  void advance(std::string& head) const;

private:
  std::string canonical_;
};

/// The first 16 bytes of SHA-256 over "shard|kind|owner|currency". Each thread keeps the ids
/// that it has asked for, up to a limit.
[[nodiscard]] uuid account_id(shard_number shard, const account& which);

} // namespace holdfast::storage
