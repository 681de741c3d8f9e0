#include "tests/support/gated_storage.hpp"

#include "storage/key_retention.hpp"

#include <utility>

namespace holdfast::test {

using namespace storage;

namespace {

/// Functions that are kept have to be copyable; what they carry need not be.
template <class T>
std::shared_ptr<T> share(T value) {
  return std::make_shared<T>(std::move(value));
}

/// An answer that crosses the gate on its way back.
template <class T>
callback<T> answer_through(gate& way, door back, callback<T> done) {
  return [&way, back, done = share(std::move(done))](expected<T> answer) {
    way.cross(back, [done, answer = share(std::move(answer))] { (*done)(std::move(*answer)); });
  };
}

/// A unit whose end crosses the gate.
class gated_unit final : public unit_of_work {
public:
  gated_unit(std::unique_ptr<unit_of_work> real, gate& way)
    : real_(std::move(real)),
      gate_(way) {}

  expected<void> perform(unit_scope& scope) override { return real_->perform(scope); }

  void finish(expected<void> outcome) override {
    gate_.cross(door::unit_answer,
                [real = real_, outcome = std::move(outcome)] { real->finish(outcome); });
  }

private:
  std::shared_ptr<unit_of_work> real_;
  gate& gate_;
};

} // namespace

// -- the journal ------------------------------------------------------------------------------

void gated_journal::open_shard(shard_number shard, epoch_number epoch, sequence_number last_seq,
                               std::string chain) {
  real_.open_shard(shard, epoch, last_seq, std::move(chain));
}

void gated_journal::close_shard(shard_number shard, std::function<void()> done) {
  real_.close_shard(shard, std::move(done));
}

void gated_journal::submit(journal_write write, write_callback done) {
  gate_.cross(
    door::write, [this, write = share(std::move(write)), done = share(std::move(done))] {
      if (const auto end = write_end_.load())
        return (*done)({*end, {}, {}, "the test refuses it"});
      real_.submit(std::move(*write), [this, done](write_result result) {
        gate_.cross(door::write_answer,
                    [done, result = share(std::move(result))] { (*done)(std::move(*result)); });
      });
    });
}

void gated_journal::barrier(shard_number shard, std::function<void()> done) {
  gate_.cross(door::barrier, [this, shard, done = std::move(done)] {
    real_.barrier(shard, [this, done] { gate_.cross(door::barrier_answer, done); });
  });
}

void gated_journal::run(shard_number shard, epoch_number epoch,
                        std::unique_ptr<unit_of_work> work) {
  // Keys are kept in order whenever it suits the shard: no test of settlement counts on that.
  if (dynamic_cast<const storage::key_unit*>(work.get()) != nullptr)
    return real_.run(shard, epoch, std::move(work));
  if (refuse_.exchange(false))
    return work->finish(make_error(errc::rejected, "the test refuses it"));
  auto unit =
    share<std::unique_ptr<unit_of_work>>(std::make_unique<gated_unit>(std::move(work), gate_));
  gate_.cross(door::unit,
              [this, shard, epoch, unit] { real_.run(shard, epoch, std::move(*unit)); });
}

// -- settlement -------------------------------------------------------------------------------

void gated_settlement::unfiled_batches(shard_number shard, std::uint32_t max_items,
                                       callback<std::vector<batch_content>> done) {
  auto back = answer_through(gate_, door::settlement_answer, std::move(done));
  gate_.cross(door::settlement_read, [this, shard, max_items, back] {
    real_.unfiled_batches(shard, max_items, back);
  });
}

void gated_settlement::open_files(shard_number shard, timestamp now,
                                  callback<std::vector<settlement_file>> done) {
  auto back = answer_through(gate_, door::settlement_answer, std::move(done));
  gate_.cross(door::settlement_read,
              [this, shard, now, back] { real_.open_files(shard, now, back); });
}

void gated_settlement::file_content(file_id file, callback<std::vector<batch_content>> done) {
  auto back = answer_through(gate_, door::settlement_answer, std::move(done));
  gate_.cross(door::settlement_read, [this, file, back] { real_.file_content(file, back); });
}

void gated_settlement::merchants_with_ready_items(shard_number shard,
                                                  callback<std::vector<merchant_id>> done) {
  real_.merchants_with_ready_items(shard, std::move(done));
}

void gated_settlement::count_ready_items(shard_number shard, merchant_id merchant,
                                         timestamp since, callback<std::uint64_t> done) {
  real_.count_ready_items(shard, merchant, since, std::move(done));
}

void gated_settlement::find_exception_case(exception_id id,
                                           callback<std::optional<exception_case>> done) {
  real_.find_exception_case(id, std::move(done));
}

void gated_settlement::find_refusal_of(batch_id batch,
                                       callback<std::optional<exception_case>> done) {
  real_.find_refusal_of(batch, std::move(done));
}

void gated_settlement::find_payments(std::vector<payment_id> ids,
                                     callback<std::vector<payment>> done) {
  real_.find_payments(std::move(ids), std::move(done));
}

void gated_settlement::payments_held_at(std::string gateway, timestamp from, timestamp to,
                                        payment_id after, std::size_t limit,
                                        callback<std::vector<payment>> done) {
  real_.payments_held_at(std::move(gateway), from, to, after, limit, std::move(done));
}

// -- the store --------------------------------------------------------------------------------

void gated_store::due_payments(shard_number shard, timestamp now, std::size_t limit,
                               callback<std::vector<payment>> done) {
  auto back = answer_through(gate_, door::due_answer, std::move(done));
  gate_.cross(door::due_read,
              [this, shard, now, limit, back] { real_.due_payments(shard, now, limit, back); });
}

void gated_store::find_payment(payment_id id, callback<std::optional<payment_view>> done) {
  auto back = answer_through(gate_, door::payment_answer, std::move(done));
  gate_.cross(door::payment_read, [this, id, back] { real_.find_payment(id, back); });
}

void gated_store::ping(callback<bool> done) {
  real_.ping(std::move(done));
}

void gated_store::create_merchant(merchant_row row, callback<merchant_row> done) {
  real_.create_merchant(std::move(row), std::move(done));
}

void gated_store::find_merchant(merchant_id id, callback<std::optional<merchant_row>> done) {
  real_.find_merchant(id, std::move(done));
}

void gated_store::list_merchants(callback<std::vector<merchant_row>> done) {
  real_.list_merchants(std::move(done));
}

void gated_store::create_key(api_key_row row, callback<api_key_row> done) {
  real_.create_key(std::move(row), std::move(done));
}

void gated_store::revoke_key(key_id id, timestamp at,
                             callback<std::optional<api_key_row>> done) {
  real_.revoke_key(id, at, std::move(done));
}

void gated_store::list_keys(std::optional<merchant_id> merchant,
                            callback<std::vector<api_key_row>> done) {
  real_.list_keys(merchant, std::move(done));
}

void gated_store::list_callers(shard_number shard, storage::callers_position after,
                               callback<storage::caller_changes> done) {
  real_.list_callers(shard, after, std::move(done));
}

void gated_store::start_shard(shard_number shard, timestamp keys_since,
                              callback<shard_start> done) {
  real_.start_shard(shard, keys_since, std::move(done));
}

void gated_store::find_key(merchant_id merchant, std::string key,
                           callback<std::optional<stored_key>> done) {
  real_.find_key(merchant, std::move(key), std::move(done));
}

void gated_store::list_payments(merchant_id merchant, payment_filter filter,
                                callback<slice<payment_view>> done) {
  real_.list_payments(merchant, std::move(filter), std::move(done));
}

void gated_store::find_refund(refund_id id, merchant_id merchant,
                              callback<std::optional<refund_view>> done) {
  real_.find_refund(id, merchant, std::move(done));
}

void gated_store::find_dispute(dispute_id id, merchant_id merchant,
                               callback<std::optional<dispute_view>> done) {
  real_.find_dispute(id, merchant, std::move(done));
}

void gated_store::list_disputes(merchant_id merchant, page window,
                                callback<slice<dispute_view>> done) {
  real_.list_disputes(merchant, std::move(window), std::move(done));
}

void gated_store::timeline(payment_id id, callback<std::optional<timeline_view>> done) {
  real_.timeline(id, std::move(done));
}

void gated_store::list_events(merchant_id merchant, std::vector<event_position> after,
                              std::uint32_t limit, callback<slice<event_view>> done) {
  real_.list_events(merchant, std::move(after), limit, std::move(done));
}

void gated_store::list_entries(merchant_id merchant, std::optional<payment_id> subject,
                               std::optional<account_kind> kind, page window,
                               callback<slice<entry_view>> done) {
  real_.list_entries(merchant, subject, kind, std::move(window), std::move(done));
}

void gated_store::export_entries(std::optional<merchant_id> merchant, page window,
                                 callback<slice<entry_view>> done) {
  real_.export_entries(merchant, std::move(window), std::move(done));
}

void gated_store::merchant_balances(merchant_id merchant,
                                    callback<std::vector<balance_view>> done) {
  real_.merchant_balances(merchant, std::move(done));
}

void gated_store::all_balances(callback<std::vector<balance_view>> done) {
  real_.all_balances(std::move(done));
}

void gated_store::list_batches(std::optional<merchant_id> merchant, page window,
                               callback<slice<batch_view>> done) {
  real_.list_batches(merchant, std::move(window), std::move(done));
}

void gated_store::find_batch(batch_id id, callback<std::optional<batch_view>> done) {
  real_.find_batch(id, std::move(done));
}

void gated_store::list_batch_items(batch_id id, page window,
                                   callback<slice<batch_item_view>> done) {
  real_.list_batch_items(id, std::move(window), std::move(done));
}

void gated_store::list_exceptions(exception_filter filter,
                                  callback<slice<exception_view>> done) {
  real_.list_exceptions(std::move(filter), std::move(done));
}

void gated_store::find_exception(exception_id id,
                                 callback<std::optional<exception_view>> done) {
  real_.find_exception(id, std::move(done));
}

void gated_store::list_dead_letters(std::string status, page window,
                                    callback<slice<dead_letter_view>> done) {
  real_.list_dead_letters(std::move(status), std::move(window), std::move(done));
}

void gated_store::find_dead_letter(dead_letter_id id,
                                   callback<std::optional<dead_letter_view>> done) {
  real_.find_dead_letter(id, std::move(done));
}

void gated_store::verify_ledger(payment_fold fold, std::function<void(double)> progress,
                                callback<ledger_proof> done) {
  real_.verify_ledger(std::move(fold), std::move(progress), std::move(done));
}

void gated_store::make_statement(callback<statement> done) {
  real_.make_statement(std::move(done));
}

void gated_store::count_by_status(callback<std::vector<status_count>> done) {
  real_.count_by_status(std::move(done));
}

} // namespace holdfast::test
