// Leases: who may take a shard, who may keep it, and what ends an owner that no longer answers.
#include "tests/integration/storage/fixture.hpp"

#include <algorithm>

using namespace holdfast;
using namespace holdfast::test;

namespace {

/// A node with its keeper and what it has heard.
struct node {
  node(const storage_fixture& fixture, const std::string& name) : db(fixture.open(name)) {
    keeper =
      db->keep_leases({acquired.sink(), [sink = lost.sink()](shard_number shard, epoch_number) {
                         sink(shard);
                       }});
  }

  answers<storage::acquired_shard> acquired;
  answers<shard_number> lost;
  std::unique_ptr<storage::database> db;
  std::unique_ptr<storage::lease_keeper> keeper;
};

const shard_number shard_0{0};
const shard_number shard_1{1};

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
    const auto rows = one.keeper->snapshot();
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

BOOST_FIXTURE_TEST_CASE(an_unwanted_shard_is_released, storage_fixture) {
  node one{*this, "one"};
  one.keeper->want({shard_0, shard_1});
  one.acquired.wait(2);
  one.keeper->want({shard_1});
  wait_until([&] { return value("select owner from shard_lease where shard_id = 0").empty(); });
  BOOST_TEST(value("select owner from shard_lease where shard_id = 1") == "one");
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
    const auto rows = one.keeper->snapshot();
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
