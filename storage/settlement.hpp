// Settlement's set-based writes, each a unit of work that the journal runs fenced and in the
// shard's order, and what the reconciler reads between them. No libpq here.
#pragma once

#include "messages/limits.hpp"
#include "storage/store.hpp"

#include <memory>

namespace holdfast::storage {

/// Closes the merchant's (or, with none, every merchant's) ready captures and refunds into one
/// batch per merchant, acquirer and currency, each of at most `max_items` (several where there
/// are more). One run takes so many items only; what it leaves is for the next (`has_more`),
/// and a merchant's batch is not torn apart for that. Writes batch_closed events. Ids are made
/// from `now` and `random_seed`.
struct close_batches_request {
  std::optional<merchant_id> merchant;
  /// Only what had succeeded before this instant (the cut-off): running it again for the same
  /// instant closes nothing twice, and after a downtime nothing is missed.
  timestamp captured_before;
  timestamp now;
  std::uint64_t random_seed = 0;
  std::uint32_t max_items = limits::file_items_max;
  std::uint32_t run_items = limits::cutoff_items_max; ///< of one run, of all batches
};

struct closed_batches {
  std::uint32_t batches = 0;
  std::uint64_t items = 0;
  bool has_more = false; ///< to be run again, for the same instant
};

[[nodiscard]] std::unique_ptr<unit_of_work> close_batches(close_batches_request request,
                                                          callback<closed_batches> done);

/// A settlement file's life. Persisted. stored → submitted → answered → reconciled; or refused.
enum class file_status : std::uint8_t {
  stored = 1, ///< The raw bytes and their SHA-256 are durable; not known to be at the acquirer.
  submitted = 2, ///< The acquirer has acknowledged the file.
  answered = 3,  ///< Per-item results applied; the report is due.
  reconciled = 4,
  refused = 5, ///< The acquirer refused it whole; a person decides.
};

struct settlement_file {
  file_id id;
  shard_number shard;
  std::string acquirer;
  file_status status = file_status::stored;
  std::string content; ///< raw CSV; open_files reads it only of the one to be submitted first
  std::string sha256;  ///< lower-case hex of content
  std::uint32_t tries = 0;
  timestamp next_try_at;
  timestamp created_at;
  timestamp status_since;
};

/// Stores a file that holds the given closed batches, which must be in no other file.
struct store_file_request {
  settlement_file file;
  std::vector<batch_id> batches;
  std::uint32_t items = 0;
  timestamp now;
};

[[nodiscard]] std::unique_ptr<unit_of_work> store_file(store_file_request request,
                                                       callback<bool> done);

/// Moves the file's status on, or only counts a try (status unchanged). A refusal closes with
/// an event of its own, and an acknowledgement ends what was open about the acquirer's silence.
struct mark_file_request {
  file_id file;
  std::string acquirer;
  file_status status = file_status::submitted;
  std::uint32_t tries = 0; ///< 0 of a submitted file: it has just been acknowledged
  timestamp next_try_at;
  std::string note;
  timestamp now;
  std::vector<new_exception> exceptions; ///< with a fingerprint each
  std::uint64_t random_seed = 0;
};

[[nodiscard]] std::unique_ptr<unit_of_work> mark_file(mark_file_request request,
                                                      callback<bool> done);

enum class item_verdict : std::uint8_t { accepted = 1, rejected = 2, deferred = 3 };

struct item_result {
  uuid operation;
  item_verdict verdict = item_verdict::accepted;
  std::string code;
};

using holdfast::new_exception;

/// Applies the acquirer's per-item results: rejected ones leave their batch as `rejected`, with
/// their posting and exception; deferred ones are ready for the next batch. Batch totals
/// follow.
struct apply_results_request {
  file_id file;
  std::vector<item_result> results; ///< one for each item, in any order
  std::vector<posting> postings;    ///< of the rejected ones
  std::vector<new_exception> exceptions;
  std::string raw; ///< what the acquirer sent
  timestamp now;
  timestamp next_try_at;
  std::uint64_t random_seed = 0;
};

[[nodiscard]] std::unique_ptr<unit_of_work> apply_results(apply_results_request request,
                                                          callback<bool> done);

struct settled_item {
  uuid operation;
  minor_units fee; ///< the acquirer's
  std::uint32_t report_line = 0;
};

struct batch_outcome {
  batch_id batch;
  merchant_id merchant;
  minor_units gross;
  minor_units acquirer_fees;
  minor_units platform_fees;
  minor_units net;
  std::uint32_t settled = 0;
  std::uint32_t exceptions = 0;
};

/// Applies a matched settlement report: items settled, batches reconciled, postings and
/// exceptions written, the raw report kept with its SHA-256.
struct apply_report_request {
  file_id file;
  std::vector<settled_item> settled;
  std::vector<batch_outcome> batches;
  std::vector<posting> postings;
  std::vector<new_exception> exceptions;
  std::string raw;
  timestamp now;
  std::uint64_t random_seed = 0;
};

[[nodiscard]] std::unique_ptr<unit_of_work> apply_report(apply_report_request request,
                                                         callback<bool> done);

/// Raises the exception of a report that contradicts itself and keeps the report that opened
/// it, byte for byte; the file stays as it is and is asked about again later.
struct refuse_report_request {
  file_id file;
  std::string raw;
  new_exception exception;
  std::uint32_t tries = 0;
  timestamp next_try_at;
  timestamp now;
  std::uint64_t random_seed = 0;
};

[[nodiscard]] std::unique_ptr<unit_of_work> refuse_report(refuse_report_request request,
                                                          callback<bool> done);

// -- exceptions -------------------------------------------------------------------------------

/// Raises exceptions that no event of a batch or payment brings, each once by its fingerprint.
/// One that was resolved by `retry` and is found again is opened again. Answers how many are
/// open now that were not before.
struct open_exceptions_request {
  std::vector<new_exception> exceptions;
  timestamp now;
  std::uint64_t random_seed = 0;
};

[[nodiscard]] std::unique_ptr<unit_of_work> open_exceptions(open_exceptions_request request,
                                                            callback<std::uint32_t> done);

/// An exception with all that its resolution is decided on.
struct exception_case {
  struct item {
    operation_kind kind = operation_kind::capture;
    minor_units amount;
    settlement_status status = settlement_status::none;
    std::uint32_t tries = 0; ///< times that it went back to wait for a batch
  };

