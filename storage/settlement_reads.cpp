// What the reconciler and the merchants' clocks read.
#include "messages/limits.hpp"
#include "storage/postgres_store.hpp"
#include "storage/rows.hpp"

#include <map>

namespace holdfast::storage {

namespace {

/// The oldest closed batches, as many as fit; the first one always does.
constexpr sql unfiled{"settlement_unfiled",
                      "select " HF_BATCH_COLUMNS
                      ", coalesce(m.fee_bps, 0)"
                      " from (select k.*, sum(k.items) over (order by k.id) as running"
                      "   from batch k where k.shard_id = $1 and k.file_id is null) b"
                      " left join merchant m on m.id = b.merchant_id"
                      " where b.running <= $2 or b.running = b.items order by b.id"};

constexpr sql batches_of_file{"settlement_batches_of_file",
                              "select " HF_BATCH_COLUMNS
                              ", coalesce(m.fee_bps, 0)"
                              " from batch b left join merchant m on m.id = b.merchant_id"
                              " where b.file_id = $1 order by b.id"};

constexpr sql open_items{"settlement_open_items",
                         "select " HF_ITEM_COLUMNS
                         " from payment_operation o join payment p on p.id = o.payment_id"
                         " join batch b on b.id = o.batch_id"
                         " where o.batch_id = any($1::uuid[]) and o.settlement_status = 1"
                         " order by o.batch_id, o.id"};

constexpr sql unfinished_files{
  "settlement_open_files",
  "select " HF_FILE_COLUMNS
  ","
  " case when f.id = (select n.id from settlement_file n where n.shard_id = $1 and n.status = 1"
  "   and n.next_try_at <= $2 order by n.id limit 1) then f.content else ''::bytea end"
  " from settlement_file f where f.shard_id = $1 and f.status in (1, 2, 3) order by f.id"};

constexpr sql ready_merchants{"settlement_ready_merchants",
                              "select distinct merchant_id from payment_operation"
                              " where shard_id = $1 and status = 2 and batch_id is null"};

constexpr sql count_ready{"settlement_count_ready",
                          "select count(*) from payment_operation"
                          " where shard_id = $1 and merchant_id = $2 and status = 2"
                          " and batch_id is null and succeeded_at >= $3"};

batch_content read_content(row& from) {
  batch_content content{read_batch(from), {}, 0};
  content.fee_bps = static_cast<std::uint32_t>(from.int4());
  return content;
}

expected<std::vector<batch_content>> read_contents(connection& db, const sql& what,
                                                   const parameters& values) {
  const auto deadline =
    std::chrono::steady_clock::now() + limits::settlement_statement_time_max;
  const auto found = db.query(what, values, deadline);
  if (!found)
    return found.error();
  auto contents = read_all<batch_content>(*found, read_content);
  if (!contents || contents->empty())
    return contents;
  std::vector<uuid> ids;
  std::map<batch_id, batch_content*> by_id;
  for (auto& content : *contents) {
    ids.push_back(content.batch.id.value);
    by_id.emplace(content.batch.id, &content);
  }
  const auto rows = db.query(open_items, parameters::of(to_array(ids)), deadline);
  if (!rows)
    return rows.error();
  auto items = read_all<batch_item_view>(*rows, read_item);
  if (!items)
    return items.error();
  for (auto& item : *items)
    by_id.at(item.batch)->items.push_back(std::move(item));
  return contents;
}

} // namespace

void postgres_settlement_store::unfiled_batches(shard_number shard, std::uint32_t max_items,
                                                callback<std::vector<batch_content>> done) {
  readers_.ask(std::move(done), [shard, max_items](connection& db) {
    return read_contents(db, unfiled, parameters::of(shard, std::int64_t{max_items}));
  });
}

void postgres_settlement_store::open_files(shard_number shard, timestamp now,
                                           callback<std::vector<settlement_file>> done) {
  readers_.ask(std::move(done),
               [shard, now](connection& db) -> expected<std::vector<settlement_file>> {
                 const auto found =
                   db.query(unfinished_files, parameters::of(shard, now), query_deadline());
                 if (!found)
                   return found.error();
                 return read_all<settlement_file>(*found, read_file);
               });
}

void postgres_settlement_store::file_content(file_id file,
                                             callback<std::vector<batch_content>> done) {
  readers_.ask(std::move(done), [file](connection& db) {
    return read_contents(db, batches_of_file, parameters::of(file));
  });
}

void postgres_settlement_store::merchants_with_ready_items(
  shard_number shard, callback<std::vector<merchant_id>> done) {
  readers_.ask(std::move(done), [shard](connection& db) -> expected<std::vector<merchant_id>> {
    const auto found = db.query(ready_merchants, parameters::of(shard), query_deadline());
    if (!found)
      return found.error();
    return read_all<merchant_id>(*found, [](row& from) { return from.id_of<merchant_id>(); });
  });
}

void postgres_settlement_store::count_ready_items(shard_number shard, merchant_id merchant,
                                                  timestamp since,
                                                  callback<std::uint64_t> done) {
  readers_.ask(
    std::move(done), [shard, merchant, since](connection& db) -> expected<std::uint64_t> {
      const auto found =
        db.query(count_ready, parameters::of(shard, merchant, since), query_deadline());
      if (!found)
        return found.error();
      row one{*found, 0};
      const auto count = static_cast<std::uint64_t>(one.int8());
      return one.ok() ? expected<std::uint64_t>{count} : corrupt_row("payment_operation");
    });
}

} // namespace holdfast::storage
