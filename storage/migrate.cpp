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

constexpr sql fix_cluster{"fix_cluster",
                          "insert into cluster (id, name, shard_count, first_shard, last_shard)"
                          " values (1, $1, $2, $3, $4) on conflict (id) do nothing"};

/// One from before clusters had names is given its own now.
constexpr sql name_cluster{"name_cluster", "update cluster set name = $1 where name = ''"};

constexpr sql identity_of{"cluster_identity",
                          "select name, shard_count, first_shard, last_shard from cluster"};

constexpr sql create_shards{
  "create_shards",
  "insert into shard (shard_id, chain)"
  " select n, $3 from generate_series($1::int2::int4, $2::int2::int4) n"
  " on conflict (shard_id) do nothing"};

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

/// Everything in which they differ; empty when they don't.
std::string difference(const database_identity& found, const database_identity& wanted) {
  std::string all;
  const auto say = [&all](const std::string& what, const std::string& is,
                          const std::string& should) {
    if (is != should)
      all += (all.empty() ? "the database " : "; it ") + what + is + ", not " + should;
  };
  say("belongs to the cluster ", '"' + found.cluster + '"', '"' + wanted.cluster + '"');
  say("is one of a cluster whose shard count is ", std::to_string(found.shards),
      std::to_string(wanted.shards));
  say("holds the shards ", text_of(found.range), text_of(wanted.range));
  return all;
}

expected<void> compare_identity(connection& db, const database_identity& identity,
                                steady_time deadline) {
  const auto found = db.query(identity_of, {}, deadline);
  if (!found)
    return found.error();
  if (found->rows() != 1)
    return make_error(errc::invalid_argument,
                      "the database is not initialised: run `holdfast init`");
  row from{*found, 0};
  database_identity has;
  has.cluster = from.text();
  has.shards = from.shard().value;
  has.range.first = from.shard();
  has.range.last = from.shard();
  if (auto differs = difference(has, identity); !differs.empty())
    return make_error(errc::invalid_argument, std::move(differs));
  return {};
}

expected<void> fix_shards(connection& db, const database_identity& identity,
                          steady_time deadline) {
  const auto [first, last] = identity.range;
  if (auto done = db.query(
        fix_cluster,
        parameters::of(identity.cluster, shard_number{identity.shards}, first, last), deadline);
      !done)
    return done.error();
  if (auto done = db.query(name_cluster, parameters::of(identity.cluster), deadline); !done)
    return done.error();
  if (auto same = compare_identity(db, identity, deadline); !same)
    return same.error();
  const auto chain = empty_chain();
  if (auto done =
        db.query(create_shards, parameters::of(first, last, byte_view{chain}), deadline);
      !done)
    return done.error();
  if (auto done = db.query(create_leases, {}, deadline); !done)
    return done.error();
  return {};
}

expected<void> migrate_locked(connection& db, const database_identity& identity,
                              steady_time deadline) {
  if (auto begun = db.script(begin_migrating, deadline); !begun)
    return begun.error();
  const auto version = read_version(db, deadline);
  if (!version)
    return version.error();
  if (*version > all_migrations().back().version)
    return newer_schema(*version);
  if (auto done = apply_migrations(db, *version, deadline); !done)
    return done.error();
  if (auto done = fix_shards(db, identity, deadline); !done)
    return done.error();
  return db.script("commit", deadline);
}

expected<void> check_sound(const database_identity& identity) {
  if (identity.shards == 0 || identity.shards > limits::shards_max)
    return make_error(errc::invalid_argument, "the number of shards is out of range");
  if (identity.range.first > identity.range.last
      || identity.range.last.value >= identity.shards)
    return make_error(errc::invalid_argument, "the shards " + text_of(identity.range)
                                                + " are no range of "
                                                + std::to_string(identity.shards));
  if (identity.cluster.empty() || identity.cluster.size() > limits::cluster_name_bytes_max)
    return make_error(
      errc::invalid_argument,
      "a cluster's name has 1 to " + std::to_string(limits::cluster_name_bytes_max) + " bytes");
  return {};
}

expected<void> check_schema(connection& db, schema_rule rule, steady_time deadline) {
  const auto version = read_version(db, deadline);
  if (!version)
    return version.error();
  if (*version > all_migrations().back().version && rule == schema_rule::same)
    return newer_schema(*version);
  if (*version < all_migrations().back().version)
    return make_error(errc::invalid_argument,
                      "the database is not migrated: run `holdfast init`");
  return {};
}

} // namespace

expected<void> migrate(const std::string& url, const database_identity& identity) {
  if (auto sound = check_sound(identity); !sound)
    return sound.error();
  const auto deadline = std::chrono::steady_clock::now() + limits::migration_time_max;
  auto db = connection::open(url, "migrate", deadline);
  if (!db)
    return db.error();
  // Closing the connection rolls back whatever did not come as far as the commit.
  return migrate_locked(**db, identity, deadline);
}

expected<void> check_identity(connection& db, const database_identity& identity,
                              schema_rule rule, server_timeline& newest, steady_time deadline) {
  if (auto known = check_schema(db, rule, deadline); !known)
    return known.error();
  if (auto same = compare_identity(db, identity, deadline); !same)
    return same.error();
  // Not before: of another database's timeline nothing follows.
  auto seen = newest.load();
  while (seen < db.timeline() && !newest.compare_exchange_weak(seen, db.timeline()))
    ;
  if (is_outdated(db, newest))
    return make_error(errc::unavailable,
                      "another connection has found the server that was "
                      "promoted in this one's place");
  return {};
}

} // namespace holdfast::storage
