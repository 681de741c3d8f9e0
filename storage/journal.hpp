// The narrow door to durability: what a shard's owner hands to the journal, and what it hears
// back. No libpq here: actors include this header.
#pragma once

#include "messages/commands.hpp"
#include "messages/events.hpp"
#include "messages/exceptions.hpp"
#include "messages/ledger.hpp"
#include "messages/payment.hpp"
#include "messages/shard.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::storage {

/// One event on its way into the log. The journal gives it its sequence number.
struct event_record {
  event_type type = event_type::payment_created;
  merchant_id merchant;
  uuid subject; ///< the payment, batch or file that it is about
  timestamp at;
  std::string payload; ///< as messages/codec.hpp encodes it
  std::vector<posting> postings;
};

/// A key and the request that it stands for. Unique per merchant, for ever while it is kept.
struct key_claim {
  merchant_id merchant;
  std::string key;
  fingerprint request{};
  uuid subject; ///< the payment or refund that the request is about
};

/// The stored answer of a key: replayed byte for byte from here on.
struct stored_answer {
  std::uint16_t status = 0;
  std::string content_type;
  std::string body;
  std::string location;
};

struct key_answer {
  merchant_id merchant;
  std::string key;
  stored_answer answer;
};

/// A key's row, as a cold look-up finds it.
struct stored_key {
  fingerprint request{};
  uuid subject;
  std::optional<stored_answer> answer; ///< none: the outcome is not known yet
  timestamp last_used_at{}; ///< at the latest an hour behind; by the database's clock
};

/// A gateway's notice, by which it is told apart for ever. Unique per gateway.
struct webhook_claim {
  std::string gateway;
  std::string event_id;
  uuid subject; ///< the payment that it names
  timestamp received_at;
};

/// All that one decision makes durable, or none of it.
struct journal_write {
  shard_number shard;
  epoch_number epoch;
  std::vector<event_record> events;          ///< at least one, unless only `claim` is set
  std::shared_ptr<const payment> snapshot;   ///< the payment after the events; null: none
  std::vector<operation> changed_operations; ///< of the snapshot, inserted or updated
  std::vector<dispute> changed_disputes;     ///< likewise
  std::optional<key_claim> claim;
  std::optional<key_answer> answer;         ///< may accompany its own claim
  std::vector<opened_exception> exceptions; ///< what the events put before a person
  std::optional<webhook_claim> webhook;     ///< what caused the events
};

struct write_result {
  enum class kind : std::uint8_t {
    committed,     ///< Durable.
    key_conflict,  ///< The key exists: `existing` is its row; nothing was written.
    webhook_known, ///< The notice was recorded before; nothing was written.
    not_owner,     ///< The epoch has moved on: nothing was written, nor will be.
    rejected,      ///< The database refuses these rows (a constraint); nothing was written.
    overloaded,    ///< The queue was full; nothing was written, and later it may well be.
    lost,          ///< The journal gave up on the shard; may or may not be durable: rebuild.
  };
  kind outcome = kind::committed;
  sequence_number last_seq; ///< of this write's last event, when committed
  std::optional<stored_key> existing;
  std::string detail; ///< for the log: constraint or SQLSTATE, no row data
};

using write_callback = std::function<void(write_result)>;

struct unit_scope;

/// Statements run inside a fenced transaction of their own, in the shard's write order: for
/// what is set-based (settlement), where rows by the thousand change at once.
class unit_of_work {
public:
  virtual ~unit_of_work() = default;

  /// Runs the statements, between the fence and the log. Called again from the start after a
  /// rollback. A unit whose whole effect shows no event must be repeatable, for then nothing
  /// tells whether a lost commit went through. An error rolls everything back and ends the
  /// unit, unless the connection has failed. On the writer's thread.
  [[nodiscard]] virtual expected<void> perform(unit_scope& scope) = 0;

  /// Called exactly once, when the work is durable or has ended otherwise.
  /// Errors: not_owner; unknown_outcome when the journal gave up, or the shard was lost after a
  /// COMMIT that nobody answered; what `perform` answered; rejected by a constraint.
  virtual void finish(expected<void> outcome) = 0;
};

/// The shard was fenced off or its writer gave up: stop serving it.
using shard_lost_callback = std::function<void(shard_number, epoch_number, std::string reason)>;

/// The group-committing writer of one database. Thread-safe; callbacks run on the writer's
/// thread, exactly once each, and must be short and not throw.
class journal {
public:
  virtual ~journal() = default;

  /// Begins to accept writes of this epoch, which continue after `last_seq` and `chain` (32
  /// bytes). Writes of older epochs still queued end as not_owner.
  virtual void open_shard(shard_number shard, epoch_number epoch, sequence_number last_seq,
                          std::string chain) = 0;
  /// Stops accepting; what is queued is still written. `done` runs once it is.
  virtual void close_shard(shard_number shard, std::function<void()> done) = 0;

  /// Queues a write. Order within a shard is kept. Ends as `overloaded` when the queue's limit
  /// is reached (limits::journal_queue_…): nothing was written, and the rows are not to blame.
  virtual void submit(journal_write write, write_callback done) = 0;

  /// `done` runs once all that was submitted for the shard before is decided, one way or
  /// another. Whoever rebuilds state from the database waits for this first.
  virtual void barrier(shard_number shard, std::function<void()> done) = 0;

  /// Queues set-based work of the shard; see settlement.hpp for what there is.
  virtual void run(shard_number shard, epoch_number epoch,
                   std::unique_ptr<unit_of_work> work) = 0;
};

} // namespace holdfast::storage
