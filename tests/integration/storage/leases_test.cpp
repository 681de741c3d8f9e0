// Leases: who may take a shard, who may keep it, and what ends an owner that no longer answers.
#include "storage/postgres_leases.hpp"
#include "tests/integration/storage/lease_node.hpp"
#include "tests/support/postgres.hpp"

#include <atomic>

using namespace holdfast;
using namespace holdfast::test;

namespace {

using node = lease_node;

} // namespace

BOOST_AUTO_TEST_SUITE(storage_leases)

BOOST_FIXTURE_TEST_CASE(free_shards_are_taken_and_kept, storage_fixture) {
  node one{*this, "one"};
  one.keeper->want({shard_0, shard_1});
  for (const auto& shard : one.acquired.wait(2)) {
    BOOST_TEST(shard.epoch.value == 1);
    BOOST_TEST(shard.last_seq.value == 0);
    BOOST_TEST(shard.chain.size() == 32U);
  }
  const auto first = value("select lease_until from shard_lease where shard_id = 0");
  wait_until(
    [&] { return value("select lease_until from shard_lease where shard_id = 0") > first; });
  BOOST_TEST(one.lost.count() == 0U);
  BOOST_TEST(value("select epoch from shard where shard_id = 0") == "1");
  wait_until([&] {
    const auto rows = one.keeper->snapshot().leases;
    return rows.size() == test_shards && rows[0].owner == "one" && rows[0].epoch.value == 1
           && rows[3].owner.empty();
  });
}

BOOST_FIXTURE_TEST_CASE(a_held_shard_is_not_taken_and_a_released_one_is_with_a_higher_epoch,
                        storage_fixture) {
  node one{*this, "one"};
  one.keeper->want({shard_0});
  one.acquired.wait(1);
  node two{*this, "two"};
  two.keeper->want({shard_0, shard_1});
  BOOST_TEST((two.acquired.wait(1).front().shard == shard_1));
  const auto renewed = value("select lease_until from shard_lease where shard_id = 0");
  wait_until(
    [&] { return value("select lease_until from shard_lease where shard_id = 0") > renewed; });
  BOOST_TEST(two.acquired.count() == 1U);
  one.keeper->release_all();
  const auto taken = two.acquired.wait(2).back();
  BOOST_TEST((taken.shard == shard_0));
  BOOST_TEST(taken.epoch.value == 2);
  BOOST_TEST(one.lost.count() == 0U);
}

BOOST_FIXTURE_TEST_CASE(an_unwanted_shard_is_released_at_once_where_nobody_listens,
                        storage_fixture) {
  answers<storage::acquired_shard> acquired;
  storage::lease_events events;
  events.acquired = acquired.sink();
  const auto db = open("one");
  const auto keeper = db->keep_leases(std::move(events));
  keeper->want({shard_0, shard_1});
  acquired.wait(2);
  keeper->want({shard_1});
  wait_until([&] { return value("select owner from shard_lease where shard_id = 0").empty(); });
  BOOST_TEST(value("select owner from shard_lease where shard_id = 1") == "one");
}

BOOST_FIXTURE_TEST_CASE(a_shard_is_handed_over_without_a_gap_or_an_overlap, storage_fixture) {
  node one{*this, "one"};
  node two{*this, "two"};
  one.keeper->want({shard_0});
  one.acquired.wait(1);
  two.keeper->want({shard_0});
  one.keeper->want({});
  one.keeper->want({});
  BOOST_TEST((one.given_up.wait().front() == shard_0));
  // It stays ours, and renewed, for as long as it takes.
  one.keeper->released(shard_0, epoch_number{7}); // of no epoch that is held
  for (int round = 0; round < 2; ++round) {
    const auto renewed = value("select lease_until from shard_lease where shard_id = 0");
    wait_until([&] {
      return value("select lease_until from shard_lease where shard_id = 0") > renewed;
    });
  }
  BOOST_TEST(value("select owner from shard_lease where shard_id = 0") == "one");
  BOOST_TEST(two.acquired.count() == 0U);
  one.keeper->released(shard_0, epoch_number{1});
  wait_until(
    [&] { return value("select owner from shard_lease where shard_id = 0") != "one"; });
  two.keeper->look_again();
  BOOST_TEST(two.acquired.wait(1).front().epoch.value == 2);
  BOOST_TEST(one.lost.count() == 0U);
  BOOST_TEST(one.given_up.count() == 1U);
}

