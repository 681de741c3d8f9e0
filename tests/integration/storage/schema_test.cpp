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
    options.cluster_id = identity.cluster_id;
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
  uuid other;
  other.bytes.fill(0xab);
  BOOST_TEST(refusal({"test", 4, test_range, other})
             == "the database is one of a cluster whose id is " + to_hex(cluster_id())
                  + ", not abababababababababababababababab");
  BOOST_TEST(storage::migrate(url, test_identity()).has_value());
}

BOOST_FIXTURE_TEST_CASE(each_cluster_has_an_id_that_stays, storage_fixture) {
  const auto id = cluster_id();
  BOOST_TEST(!id.is_nil());
  BOOST_TEST((storage::migrate(url, test_identity()).value() == id));
  BOOST_TEST((open()->cluster_id() == id));
  const storage_fixture another;
  BOOST_TEST((another.cluster_id() != id));
  const storage_fixture second{shared_postgres().create_database(), test_range, id};
  BOOST_TEST((second.cluster_id() == id));
}

BOOST_FIXTURE_TEST_CASE(a_connection_to_the_database_of_another_cluster_is_not_used,
                        storage_fixture) {
  const auto db = open();
  const auto before = cluster_id();
  const auto after = storage::change_cluster_id(url, {});
  BOOST_REQUIRE(after);
  BOOST_TEST(run("select pg_terminate_backend(pid) from pg_stat_activity"
                 " where application_name like 'holdfast %' and datname = current_database()"
                 " and pid <> pg_backend_pid()")
               .empty());
  const auto listed = ask<std::vector<storage::merchant_row>>(
    [&](auto done) { db->store().list_merchants(std::move(done)); });
  BOOST_REQUIRE(!listed);
  BOOST_TEST(listed.error().detail
             == "the database is one of a cluster whose id is " + to_hex(*after) + ", not "
                  + to_hex(before));
}

BOOST_FIXTURE_TEST_CASE(the_id_changes_where_no_node_lives_and_its_nodes_are_forgotten,
                        storage_fixture) {
  const auto before = cluster_id();
  BOOST_TEST(run("insert into cluster_node values ('node-1', 'i', '', '', '', '', true, false,"
                 " clock_timestamp(), clock_timestamp() + interval '1 hour')")
               .empty());
  const auto refused = storage::change_cluster_id(url, {});
  BOOST_REQUIRE(!refused);
  BOOST_TEST((refused.error().code == errc::invalid_state));
  BOOST_TEST((cluster_id() == before));
  BOOST_TEST(run("update cluster_node set alive_until = clock_timestamp()").empty());
  const auto changed = storage::change_cluster_id(url, {});
  BOOST_REQUIRE(changed);
  BOOST_TEST((*changed != before));
  BOOST_TEST((cluster_id() == *changed));
  BOOST_TEST(value("select count(*) from cluster_node") == "0");
  BOOST_TEST((storage::change_cluster_id(url, before).value() == before));
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
