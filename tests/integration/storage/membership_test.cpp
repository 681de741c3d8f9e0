// Who lives, who runs what runs once, and what an operator asks of all: the keeper's other
// duties.
#include "tests/integration/storage/lease_node.hpp"

#include <algorithm>

using namespace holdfast;
using namespace holdfast::test;

namespace {

using node = lease_node;
using names = std::vector<std::string>;

/// As the other one sees it.
std::optional<storage::node_row> row_of(const node& observer, const std::string& id) {
  for (const auto& row : observer.keeper->snapshot().nodes)
    if (row.card.id == id)
      return row;
  return std::nullopt;
}

bool is_alive(const node& observer, const std::string& id) {
  const auto row = row_of(observer, id);
  return row && row->alive_for > milliseconds{0};
}

expected<void> pin(node& by, shard_range shards, const std::string& to) {
  answers<expected<void>> done;
  by.keeper->pin(shards, to, done.sink());
  return done.wait().front();
}

} // namespace

BOOST_AUTO_TEST_SUITE(storage_membership)

BOOST_FIXTURE_TEST_CASE(nodes_see_each_other_and_what_each_says_of_itself, storage_fixture) {
  node one{*this, "one"};
  node two{*this, "two"};
  auto card = card_of("one");
  card.serves_shards = false;
  one.keeper->introduce(card);
  two.keeper->introduce(card_of("two"));
  wait_until([&] { return is_alive(two, "one") && is_alive(one, "two"); });
  const auto seen = row_of(two, "one").value();
  BOOST_TEST(seen.card.incarnation == "first");
  BOOST_TEST(seen.card.advertise == "one:7000");
  BOOST_TEST(seen.card.http == "http://one:8080");
  BOOST_TEST(seen.card.admin == "http://one:8081");
  BOOST_TEST(seen.card.version == "0.1.0");
  BOOST_TEST(!seen.card.serves_shards);
  BOOST_TEST(!seen.card.draining);
  BOOST_TEST((seen.alive_for <= milliseconds{1'500}));
  card.draining = true;
  one.keeper->introduce(card);
  wait_until([&] { return row_of(two, "one")->card.draining; });
  BOOST_TEST((row_of(two, "one")->started_at == seen.started_at));
}

BOOST_FIXTURE_TEST_CASE(a_node_that_leaves_says_so, storage_fixture) {
  node one{*this, "one"};
  node two{*this, "two"};
  one.keeper->introduce(card_of("one"));
  wait_until([&] { return is_alive(two, "one"); });
  one.keeper->release_all();
  BOOST_TEST(value("select alive_until <= clock_timestamp() from cluster_node") == "true");
  one.keeper->look_again();
  two.keeper->look_again();
  wait_until([&] { return !is_alive(two, "one"); });
}

BOOST_FIXTURE_TEST_CASE(a_silent_death_is_seen_when_the_claim_to_live_ends, storage_fixture) {
  node two{*this, "two", slow_lease};
  two.keeper->introduce(card_of("two"));
  {
    node one{*this, "one"};
    one.keeper->introduce(card_of("one"));
    wait_until([&] {
      two.keeper->look_again();
      return is_alive(two, "one");
    });
  }
  wait_until([&] { return !is_alive(two, "one"); });
  for (const auto& view : two.seen.wait())
    for (const auto& row : view.nodes)
      if (row.card.id == "one" && row.alive_for <= milliseconds{0}) {
        BOOST_TEST((row.alive_for > milliseconds{-300}));
        return;
      }
  BOOST_FAIL("nobody was told");
}

BOOST_FIXTURE_TEST_CASE(of_two_processes_with_one_name_the_younger_one_stays, storage_fixture) {
  node older{*this, "one"};
  older.keeper->introduce(card_of("one", "older"));
  older.keeper->want({shard_0});
  older.keeper->want_singletons({"orphans"});
  older.acquired.wait(1);
  older.singletons.wait(1);
  older.seen.wait(3); // Who started when is known to within a connection's delays.
  node younger{*this, "one"};
  younger.keeper->introduce(card_of("one", "younger"));
  younger.keeper->want({shard_0});
  // At once, by their common name: this is how a node that was killed comes back.
  BOOST_TEST(younger.acquired.wait(1).front().epoch.value == 2);
  BOOST_TEST(older.superseded.wait().front() == "younger");
  BOOST_TEST((older.lost.wait().front() == shard_0));
  BOOST_TEST((older.singletons.wait(2).back() == names{}));
  older.keeper->release_all();
  const auto renewed = value("select lease_until from shard_lease where shard_id = 0");
  wait_until(
    [&] { return value("select lease_until from shard_lease where shard_id = 0") > renewed; });
  BOOST_TEST(value("select epoch from shard where shard_id = 0") == "2");
  BOOST_TEST(younger.superseded.count() + younger.lost.count() == 0U);
  BOOST_TEST(older.acquired.count() == 1U);
}

BOOST_FIXTURE_TEST_CASE(who_is_younger_does_not_depend_on_who_comes_first, storage_fixture) {
  node older{*this, "one"};
  older.seen.wait(3);
  node younger{*this, "one"};
  younger.keeper->introduce(card_of("one", "younger"));
  wait_until([&] { return is_alive(younger, "one"); });
  older.keeper->introduce(card_of("one", "older"));
  older.keeper->want({shard_0});
  BOOST_TEST(older.superseded.wait().front() == "younger");
  BOOST_TEST(older.acquired.count() == 0U);
  BOOST_TEST(value("select incarnation from cluster_node") == "younger");
}

BOOST_FIXTURE_TEST_CASE(a_row_of_the_dead_or_of_another_clock_supersedes_nobody,
                        storage_fixture) {
  // What a process before wrote by a clock that was an hour ahead.
  BOOST_TEST(run("insert into cluster_node select n, 'before', '', '', '', '', true, false,"
                 " clock_timestamp() + interval '1 hour', clock_timestamp() + case n"
                 " when 'dead' then interval '-1 s' when 'alive' then interval '60 s'"
                 " else interval '1 hour' end from unnest(array['dead', 'ahead', 'alive']) n")
               .empty());
  for (const auto* name : {"dead", "ahead"}) {
    node one{*this, name, slow_lease};
    one.keeper->introduce(card_of(name, "now"));
    wait_until([&] {
      const auto row = row_of(one, name);
      return one.superseded.count() > 0 || (row && row->card.incarnation == "now");
    });
    BOOST_TEST(one.superseded.count() == 0U, name);
  }
  node older{*this, "alive", slow_lease};
  older.keeper->introduce(card_of("alive", "now"));
  BOOST_TEST(older.superseded.wait().front() == "before");
}

BOOST_FIXTURE_TEST_CASE(a_singleton_has_one_holder_and_moves_when_that_dies, storage_fixture) {
  node two{*this, "two"};
  two.keeper->introduce(card_of("two"));
  {
    node one{*this, "one"};
    one.keeper->introduce(card_of("one"));
    one.keeper->want_singletons({"orphans", "other"});
    BOOST_TEST((one.singletons.wait().front() == names{"orphans", "other"}));
    two.keeper->want_singletons({"orphans"});
    const auto renewed = value("select min(lease_until) from singleton_lease");
    wait_until([&] { return value("select min(lease_until) from singleton_lease") > renewed; });
    BOOST_TEST(one.singletons.count() == 1U);
    BOOST_TEST(two.singletons.count() == 0U);
  }
  BOOST_TEST(run("create table before as select * from singleton_lease").empty());
  BOOST_TEST((two.singletons.wait().front() == names{"orphans"}));
  BOOST_TEST(value("select l.lease_until - interval '1.5 s' > b.lease_until"
                   " from singleton_lease l join before b using (name) where name = 'orphans'")
             == "true");
  BOOST_TEST(value("select owner from singleton_lease where name = 'orphans'") == "two");
}

BOOST_FIXTURE_TEST_CASE(a_singleton_that_is_dropped_runs_out_before_another_takes_it,
                        storage_fixture) {
  node one{*this, "one"};
  node two{*this, "two"};
  one.keeper->want_singletons({"orphans"});
  one.singletons.wait(1);
  two.keeper->want_singletons({"orphans"});
  one.keeper->want_singletons({});
  BOOST_TEST((one.singletons.wait(2).back() == names{}));
  BOOST_TEST(value("select lease_until > clock_timestamp() and owner = 'one'"
                   " from singleton_lease")
             == "true");
  BOOST_TEST((two.singletons.wait().front() == names{"orphans"}));
}

BOOST_FIXTURE_TEST_CASE(a_holder_that_leaves_frees_its_singletons, storage_fixture) {
  node one{*this, "one"};
  one.keeper->introduce(card_of("one"));
  one.keeper->want_singletons({"orphans"});
  one.singletons.wait(1);
  one.keeper->release_all();
  BOOST_TEST(value("select owner from singleton_lease").empty());
  BOOST_TEST((one.singletons.wait(2).back() == names{}));
}

BOOST_FIXTURE_TEST_CASE(a_singleton_is_gone_in_time_when_the_database_is, storage_fixture) {
  node one{*this, "one"};
  one.keeper->want_singletons({"orphans"});
  one.singletons.wait(1);
  // The lock makes every renewal wait, and its connection fail.
  const auto deadline = std::chrono::steady_clock::now() + patience;
  auto blocker = storage::connection::open(url, "blocker", deadline);
  BOOST_REQUIRE(blocker);
  BOOST_REQUIRE((*blocker)->script("begin; lock table singleton_lease", deadline));
  BOOST_TEST((one.singletons.wait(2).back() == names{}));
  constexpr storage::sql left{"test_left",
                              "select (extract(epoch from lease_until - clock_timestamp())"
                              " * 1000)::int8 from singleton_lease"};
  const auto found = (*blocker)->query(left, {}, deadline);
  BOOST_REQUIRE(found);
  storage::row read{*found, 0};
  BOOST_TEST(read.int8() > 0);
}

BOOST_FIXTURE_TEST_CASE(a_pin_is_seen_by_all, storage_fixture) {
  node one{*this, "one"};
  node two{*this, "two"};
  two.keeper->introduce(card_of("two"));
  wait_until([&] { return is_alive(one, "two"); });
  const auto pinned = [](const node& observer) {
    std::string all;
    for (const auto& lease : observer.keeper->snapshot().leases)
      all += lease.pinned_to + ';';
    return all;
  };
  BOOST_TEST(pin(one, {shard_0, shard_1}, "two").has_value());
  wait_until([&] { return pinned(two) == "two;two;;;" && pinned(one) == "two;two;;;"; });
  BOOST_TEST(pin(two, {shard_1, shard_1}, "").has_value());
  wait_until([&] { return pinned(one) == "two;;;;"; });
  BOOST_TEST((pin(one, {shard_0, shard_0}, "nobody").error().code == errc::not_found));
  BOOST_TEST((pin(one, {shard_0, {4}}, "two").error().code == errc::invalid_argument));
  BOOST_TEST(value("select pinned_to from shard_lease where shard_id = 0") == "two");
}

BOOST_FIXTURE_TEST_CASE(the_holder_of_retention_sweeps_what_is_old, storage_fixture) {
  BOOST_TEST(run("insert into webhook_event (gateway, event_id, shard_id, subject, received_at)"
                 " select 'alpha', n::text, 0, gen_random_uuid(),"
                 "        clock_timestamp() - interval '90 days' - n * interval '1 s'"
                 "   from generate_series(1, 2500) n;"
                 "insert into webhook_event (gateway, event_id, shard_id, subject, received_at)"
                 " values ('alpha', 'new', 0, gen_random_uuid(),"
                 "         clock_timestamp() - interval '89 days')")
               .empty());
  BOOST_TEST(run("insert into cluster_node select n, '', '', '', '', '', true, false,"
                 " clock_timestamp() - interval '9 days', clock_timestamp() - case n"
                 " when 'long dead' then interval '8 days' else interval '6 days' end"
                 " from unnest(array['long dead', 'dead']) n")
               .empty());
  node one{*this, "one"};
  one.keeper->want_singletons({"orphans"});
  one.singletons.wait(1);
  BOOST_TEST(value("select count(*) from webhook_event") == "2501");
  one.keeper->want_singletons({"orphans", "retention"});
  wait_until([&] { return value("select count(*) from webhook_event") == "1"; });
  BOOST_TEST(value("select event_id from webhook_event") == "new");
  BOOST_TEST(value("select webhook_events_swept from cluster") == "2500");
  wait_until([&] { return value("select string_agg(id, ';') from cluster_node") == "dead"; });
}

BOOST_AUTO_TEST_SUITE_END()