BOOST_FIXTURE_TEST_CASE(a_shard_that_is_wanted_again_is_taken_anew_once_it_is_released,
                        storage_fixture) {
  node one{*this, "one"};
  one.keeper->want({shard_0});
  one.acquired.wait(1);
  one.keeper->want({});
  one.given_up.wait(1);
  one.keeper->want({shard_0});
  one.keeper->released(shard_0, epoch_number{1});
  BOOST_TEST(one.acquired.wait(2).back().epoch.value == 2);
  one.keeper->want({});
  BOOST_TEST(one.given_up.wait(2).size() == 2U);
}

BOOST_FIXTURE_TEST_CASE(a_silent_death_costs_its_lease_and_hardly_more, storage_fixture) {
  node two{*this, "two", slow_lease};
  two.keeper->introduce(card_of("two"));
  {
    node one{*this, "one"};
    one.keeper->introduce(card_of("one"));
    one.keeper->want({shard_0});
    one.acquired.wait(1);
    two.keeper->want({shard_0});
    wait_until([&] {
      const auto rows = two.keeper->snapshot().leases;
      return !rows.empty() && rows[0].owner == "one";
    });
  }
  BOOST_REQUIRE(
    run("create table before as select lease_until from shard_lease where shard_id = 0")
      .empty());
  two.acquired.wait(1);
  const auto late =
    std::stod(value("select extract(epoch from l.lease_until - b.lease_until) - 90"
                    " from shard_lease l, before b where l.shard_id = 0"));
  BOOST_TEST(late >= 0.0);
  BOOST_TEST(late < 0.3);
}

BOOST_FIXTURE_TEST_CASE(a_log_that_lacks_what_was_acknowledged_is_not_taken, storage_fixture) {
  node one{*this, "one"};
  one.marks->note(shard_0, sequence_number{5});
  one.keeper->want({shard_0, shard_1});
  BOOST_TEST((one.acquired.wait(1).front().shard == shard_1));
  BOOST_TEST(one.behind.wait(1).front() == "0 has 0 of 5");
  one.keeper->want({shard_0, shard_1, shard_number{2}});
  one.acquired.wait(2);
  one.keeper->reacquire(shard_0);
  one.keeper->reacquire(shard_1);
  one.acquired.wait(3);
  BOOST_TEST(one.behind.count() == 1U);
  BOOST_TEST(value("select epoch from shard where shard_id = 0") == "0");
  BOOST_TEST(one.db->behind().size() == 1U);
}

BOOST_FIXTURE_TEST_CASE(a_log_that_falls_behind_while_its_shard_is_held_is_noticed,
                        storage_fixture) {
  node one{*this, "one", slow_lease};
  one.keeper->want({shard_0, shard_1});
  one.acquired.wait(2);
  one.marks->note(shard_0, sequence_number{5});
  one.keeper->look_again();
  BOOST_TEST((one.lost.wait(1).front() == shard_0));
  BOOST_TEST(one.behind.wait(1).front() == "0 has 0 of 5");
  BOOST_TEST(one.db->behind().size() == 1U);
  BOOST_TEST(one.lost.count() == 1U);
}

