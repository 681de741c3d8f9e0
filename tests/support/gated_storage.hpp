// The real journal and the real stores behind a gate. All that is not held up goes straight
// through, and everything is answered by PostgreSQL in the end.
#pragma once

#include "storage/journal.hpp"
#include "storage/settlement.hpp"
#include "storage/store.hpp"
#include "tests/support/gate.hpp"

#include <atomic>
#include <optional>

namespace holdfast::test {

/// Writes, units of work and barriers, and their answers, cross the gate.
class gated_journal final : public storage::journal {
public:
  gated_journal(storage::journal& real, gate& way) noexcept : real_(real), gate_(way) {}

  void open_shard(shard_number shard, epoch_number epoch, sequence_number last_seq,
                  std::string chain) override;
  void close_shard(shard_number shard, std::function<void()> done) override;
  void submit(storage::journal_write write, storage::write_callback done) override;
  void barrier(shard_number shard, std::function<void()> done) override;
  void run(shard_number shard, epoch_number epoch,
           std::unique_ptr<storage::unit_of_work> work) override;

  /// The next unit ends as rejected, with nothing done.
  void refuse_next_unit() noexcept { refuse_ = true; }
  /// From now on every write ends so, with nothing done; none: they are written.
  void end_writes_as(std::optional<storage::write_result::kind> outcome) noexcept {
    write_end_ = outcome;
  }

private:
  storage::journal& real_;
  gate& gate_;
  std::atomic<bool> refuse_{false};
  std::atomic<std::optional<storage::write_result::kind>> write_end_{};
};

/// The reconciler's reads and their answers cross the gate; the others' do not.
class gated_settlement final : public storage::settlement_store {
public:
  gated_settlement(storage::settlement_store& real, gate& way) noexcept
    : real_(real),
      gate_(way) {}

  void unfiled_batches(shard_number shard, std::uint32_t max_items,
                       storage::callback<std::vector<storage::batch_content>> done) override;
  void open_files(shard_number shard, timestamp now,
                  storage::callback<std::vector<storage::settlement_file>> done) override;
  void file_content(file_id file,
                    storage::callback<std::vector<storage::batch_content>> done) override;
  void merchants_with_ready_items(shard_number shard,
                                  storage::callback<std::vector<merchant_id>> done) override;
  void count_ready_items(shard_number shard, merchant_id merchant, timestamp since,
                         storage::callback<std::uint64_t> done) override;
  void find_exception_case(
    exception_id id, storage::callback<std::optional<storage::exception_case>> done) override;
  void find_refusal_of(batch_id batch,
                       storage::callback<std::optional<storage::exception_case>> done) override;
  void find_payments(std::vector<payment_id> ids,
                     storage::callback<std::vector<payment>> done) override;
  void payments_held_at(std::string gateway, timestamp from, timestamp to, payment_id after,
                        std::size_t limit,
                        storage::callback<std::vector<payment>> done) override;

private:
  storage::settlement_store& real_;
  gate& gate_;
};

/// Reads of a payment, and of those that are due, cross the gate.
class gated_store final : public storage::store {
public:
  gated_store(storage::store& real, gate& way) noexcept : real_(real), gate_(way) {}

  void ping(storage::callback<bool> done) override;
  void create_merchant(storage::merchant_row row,
                       storage::callback<storage::merchant_row> done) override;
  void find_merchant(merchant_id id,
                     storage::callback<std::optional<storage::merchant_row>> done) override;
  void list_merchants(storage::callback<std::vector<storage::merchant_row>> done) override;
  void create_key(storage::api_key_row row,
                  storage::callback<storage::api_key_row> done) override;
  void revoke_key(key_id id, timestamp at,
                  storage::callback<std::optional<storage::api_key_row>> done) override;
  void list_keys(std::optional<merchant_id> merchant,
                 storage::callback<std::vector<storage::api_key_row>> done) override;
  void list_callers(shard_number shard, storage::callers_position after,
                    storage::callback<storage::caller_changes> done) override;
  void start_shard(shard_number shard, timestamp keys_since,
                   storage::callback<storage::shard_start> done) override;
  void due_payments(shard_number shard, timestamp now, std::size_t limit,
                    storage::callback<std::vector<payment>> done) override;
  void find_payment(payment_id id,
                    storage::callback<std::optional<storage::payment_view>> done) override;
  void find_key(merchant_id merchant, std::string key,
                storage::callback<std::optional<storage::stored_key>> done) override;
  void list_payments(merchant_id merchant, storage::payment_filter filter,
                     storage::callback<storage::slice<storage::payment_view>> done) override;
  void find_refund(refund_id id, merchant_id merchant,
                   storage::callback<std::optional<storage::refund_view>> done) override;
  void find_dispute(dispute_id id, merchant_id merchant,
                    storage::callback<std::optional<storage::dispute_view>> done) override;
  void list_disputes(merchant_id merchant, storage::page window,
                     storage::callback<storage::slice<storage::dispute_view>> done) override;
  void timeline(payment_id id,
                storage::callback<std::optional<storage::timeline_view>> done) override;
  void list_events(merchant_id merchant, std::vector<event_position> after, std::uint32_t limit,
                   storage::callback<storage::slice<storage::event_view>> done) override;
  void list_entries(merchant_id merchant, std::optional<payment_id> subject,
                    std::optional<account_kind> kind, storage::page window,
                    storage::callback<storage::slice<storage::entry_view>> done) override;
  void export_entries(std::optional<merchant_id> merchant, storage::page window,
                      storage::callback<storage::slice<storage::entry_view>> done) override;
  void merchant_balances(merchant_id merchant,
                         storage::callback<std::vector<storage::balance_view>> done) override;
  void all_balances(storage::callback<std::vector<storage::balance_view>> done) override;
  void list_batches(std::optional<merchant_id> merchant, storage::page window,
                    storage::callback<storage::slice<storage::batch_view>> done) override;
  void find_batch(batch_id id,
                  storage::callback<std::optional<storage::batch_view>> done) override;
  void list_batch_items(
    batch_id id, storage::page window,
    storage::callback<storage::slice<storage::batch_item_view>> done) override;
  void list_exceptions(
    storage::exception_filter filter,
    storage::callback<storage::slice<storage::exception_view>> done) override;
  void find_exception(exception_id id,
                      storage::callback<std::optional<storage::exception_view>> done) override;
  void list_dead_letters(
    std::string status, storage::page window,
    storage::callback<storage::slice<storage::dead_letter_view>> done) override;
  void find_dead_letter(
    dead_letter_id id,
    storage::callback<std::optional<storage::dead_letter_view>> done) override;
  void verify_ledger(payment_fold fold, std::function<void(double)> progress,
                     storage::callback<storage::ledger_proof> done) override;
  void make_statement(storage::callback<storage::statement> done) override;
  void count_by_status(storage::callback<std::vector<storage::status_count>> done) override;

private:
  storage::store& real_;
  gate& gate_;
};

} // namespace holdfast::test
