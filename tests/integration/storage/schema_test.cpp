// The schema: how it comes to be, and what it makes impossible whatever the code above does.
#include "storage/migrations/migrations.hpp"
#include "tests/integration/storage/fixture.hpp"

using namespace holdfast;
using namespace holdfast::test;

BOOST_AUTO_TEST_SUITE(storage_schema)

BOOST_FIXTURE_TEST_CASE(migrating_twice_changes_nothing, storage_fixture) {
  BOOST_TEST(storage::migrate(url, test_shards).has_value());
  BOOST_TEST(value("select count(*) from shard") == "4");
  BOOST_TEST(value("select count(*) from shard_lease") == "4");
  BOOST_TEST(value("select count(*) from schema_version")
             == std::to_string(storage::all_migrations().size()));
}

BOOST_FIXTURE_TEST_CASE(a_newer_schema_is_refused, storage_fixture) {
  BOOST_TEST(
    run("insert into schema_version (version, title) values (9999, 'future')").empty());
  const auto migrated = storage::migrate(url, test_shards);
  BOOST_REQUIRE(!migrated);
  BOOST_TEST((migrated.error().code == errc::invalid_argument));
  storage::database_options options;
  options.url = url;
  options.shards = test_shards;
  options.node = "node-1";
  BOOST_TEST(!storage::open_database(options));
}

BOOST_FIXTURE_TEST_CASE(another_shard_count_is_refused, storage_fixture) {
  const auto migrated = storage::migrate(url, test_shards + 1);
  BOOST_REQUIRE(!migrated);
  BOOST_TEST((migrated.error().code == errc::invalid_argument));
}

BOOST_AUTO_TEST_CASE(an_unreachable_database_is_unavailable) {
  const auto migrated = storage::migrate("postgresql:///none?host=/nonexistent", test_shards);
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
