// The journal's writer when its connection or the server dies: everything acknowledged is
// there, and everything that is there is there once.
#include "storage/key_retention.hpp"
#include "tests/integration/storage/fixture.hpp"
#include "tests/support/postgres.hpp"

#include <random>

using namespace holdfast;
using namespace holdfast::test;
using storage::journal_write;
using storage::write_result;
using kind = storage::write_result::kind;

namespace {

constexpr const char* kill_writers =
  "select pg_terminate_backend(pid) from pg_stat_activity"
  " where application_name like 'holdfast journal %' and datname = current_database()";

/// Whether a writer of this database stands in the given wait.
std::string writers_waiting(const std::string& event) {
  return "select count(*) from pg_stat_activity where application_name like 'holdfast journal %'"
         " and datname = current_database() and wait_event = '"
         + event + "'";
}

std::vector<journal_write> next_writes(const storage::acquired_shard& owner,
                                       std::uint64_t& number, std::size_t count) {
  std::vector<journal_write> writes;
  for (std::size_t i = 0; i < count; ++i) {
    auto created = create_write(owner, ++number);
    auto authorized = authorize_write(owner, *created.snapshot);
    writes.push_back(std::move(created));
    writes.push_back(std::move(authorized));
  }
  return writes;
}

void require_all_committed(const std::vector<write_result>& results) {
  for (const auto& result : results)
    BOOST_REQUIRE_MESSAGE((result.outcome == kind::committed), result.detail);
}

void require_proof(storage::database& db, std::uint64_t events) {
  const auto proof = ask<storage::ledger_proof>(
    [&](auto done) { db.store().verify_ledger(fold, {}, std::move(done)); });
  BOOST_REQUIRE(proof);
  BOOST_TEST(proof->holds());
  for (const auto& finding : proof->findings)
    BOOST_TEST_MESSAGE(finding);
  BOOST_TEST(proof->events == events);
}

/// Makes every commit of the server wait, after it is durable, for a standby that never comes.
class endless_commits {
public:
  explicit endless_commits(const storage_fixture& fixture) : fixture_(fixture) {
    set("ghost");
    // Commits wait once the checkpointer has read the setting, which it does before it begins a
    // checkpoint. The first one may have been under way.
    BOOST_TEST(fixture_.run("checkpoint").empty());
    BOOST_TEST(fixture_.run("checkpoint").empty());
  }
  ~endless_commits() { set(""); }

private:
  void set(const std::string& standby) const {
    BOOST_TEST(
      fixture_.run("alter system set synchronous_standby_names = '" + standby + "'").empty());
    BOOST_TEST(fixture_.run("select pg_reload_conf()").empty());
    wait_until([&] {
      return fixture_.value(
               "select setting from pg_settings"
               " where name = 'synchronous_standby_names'")
             == standby;
    });
  }

