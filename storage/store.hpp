// Everything that is read, and the few rows that are written outside a shard's log (merchants
// and keys). Asynchronous: each call is answered exactly once, on a storage thread; the
// callback must be short and not throw. A failed look is errc::unavailable, never an absent
// row. Of several databases behind one store, a list that is gathered from all of them is
// unavailable when one of them is: a part is never shown as the whole. No libpq here: actors
// and the HTTP front include this header.
#pragma once

#include "messages/events.hpp"
#include "messages/ledger.hpp"
#include "messages/payment.hpp"
#include "messages/shard.hpp"
#include "storage/journal.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::storage {

template <class T>
using callback = std::function<void(expected<T>)>;

// -- merchants and keys -----------------------------------------------------------------------

struct merchant_row {
  merchant_id id; ///< carries the home shard
  std::string name;
  currency unit; ///< the currency that its totals are shown in
  std::uint16_t stripes = 1;
  std::uint32_t fee_bps = 0; ///< the platform's own fee, in hundredths of a percent
  timestamp created_at;
};

struct api_key_row {
  key_id id;
  merchant_id merchant;
  std::array<std::uint8_t, 32> hash{}; ///< HMAC-SHA-256 of the key under the server's pepper
  bool live = false;
  timestamp created_at;
  std::optional<timestamp> revoked_at;
};

/// A key, and what whoever checks it must know of its merchant.
struct caller_row {
  api_key_row key;
  std::uint16_t stripes = 1;
};

/// How far a reader of callers has come; of one that has read nothing, the default.
struct callers_position {
  timestamp server_start;        ///< another server may have counted its transactions anew
  std::uint64_t transaction = 0; ///< each before it has ended and was seen
};

/// What one database says of those who may ask.
struct caller_changes {
  std::vector<caller_row> rows; ///< made or revoked behind the reader's position, some before
  callers_position upto;        ///< for the next look
  bool is_all = false;          ///< whoever isn't among the rows isn't there
};

// -- what a shard reads when it begins --------------------------------------------------------

struct warm_key {
  merchant_id merchant;
  std::string key;
  stored_key row;
};

/// What a new owner needs before it serves: the keys used of late, the latest first, and every
/// payment whose `next_action_at` is due or that has pending work.
struct shard_start {
  std::vector<warm_key> keys;
  std::vector<payment> live;
};

// -- lists ------------------------------------------------------------------------------------

struct page {
  std::uint32_t limit = 10; ///< 1 … 100, but for exports
  std::string
    starting_after; ///< the id of the last object of the page before; empty: the first
};

struct payment_filter {
  std::string status;    ///< public status; empty: all
  std::string reference; ///< exact; empty: all
  page window;
};

template <class T>
struct slice {
  std::vector<T> rows;
  bool has_more = false;
};

struct payment_view {
  payment row;
  std::optional<batch_id> batch; ///< the batch of its latest capture
};

struct refund_view {
  payment_id payment;
  currency unit;
  operation row;
};

struct dispute_view {
  payment_id payment;
  currency unit;
  dispute row;
};

struct event_view {
  shard_number shard;
  sequence_number seq;
  event_type type = event_type::payment_created;
  merchant_id merchant;
  uuid subject;
  timestamp at;
  std::string payload;
};

struct entry_view {
  shard_number shard;
  sequence_number seq;
  std::uint16_t leg = 0; ///< within the event, whose postings may be several
  posting_kind kind = posting_kind::authorization;
  uuid subject;
  std::uint32_t ordinal = 0;
  account where;
  minor_units amount;
  minor_units balance_after;
  timestamp at;
  std::string external_ref;
};

struct balance_view {
  account where;
  minor_units balance;
};

struct batch_view {
  batch_id id;
  merchant_id merchant;
  std::string acquirer;
  currency unit;
  std::string status; ///< closed, submitted, answered, reconciled
  std::uint32_t items = 0;
  minor_units gross;
  minor_units acquirer_fees;
  minor_units platform_fees;
  minor_units net;
  std::optional<file_id> file;
  timestamp closed_at;
  std::optional<timestamp> reconciled_at;
};