BOOST_FIXTURE_TEST_CASE(what_a_peer_said_is_judged_anew_when_the_log_has_changed,
                        storage_fixture) {
  node one{*this, "one"};
  one.marks->note(shard_0, sequence_number{5});
  one.keeper->want({shard_0});
  one.behind.wait(1);
  // As if another server had answered, which has them.
  BOOST_TEST(run("update shard set last_seq = 5 where shard_id = 0").empty());
  one.keeper->look_again();
  BOOST_TEST(one.acquired.wait(1).front().last_seq.value == 5);
  wait_until([&] { return one.db->behind().empty(); });
  // Of what was seen there by ourselves the judgement is final.
  BOOST_TEST(run("update shard set last_seq = 4 where shard_id = 0").empty());
  one.keeper->look_again();
  BOOST_TEST(one.behind.wait(2).back() == "0 has 4 of 5");
  BOOST_TEST(run("update shard set last_seq = 5 where shard_id = 0").empty());
  const auto looks = one.seen.count();
  one.keeper->look_again();
  one.seen.wait(looks + 2);
  BOOST_TEST(one.acquired.count() == 1U);
  BOOST_TEST(one.db->behind().size() == 1U);
}

BOOST_FIXTURE_TEST_CASE(what_is_committed_is_marked, storage_fixture) {
  node one{*this, "one"};
  one.keeper->want({shard_0});
  const auto owner = one.acquired.wait(1).front();
  one.db->journal().open_shard(owner.shard, owner.epoch, owner.last_seq, owner.chain);
  commit(one.db->journal(), create_write(owner, 1));
  BOOST_TEST(one.marks->known(shard_0).value == 1);
  node two{*this, "two"};
  one.keeper->release_all();
  two.keeper->want({shard_0});
  two.acquired.wait(1);
  BOOST_TEST(two.marks->known(shard_0).value == 1);
}

BOOST_FIXTURE_TEST_CASE(a_database_of_another_cluster_is_not_used_however_it_got_there,
                        storage_fixture) {
  node one{*this, "one"};
  one.keeper->want({shard_0});
  one.acquired.wait(1);
  BOOST_TEST(run("update cluster set name = 'other'; select pg_terminate_backend(pid)"
                 " from pg_stat_activity where application_name = 'holdfast leases one'")
               .empty());
  one.lost.wait(1);
  answers<expected<void>> pinned;
  one.keeper->pin({shard_0, shard_0}, "", pinned.sink());
  BOOST_TEST((pinned.wait().front().error().code == errc::unavailable));
  BOOST_TEST(run("update cluster set name = 'test'").empty());
  BOOST_TEST(one.acquired.wait(2).back().epoch.value == 2);
}

BOOST_AUTO_TEST_CASE(a_database_that_is_down_at_the_start_is_tried_again) {
  postgres_server server{{.fsync = false}};
  storage::lease_options options;
  options.url = server.create_database();
  BOOST_REQUIRE(storage::migrate(options.url, test_identity()));
  server.crash();
  options.identity = test_identity();
  options.owner = "one";
  options.lease = milliseconds{600};
  options.writer_pid = [] { return 0; };
  options.marks = std::make_shared<storage::sequence_marks>(test_shards);
  answers<storage::acquired_shard> acquired;
  storage::lease_events events;
  events.acquired = acquired.sink();
  storage::postgres_lease_keeper keeper{options, events};
  keeper.want({shard_0});
  answers<expected<void>> pinned;
  keeper.pin({shard_0, shard_0}, "", pinned.sink());
  BOOST_TEST((pinned.wait().front().error().code == errc::unavailable));
  server.start();
  acquired.wait(1);
}

BOOST_FIXTURE_TEST_CASE(a_dead_owners_shard_is_taken_when_its_lease_ends_and_not_before,
                        storage_fixture) {
  node two{*this, "two"};
  {
    node one{*this, "one"};
    one.keeper->want({shard_0});
    one.acquired.wait(1);
  }
  two.keeper->want({shard_0});
  two.acquired.wait(1);
  // The take-over's own lease began no earlier than the one before had ended.
  BOOST_TEST(value("select epoch from shard where shard_id = 0") == "2");
  BOOST_TEST(value("select owner from shard_lease where shard_id = 0") == "two");
}

