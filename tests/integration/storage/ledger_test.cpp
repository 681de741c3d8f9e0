// The ledger: running balances, what it refuses, and the proof that finds what was altered.
#include "tests/integration/storage/fixture.hpp"

using namespace holdfast;
using namespace holdfast::test;
using storage::write_result;
using kind = storage::write_result::kind;

namespace {

storage::ledger_proof prove(storage::database& db) {
  const auto proof = ask<storage::ledger_proof>(
    [&](auto done) { db.store().verify_ledger(fold, {}, std::move(done)); });
  BOOST_REQUIRE_MESSAGE(proof, (proof ? std::string{} : proof.error().detail));
  return *proof;
}

/// Payments in every shard, authorized and captured in two parts.
void fill(const storage_fixture& fixture, storage::database& db, std::uint64_t payments) {
  for (std::uint16_t shard = 0; shard < test_shards; ++shard) {
    const auto owner = fixture.open_shard(db.journal(), shard_number{shard});
    std::vector<storage::journal_write> writes;
    for (std::uint64_t i = 1; i <= payments; ++i) {
      writes.push_back(create_write(owner, i));
      writes.push_back(authorize_write(owner, *writes.back().snapshot));
      writes.push_back(capture_write(owner, *writes.back().snapshot, 400));
      writes.push_back(capture_write(owner, *writes.back().snapshot, 600));
    }
    for (const auto& result : commit_all(db.journal(), std::move(writes)))
      BOOST_REQUIRE_MESSAGE((result.outcome == kind::committed), result.detail);
  }
}

} // namespace

BOOST_AUTO_TEST_SUITE(storage_ledger)

BOOST_FIXTURE_TEST_CASE(balances_run_with_the_entries, storage_fixture) {
  const auto db = open();
  fill(*this, *db, 50);
  const auto merchant = merchant_of(shard_number{2});
  const auto balances = ask<std::vector<storage::balance_view>>(
    [&](auto done) { db->store().merchant_balances(merchant, std::move(done)); });
  BOOST_REQUIRE((balances && balances->size() == 2U));
  for (const auto& balance : *balances)
    BOOST_TEST(balance.balance.value()
               == (balance.where.kind == account_kind::merchant_pending ? -50'000 : 0));
  BOOST_TEST(value("select count(*) from (select balance_after,"
                   " sum(amount) over (partition by account_id order by seq, leg) as running"
                   " from ledger_entry) x where balance_after <> running")
             == "0");
  const auto proof = prove(*db);
  BOOST_TEST(proof.holds());
  BOOST_TEST(proof.findings.empty());
  BOOST_TEST(proof.events == 800U);
  BOOST_TEST(proof.entries == 2'000U);
}

BOOST_FIXTURE_TEST_CASE(nothing_is_posted_twice, storage_fixture) {
  const auto db = open();
  const auto owner = open_shard(db->journal(), shard_number{0});
  const auto created = create_write(owner, 1);
  commit(db->journal(), created);
  const auto authorized = authorize_write(owner, *created.snapshot);
  BOOST_TEST((commit(db->journal(), authorized).outcome == kind::committed));
  const auto again = commit(db->journal(), authorized);
  BOOST_TEST((again.outcome == kind::rejected));
  BOOST_TEST(again.detail == "23505 ledger_entry_posted_once");
  BOOST_TEST(value("select count(*) from ledger_entry") == "2");
}

BOOST_FIXTURE_TEST_CASE(a_posting_that_does_not_balance_is_refused, storage_fixture) {
  const auto db = open();
  const auto owner = open_shard(db->journal(), shard_number{0});
  const auto created = create_write(owner, 1);
  commit(db->journal(), created);
  auto lopsided = authorize_write(owner, *created.snapshot);
  lopsided.events.front().postings.front().legs.front().amount += minor_units{1};
  auto result = commit(db->journal(), lopsided);
  BOOST_TEST((result.outcome == kind::rejected));
  BOOST_TEST(result.detail == "23514 ledger_entry_posting_balanced");
  auto mixed = authorize_write(owner, *created.snapshot);
  mixed.events.front().postings.front().legs.front().where.unit = *currency::parse("USD");
  BOOST_TEST((commit(db->journal(), mixed).outcome == kind::rejected));
  BOOST_TEST(value("select count(*) from account") == "0");
}

BOOST_FIXTURE_TEST_CASE(an_altered_event_breaks_the_chain, storage_fixture) {
  const auto db = open();
  fill(*this, *db, 10);
  BOOST_REQUIRE(prove(*db).holds());
  BOOST_TEST(
    run("alter table event disable trigger event_append_only;"
        "update event set at = at + interval '1 second' where shard_id = 1 and seq = 7")
      .empty());
  const auto proof = prove(*db);
  BOOST_TEST(!proof.chain_holds);
  BOOST_TEST(proof.debits_equal_credits);
  BOOST_TEST(!proof.findings.empty());
}

BOOST_FIXTURE_TEST_CASE(an_altered_entry_is_found, storage_fixture) {
  const auto db = open();
  fill(*this, *db, 10);
  BOOST_TEST(run("alter table ledger_entry disable trigger ledger_entry_append_only;"
                 "update ledger_entry set amount = amount * 2 where shard_id = 1 and seq = 2"
                 " and leg = 0")
               .empty());
  const auto proof = prove(*db);
  BOOST_TEST(!proof.chain_holds);
  BOOST_TEST(!proof.debits_equal_credits);
  BOOST_TEST(!proof.postings_balance);
  BOOST_TEST(!proof.running_balances_hold);
  BOOST_TEST(!proof.balances_equal_fold);
  BOOST_TEST(proof.sequences_have_no_gap);
}

BOOST_FIXTURE_TEST_CASE(a_removed_event_is_a_gap, storage_fixture) {
  const auto db = open();
  fill(*this, *db, 10);
  BOOST_TEST(run("alter table event disable trigger event_append_only;"
                 "delete from event where shard_id = 3 and seq = 5")
               .empty());
  BOOST_TEST(!prove(*db).sequences_have_no_gap);
  BOOST_TEST(run("delete from event where shard_id = 2 and seq = 40").empty());
  BOOST_TEST(!prove(*db).chain_holds);
}

BOOST_FIXTURE_TEST_CASE(an_altered_balance_or_payment_is_found, storage_fixture) {
  const auto db = open();
  fill(*this, *db, 10);
  BOOST_TEST(
    run("update account set balance = balance + 1 where kind = 5 and shard_id = 0").empty());
  auto proof = prove(*db);
  BOOST_TEST(!proof.balances_equal_fold);
  BOOST_TEST(proof.chain_holds);
  BOOST_TEST(proof.payments_match_events);
  BOOST_TEST(run("update payment set captured = captured - 1 where shard_id = 2").empty());
  BOOST_TEST(!prove(*db).payments_match_events);
  BOOST_TEST(run("update payment set captured = captured + 1 where shard_id = 2;"
                 "delete from payment where id = (select min(id::text)::uuid from payment)")
               .empty());
  BOOST_TEST(!prove(*db).payments_match_events);
}

BOOST_AUTO_TEST_SUITE_END()
