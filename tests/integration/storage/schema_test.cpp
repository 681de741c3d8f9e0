// The schema: how it comes to be, and what it makes impossible whatever the code above does.
#include "storage/migrations/migrations.hpp"
#include "tests/integration/storage/fixture.hpp"
#include "tests/support/postgres.hpp"

using namespace holdfast;
using namespace holdfast::test;

BOOST_AUTO_TEST_SUITE(storage_schema)

BOOST_FIXTURE_TEST_CASE(migrating_twice_changes_nothing, storage_fixture) {
  BOOST_TEST(storage::migrate(url, test_identity()).has_value());
  BOOST_TEST(value("select count(*) from shard") == "4");
  BOOST_TEST(value("select count(*) from shard_lease") == "4");
  BOOST_TEST(value("select count(*) from schema_version")
             == std::to_string(storage::all_migrations().size()));
}

BOOST_FIXTURE_TEST_CASE(a_newer_schema_is_refused, storage_fixture) {
  BOOST_TEST(
    run("insert into schema_version (version, title) values (9999, 'future')").empty());
  const auto migrated = storage::migrate(url, test_identity());
  BOOST_REQUIRE(!migrated);
  BOOST_TEST((migrated.error().code == errc::invalid_argument));
  BOOST_TEST(!storage::open_database(test_options(url)));
}

/// As while a cluster is upgraded, node by node.
BOOST_FIXTURE_TEST_CASE(who_runs_while_the_schema_grows_connects_again, storage_fixture) {
  const auto db = open();
  const auto owner = open_shard(db->journal(), {0});
  BOOST_TEST(
    run("insert into schema_version (version, title) values (9999, 'future')").empty());
  BOOST_TEST(!storage::open_database(test_options(url)));
  BOOST_TEST(run("select pg_terminate_backend(pid) from pg_stat_activity"
                 " where application_name like 'holdfast %' and datname = current_database()"
                 " and pid <> pg_backend_pid()")
               .empty());
  const auto written = commit(db->journal(), create_write(owner, 1));
  BOOST_TEST((written.outcome == storage::write_result::kind::committed));
}

BOOST_FIXTURE_TEST_CASE(a_database_keeps_its_identity_and_says_what_differs, storage_fixture) {
  const auto refusal = [this](const storage::database_identity& identity) {
    const auto migrated = storage::migrate(url, identity);
    BOOST_REQUIRE(!migrated);
    BOOST_TEST((migrated.error().code == errc::invalid_argument));
    auto options = test_options(url);
    options.cluster = identity.cluster;
    options.shards = identity.shards;
    options.range = identity.range;
    const auto opened = storage::open_database(options);
    BOOST_REQUIRE(!opened);
    BOOST_TEST(opened.error().detail == migrated.error().detail);
    return migrated.error().detail;
  };
  BOOST_TEST(refusal({"other", 4, test_range})
             == "the database belongs to the cluster \"test\", not \"other\"");
  BOOST_TEST(refusal({"test", 8, test_range})
             == "the database is one of a cluster whose shard count is 4, not 8");
  BOOST_TEST(refusal({"test", 4, {{0}, {1}}}) == "the database holds the shards 0-3, not 0-1");
  BOOST_TEST(refusal({"other", 8, test_range})
             == "the database belongs to the cluster \"test\", not \"other\"; it is one of a"
                " cluster whose shard count is 4, not 8");
  BOOST_TEST(storage::migrate(url, test_identity()).has_value());
}

BOOST_AUTO_TEST_CASE(an_identity_that_can_not_be_is_refused) {
  const auto url = shared_postgres().create_database();
  for (const auto& identity : {storage::database_identity{"", 4, test_range},
                               {std::string(65, 'x'), 4, test_range},
                               {"test", 0, {}},
                               {"test", 4, {{2}, {1}}},
                               {"test", 4, {{0}, {4}}}}) {
    const auto migrated = storage::migrate(url, identity);
    BOOST_REQUIRE(!migrated);
    BOOST_TEST((migrated.error().code == errc::invalid_argument));
  }
}

BOOST_AUTO_TEST_CASE(a_database_of_a_part_holds_its_shards_alone) {
  const auto url = shared_postgres().create_database();
  BOOST_REQUIRE(storage::migrate(url, {"test", 8, {{4}, {7}}}));
  const auto db =
    storage::connection::open(url, "test", std::chrono::steady_clock::now() + patience);
  BOOST_REQUIRE(db);
  constexpr storage::sql count{
    "test_count", "select count(*), min(shard_id), max(shard_id) from shard_lease"};
  const auto found = (*db)->query(count, {}, std::chrono::steady_clock::now() + patience);
  BOOST_REQUIRE(found);
  storage::row counted{*found, 0};
  BOOST_TEST(counted.int8() == 4);
  BOOST_TEST(counted.int2() == 4);
  BOOST_TEST(counted.int2() == 7);
}

/// As migration 7 leaves one from before.
BOOST_FIXTURE_TEST_CASE(a_database_without_a_name_is_given_one_once, storage_fixture) {
  BOOST_TEST(run("update cluster set name = ''").empty());
  BOOST_TEST(!storage::open_database(test_options(url)));
  BOOST_TEST(storage::migrate(url, test_identity()).has_value());
  BOOST_TEST(value("select name from cluster") == test_cluster);
  BOOST_TEST(storage::open_database(test_options(url)).has_value());
}

BOOST_AUTO_TEST_CASE(an_unreachable_database_is_unavailable) {
  const auto migrated =
    storage::migrate("postgresql:///none?host=/nonexistent", test_identity());
  BOOST_REQUIRE(!migrated);
  BOOST_TEST((migrated.error().code == errc::unavailable));
}

BOOST_FIXTURE_TEST_CASE(over_capture_and_over_refund_are_impossible, storage_fixture) {
  const auto db = open();
  const auto owner = open_shard(db->journal(), shard_number{1});
  const auto created = create_write(owner, 1);
  const auto id = created.snapshot->id.value;
  BOOST_REQUIRE(
    (commit(db->journal(), created).outcome == storage::write_result::kind::committed));
  const auto where = " where id = '" + to_hex(id) + "'";
  BOOST_TEST(run("update payment set captured = amount + 1" + where)
             == "23514 payment_captured_within_amount");
  BOOST_TEST(run("update payment set captured = -1" + where)
             == "23514 payment_captured_within_amount");
  BOOST_TEST(run("update payment set captured = 10, refunded = 11" + where)
             == "23514 payment_refunded_within_captured");
  BOOST_TEST(run("update payment set amount = 0" + where) == "23514 payment_amount_positive");
}

BOOST_FIXTURE_TEST_CASE(events_and_entries_are_append_only, storage_fixture) {
  const auto db = open();
  const auto owner = open_shard(db->journal(), shard_number{0});
  const auto created = create_write(owner, 1);
  commit(db->journal(), created);
  commit(db->journal(), authorize_write(owner, *created.snapshot));
  BOOST_TEST(run("update event set payload = ''") == "23001 event_append_only");
  BOOST_TEST(run("delete from event") == "23001 event_append_only");
  BOOST_TEST(run("truncate event") == "23001 event_append_only");
  BOOST_TEST(run("update ledger_entry set amount = 1") == "23001 ledger_entry_append_only");
  BOOST_TEST(run("delete from ledger_entry") == "23001 ledger_entry_append_only");
}

BOOST_AUTO_TEST_SUITE_END()