  exception_view seen;
  std::string acquirer; ///< of the item, else of the file
  std::optional<item> subject;
};

/// What a resolution does besides its postings.
enum class item_change : std::uint8_t {
  none,
  ready_again, ///< It waits for the next batch, with all its tries before it.
  settled,     ///< It is at its end; the acquirer is not asked any more.
};

/// Applied once: it must still be open, and its item as it was read.
struct resolve_exception_request {
  exception_id exception;
  std::string kind; ///< its class, for the event
  merchant_id merchant;
  std::string resolution; ///< retry, adjust, write_off, mark_known, reverse
  std::string note;
  std::string resolved_by;
  std::vector<posting> postings;
  item_change change = item_change::none;
  std::optional<uuid> operation;
  settlement_status item_must_be = settlement_status::none;
  std::uint32_t item_tries = 0; ///< of an item that waits again, from here on
  // Of an item that is settled: what its batch has more of. The rest is the acquirer's fee.
  minor_units gross;
  minor_units net;
  std::optional<file_id> resubmit_file; ///< refused: its batches wait for another file
  std::optional<file_id> ask_again;     ///< its acquirer is asked at once
  timestamp now;
};

/// False: somebody had resolved it before; nothing was done. Errors besides: conflict, when the
/// item or file is not as it was any more.
[[nodiscard]] std::unique_ptr<unit_of_work> resolve_exception(resolve_exception_request request,
                                                              callback<bool> done);

/// False: there is no such open exception.
struct assign_exception_request {
  exception_id exception;
  std::string owner;
  std::string note; ///< empty: as it is
};

[[nodiscard]] std::unique_ptr<unit_of_work> assign_exception(assign_exception_request request,
                                                             callback<bool> done);

// -- dead letters -----------------------------------------------------------------------------

/// Keeps it, or counts it again when it waits already or has been replayed in vain.
struct dead_letter {
  std::string kind;
  std::string subject;
  std::string reason;
  std::string payload; ///< no card data
};

struct keep_dead_letter_request {
  dead_letter letter;
  timestamp now;
  std::uint64_t random_seed = 0;
};

[[nodiscard]] std::unique_ptr<unit_of_work> keep_dead_letter(keep_dead_letter_request request,
                                                             callback<bool> done);

/// False: it does not wait. Of a `settlement_answer`, its file's acquirer is asked at once.
struct replay_dead_letter_request {
  dead_letter_id letter;
  timestamp now;
};

[[nodiscard]] std::unique_ptr<unit_of_work> replay_dead_letter(
  replay_dead_letter_request request, callback<bool> done);

/// A closed batch with its items and the terms of its merchant.
struct batch_content {
  batch_view batch;
  std::vector<batch_item_view> items;
  std::uint32_t fee_bps = 0; ///< the platform's fee, as of the merchant's row
};

/// What the reconciler reads. Thread and callback rules as in store.hpp.
class settlement_store {
public:
  virtual ~settlement_store() = default;

  /// Closed batches of the shard in no file yet, at most `max_items` items in all.
  virtual void unfiled_batches(shard_number shard, std::uint32_t max_items,
                               callback<std::vector<batch_content>> done) = 0;
  /// Files of the shard that are not reconciled or refused, oldest first. The first that is to
  /// be submitted by `now` comes with its content; no other does, for a long backlog's is
  /// large.
  virtual void open_files(shard_number shard, timestamp now,
                          callback<std::vector<settlement_file>> done) = 0;
  /// The batches of a file with their items (those still `batched`).
  virtual void file_content(file_id file, callback<std::vector<batch_content>> done) = 0;
  /// Whether the shard has captures or refunds that wait for a batch, by merchant.
  virtual void merchants_with_ready_items(shard_number shard,
                                          callback<std::vector<merchant_id>> done) = 0;
  /// How many of the merchant's captures and refunds that succeeded at or after `since` wait in
  /// the shard for a batch.
  virtual void count_ready_items(shard_number shard, merchant_id merchant, timestamp since,
                                 callback<std::uint64_t> done) = 0;

  virtual void find_exception_case(exception_id id,
                                   callback<std::optional<exception_case>> done) = 0;
  /// The open exception of the refused file that the batch went into.
  virtual void find_refusal_of(batch_id batch,
                               callback<std::optional<exception_case>> done) = 0;
  /// Those of the payments that there are, in any order.
  virtual void find_payments(std::vector<payment_id> ids,
                             callback<std::vector<payment>> done) = 0;
  /// Payments that hold or have captured money at the gateway and were created within
  /// [from, to), by id, behind `after`.
  virtual void payments_held_at(std::string gateway, timestamp from, timestamp to,
                                payment_id after, std::size_t limit,
                                callback<std::vector<payment>> done) = 0;
};

} // namespace holdfast::storage
