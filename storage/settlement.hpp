// Settlement's set-based writes, each a unit of work that the journal runs fenced and in the
// shard's order, and what the reconciler reads between them. No libpq here.
#pragma once

#include "storage/store.hpp"

#include <memory>

namespace holdfast::storage {

/// Closes the merchant's (or, with none, every merchant's) ready captures and refunds into one
/// batch per merchant, acquirer and currency, each of at most `max_items` (several where there
/// are more). Writes batch_closed events. Ids are made from `now` and `random_seed`.
struct close_batches_request {
  std::optional<merchant_id> merchant;
  /// Only what had succeeded before this instant (the cut-off): running it again for the same
  /// instant closes nothing twice, and after a downtime nothing is missed.
  timestamp captured_before;
  timestamp now;
  std::uint64_t random_seed = 0;
  std::uint32_t max_items = 10'000;
};

struct closed_batches {
  std::uint32_t batches = 0;
  std::uint64_t items = 0;
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
  std::string content; ///< raw CSV
  std::string sha256;  ///< lower-case hex of content
  std::uint32_t tries = 0;
  timestamp next_try_at;
  timestamp created_at;
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

/// Moves the file's status on, or only counts a try (status unchanged).
struct mark_file_request {
  file_id file;
  file_status status = file_status::submitted;
  std::uint32_t tries = 0;
  timestamp next_try_at;
  std::string note;
  timestamp now;
};

[[nodiscard]] std::unique_ptr<unit_of_work> mark_file(mark_file_request request,
                                                      callback<bool> done);

enum class item_verdict : std::uint8_t { accepted = 1, rejected = 2, deferred = 3 };

struct item_result {
  uuid operation;
  item_verdict verdict = item_verdict::accepted;
  std::string code;
};

struct new_exception {
  std::string kind;
  merchant_id merchant;
  std::optional<payment_id> payment;
  std::optional<uuid> operation;
  std::optional<batch_id> batch;
  currency unit;
  minor_units expected_amount;
  minor_units reported_amount;
  std::string raw_line;
  std::string detail;
};

/// Applies the acquirer's per-item results: rejected ones leave their batch as `rejected`, with
/// their posting and exception; deferred ones are ready for the next batch. Batch totals
/// follow.
struct apply_results_request {
  file_id file;
  std::vector<item_result> results; ///< of all items, in any order
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
  /// Files of the shard that are not reconciled or refused, oldest first, with their content.
  virtual void open_files(shard_number shard, callback<std::vector<settlement_file>> done) = 0;
  /// The batches of a file with their items (those still `batched`).
  virtual void file_content(file_id file, callback<std::vector<batch_content>> done) = 0;
  /// Whether the shard has captures or refunds that wait for a batch, by merchant.
  virtual void merchants_with_ready_items(shard_number shard,
                                          callback<std::vector<merchant_id>> done) = 0;
  /// How many of the merchant's captures and refunds that succeeded at or after `since` wait in
  /// the shard for a batch.
  virtual void count_ready_items(shard_number shard, merchant_id merchant, timestamp since,
                                 callback<std::uint64_t> done) = 0;
};

} // namespace holdfast::storage