/// One item of a batch with what became of it at the acquirer.
struct batch_item_view {
  uuid operation;
  operation_kind kind = operation_kind::capture;
  std::uint32_t ordinal = 0; ///< within its kind
  payment_id payment;
  minor_units amount;
  std::string gateway;           ///< that holds the money
  std::string gateway_reference; ///< of the authorization: what acquirers match on
  settlement_status status = settlement_status::batched;
  minor_units fee;
  std::optional<std::uint32_t> report_line;
  batch_id batch;
  std::optional<file_id> file;
  std::uint32_t tries = 0; ///< times that it went back to wait for another batch
};

struct exception_view {
  exception_id id;
  std::string kind;   ///< its class; docs/reconciliation.md has them all
  std::string status; ///< open, resolved
  merchant_id merchant;
  std::optional<payment_id> payment;
  std::optional<batch_id> batch;
  std::optional<file_id> file;
  currency unit;
  minor_units expected_amount;
  minor_units reported_amount;
  std::string raw_line;
  std::string detail;
  timestamp opened_at;
  std::optional<uuid> operation;
  std::string source;        ///< the gateway or acquirer that said so
  std::string external_ref;  ///< its or our reference of what it spoke of
  currency posted_unit;      ///< of `posted_amount`
  minor_units posted_amount; ///< received, and in suspense until it is resolved
  std::string owner;         ///< who looks after it; empty: nobody yet
  std::string note;
  std::string resolution; ///< empty while it is open
  std::string resolved_by;
  std::optional<timestamp> resolved_at;
};

struct exception_filter {
  std::string status; ///< open or resolved; empty: both
  std::string kind;   ///< its class; empty: all
  std::optional<merchant_id> merchant;
  page window;
};

/// What could not be processed within its limit of tries, and waits for a person to replay it.
struct dead_letter_view {
  dead_letter_id id;
  std::string kind;    ///< "payment" or "settlement_answer"
  std::string subject; ///< the id of what it is about, as text
  std::string reason;
  std::string payload;     ///< what helps to understand it; no card data
  std::uint32_t count = 0; ///< times that it came to this
  std::string status;      ///< waiting, replayed
  timestamp first_at;
  timestamp last_at;
  std::optional<timestamp> replayed_at;
};

/// Everything known of one payment, in order.
struct timeline_view {
  payment_view subject;
  std::vector<event_view> events;
  std::vector<entry_view> entries;
  std::vector<batch_item_view> items;
  std::vector<exception_view> exceptions;
};

// -- proof ------------------------------------------------------------------------------------

struct ledger_proof {
  bool debits_equal_credits = false;
  bool balances_equal_fold = false;
  bool running_balances_hold = false;
  bool postings_balance = false; ///< each posting by itself, per currency
  bool sequences_have_no_gap = false;
  bool chain_holds = false;
  bool payments_match_events = false; ///< snapshot = fold of the events; see `payment_fold`
  std::uint64_t entries = 0;
  std::uint64_t events = 0;
  std::uint64_t accounts = 0;
  std::vector<std::string> findings; ///< what is wrong, at most 100 lines, for people

  [[nodiscard]] bool holds() const noexcept;
};

/// Totals that the daily statement shows.
struct statement_row {
  merchant_id merchant;
  std::string merchant_name;
  currency unit;
  std::uint64_t settled_items = 0;
  minor_units gross;
  minor_units refunds;
  minor_units fees;
  minor_units net;
};

struct status_count {
  std::string status; ///< public status
  currency unit;
  std::uint64_t payments = 0;
  minor_units amount;
};

struct statement {
  std::vector<status_count> by_status;
  std::vector<statement_row> by_merchant;
  std::vector<std::pair<std::string, std::uint64_t>> exceptions_by_class;
};

class store {
public:
  virtual ~store() = default;

  /// Whether anything can be read: of several databases, one that answers is enough.
  virtual void ping(callback<bool> done) = 0;

  virtual void create_merchant(merchant_row row, callback<merchant_row> done) = 0;
  virtual void find_merchant(merchant_id id, callback<std::optional<merchant_row>> done) = 0;
  virtual void list_merchants(callback<std::vector<merchant_row>> done) = 0;
  virtual void create_key(api_key_row row, callback<api_key_row> done) = 0;
  /// The key as it is from then on; a second revocation keeps the first one's time.
  virtual void revoke_key(key_id id, timestamp at,
                          callback<std::optional<api_key_row>> done) = 0;
  /// One merchant's, or all.
  virtual void list_keys(std::optional<merchant_id> merchant,
                         callback<std::vector<api_key_row>> done) = 0;
  /// Keys that were made or revoked behind the position, for whoever checks keys; all of them
  /// where the position is another server's. Of the database that holds the shard alone, so
  /// that one that is away or slow takes nothing from the others.
  virtual void list_callers(shard_number shard, callers_position after,
                            callback<caller_changes> done) = 0;

