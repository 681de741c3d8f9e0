// The feed, the ledger's entries and balances, batches.
#include "messages/entry_id.hpp"
#include "messages/item_id.hpp"
#include "messages/limits.hpp"
#include "storage/postgres_store.hpp"
#include "storage/rows.hpp"

#include <algorithm>

namespace holdfast::storage {

namespace {

/// The next events of each shard, merged by time. A clock may go back, so an event counts as no
/// older than those before it in its shard: a page must end every shard at a prefix of its log,
/// or the cursor would pass over events.
constexpr sql events_after{"events_after", R"sql(
select )sql" HF_EVENT_COLUMNS R"sql(
  from (select n.*, max(n.at) over (partition by n.shard_id order by n.seq) as not_before
          from unnest($2::int2[], $3::int8[]) as c(shard_id, seq)
         cross join lateral (
               select s.* from event s
                where s.merchant_id = $1 and s.shard_id = c.shard_id and s.seq > c.seq
                order by s.seq limit $4) n) e
 order by e.not_before, e.shard_id, e.seq limit $4)sql"};

/// The merchant's own accounts' entries, newest first. They are found by the merchant's events,
/// which spares the ledger an index of its own.
constexpr sql entries_of_merchant{
  "entries_of_merchant",
  "select " HF_ENTRY_COLUMNS
  " from event e"
  " join ledger_entry l on l.shard_id = e.shard_id and l.seq = e.seq"
  " join account a on a.id = l.account_id"
  " where e.merchant_id = $1 and a.owner = $2 and ($3::int2 is null or a.kind = $3)"
  " and ($4::int2 is null or (e.shard_id, e.seq) <= ($4, $5::int8))"
  " and ($4::int2 is null or (l.shard_id, l.seq, l.leg) < ($4, $5, $6::int4))"
  " order by e.shard_id desc, e.seq desc, l.leg desc limit $7"};

/// All entries of one payment, whatever the account, newest first; a rejection is posted under
/// the capture or refund that the acquirer refused.
constexpr sql entries_of_payment{
  "entries_of_payment",
  "select " HF_ENTRY_COLUMNS
  " from ledger_entry h"
  " join ledger_entry l on l.shard_id = h.shard_id and l.seq = h.seq and l.posting = h.posting"
  " join account a on a.id = l.account_id"
  " join payment p on p.id = $2 and p.merchant_id = $1"
  " where h.leg = h.posting and h.subject in"
  " (select $2 union all select o.id from payment_operation o where o.payment_id = $2)"
  " and ($3::int2 is null or a.kind = $3)"
  " and ($4::int2 is null or (l.shard_id, l.seq, l.leg) < ($4, $5::int8, $6::int4))"
  " order by l.shard_id desc, l.seq desc, l.leg desc limit $7"};

// Exports go through the log as it was written, so that each shard's part of one ends between
// two transactions, whatever is written meanwhile.
constexpr sql export_of_all{"export_of_all",
                            "select " HF_ENTRY_COLUMNS
                            " from ledger_entry l join account a on a.id = l.account_id"
                            " where (l.shard_id, l.seq, l.leg) > ($1::int2, $2::int8, $3::int4)"
                            " order by l.shard_id, l.seq, l.leg limit $4"};

constexpr sql export_of_merchant{
  "export_of_merchant", "select " HF_ENTRY_COLUMNS
                        " from event e"
                        " join ledger_entry l on l.shard_id = e.shard_id and l.seq = e.seq"
                        " join account a on a.id = l.account_id"
                        " where e.merchant_id = $5 and a.owner = $6"
                        " and (e.shard_id, e.seq) >= ($1::int2, $2::int8)"
                        " and (l.shard_id, l.seq, l.leg) > ($1, $2, $3::int4)"
                        " order by e.shard_id, e.seq, l.leg limit $4"};

#define HF_BALANCE_COLUMNS "a.kind, a.owner, a.currency, sum(a.balance)::int8"

constexpr sql balances_of_owner{"balances_of_owner",
                                "select " HF_BALANCE_COLUMNS
                                " from account a where a.owner = $1"
                                " group by a.kind, a.owner, a.currency order by 1, 2, 3"};

constexpr sql balances_of_all{"balances_of_all",
                              "select " HF_BALANCE_COLUMNS
                              " from account a"
                              " group by a.kind, a.owner, a.currency order by 1, 2, 3"};

constexpr sql page_of_batches{"page_of_batches",
                              "select " HF_BATCH_COLUMNS
                              " from batch b where ($2::uuid is null or b.id < $2)"
                              " order by b.id desc limit $1"};

constexpr sql page_of_merchant_batches{
  "page_of_merchant_batches",
  "select " HF_BATCH_COLUMNS
  " from batch b where b.merchant_id = $3 and ($2::uuid is null or b.id < $2)"
  " order by b.id desc limit $1"};

constexpr sql select_batch{"select_batch",
                           "select " HF_BATCH_COLUMNS " from batch b where b.id = $1"};

constexpr sql page_of_items{"page_of_items",
                            "select " HF_ITEM_COLUMNS
                            " from (select * from payment_operation w"
                            "  where w.batch_id = $1 and ($2::uuid is null or w.id > $2)"
                            "  order by w.id limit $3) o"
                            " join payment p on p.id = o.payment_id"
                            " join batch b on b.id = o.batch_id order by o.id"};

balance_view read_balance(row& from) {
  balance_view balance;
  balance.where.kind = from.number<account_kind>();
  balance.where.owner = from.text();
  balance.where.unit = from.unit();
  balance.balance = from.amount();
  return balance;
}

struct entries_request {
  merchant_id merchant;
  std::optional<payment_id> subject;
  std::optional<account_kind> kind;
  page window;
};

expected<slice<entry_view>> read_entries(connection& db, const entries_request& asked) {
  std::optional<std::int16_t> shard;
  std::optional<std::int64_t> seq;
  std::optional<std::int32_t> leg;
  if (!asked.window.starting_after.empty()) {
    const auto after = entry_id::parse(asked.window.starting_after);
    if (!after)
      return after.error();
    shard = static_cast<std::int16_t>(after->shard.value);
    seq = after->seq.value;
    leg = after->leg;
  }
  std::optional<std::int16_t> kind;
  if (asked.kind)
    kind = static_cast<std::int16_t>(*asked.kind);
  const auto limit = window_limit(asked.window);
  auto values = parameters::of(asked.merchant);
  if (asked.subject)
    values.add(*asked.subject);
  else
    values.add(asked.merchant.text());
  values.add(kind);
  values.add(shard);
  values.add(seq);
  values.add(leg);
  values.add(std::int64_t{limit} + 1);
  const auto found = db.query(asked.subject ? entries_of_payment : entries_of_merchant, values,
                              query_deadline());
  if (!found)
    return found.error();
  return to_slice(read_all<entry_view>(*found, read_entry), limit);
}

expected<slice<entry_view>> read_export(connection& db, std::optional<merchant_id> merchant,
                                        const page& window) {
  entry_id from{shard_number{}, sequence_number{}};
  if (!window.starting_after.empty()) {
    const auto after = entry_id::parse(window.starting_after);
    if (!after)
      return after.error();
    from = *after;
  }
  const auto limit = std::clamp(window.limit, 1U, limits::export_rows_max);
  auto values =
    parameters::of(from.shard, from.seq, std::int32_t{from.leg}, std::int64_t{limit} + 1);
  if (merchant) {
    values.add(*merchant);
    values.add(merchant->text());
  }
  const auto found =
    db.query(merchant ? export_of_merchant : export_of_all, values, query_deadline());
  if (!found)
    return found.error();
  return to_slice(read_all<entry_view>(*found, read_entry), limit);
}

expected<slice<event_view>> read_feed(connection& db, merchant_id merchant,
                                      const std::vector<event_position>& after,
                                      std::uint32_t limit) {
  array_of<std::int16_t> shards;
  array_of<std::int64_t> seqs;
  for (const auto& [shard, seq] : after) {
    shards.add(static_cast<std::int16_t>(shard.value));
    seqs.add(seq.value);
  }
  const auto rows = std::clamp(limit, 1U, limits::feed_rows_max);
  const auto found = db.query(
    events_after,
    parameters::of(merchant, std::move(shards), std::move(seqs), std::int64_t{rows} + 1),
    query_deadline());
  if (!found)
    return found.error();
  return to_slice(read_all<event_view>(*found, read_event), rows);
}

expected<slice<batch_view>> read_batches(connection& db, std::optional<merchant_id> merchant,
                                         const page& window) {
  const auto after = window_start<batch_id>(window);
  if (!after)
    return after.error();
  const auto limit = window_limit(window);
  auto values = parameters::of(std::int64_t{limit} + 1, *after);
  if (merchant)
    values.add(*merchant);
  const auto found =
    db.query(merchant ? page_of_merchant_batches : page_of_batches, values, query_deadline());
  if (!found)
    return found.error();
  return to_slice(read_all<batch_view>(*found, read_batch), limit);
}

expected<slice<batch_item_view>> read_items(connection& db, batch_id batch,
                                            const page& window) {
  const auto after = window_start<item_id>(window);
  if (!after)
    return after.error();
  const auto limit = window_limit(window);
  const auto found = db.query(
    page_of_items, parameters::of(batch, *after, std::int64_t{limit} + 1), query_deadline());
  if (!found)
    return found.error();
  return to_slice(read_all<batch_item_view>(*found, read_item), limit);
}

} // namespace

void postgres_store::list_events(merchant_id merchant, std::vector<event_position> after,
                                 std::uint32_t limit, callback<slice<event_view>> done) {
  readers_.ask(std::move(done), [merchant, after = std::move(after), limit](connection& db) {
    return read_feed(db, merchant, after, limit);
  });
}

void postgres_store::list_entries(merchant_id merchant, std::optional<payment_id> subject,
                                  std::optional<account_kind> kind, page window,
                                  callback<slice<entry_view>> done) {
  readers_.ask(std::move(done),
               [asked = entries_request{merchant, subject, kind, std::move(window)}](
                 connection& db) { return read_entries(db, asked); });
}

void postgres_store::export_entries(std::optional<merchant_id> merchant, page window,
                                    callback<slice<entry_view>> done) {
  readers_.ask(std::move(done), [merchant, window = std::move(window)](connection& db) {
    return read_export(db, merchant, window);
  });
}

void postgres_store::merchant_balances(merchant_id merchant,
                                       callback<std::vector<balance_view>> done) {
  readers_.ask(
    std::move(done), [merchant](connection& db) -> expected<std::vector<balance_view>> {
      const auto found =
        db.query(balances_of_owner, parameters::of(merchant.text()), query_deadline());
      if (!found)
        return found.error();
      return read_all<balance_view>(*found, read_balance);
    });
}

void postgres_store::all_balances(callback<std::vector<balance_view>> done) {
  readers_.ask(std::move(done), [](connection& db) -> expected<std::vector<balance_view>> {
    const auto found = db.query(balances_of_all, {}, query_deadline());
    if (!found)
      return found.error();
    return read_all<balance_view>(*found, read_balance);
  });
}

void postgres_store::list_batches(std::optional<merchant_id> merchant, page window,
                                  callback<slice<batch_view>> done) {
  readers_.ask(std::move(done), [merchant, window = std::move(window)](connection& db) {
    return read_batches(db, merchant, window);
  });
}

void postgres_store::find_batch(batch_id id, callback<std::optional<batch_view>> done) {
  readers_.ask(std::move(done), [id](connection& db) {
    return read_first<batch_view>(db.query(select_batch, parameters::of(id), query_deadline()),
                                  read_batch);
  });
}

void postgres_store::list_batch_items(batch_id id, page window,
                                      callback<slice<batch_item_view>> done) {
  readers_.ask(std::move(done), [id, window = std::move(window)](connection& db) {
    return read_items(db, id, window);
  });
}

} // namespace holdfast::storage