BOOST_FIXTURE_TEST_CASE(a_lease_that_ends_between_an_attempt_and_a_look_costs_no_round,
                        storage_fixture) {
  const auto set_end = [this](const std::string& until) {
    BOOST_TEST(run("update shard_lease set owner = 'one', lease_until = clock_timestamp() + "
                   + until + " where shard_id = 0")
                 .empty());
  };
  set_end("interval '1 hour'");
  std::atomic<bool> is_due{false};
  int statements = 0; // Of the keeper's thread.
  storage::lease_options options;
  options.url = url;
  options.identity = test_identity();
  options.owner = "two";
  options.lease = slow_lease;
  options.marks = std::make_shared<storage::sequence_marks>(test_shards);
  // It is asked before each statement; the first of a round tries to take what is free.
  options.writer_pid = [&] {
    if (is_due && ++statements == 2)
      set_end("interval '0'");
    return 0;
  };
  answers<storage::acquired_shard> acquired;
  answers<storage::cluster_view> seen;
  storage::lease_events events;
  events.acquired = acquired.sink();
  events.seen = seen.sink();
  storage::postgres_lease_keeper keeper{options, events};
  keeper.want({shard_0});
  wait_until([&] { return !keeper.snapshot().leases.empty(); });
  const auto looks = seen.count();
  keeper.look_again();
  seen.wait(looks + 1);
  BOOST_TEST(acquired.count() == 0U);
  is_due = true;
  keeper.look_again();
  acquired.wait(1);
}

BOOST_FIXTURE_TEST_CASE(a_late_renewal_fails_even_without_a_rival, storage_fixture) {
  node one{*this, "one"};
  one.keeper->want({shard_0});
  const auto before = one.acquired.wait(1).front();
  BOOST_TEST(
    run("update shard_lease set lease_until = clock_timestamp() where shard_id = 0").empty());
  BOOST_TEST((one.lost.wait().front() == shard_0));
  // It is wanted still, and ours by name, so it comes back with a higher epoch.
  BOOST_TEST(one.acquired.wait(2).back().epoch.value == before.epoch.value + 1);
}

BOOST_FIXTURE_TEST_CASE(a_rivals_lease_is_believed, storage_fixture) {
  node one{*this, "one"};
  one.keeper->want({shard_0});
  one.acquired.wait(1);
  BOOST_TEST(run("update shard set epoch = epoch + 1 where shard_id = 0;"
                 "update shard_lease set owner = 'rival',"
                 " lease_until = clock_timestamp() + interval '1 hour' where shard_id = 0")
               .empty());
  BOOST_TEST((one.lost.wait().front() == shard_0));
  wait_until([&] {
    const auto rows = one.keeper->snapshot().leases;
    return !rows.empty() && rows[0].owner == "rival";
  });
  BOOST_TEST(one.acquired.count() == 1U);
}

BOOST_FIXTURE_TEST_CASE(taking_a_shard_again_raises_its_epoch, storage_fixture) {
  node one{*this, "one"};
  one.keeper->want({shard_0});
  one.acquired.wait(1);
  one.keeper->reacquire(shard_0);
  BOOST_TEST(one.acquired.wait(2).back().epoch.value == 2);
  one.keeper->reacquire(shard_0);
  BOOST_TEST(one.acquired.wait(3).back().epoch.value == 3);
  BOOST_TEST(one.lost.count() == 0U);
}

BOOST_FIXTURE_TEST_CASE(a_frozen_owners_transaction_is_ended, storage_fixture) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  auto frozen = storage::connection::open(url, "journal frozen", deadline);
  BOOST_REQUIRE(frozen);
  BOOST_REQUIRE(
    (*frozen)->script("begin; select from shard where shard_id = 0 for update", deadline));
  BOOST_TEST(run("update shard_lease set owner = 'frozen', lease_until = clock_timestamp(),"
                 " backend_pids = array["
                 + std::to_string((*frozen)->backend_pid()) + "] where shard_id = 0")
               .empty());
  node one{*this, "one"};
  one.keeper->want({shard_0});
  BOOST_TEST(one.acquired.wait(1).front().epoch.value == 1);
  BOOST_TEST(!(*frozen)->script("commit", deadline));
}

