// What one journal transaction sends: writes, merged into one statement a table. Pure: it
// decides sequence numbers and chain heads, and touches no connection.
#pragma once

#include "storage/connection.hpp"
#include "storage/journal.hpp"

#include <map>
#include <span>
#include <vector>

namespace holdfast::storage {

/// Where a shard's log ends.
struct shard_head {
  epoch_number epoch;
  sequence_number last_seq;
  std::string chain;
};

using shard_heads = std::map<shard_number, shard_head>;

/// A write on its way, with what became of it so far.
struct queued_write {
  journal_write write;
  write_callback done;
  std::size_t bytes = 0;
  std::string detail{}; ///< of the payment, encoded
  /// A transaction with it was lost when nothing could tell whether it went through.
  bool maybe_committed = false;
};

/// Encodes what needs no place in the log: to be called by whoever submits the write, for all
/// of them go through the one thread of the writer.
[[nodiscard]] queued_write encoded(journal_write write, write_callback done);

class transaction {
public:
  enum class step_kind : std::uint8_t { fence, claims, blind_claims, webhooks, changes, rows };

  /// Keys may be claimed blindly, which costs a fifth less and fails as a whole where one
  /// exists; or with a look at each, so that the database names those that exist.
  enum class claiming : std::uint8_t { blind, looking };

  struct step {
    step_kind kind;
    const sql* what;
    parameters values;
    std::int64_t hits = 0; ///< of `changes`: the rows that must be there
  };

  /// Merges the writes, which must outlive it; `heads` are those of their shards now. The
  /// writes of a shard keep their order; every shard of theirs must be in `heads`, and no key
  /// or notice be claimed twice.
  [[nodiscard]] static transaction of_writes(std::span<queued_write* const> writes,
                                             const shard_heads& heads,
                                             claiming how = claiming::blind);

  /// The log of a unit of work, which has its own rows elsewhere.
  [[nodiscard]] static transaction of_events(shard_number shard, const shard_head& head,
                                             std::span<const event_record> events);

  [[nodiscard]] const std::vector<step>& steps() const noexcept { return steps_; }

  /// The heads once it has committed.
  [[nodiscard]] const shard_heads& heads_after() const noexcept { return after_; }
  [[nodiscard]] std::size_t events() const noexcept { return events_; }
  /// The keys that it claims.
  [[nodiscard]] const std::vector<const key_claim*>& claims() const noexcept { return claims_; }
  /// The gateways' notices that it records.
  [[nodiscard]] const std::vector<const webhook_claim*>& webhooks() const noexcept {
    return webhooks_;
  }
  /// The last sequence number of each write, in the order of `of_writes`.
  [[nodiscard]] const std::vector<sequence_number>& last_seqs() const noexcept {
    return last_seqs_;
  }

  /// The place in the log that proves that it has committed: a shard with events, if any.
  [[nodiscard]] std::optional<std::pair<shard_number, shard_head>> proof() const;

private:
  /// What came of a shard's events.
  void note(shard_number shard, shard_head after, std::size_t events);

  std::vector<step> steps_;
  shard_heads after_;
  std::optional<shard_number> proving_; ///< the first shard with events
  std::vector<const key_claim*> claims_;
  std::vector<const webhook_claim*> webhooks_;
  std::vector<sequence_number> last_seqs_;
  std::size_t events_ = 0;
};

/// Every statement that a transaction may hold, to be prepared ahead: its steps, and what
/// stands around them.
[[nodiscard]] std::span<const sql* const> journal_frame_statements() noexcept;
[[nodiscard]] std::span<const sql* const> journal_statements() noexcept;

} // namespace holdfast::storage
