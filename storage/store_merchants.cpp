// Merchants and API keys.
#include "storage/postgres_store.hpp"
#include "storage/rows.hpp"

namespace holdfast::storage {

namespace {

constexpr sql ping_database{"ping_database", "select true"};

// Both inserts may be repeated after a lost connection, hence the conflict clause.
constexpr sql insert_merchant{
  "insert_merchant",
  "insert into merchant (id, name, currency, stripes, fee_bps, created_at) "
  "values ($1, $2, $3, $4, $5, $6) on conflict (id) do nothing"};

constexpr sql select_merchant{"select_merchant",
                              "select " HF_MERCHANT_COLUMNS " from merchant m where m.id = $1"};

constexpr sql select_merchants{"select_merchants",
                               "select " HF_MERCHANT_COLUMNS " from merchant m order by m.id"};

constexpr sql insert_key{"insert_key",
                         "insert into api_key (id, merchant_id, hash, live, created_at) "
                         "values ($1, $2, $3, $4, $5) on conflict (id) do nothing"};

#define HF_API_KEY_COLUMNS "k.id, k.merchant_id, k.hash, k.live, k.created_at, k.revoked_at"

/// Answers no row for an unknown key; a second revocation keeps the first one's time.
constexpr sql revoke_one_key{"revoke_key",
                             "update api_key k set revoked_at = coalesce(k.revoked_at, $2) "
                             "where k.id = $1 returning " HF_API_KEY_COLUMNS};

constexpr sql select_keys{"select_keys",
                          "select " HF_API_KEY_COLUMNS " from api_key k order by k.id"};

constexpr sql select_keys_of_merchant{"select_keys_of_merchant",
                                      "select " HF_API_KEY_COLUMNS
                                      " from api_key k where k.merchant_id = $1 order by k.id"};

/// The first transaction that may not have ended. Asked before the keys, whose statement then
/// sees whatever those before it have written.
constexpr sql callers_horizon{
  "callers_horizon",
  "select pg_snapshot_xmin(pg_current_snapshot())::text::int8, pg_postmaster_start_time()"};

/// Written by transaction $1 or by one behind it.
constexpr sql select_callers{"select_callers",
                             "select " HF_API_KEY_COLUMNS
                             ", m.stripes, k.changed_in::text::int8"
                             " from api_key k join merchant m on m.id = k.merchant_id"
                             " where k.changed_in >= $1::int8::text::xid8"};

api_key_row read_key(row& from) {
  api_key_row key;
  key.id.value = from.id();
  key.merchant.value = from.id();
  const auto hash = from.bytes();
  HF_ASSERT(hash.size() == key.hash.size()); // The schema says so.
  std::ranges::copy(hash, key.hash.begin());
  key.live = from.boolean();
  key.created_at = from.time();
  key.revoked_at = from.optional_time();
  return key;
}

expected<std::vector<merchant_row>> read_merchants(connection& db) {
  const auto found = db.query(select_merchants, {}, query_deadline());
  if (!found)
    return found.error();
  return read_all<merchant_row>(*found, read_merchant);
}

/// Transactions end in another order than they begin, so the next look begins at the first that
/// may still have been under way. Nor does it begin behind what was seen to be durable: the
/// number of a transaction that left nothing may be given once more after a crash.
expected<caller_changes> read_callers(connection& db, callers_position after) {
  const auto asked = db.query(callers_horizon, {}, query_deadline());
  if (!asked)
    return asked.error();
  row horizon{*asked, 0};
  const auto unended = horizon.int8();
  caller_changes changes;
  changes.upto.server_start = horizon.time();
  changes.is_all = after.server_start != changes.upto.server_start;
  auto next = changes.is_all ? 0 : static_cast<std::int64_t>(after.transaction);
  const auto found = db.query(select_callers, parameters::of(next), query_deadline());
  if (!found)
    return found.error();
  auto rows = read_all<caller_row>(*found, [&next](row& from) {
    caller_row caller{.key = read_key(from)};
    caller.stripes = static_cast<std::uint16_t>(from.int2());
    next = std::max(next, from.int8() + 1);
    return caller;
  });
  if (!rows)
    return rows.error();
  changes.rows = std::move(*rows);
  changes.upto.transaction = static_cast<std::uint64_t>(std::min(next, unended));
  return changes;
}

} // namespace

void postgres_store::ping(callback<bool> done) {
  readers_.ask(std::move(done), [](connection& db) -> expected<bool> {
    const auto answer = db.query(ping_database, {}, query_deadline());
    if (!answer)
      return answer.error();
    return true;
  });
}

void postgres_store::create_merchant(merchant_row row, callback<merchant_row> done) {
  readers_.ask(
    std::move(done), [row = std::move(row)](connection& db) -> expected<merchant_row> {
      const auto created = db.query(
        insert_merchant,
        parameters::of(row.id, row.name, row.unit, static_cast<std::int16_t>(row.stripes),
                       static_cast<std::int32_t>(row.fee_bps), row.created_at),
        query_deadline());
      if (!created)
        return created.error();
      return row;
    });
}

void postgres_store::find_merchant(merchant_id id, callback<std::optional<merchant_row>> done) {
  readers_.ask(std::move(done), [id](connection& db) {
    return read_first<merchant_row>(
      db.query(select_merchant, parameters::of(id), query_deadline()), read_merchant);
  });
}

void postgres_store::list_merchants(callback<std::vector<merchant_row>> done) {
  readers_.ask(std::move(done), read_merchants);
}

void postgres_store::create_key(api_key_row row, callback<api_key_row> done) {
  readers_.ask(std::move(done), [row](connection& db) -> expected<api_key_row> {
    const std::string_view hash{reinterpret_cast<const char*>(row.hash.data()),
                                row.hash.size()};
    const auto created =
      db.query(insert_key,
               parameters::of(row.id, row.merchant, byte_view{hash}, row.live, row.created_at),
               query_deadline());
    if (!created)
      return created.error();
    return row;
  });
}

void postgres_store::revoke_key(key_id id, timestamp at,
                                callback<std::optional<api_key_row>> done) {
  readers_.ask(std::move(done), [id, at](connection& db) {
    return read_first<api_key_row>(
      db.query(revoke_one_key, parameters::of(id, at), query_deadline()), read_key);
  });
}

void postgres_store::list_keys(std::optional<merchant_id> merchant,
                               callback<std::vector<api_key_row>> done) {
  readers_.ask(
    std::move(done), [merchant](connection& db) -> expected<std::vector<api_key_row>> {
      const auto found = merchant ? db.query(select_keys_of_merchant, parameters::of(*merchant),
                                             query_deadline())
                                  : db.query(select_keys, {}, query_deadline());
      if (!found)
        return found.error();
      return read_all<api_key_row>(*found, read_key);
    });
}

void postgres_store::list_callers(shard_number, callers_position after,
                                  callback<caller_changes> done) {
  readers_.ask(std::move(done), [after](connection& db) { return read_callers(db, after); });
}

} // namespace holdfast::storage