  virtual void start_shard(shard_number shard, timestamp keys_since,
                           callback<shard_start> done) = 0;
  /// Payments of the shard whose next_action_at has come, oldest first, at most `limit`.
  virtual void due_payments(shard_number shard, timestamp now, std::size_t limit,
                            callback<std::vector<payment>> done) = 0;
  virtual void find_payment(payment_id id, callback<std::optional<payment_view>> done) = 0;
  /// None too when the key has expired, swept or not.
  virtual void find_key(merchant_id merchant, std::string key,
                        callback<std::optional<stored_key>> done) = 0;

  virtual void list_payments(merchant_id merchant, payment_filter filter,
                             callback<slice<payment_view>> done) = 0;
  virtual void find_refund(refund_id id, merchant_id merchant,
                           callback<std::optional<refund_view>> done) = 0;
  virtual void find_dispute(dispute_id id, merchant_id merchant,
                            callback<std::optional<dispute_view>> done) = 0;
  /// Newest first; the window's cursor is a dispute's id.
  virtual void list_disputes(merchant_id merchant, page window,
                             callback<slice<dispute_view>> done) = 0;
  virtual void timeline(payment_id id, callback<std::optional<timeline_view>> done) = 0;
  /// The merchant's events behind these positions, one for each shard that is wanted. Those of
  /// a shard come in the order of their numbers; across shards roughly by time.
  virtual void list_events(merchant_id merchant, std::vector<event_position> after,
                           std::uint32_t limit, callback<slice<event_view>> done) = 0;
  /// The window's cursor is an entry's id, as messages/entry_id.hpp writes it.
  virtual void list_entries(merchant_id merchant, std::optional<payment_id> subject,
                            std::optional<account_kind> kind, page window,
                            callback<slice<entry_view>> done) = 0;
  /// All entries, or those of one merchant's own accounts, in the order of their ids. A window
  /// may be limits::export_rows_max long here.
  virtual void export_entries(std::optional<merchant_id> merchant, page window,
                              callback<slice<entry_view>> done) = 0;
  virtual void merchant_balances(merchant_id merchant,
                                 callback<std::vector<balance_view>> done) = 0;
  virtual void all_balances(callback<std::vector<balance_view>> done) = 0;
  virtual void list_batches(std::optional<merchant_id> merchant, page window,
                            callback<slice<batch_view>> done) = 0;
  virtual void find_batch(batch_id id, callback<std::optional<batch_view>> done) = 0;
  /// Oldest first. The window's cursor is an item's id, as messages/item_id.hpp writes it.
  virtual void list_batch_items(batch_id id, page window,
                                callback<slice<batch_item_view>> done) = 0;
  /// Newest first.
  virtual void list_exceptions(exception_filter filter,
                               callback<slice<exception_view>> done) = 0;
  virtual void find_exception(exception_id id,
                              callback<std::optional<exception_view>> done) = 0;
  /// Newest first; `status` waiting or replayed, empty for both.
  virtual void list_dead_letters(std::string status, page window,
                                 callback<slice<dead_letter_view>> done) = 0;
  virtual void find_dead_letter(dead_letter_id id,
                                callback<std::optional<dead_letter_view>> done) = 0;

  /// Folds the events of one payment into its state; given by whoever owns the core, so that
  /// storage needs no arrow to it.
  using payment_fold = std::function<expected<payment>(const std::vector<event_view>&)>;
  /// Reads the whole ledger in a consistent snapshot. `progress` hears a fraction 0 … 1.
  virtual void verify_ledger(payment_fold fold, std::function<void(double)> progress,
                             callback<ledger_proof> done) = 0;
  virtual void make_statement(callback<statement> done) = 0;
  virtual void count_by_status(callback<std::vector<status_count>> done) = 0;
};

} // namespace holdfast::storage