BOOST_FIXTURE_TEST_CASE(a_transaction_that_its_owners_lease_does_not_tell_of_yet_is_ended_too,
                        storage_fixture) {
  const std::string long_id(60, 'n');
  const auto deadline = std::chrono::steady_clock::now() + patience;
  auto frozen = storage::connection::open(url, "journal " + long_id, deadline);
  auto other = storage::connection::open(url, "journal another", deadline);
  BOOST_REQUIRE((frozen && other));
  BOOST_REQUIRE(
    (*frozen)->script("begin; select from shard where shard_id = 0 for update", deadline));
  BOOST_TEST(run("update shard_lease set owner = '" + long_id
                 + "', lease_until = clock_timestamp() where shard_id = 0")
               .empty());
  node one{*this, "one"};
  one.keeper->want({shard_0});
  BOOST_TEST(one.acquired.wait(1).front().epoch.value == 1);
  BOOST_TEST(!(*frozen)->script("commit", deadline));
  BOOST_TEST((*other)->script("select 1", deadline).has_value());
}

BOOST_FIXTURE_TEST_CASE(a_shard_that_cannot_be_had_costs_none_that_is_held, storage_fixture) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  // Not the journal of a node, so that nobody ends it.
  auto blocker = storage::connection::open(url, "blocker", deadline);
  BOOST_REQUIRE(blocker);
  BOOST_REQUIRE(
    (*blocker)->script("begin; select from shard where shard_id = 0 for update", deadline));
  // Short enough to end while the longest wait for a lock lasts.
  node one{*this, "one", milliseconds{1'200}};
  one.keeper->want({shard_1});
  one.acquired.wait(1);
  one.keeper->want({shard_0, shard_1});
  one.seen.wait(one.seen.count() + 8);
  BOOST_TEST(one.lost.count() == 0U);
  BOOST_REQUIRE((*blocker)->script("rollback", deadline));
  BOOST_TEST((one.acquired.wait(2).back().shard == shard_0));
}

BOOST_FIXTURE_TEST_CASE(a_shard_that_the_journal_lost_is_taken_again, storage_fixture) {
  node one{*this, "one"};
  one.keeper->want({shard_0});
  const auto owner = one.acquired.wait(1).front();
  auto& journal = one.db->journal();
  journal.open_shard(owner.shard, owner.epoch, owner.last_seq, owner.chain);
  BOOST_TEST((commit(journal, create_write(owner, 1)).outcome
              == storage::write_result::kind::committed));
  // Behind the lease's back, as a namesake would.
  static_cast<void>(take_over(shard_0));
  BOOST_TEST((commit(journal, create_write(owner, 2)).outcome
              == storage::write_result::kind::not_owner));
  BOOST_TEST((one.lost.wait().front() == shard_0));
  const auto again = one.acquired.wait(2).back();
  BOOST_TEST(again.epoch.value == owner.epoch.value + 2);
  BOOST_TEST(again.last_seq.value == 1);
}

BOOST_FIXTURE_TEST_CASE(the_writers_process_is_recorded, storage_fixture) {
  node one{*this, "one"};
  one.keeper->want({shard_0});
  const auto owner = one.acquired.wait(1).front();
  auto& journal = one.db->journal();
  journal.open_shard(owner.shard, owner.epoch, owner.last_seq, owner.chain);
  commit(journal, create_write(owner, 1));
  wait_until([&] {
    return value(
             "select count(*) from shard_lease l join pg_stat_activity a"
             " on a.pid = any(l.backend_pids) where a.application_name = 'holdfast journal one'")
           == "1";
  });
}

BOOST_AUTO_TEST_SUITE_END()