  const storage_fixture& fixture_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(storage_recovery)

BOOST_FIXTURE_TEST_CASE(a_writer_killed_at_any_moment_commits_everything_once,
                        storage_fixture) {
  const auto db = open();
  const auto first = open_shard(db->journal(), shard_number{0});
  const auto second = open_shard(db->journal(), shard_number{1});
  std::mt19937 random{20261123};
  std::uint64_t in_first = 0;
  std::uint64_t in_second = 0;
  for (int round = 0; round < 60; ++round) {
    auto writes = next_writes(first, in_first, 1 + random() % 40);
    for (auto& write : next_writes(second, in_second, 1 + random() % 40))
      writes.push_back(std::move(write));
    answers<write_result> done;
    const auto count = writes.size();
    const auto kill_after = random() % (count + 1);
    for (std::size_t i = 0; i < count; ++i) {
      if (i == kill_after)
        BOOST_REQUIRE(run(kill_writers).empty());
      db->journal().submit(std::move(writes[i]), done.sink());
    }
    require_all_committed(done.wait(count));
    BOOST_REQUIRE_EQUAL(done.count(), count);
  }
  require_proof(*db, 2 * (in_first + in_second));
}

BOOST_FIXTURE_TEST_CASE(a_commit_that_was_durable_but_unanswered_is_found_out,
                        storage_fixture) {
  const auto db = open();
  const auto owner = open_shard(db->journal(), shard_number{0});
  std::uint64_t number = 0;
  require_all_committed(commit_all(db->journal(), next_writes(owner, number, 1)));
  for (int round = 0; round < 5; ++round) {
    answers<write_result> done;
    auto writes = next_writes(owner, number, 10);
    const auto count = writes.size();
    {
      const endless_commits endless{*this};
      for (auto& write : writes)
        db->journal().submit(std::move(write), done.sink());
      wait_until([&] { return value(writers_waiting("SyncRep")) == "1"; });
      BOOST_TEST(done.count() == 0U);
      BOOST_REQUIRE(run(kill_writers).empty());
      // The next transaction may wait for the ghost, too, until it is gone.
    }
    require_all_committed(done.wait(count));
  }
  require_proof(*db, 2 * number);
}

BOOST_FIXTURE_TEST_CASE(a_claim_without_events_survives_an_unanswered_commit, storage_fixture) {
  const auto db = open();
  const auto owner = open_shard(db->journal(), shard_number{0});
  std::uint64_t number = 0;
  require_all_committed(commit_all(db->journal(), next_writes(owner, number, 1)));
  auto bare = create_write(owner, 77);
  bare.events.clear();
  bare.snapshot.reset();
  answers<write_result> done;
  {
    const endless_commits endless{*this};
    db->journal().submit(bare, done.sink());
    wait_until([&] { return value(writers_waiting("SyncRep")) == "1"; });
    BOOST_REQUIRE(run(kill_writers).empty());
  }
  // Its own row is what it meets when it is repeated, and it knows it.
  require_all_committed(done.wait());
  BOOST_TEST(value("select count(*) from idempotency_key") == "2");
}

BOOST_FIXTURE_TEST_CASE(a_unit_whose_commit_was_not_answered_does_not_say_that_it_was_not_done,
                        storage_fixture) {
  const auto db = open();
  const auto owner = open_shard(db->journal(), shard_number{0});
  auto created = create_write(owner, 1);
  const storage::used_key used{created.claim.value().merchant, created.claim->key};
  require_all_committed({commit(db->journal(), std::move(created))});
  answers<expected<storage::retained_keys>> done;
  {
    const endless_commits endless{*this};
    db->journal().run(owner.shard, owner.epoch, storage::retain_keys({{used}, 0}, done.sink()));
    wait_until([&] { return value(writers_waiting("SyncRep")) == "1"; });
    // The next owner waits for the commit, and takes the shard before it can be repeated.
    auto taken = std::async(std::launch::async, [&] {
      return run(
        "set synchronous_commit = off;"
        "update shard set epoch = epoch + 1 where shard_id = 0");
    });
    wait_until([&] {
      return value(
               "select count(*) from pg_stat_activity"
               " where datname = current_database() and wait_event_type = 'Lock'")
             == "1";
    });
    BOOST_REQUIRE(run(kill_writers).empty());
    BOOST_REQUIRE(taken.get().empty());
  }
  const auto outcome = done.wait().front();
  BOOST_REQUIRE(!outcome);
  BOOST_TEST((outcome.error().code == errc::unknown_outcome), outcome.error().detail);
  BOOST_TEST(outcome.error().detail.find("COMMIT was not answered") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(a_connection_lost_before_the_commit_is_tried_again, storage_fixture) {
  const auto db = open();
  const auto owner = open_shard(db->journal(), shard_number{0});
  std::uint64_t number = 0;
  require_all_committed(commit_all(db->journal(), next_writes(owner, number, 1)));
  for (int round = 0; round < 5; ++round) {
    auto blocker =
      storage::connection::open(url, "blocker", std::chrono::steady_clock::now() + patience);
    BOOST_REQUIRE(blocker);
    const auto deadline = std::chrono::steady_clock::now() + patience;
    BOOST_REQUIRE(
      (*blocker)->script("begin; select from shard where shard_id = 0 for update", deadline));
    answers<write_result> done;
    auto writes = next_writes(owner, number, 10);
    const auto count = writes.size();
    for (auto& write : writes)
      db->journal().submit(std::move(write), done.sink());
    wait_until([&] { return value(writers_waiting("transactionid")) == "1"; });
    BOOST_REQUIRE(run(kill_writers).empty());
    BOOST_REQUIRE((*blocker)->script("rollback", deadline));
    require_all_committed(done.wait(count));
  }
  require_proof(*db, 2 * number);
}

BOOST_AUTO_TEST_CASE(a_server_that_crashes_loses_nothing_that_was_acknowledged) {
  // A process that dies loses nothing that it has handed to the kernel, synced or not.
  postgres_server server{{.fsync = false}};
  const auto url = server.create_database();
  BOOST_REQUIRE(storage::migrate(url, test_identity()));
  auto opened = storage::open_database(test_options(url));
  BOOST_REQUIRE(opened);
  const auto& db = *opened;
  storage::acquired_shard owner{shard_number{0}, epoch_number{0}, {}, std::string(32, '\0')};
  db->journal().open_shard(owner.shard, owner.epoch, owner.last_seq, owner.chain);
  std::uint64_t number = 0;
  for (int round = 0; round < 3; ++round) {
    answers<write_result> done;
    auto writes = next_writes(owner, number, 300);
    const auto count = writes.size();
    for (auto& write : writes)
      db->journal().submit(std::move(write), done.sink());
    done.wait(1);
    server.crash();
    server.start();
    require_all_committed(done.wait(count));
  }
  require_proof(*db, 2 * number);
}

BOOST_AUTO_TEST_CASE(a_server_that_stays_away_costs_the_shard) {
  postgres_server server{{.fsync = false}};
  const auto url = server.create_database();
  BOOST_REQUIRE(storage::migrate(url, test_identity()));
  auto opened = storage::open_database(test_options(url));
  BOOST_REQUIRE(opened);
  const auto& db = *opened;
  answers<storage::acquired_shard> acquired;
  answers<epoch_number> lost;
  storage::lease_events events;
  events.acquired = acquired.sink();
  events.lost = [sink = lost.sink()](shard_number, epoch_number epoch) { sink(epoch); };
  const auto keeper = db->keep_leases(std::move(events));
  keeper->want({shard_number{0}});
  const auto owner = acquired.wait().front();
  db->journal().open_shard(owner.shard, owner.epoch, owner.last_seq, owner.chain);
  server.crash();
  const auto result = commit(db->journal(), create_write(owner, 1));
  BOOST_TEST((result.outcome == kind::lost));
  BOOST_TEST((lost.wait().front() == owner.epoch));
  server.start();
  const auto again = acquired.wait(2).back();
  BOOST_TEST(again.epoch.value > owner.epoch.value);
  db->journal().open_shard(again.shard, again.epoch, again.last_seq, again.chain);
  BOOST_TEST((commit(db->journal(), create_write(again, 1)).outcome == kind::committed));
}

BOOST_AUTO_TEST_SUITE_END()
