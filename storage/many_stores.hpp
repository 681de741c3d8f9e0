// The stores of several databases as one. What names a shard is read from its database alone,
// and a shard that there isn't has nothing. What is listed over all databases is gathered from
// all and is unavailable when one of them is; only `ping` makes do with less.
#pragma once

#include "storage/settlement.hpp"

#include <cstddef>
#include <vector>

namespace holdfast::storage {

class many_stores final : public store {
public:
  /// `parts` are the stores of the layout's ranges, in their order.
  many_stores(const shard_layout& layout, std::vector<store*> parts)
    : layout_(layout),
      parts_(std::move(parts)) {}

  void ping(callback<bool> done) override;

  void create_merchant(merchant_row row, callback<merchant_row> done) override;
  void find_merchant(merchant_id id, callback<std::optional<merchant_row>> done) override;
  void list_merchants(callback<std::vector<merchant_row>> done) override;
  void create_key(api_key_row row, callback<api_key_row> done) override;
  void revoke_key(key_id id, timestamp at, callback<std::optional<api_key_row>> done) override;
  void list_keys(std::optional<merchant_id> merchant,
                 callback<std::vector<api_key_row>> done) override;
  void list_callers(shard_number shard, callers_position after,
                    callback<caller_changes> done) override;

  void start_shard(shard_number shard, timestamp keys_since,
                   callback<shard_start> done) override;
  void due_payments(shard_number shard, timestamp now, std::size_t limit,
                    callback<std::vector<payment>> done) override;
  void find_payment(payment_id id, callback<std::optional<payment_view>> done) override;
  void find_key(merchant_id merchant, std::string key,
                callback<std::optional<stored_key>> done) override;

  void list_payments(merchant_id merchant, payment_filter filter,
                     callback<slice<payment_view>> done) override;
  void find_refund(refund_id id, merchant_id merchant,
                   callback<std::optional<refund_view>> done) override;
  void find_dispute(dispute_id id, merchant_id merchant,
                    callback<std::optional<dispute_view>> done) override;
  void list_disputes(merchant_id merchant, page window,
                     callback<slice<dispute_view>> done) override;
  void timeline(payment_id id, callback<std::optional<timeline_view>> done) override;
  void list_events(merchant_id merchant, std::vector<event_position> after, std::uint32_t limit,
                   callback<slice<event_view>> done) override;
  void list_entries(merchant_id merchant, std::optional<payment_id> subject,
                    std::optional<account_kind> kind, page window,
                    callback<slice<entry_view>> done) override;
  void export_entries(std::optional<merchant_id> merchant, page window,
                      callback<slice<entry_view>> done) override;
  void merchant_balances(merchant_id merchant,
                         callback<std::vector<balance_view>> done) override;
  void all_balances(callback<std::vector<balance_view>> done) override;
  void list_batches(std::optional<merchant_id> merchant, page window,
                    callback<slice<batch_view>> done) override;
  void find_batch(batch_id id, callback<std::optional<batch_view>> done) override;
  void list_batch_items(batch_id id, page window,
                        callback<slice<batch_item_view>> done) override;
  void list_exceptions(exception_filter filter, callback<slice<exception_view>> done) override;
  void find_exception(exception_id id, callback<std::optional<exception_view>> done) override;
  void list_dead_letters(std::string status, page window,
                         callback<slice<dead_letter_view>> done) override;
  void find_dead_letter(dead_letter_id id,
                        callback<std::optional<dead_letter_view>> done) override;

  void verify_ledger(payment_fold fold, std::function<void(double)> progress,
                     callback<ledger_proof> done) override;
  void make_statement(callback<statement> done) override;
  void count_by_status(callback<std::vector<status_count>> done) override;

private:
  /// None: there is no such shard.
  [[nodiscard]] store* of(shard_number shard) const noexcept;
  template <class Part, class Whole, class Ask, class Merge>
  void gather_all(Ask ask, callback<Whole> done, Merge merge);

  const shard_layout layout_;
  const std::vector<store*> parts_;
};

class many_settlement_stores final : public settlement_store {
public:
  /// As `many_stores`.
  many_settlement_stores(const shard_layout& layout, std::vector<settlement_store*> parts)
    : layout_(layout),
      parts_(std::move(parts)) {}

  void unfiled_batches(shard_number shard, std::uint32_t max_items,
                       callback<std::vector<batch_content>> done) override;
  void open_files(shard_number shard, timestamp now,
                  callback<std::vector<settlement_file>> done) override;
  void file_content(file_id file, callback<std::vector<batch_content>> done) override;
  void merchants_with_ready_items(shard_number shard,
                                  callback<std::vector<merchant_id>> done) override;
  void find_exception_case(exception_id id,
                           callback<std::optional<exception_case>> done) override;
  void find_refusal_of(batch_id batch, callback<std::optional<exception_case>> done) override;
  void find_payments(std::vector<payment_id> ids, callback<std::vector<payment>> done) override;
  void payments_held_at(std::string gateway, timestamp from, timestamp to, payment_id after,
                        std::size_t limit, callback<std::vector<payment>> done) override;
  void count_ready_items(shard_number shard, merchant_id merchant, timestamp since,
                         callback<std::uint64_t> done) override;

private:
  /// None: there is no such shard.
  [[nodiscard]] settlement_store* of(shard_number shard) const noexcept;

  const shard_layout layout_;
  const std::vector<settlement_store*> parts_;
};

} // namespace holdfast::storage
