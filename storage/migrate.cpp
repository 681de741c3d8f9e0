// Brings a database to the schema of this program: one transaction under an advisory lock, so
// that nodes which start together wait for each other.
#include "messages/limits.hpp"
#include "storage/chain.hpp"
#include "storage/connection.hpp"
#include "storage/database.hpp"
#include "storage/migrations/migrations.hpp"
#include "storage/schema.hpp"

#include <optional>

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
  "insert into cluster (id, name, shard_count, first_shard, last_shard, cluster_id)"
  " values (1, $1, $2, $3, $4, coalesce($5::uuid, gen_random_uuid()))"
  " on conflict (id) do nothing"};

/// Where a dump was restored, keys bear numbers of another server's transactions. Those ahead
/// of all here would be read again by each look at what has changed; the trigger gives new
/// ones.
constexpr const char* renumber_key_changes =
  "update api_key set changed_in = default"
  " where changed_in >= pg_snapshot_xmax(pg_current_snapshot())";

/// One from before clusters had names is given its own now.
constexpr sql name_cluster{"name_cluster", "update cluster set name = $1 where name = ''"};

constexpr sql identity_of{"cluster_identity",
                          "select name, shard_count, first_shard, last_shard, cluster_id"
                          " from cluster"};

/// Whoever lives is of the cluster that has the id. The nodes of the original live elsewhere,
/// and nobody is to look for them.
constexpr sql change_id{"change_cluster_id", R"sql(
with living as (select from cluster_node where alive_until > clock_timestamp()),
forgotten as (delete from cluster_node where not exists (select from living))
update cluster set cluster_id = coalesce($1::uuid, gen_random_uuid())
 where not exists (select from living) returning cluster_id)sql"};

constexpr sql create_shards{
  "create_shards",
  "insert into shard (shard_id, chain)"
  " select n, $3 from generate_series($1::int2::int4, $2::int2::int4) n"
  " on conflict (shard_id) do nothing"};

constexpr sql create_leases{
  "create_leases",
  "insert into shard_lease (shard_id) select shard_id from shard on conflict (shard_id) do nothing"};

std::optional<uuid> given(const uuid& id) {
  return id.is_nil() ? std::nullopt : std::optional{id};
}

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

/// Everything in which they differ; empty when they don't. What is left open differs in
/// nothing.
std::string difference(const database_identity& found, const database_identity& wanted) {
  std::string all;
  const auto say = [&all](const std::string& what, const std::string& is,
                          const std::string& should) {
    if (is != should)
      all += (all.empty() ? "the database " : "; it ") + what + is + ", not " + should;
  };
  say("belongs to the cluster ", '"' + found.cluster + '"', '"' + wanted.cluster + '"');
  if (!wanted.cluster_id.is_nil())
    say("is one of a cluster whose id is ", to_hex(found.cluster_id),
        to_hex(wanted.cluster_id));
  say("is one of a cluster whose shard count is ", std::to_string(found.shards),
      std::to_string(wanted.shards));
  say("holds the shards ", text_of(found.range), text_of(wanted.range));
  return all;
}

expected<uuid> compare_identity(connection& db, const database_identity& identity,
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
  has.cluster_id = from.id();
  if (auto differs = difference(has, identity); !differs.empty())
    return make_error(errc::invalid_argument, std::move(differs));
  return has.cluster_id;
}

expected<uuid> fix_shards(connection& db, const database_identity& identity,
                          steady_time deadline) {
  const auto [first, last] = identity.range;
  if (auto done = db.query(fix_cluster,
                           parameters::of(identity.cluster, shard_number{identity.shards},
                                          first, last, given(identity.cluster_id)),
                           deadline);
      !done)
    return done.error();
  if (auto done = db.query(name_cluster, parameters::of(identity.cluster), deadline); !done)
    return done.error();
  auto same = compare_identity(db, identity, deadline);
  if (!same)
    return same.error();
  const auto chain = empty_chain();
  if (auto done =
        db.query(create_shards, parameters::of(first, last, byte_view{chain}), deadline);
      !done)
    return done.error();
  if (auto done = db.query(create_leases, {}, deadline); !done)
    return done.error();
  return same;
}

expected<uuid> migrate_locked(connection& db, const database_identity& identity,
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
  if (auto done = db.script(renumber_key_changes, deadline); !done)
    return done.error();
  auto id = fix_shards(db, identity, deadline);
  if (!id)
    return id.error();
  if (auto done = db.script("commit", deadline); !done)
    return done.error();
  return id;
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

expected<uuid> migrate(const std::string& url, const database_identity& identity) {
  if (auto sound = check_sound(identity); !sound)
    return sound.error();
  const auto deadline = std::chrono::steady_clock::now() + limits::migration_time_max;
  auto db = connection::open(url, "migrate", deadline);
  if (!db)
    return db.error();
  // Closing the connection rolls back whatever did not come as far as the commit.
  return migrate_locked(**db, identity, deadline);
}

expected<uuid> change_cluster_id(const std::string& url, const uuid& id) {
  const auto deadline = std::chrono::steady_clock::now() + limits::query_time_max;
  auto db = connection::open(url, "change cluster id", deadline);
  if (!db)
    return db.error();
  const auto changed = (*db)->query(change_id, parameters::of(given(id)), deadline);
  if (!changed)
    return changed.error();
  if (changed->rows() != 1)
    return make_error(
      errc::invalid_state,
      "a node lives in it, or did when it was copied a moment ago: stop all nodes"
      " of this database, wait for their leases to end, and repeat");
  return row{*changed, 0}.id();
}

expected<uuid> check_identity(connection& db, const database_identity& identity,
                              schema_rule rule, server_timeline& newest, steady_time deadline) {
  if (auto known = check_schema(db, rule, deadline); !known)
    return known.error();
  auto same = compare_identity(db, identity, deadline);
  if (!same)
    return same.error();
  // Not before: of another database's timeline nothing follows.
  auto seen = newest.load();
  while (seen < db.timeline() && !newest.compare_exchange_weak(seen, db.timeline()))
    ;
  if (is_outdated(db, newest))
    return make_error(errc::unavailable,
                      "another connection has found the server that was "
                      "promoted in this one's place");
  return same;
}

} // namespace holdfast::storage
