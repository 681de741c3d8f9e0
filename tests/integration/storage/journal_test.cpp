// The journal's writer: merging, fencing, keys and poison rows.
#include "messages/limits.hpp"
#include "storage/journal_queue.hpp"
#include "tests/integration/storage/fixture.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

using namespace holdfast;
using namespace holdfast::test;
using storage::journal_write;
using storage::write_result;
using kind = storage::write_result::kind;

namespace {

std::vector<journal_write> create_many(const storage::acquired_shard& owner, std::uint64_t from,
                                       std::uint64_t count) {
  std::vector<journal_write> writes;
  for (auto i = from; i < from + count; ++i)
    writes.push_back(create_write(owner, i));
  return writes;
}

void require_gapless(const storage_fixture& fixture) {
  BOOST_TEST(fixture.value("select bool_and(s.last_seq = (select count(*) from event e"
                           " where e.shard_id = s.shard_id)) from shard s")
             == "true");
}

} // namespace

BOOST_AUTO_TEST_SUITE(storage_journal)

BOOST_FIXTURE_TEST_CASE(writes_that_wait_are_merged_into_few_transactions, storage_fixture) {
  const auto db = open();
  std::vector<journal_write> writes;
  for (std::uint16_t shard = 0; shard < test_shards; ++shard) {
    const auto owner = open_shard(db->journal(), shard_number{shard});
    for (auto& write : create_many(owner, 1, 500))
      writes.push_back(std::move(write));
  }
  answers<std::size_t> commits;
  db->observe_commits(
    [sink = commits.sink()](std::size_t count, std::int64_t) { sink(count); });
  std::map<shard_number, std::int64_t> last;
  const auto results = commit_all(db->journal(), writes);
  for (std::size_t i = 0; i < results.size(); ++i) {
    BOOST_REQUIRE((results[i].outcome == kind::committed));
    // Each write has one event, and order within a shard is kept.
    BOOST_REQUIRE_EQUAL(results[i].last_seq.value, ++last[writes[i].shard]);
  }
  BOOST_TEST(db->figures().writes == 2'000U);
  BOOST_TEST(db->figures().transactions < 100U);
  BOOST_TEST(db->figures().queued == 0U);
  BOOST_TEST(commits.wait(1).size() >= 1U);
  BOOST_TEST(value("select count(*) from payment") == "2000");
  BOOST_TEST(value("select count(*) from event where chain is not null")
             != value("select count(*) from event"));
  require_gapless(*this);
}

BOOST_FIXTURE_TEST_CASE(exceptions_are_written_with_their_events_or_not_at_all,
                        storage_fixture) {
  const auto db = open();
  const auto owner = open_shard(db->journal(), shard_number{0});
  const auto with_exception = [&](std::uint64_t number) {
    auto write = create_write(owner, number);
    opened_exception opened;
    opened.id = exception_id::make(test_time(), shard_number{0}, number);
    opened.opened_at = test_time();
    opened.what.kind = unresolved_authorization;
    opened.what.merchant = merchant_of(shard_number{0});
    opened.what.payment = write.snapshot->id;
    opened.what.unit = write.snapshot->unit;
    opened.what.expected_amount = write.snapshot->amount;
    opened.what.detail = "nobody knows";
    opened.what.source = "alpha";
    opened.what.external_ref = write.snapshot->id.text() + ".1";
    write.exceptions.push_back(std::move(opened));
    return write;
  };
  const auto results = commit_all(db->journal(), {with_exception(1), with_exception(2)});
  for (const auto& result : results)
    BOOST_TEST((result.outcome == kind::committed));
  BOOST_TEST(
    value("select count(*) from recon_exception x join payment p on p.id = x.payment_id"
          " where x.kind = 'unresolved_authorization' and x.status = 1"
          " and x.source = 'alpha' and x.fingerprint is null"
          " and x.expected_amount = p.amount and x.opened_at is not null")
    == "2");
  auto poison = with_exception(3);
  own_snapshot(poison).amount = minor_units{0};
  BOOST_TEST((commit(db->journal(), std::move(poison)).outcome == kind::rejected));
  BOOST_TEST(value("select count(*) from recon_exception") == "2");
}

BOOST_FIXTURE_TEST_CASE(an_owner_that_was_overtaken_writes_nothing_more, storage_fixture) {
  const auto db = open();
  const auto first = open_shard(db->journal(), shard_number{0});
  const auto second = open_shard(db->journal(), shard_number{1});
  BOOST_TEST((commit(db->journal(), create_write(first, 1)).outcome == kind::committed));
  const auto successor = take_over(shard_number{0});
  BOOST_TEST(successor.epoch.value == first.epoch.value + 1);
  BOOST_TEST(successor.last_seq.value == 1);

  std::vector<journal_write> writes = create_many(first, 2, 20);
  for (auto& write : create_many(second, 1, 20))
    writes.push_back(std::move(write));
  const auto results = commit_all(db->journal(), std::move(writes));
  for (std::size_t i = 0; i < results.size(); ++i)
    BOOST_TEST((results[i].outcome == (i < 20 ? kind::not_owner : kind::committed)));
  BOOST_TEST(value("select last_seq from shard where shard_id = 0") == "1");
  BOOST_TEST(value("select last_seq from shard where shard_id = 1") == "20");
}

BOOST_FIXTURE_TEST_CASE(a_new_epoch_goes_on_where_the_old_one_ended, storage_fixture) {
  const auto db = open();
  const auto old_owner = open_shard(db->journal(), shard_number{0});
  commit_all(db->journal(), create_many(old_owner, 1, 5));
  const auto owner = open_shard(db->journal(), shard_number{0});
  BOOST_TEST((commit(db->journal(), create_write(old_owner, 6)).outcome == kind::not_owner));
  const auto result = commit(db->journal(), create_write(owner, 7));
  BOOST_TEST((result.outcome == kind::committed));
  BOOST_TEST(result.last_seq.value == 6);
  require_gapless(*this);
}

BOOST_FIXTURE_TEST_CASE(closing_a_shard_writes_what_is_queued_and_refuses_the_rest,
                        storage_fixture) {
  const auto db = open();
  const auto owner = open_shard(db->journal(), shard_number{0});
  answers<write_result> results;
  for (auto& write : create_many(owner, 1, 50))
    db->journal().submit(std::move(write), results.sink());
  answers<bool> closed;
  db->journal().close_shard(shard_number{0},
                            [&, sink = closed.sink()] { sink(results.count() == 50); });
  BOOST_TEST(closed.wait().front());
  BOOST_TEST((commit(db->journal(), create_write(owner, 51)).outcome == kind::not_owner));
  BOOST_TEST(value("select count(*) from event") == "50");
}

BOOST_FIXTURE_TEST_CASE(a_barrier_comes_after_everything_before_it, storage_fixture) {
  const auto db = open();
  const auto owner = open_shard(db->journal(), shard_number{0});
  answers<write_result> results;
  for (auto& write : create_many(owner, 1, 50))
    db->journal().submit(std::move(write), results.sink());
  answers<bool> reached;
  db->journal().barrier(shard_number{0},
                        [&, sink = reached.sink()] { sink(results.count() == 50); });
  BOOST_TEST(reached.wait().front());
}

BOOST_FIXTURE_TEST_CASE(a_cold_key_is_named_while_the_others_commit, storage_fixture) {
  const auto db = open();
  const auto owner = open_shard(db->journal(), shard_number{0});
  const auto created = create_write(owner, 5);
  commit(db->journal(), created);
  commit(db->journal(), authorize_write(owner, *created.snapshot));

  auto again = create_write(owner, 1'005);
  again.claim->key = "key-5";
  std::vector<journal_write> writes = create_many(owner, 10, 10);
  writes.push_back(again);
  for (auto& write : create_many(owner, 20, 10))
    writes.push_back(std::move(write));
  const auto results = commit_all(db->journal(), std::move(writes));
  for (std::size_t i = 0; i < results.size(); ++i)
    BOOST_TEST((results[i].outcome == (i == 10 ? kind::key_conflict : kind::committed)));
  const auto& existing = results[10].existing;
  BOOST_REQUIRE(existing);
  BOOST_TEST((existing->subject == created.snapshot->id.value));
  BOOST_TEST((existing->request == created.claim->request));
  BOOST_REQUIRE(existing->answer);
  BOOST_TEST(existing->answer->status == 201);
  BOOST_TEST(existing->answer->body == "{\"id\":\"" + created.snapshot->id.text() + "\"}");
  BOOST_TEST(value("select count(*) from event") == "22");
  require_gapless(*this);
}

BOOST_FIXTURE_TEST_CASE(of_two_claims_of_one_key_the_first_wins, storage_fixture) {
  const auto db = open();
  const auto owner = open_shard(db->journal(), shard_number{0});
  std::vector<journal_write> writes;
  for (std::uint64_t i = 1; i <= 30; ++i) {
    writes.push_back(create_write(owner, i));
    writes.back().claim->key = "one";
  }
  const auto first = writes.front().snapshot->id;
  const auto results = commit_all(db->journal(), std::move(writes));
  for (std::size_t i = 0; i < results.size(); ++i) {
    BOOST_TEST((results[i].outcome == (i == 0 ? kind::committed : kind::key_conflict)));
    if (i > 0)
      BOOST_TEST((results[i].existing && results[i].existing->subject == first.value));
  }
  BOOST_TEST(value("select count(*) from payment") == "1");
}

BOOST_FIXTURE_TEST_CASE(a_claim_may_come_with_its_answer_and_without_an_event,
                        storage_fixture) {
  const auto db = open();
  const auto owner = open_shard(db->journal(), shard_number{0});
  auto write = create_write(owner, 1);
  write.events.clear();
  write.snapshot.reset();
  write.answer = storage::key_answer{
    write.claim->merchant, write.claim->key, {409, "application/problem+json", "{}", ""}};
  const auto result = commit(db->journal(), write);
  BOOST_TEST((result.outcome == kind::committed));
  const auto found = ask<std::optional<storage::stored_key>>([&](auto done) {
    db->store().find_key(write.claim->merchant, write.claim->key, std::move(done));
  });
  BOOST_REQUIRE((found && *found && (*found)->answer));
  BOOST_TEST((*found)->answer->status == 409);
  BOOST_TEST(value("select count(*) from event") == "0");
}

BOOST_FIXTURE_TEST_CASE(only_the_guilty_of_a_poisoned_batch_fail, storage_fixture) {
  const auto db = open();
  const auto owner = open_shard(db->journal(), shard_number{0});
  const std::set<std::size_t> guilty{17, 18, 63, 99};
  auto writes = create_many(owner, 1, 100);
  for (const auto i : guilty)
    own_snapshot(writes[i]).captured = writes[i].snapshot->amount + minor_units{1};
  const auto results = commit_all(db->journal(), std::move(writes));
  std::int64_t last = 0;
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (guilty.contains(i)) {
      BOOST_TEST((results[i].outcome == kind::rejected));
      BOOST_TEST(results[i].detail == "23514 payment_captured_within_amount");
    } else {
      BOOST_TEST((results[i].outcome == kind::committed));
      BOOST_TEST(results[i].last_seq.value == ++last);
    }
  }
  BOOST_TEST(db->figures().failed_writes == guilty.size());
  BOOST_TEST(value("select count(*) from payment") == "96");
  require_gapless(*this);
}

BOOST_FIXTURE_TEST_CASE(what_changes_a_payment_that_is_not_there_is_refused, storage_fixture) {
  const auto db = open();
  const auto owner = open_shard(db->journal(), shard_number{0});
  auto writes = create_many(owner, 1, 9);
  writes.push_back(authorize_write(owner, *create_write(owner, 10).snapshot));
  const auto results = commit_all(db->journal(), std::move(writes));
  BOOST_TEST((results.back().outcome == kind::rejected));
  BOOST_TEST(results.back().detail
             == "journal_change_payments: a row to be changed is not there");
  BOOST_TEST(std::ranges::count(results, kind::committed, &write_result::outcome) == 9);
  BOOST_TEST(value("select count(*) from ledger_entry") == "0");
  require_gapless(*this);
}

BOOST_FIXTURE_TEST_CASE(a_payment_that_is_created_twice_is_refused, storage_fixture) {
  const auto db = open();
  const auto owner = open_shard(db->journal(), shard_number{0});
  auto first = create_write(owner, 1);
  auto again = first;
  again.claim->key = "another";
  BOOST_TEST((commit(db->journal(), std::move(first)).outcome == kind::committed));
  const auto refused = commit(db->journal(), again);
  BOOST_TEST((refused.outcome == kind::rejected));
  BOOST_TEST(refused.detail == "23505 payment_pk");
  // Under its own key, the key is the reason.
  again.claim->key = "key-1";
  BOOST_TEST((commit(db->journal(), again).outcome == kind::key_conflict));
  require_gapless(*this);
}

BOOST_FIXTURE_TEST_CASE(the_queue_is_bounded, storage_fixture) {
  storage::journal_queue queue;
  const auto push = [&](std::size_t bytes) {
    queue.push(std::make_unique<storage::queued_write>(storage::queued_write{{}, {}, bytes}));
  };
  push(limits::journal_queue_bytes_max - 1);
  push(2);
  push(1);
  std::deque<storage::journal_entry> taken;
  std::vector<storage::queued_write_ptr> refused;
  queue.take(taken, refused);
  BOOST_TEST(taken.size() == 2U);
  BOOST_REQUIRE(refused.size() == 1U);
  BOOST_TEST(refused.front()->bytes == 2U);
  queue.settle(limits::journal_queue_bytes_max - 1);
  BOOST_TEST(queue.size() == 1U);
}

BOOST_FIXTURE_TEST_CASE(a_full_queue_turns_away_what_comes_and_commits_what_it_has,
                        storage_fixture) {
  constexpr std::uint64_t excess = 100;
  const auto db = open();
  const auto owner = open_shard(db->journal(), shard_number{0});
  // Claims alone, for they are light.
  const auto claim_only = [&](std::uint64_t number) {
    auto write = create_write(owner, number);
    write.events.clear();
    write.snapshot.reset();
    return write;
  };
  const auto deadline = std::chrono::steady_clock::now() + patience;
  auto blocker = storage::connection::open(url, "blocker", deadline);
  BOOST_REQUIRE(blocker);
  BOOST_REQUIRE(
    (*blocker)->script("begin; select from shard where shard_id = 0 for update", deadline));
  answers<std::pair<std::uint64_t, kind>> done;
  for (std::uint64_t i = 0; i < limits::journal_queue_writes_max + excess; ++i)
    db->journal().submit(claim_only(i), [i, sink = done.sink()](const write_result& result) {
      sink({i, result.outcome});
    });
  BOOST_TEST(db->figures().queued == limits::journal_queue_writes_max);
  BOOST_TEST(done.count() == 0U);
  BOOST_REQUIRE((*blocker)->script("rollback", deadline));
  const auto results = done.wait(limits::journal_queue_writes_max + excess);
  BOOST_TEST(std::ranges::all_of(results, [](const auto& result) {
    const bool fits = result.first < limits::journal_queue_writes_max;
    return result.second == (fits ? kind::committed : kind::overloaded);
  }));
  BOOST_TEST(value("select count(*) from idempotency_key")
             == std::to_string(limits::journal_queue_writes_max));
  const auto again = commit(db->journal(), claim_only(limits::journal_queue_writes_max));
  BOOST_TEST((again.outcome == kind::committed));
}

BOOST_AUTO_TEST_SUITE_END()
