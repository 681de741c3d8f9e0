// What is read from the one database that holds a shard.
#include "storage/many_stores.hpp"

#include "storage/gathering.hpp"
#include "storage/merging.hpp"

#include <algorithm>

namespace holdfast::storage {

namespace {

error no_such_shard(shard_number shard) {
  return make_error(errc::not_found, "there is no shard " + std::to_string(shard.value));
}

template <class T>
bool by_id(const T& one, const T& other) {
  return one.id < other.id;
}

} // namespace

store* many_stores::of(shard_number shard) const noexcept {
  return shard.value < layout_.count() ? parts_[layout_.database_of(shard)] : nullptr;
}

// -- merchants and keys -----------------------------------------------------------------------

void many_stores::create_merchant(merchant_row row, callback<merchant_row> done) {
  const auto home = row.id.shard();
  if (auto* part = of(home))
    return part->create_merchant(std::move(row), std::move(done));
  done(no_such_shard(home));
}

void many_stores::find_merchant(merchant_id id, callback<std::optional<merchant_row>> done) {
  if (auto* part = of(id.shard()))
    return part->find_merchant(id, std::move(done));
  done(std::nullopt);
}

void many_stores::create_key(api_key_row row, callback<api_key_row> done) {
  const auto home = row.merchant.shard();
  if (auto* part = of(home))
    return part->create_key(std::move(row), std::move(done));
  done(no_such_shard(home));
}

/// A key's id carries the home shard of its merchant.
void many_stores::revoke_key(key_id id, timestamp at,
                             callback<std::optional<api_key_row>> done) {
  if (auto* part = of(id.shard()))
    return part->revoke_key(id, at, std::move(done));
  done(std::nullopt);
}

void many_stores::list_callers(shard_number shard, callers_position after,
                               callback<caller_changes> done) {
  if (auto* part = of(shard))
    return part->list_callers(shard, after, std::move(done));
  done(no_such_shard(shard));
}

// -- a shard ----------------------------------------------------------------------------------

void many_stores::start_shard(shard_number shard, timestamp keys_since,
                              callback<shard_start> done) {
  if (auto* part = of(shard))
    return part->start_shard(shard, keys_since, std::move(done));
  done(no_such_shard(shard));
}

void many_stores::due_payments(shard_number shard, timestamp now, std::size_t limit,
                               callback<std::vector<payment>> done) {
  if (auto* part = of(shard))
    return part->due_payments(shard, now, limit, std::move(done));
  done(no_such_shard(shard));
}

// -- one object -------------------------------------------------------------------------------

void many_stores::find_payment(payment_id id, callback<std::optional<payment_view>> done) {
  if (auto* part = of(id.shard()))
    return part->find_payment(id, std::move(done));
  done(std::optional<payment_view>{});
}

void many_stores::timeline(payment_id id, callback<std::optional<timeline_view>> done) {
  if (auto* part = of(id.shard()))
    return part->timeline(id, std::move(done));
  done(std::optional<timeline_view>{});
}

void many_stores::find_batch(batch_id id, callback<std::optional<batch_view>> done) {
  if (auto* part = of(id.shard()))
    return part->find_batch(id, std::move(done));
  done(std::optional<batch_view>{});
}

void many_stores::list_batch_items(batch_id id, page window,
                                   callback<slice<batch_item_view>> done) {
  if (auto* part = of(id.shard()))
    return part->list_batch_items(id, std::move(window), std::move(done));
  done(slice<batch_item_view>{});
}

void many_stores::find_exception(exception_id id,
                                 callback<std::optional<exception_view>> done) {
  if (auto* part = of(id.shard()))
    return part->find_exception(id, std::move(done));
  done(std::optional<exception_view>{});
}

void many_stores::find_dead_letter(dead_letter_id id,
                                   callback<std::optional<dead_letter_view>> done) {
  if (auto* part = of(id.shard()))
    return part->find_dead_letter(id, std::move(done));
  done(std::optional<dead_letter_view>{});
}

// -- a merchant, all of whose shards are in the database of its home --------------------------

void many_stores::find_key(merchant_id merchant, std::string key,
                           callback<std::optional<stored_key>> done) {
  if (auto* part = of(merchant.shard()))
    return part->find_key(merchant, std::move(key), std::move(done));
  done(std::optional<stored_key>{});
}

void many_stores::list_payments(merchant_id merchant, payment_filter filter,
                                callback<slice<payment_view>> done) {
  if (auto* part = of(merchant.shard()))
    return part->list_payments(merchant, std::move(filter), std::move(done));
  done(slice<payment_view>{});
}

void many_stores::find_refund(refund_id id, merchant_id merchant,
                              callback<std::optional<refund_view>> done) {
  if (auto* part = of(merchant.shard()))
    return part->find_refund(id, merchant, std::move(done));
  done(std::optional<refund_view>{});
}

void many_stores::find_dispute(dispute_id id, merchant_id merchant,
                               callback<std::optional<dispute_view>> done) {
  if (auto* part = of(merchant.shard()))
    return part->find_dispute(id, merchant, std::move(done));
  done(std::optional<dispute_view>{});
}

void many_stores::list_disputes(merchant_id merchant, page window,
                                callback<slice<dispute_view>> done) {
  if (auto* part = of(merchant.shard()))
    return part->list_disputes(merchant, std::move(window), std::move(done));
  done(slice<dispute_view>{});
}

void many_stores::list_events(merchant_id merchant, std::vector<event_position> after,
                              std::uint32_t limit, callback<slice<event_view>> done) {
  if (auto* part = of(merchant.shard()))
    return part->list_events(merchant, std::move(after), limit, std::move(done));
  done(slice<event_view>{});
}

void many_stores::list_entries(merchant_id merchant, std::optional<payment_id> subject,
                               std::optional<account_kind> kind, page window,
                               callback<slice<entry_view>> done) {
  if (auto* part = of(merchant.shard()))
    return part->list_entries(merchant, subject, kind, std::move(window), std::move(done));
  done(slice<entry_view>{});
}

void many_stores::merchant_balances(merchant_id merchant,
                                    callback<std::vector<balance_view>> done) {
  if (auto* part = of(merchant.shard()))
    return part->merchant_balances(merchant, std::move(done));
  done(std::vector<balance_view>{});
}

// -- settlement -------------------------------------------------------------------------------

settlement_store* many_settlement_stores::of(shard_number shard) const noexcept {
  return shard.value < layout_.count() ? parts_[layout_.database_of(shard)] : nullptr;
}

void many_settlement_stores::unfiled_batches(shard_number shard, std::uint32_t max_items,
                                             callback<std::vector<batch_content>> done) {
  if (auto* part = of(shard))
    return part->unfiled_batches(shard, max_items, std::move(done));
  done(no_such_shard(shard));
}

void many_settlement_stores::open_files(shard_number shard, timestamp now,
                                        callback<std::vector<settlement_file>> done) {
  if (auto* part = of(shard))
    return part->open_files(shard, now, std::move(done));
  done(no_such_shard(shard));
}

void many_settlement_stores::file_content(file_id file,
                                          callback<std::vector<batch_content>> done) {
  if (auto* part = of(file.shard()))
    return part->file_content(file, std::move(done));
  done(std::vector<batch_content>{});
}

void many_settlement_stores::merchants_with_ready_items(
  shard_number shard, callback<std::vector<merchant_id>> done) {
  if (auto* part = of(shard))
    return part->merchants_with_ready_items(shard, std::move(done));
  done(no_such_shard(shard));
}

void many_settlement_stores::count_ready_items(shard_number shard, merchant_id merchant,
                                               timestamp since, callback<std::uint64_t> done) {
  if (auto* part = of(shard))
    return part->count_ready_items(shard, merchant, since, std::move(done));
  done(no_such_shard(shard));
}

void many_settlement_stores::find_exception_case(exception_id id,
                                                 callback<std::optional<exception_case>> done) {
  if (auto* part = of(id.shard()))
    return part->find_exception_case(id, std::move(done));
  done(std::optional<exception_case>{});
}

void many_settlement_stores::find_refusal_of(batch_id batch,
                                             callback<std::optional<exception_case>> done) {
  if (auto* part = of(batch.shard()))
    return part->find_refusal_of(batch, std::move(done));
  done(std::optional<exception_case>{});
}

/// Each from its own database; those of shards that there aren't are not there.
void many_settlement_stores::find_payments(std::vector<payment_id> ids,
                                           callback<std::vector<payment>> done) {
  std::vector<std::vector<payment_id>> sorted(parts_.size());
  for (const auto id : ids)
    if (id.shard().value < layout_.count())
      sorted[layout_.database_of(id.shard())].push_back(id);
  const auto ask = [&](std::size_t i, callback<std::vector<payment>> part) {
    if (sorted[i].empty())
      part(std::vector<payment>{});
    else
      parts_[i]->find_payments(std::move(sorted[i]), std::move(part));
  };
  gather<std::vector<payment>, std::vector<payment>>(
    parts_.size(), ask, std::move(done),
    [](std::vector<std::vector<payment>> found) { return concatenate(std::move(found)); });
}

void many_settlement_stores::payments_held_at(std::string gateway, timestamp from, timestamp to,
                                              payment_id after, std::size_t limit,
                                              callback<std::vector<payment>> done) {
  const auto ask = [&](std::size_t i, callback<std::vector<payment>> part) {
    parts_[i]->payments_held_at(gateway, from, to, after, limit, std::move(part));
  };
  gather<std::vector<payment>, std::vector<payment>>(
    parts_.size(), ask, std::move(done), [limit](std::vector<std::vector<payment>> found) {
      auto all = concatenate(std::move(found));
      std::ranges::sort(all, by_id<payment>);
      if (all.size() > limit)
        all.erase(all.begin() + static_cast<std::ptrdiff_t>(limit), all.end());
      return all;
    });
}

} // namespace holdfast::storage
