// Brings a database to the schema of this program: one transaction under an advisory lock, so
// that nodes which start together wait for each other.
#include "messages/limits.hpp"
#include "storage/chain.hpp"
#include "storage/connection.hpp"
#include "storage/database.hpp"
#include "storage/migrations/migrations.hpp"
#include "storage/schema.hpp"

namespace holdfast::storage {

namespace {

/// Any number will do, as long as no other program uses it in this database.
constexpr const char* begin_migrating =
  "begin; select pg_advisory_xact_lock(7306377424217497); "
  "create table if not exists schema_version (version int4 primary key, title text not null, "
  "applied_at timestamptz not null default clock_timestamp())";

constexpr sql schema_version_of{"schema_version_of",
                                "select coalesce(max(version), 0)::int4 from schema_version"};

constexpr sql record_migration{"record_migration",
                               "insert into schema_version (version, title) values ($1, $2)"};

constexpr sql fix_cluster{
  "fix_cluster",
  "insert into cluster (id, shard_count) values (1, $1) on conflict (id) do nothing"};

constexpr sql cluster_shards{"cluster_shards", "select shard_count from cluster"};

constexpr sql create_shards{
  "create_shards",
  "insert into shard (shard_id, chain) select n, $2 from generate_series(0, $1::int2 - 1) n "
  "on conflict (shard_id) do nothing"};

constexpr sql create_leases{
  "create_leases",
  "insert into shard_lease (shard_id) select shard_id from shard on conflict (shard_id) do nothing"};

error newer_schema(int version) {
  return make_error(errc::invalid_argument,
                    "the database has schema version " + std::to_string(version)
                      + ", newer than this program's "
                      + std::to_string(all_migrations().back().version));
}

expected<int> read_version(connection& db, steady_time deadline) {
  auto found = db.query(schema_version_of, {}, deadline);
  if (!found)
    return found.error();
  return row{*found, 0}.int4();
}

expected<void> apply_migrations(connection& db, int version, steady_time deadline) {
  for (const auto& step : all_migrations()) {
    if (step.version <= version)
      continue;
    if (auto done = db.script(step.sql, deadline); !done)
      return done.error();
    if (auto done =
          db.query(record_migration, parameters::of(step.version, step.title), deadline);
        !done)
      return done.error();
  }
  return {};
}

expected<void> fix_shards(connection& db, std::uint16_t shards, steady_time deadline) {
  const auto count = static_cast<std::int16_t>(shards);
  if (auto done = db.query(fix_cluster, parameters::of(count), deadline); !done)
    return done.error();
  if (auto same = check_shard_count(db, shards, deadline); !same)
    return same.error();
  const auto chain = empty_chain();
  if (auto done = db.query(create_shards, parameters::of(count, byte_view{chain}), deadline);
      !done)
    return done.error();
  if (auto done = db.query(create_leases, {}, deadline); !done)
    return done.error();
  return {};
}

expected<void> migrate_locked(connection& db, std::uint16_t shards, steady_time deadline) {
  if (auto begun = db.script(begin_migrating, deadline); !begun)
    return begun.error();
  const auto version = read_version(db, deadline);
  if (!version)
    return version.error();
  if (*version > all_migrations().back().version)
    return newer_schema(*version);
  if (auto done = apply_migrations(db, *version, deadline); !done)
    return done.error();
  if (auto done = fix_shards(db, shards, deadline); !done)
    return done.error();
  return db.script("commit", deadline);
}

} // namespace

expected<void> migrate(const std::string& url, std::uint16_t shards) {
  if (shards == 0 || shards > limits::shards_max)
    return make_error(errc::invalid_argument, "the number of shards is out of range");
  const auto deadline = std::chrono::steady_clock::now() + limits::migration_time_max;
  auto db = connection::open(url, "migrate", deadline);
  if (!db)
    return db.error();
  // Closing the connection rolls back whatever did not come as far as the commit.
  return migrate_locked(**db, shards, deadline);
}

expected<void> check_schema(connection& db, steady_time deadline) {
  const auto version = read_version(db, deadline);
  if (!version)
    return version.error();
  if (*version > all_migrations().back().version)
    return newer_schema(*version);
  if (*version < all_migrations().back().version)
    return make_error(errc::invalid_argument,
                      "the database is not migrated: run `holdfast init`");
  return {};
}

expected<void> check_shard_count(connection& db, std::uint16_t shards, steady_time deadline) {
  auto found = db.query(cluster_shards, {}, deadline);
  if (!found)
    return found.error();
  if (found->rows() != 1)
    return make_error(errc::invalid_argument, "the database is not initialised");
  const auto count = row{*found, 0}.int2();
  if (count != static_cast<std::int16_t>(shards))
    return make_error(errc::invalid_argument, "the database has " + std::to_string(count)
                                                + " shards, not " + std::to_string(shards));
  return {};
}

} // namespace holdfast::storage
