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

constexpr sql select_merchants{"select_merchants",
                               "select " HF_MERCHANT_COLUMNS " from merchant m order by m.id"};

constexpr sql insert_key{"insert_key",
                         "insert into api_key (id, merchant_id, hash, live, created_at) "
                         "values ($1, $2, $3, $4, $5) on conflict (id) do nothing"};

/// Answers no row for an unknown key; a second revocation keeps the first one's time.
constexpr sql revoke_one_key{"revoke_key",
                             "update api_key set revoked_at = coalesce(revoked_at, $2) "
                             "where id = $1 returning id"};

constexpr sql select_keys{"select_keys",
                          "select id, merchant_id, hash, live, created_at, revoked_at "
                          "from api_key order by id"};

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

expected<std::vector<api_key_row>> read_keys(connection& db) {
  const auto found = db.query(select_keys, {}, query_deadline());
  if (!found)
    return found.error();
  return read_all<api_key_row>(*found, read_key);
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

void postgres_store::revoke_key(key_id id, timestamp at, callback<bool> done) {
  readers_.ask(std::move(done), [id, at](connection& db) -> expected<bool> {
    const auto revoked = db.query(revoke_one_key, parameters::of(id, at), query_deadline());
    if (!revoked)
      return revoked.error();
    return revoked->rows() == 1;
  });
}

void postgres_store::list_keys(callback<std::vector<api_key_row>> done) {
  readers_.ask(std::move(done), read_keys);
}

void postgres_store::list_callers(shard_number, callback<known_callers> done) {
  readers_.ask(std::move(done), [](connection& db) -> expected<known_callers> {
    auto merchants = read_merchants(db);
    if (!merchants)
      return merchants.error();
    auto keys = read_keys(db);
    if (!keys)
      return keys.error();
    return known_callers{std::move(*merchants), std::move(*keys)};
  });
}

} // namespace holdfast::storage
