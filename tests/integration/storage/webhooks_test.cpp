// Notices of gateways in the database: each is recorded once, whoever brings it and however
// often, and what disputes withhold counts against what was captured.
#include "messages/codec.hpp"
#include "tests/integration/storage/fixture.hpp"

#include <algorithm>

using namespace holdfast;
using namespace holdfast::test;
using storage::journal_write;
using storage::write_result;
using kind = storage::write_result::kind;

namespace {

/// A notice about the payment, with the event that it leaves.
journal_write notice_write(const storage::acquired_shard& owner, const payment& subject,
                           const std::string& event_id, const std::string& gateway = "alpha") {
  webhook_received event;
  event.gateway = gateway;
  event.event_id = event_id;
  journal_write write;
  write.shard = owner.shard;
  write.epoch = owner.epoch;
  write.snapshot = std::make_shared<const payment>(subject);
  write.webhook = storage::webhook_claim{gateway, event_id, subject.id.value, test_time()};
  write.events.push_back({event_type::webhook_received,
                          subject.merchant,
                          subject.id.value,
                          test_time(),
                          encode(payment_event{event}),
                          {}});
  return write;
}

/// The payment with a dispute over these amounts, in a notice of its own.
journal_write dispute_write(const storage::acquired_shard& owner, const payment& before,
                            std::int64_t amount, std::int64_t reserved) {
  auto write = notice_write(owner, before, "evt-dispute");
  dispute one;
  one.id = dispute_id::make(test_time(), owner.shard, 77);
  one.ordinal = 1;
  one.gateway = "alpha";
  one.gateway_dispute = "cb";
  one.amount = minor_units{amount};
  one.reserved = minor_units{reserved};
  one.opened_at = test_time();
  auto& after = own_snapshot(write);
  after.disputes.push_back(one);
  after.disputed = one.reserved;
  write.changed_disputes = {one};
  return write;
}

struct notice_fixture : storage_fixture {
  std::unique_ptr<storage::database> db = open();
  storage::acquired_shard owner = open_shard(db->journal(), shard_number{0});

  payment created(std::uint64_t number) {
    auto write = create_write(owner, number);
    const auto subject = *write.snapshot;
    BOOST_TEST_REQUIRE((commit(db->journal(), std::move(write)).outcome == kind::committed));
    return subject;
  }

  payment captured(std::uint64_t number, std::int64_t amount) {
    auto authorized = authorize_write(owner, created(number));
    auto taken = capture_write(owner, *authorized.snapshot, amount);
    const auto subject = *taken.snapshot;
    commit(db->journal(), std::move(authorized));
    BOOST_TEST_REQUIRE((commit(db->journal(), std::move(taken)).outcome == kind::committed));
    return subject;
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(storage_webhooks)

BOOST_FIXTURE_TEST_CASE(a_notice_is_recorded_once_among_many_at_once, notice_fixture) {
  const auto subject = created(1);
  std::vector<journal_write> writes;
  for (int i = 0; i < 100; ++i)
    writes.push_back(notice_write(owner, subject, "evt-1"));
  for (std::uint64_t i = 2; i < 50; ++i)
    writes.push_back(create_write(owner, i));
  const auto results = commit_all(db->journal(), std::move(writes));
  const auto count = [&](kind wanted) {
    return std::ranges::count(results, wanted, &write_result::outcome);
  };
  BOOST_TEST(count(kind::webhook_known) == 99);
  BOOST_TEST(count(kind::committed) == 49); // nobody else is held up by them
  BOOST_TEST(value("select count(*) from webhook_event") == "1");
  BOOST_TEST(value("select count(*) from event where type = 19") == "1");
}

BOOST_FIXTURE_TEST_CASE(a_notice_is_known_again_by_the_next_owner, notice_fixture) {
  const auto subject = created(1);
  BOOST_TEST(
    (commit(db->journal(), notice_write(owner, subject, "evt-1")).outcome == kind::committed));
  const auto next = open_shard(db->journal(), shard_number{0});
  BOOST_TEST((commit(db->journal(), notice_write(next, subject, "evt-1")).outcome
              == kind::webhook_known));
  // Ids are the gateway's own: another one may use the same.
  BOOST_TEST((commit(db->journal(), notice_write(next, subject, "evt-1", "beta")).outcome
              == kind::committed));
  BOOST_TEST(
    (commit(db->journal(), notice_write(next, subject, "evt-2")).outcome == kind::committed));
  BOOST_TEST(value("select last_seq from shard where shard_id = 0") == "4");
}

BOOST_FIXTURE_TEST_CASE(a_known_notice_and_a_taken_key_lose_together, notice_fixture) {
  const auto subject = created(1);
  commit(db->journal(), notice_write(owner, subject, "evt-1"));
  auto same_key = create_write(owner, 2);
  same_key.claim->key = "key-1";
  const auto results = commit_all(db->journal(), {notice_write(owner, subject, "evt-1"),
                                                  std::move(same_key), create_write(owner, 3)});
  BOOST_TEST((results[0].outcome == kind::webhook_known));
  BOOST_TEST((results[1].outcome == kind::key_conflict));
  BOOST_TEST((results[2].outcome == kind::committed));
}

BOOST_FIXTURE_TEST_CASE(disputes_are_found_by_their_merchant, notice_fixture) {
  const auto subject = captured(1, 600);
  const auto write = dispute_write(owner, subject, 1'000, 600);
  BOOST_TEST((commit(db->journal(), write).outcome == kind::committed));
  const auto id = write.changed_disputes.front().id;
  const auto find = [&](merchant_id merchant) {
    const auto found = ask<std::optional<storage::dispute_view>>(
      [&](auto done) { db->store().find_dispute(id, merchant, std::move(done)); });
    BOOST_REQUIRE(found);
    return *found;
  };
  const auto found = find(subject.merchant);
  BOOST_REQUIRE(found.has_value());
  BOOST_TEST((found->payment == subject.id));
  BOOST_TEST(found->row.reserved.value() == 600);
  BOOST_TEST(!find(merchant_of(owner.shard, 2)).has_value());
  const auto list = ask<storage::slice<storage::dispute_view>>(
    [&](auto done) { db->store().list_disputes(subject.merchant, {}, std::move(done)); });
  BOOST_REQUIRE(list);
  BOOST_TEST(list->rows.size() == 1U);
  BOOST_TEST(!list->has_more);
  const auto again = ask<std::optional<storage::payment_view>>(
    [&](auto done) { db->store().find_payment(subject.id, std::move(done)); });
  BOOST_REQUIRE((again && *again));
  BOOST_TEST((*again)->row.disputed.value() == 600);
}

BOOST_FIXTURE_TEST_CASE(more_than_was_captured_is_never_withheld, notice_fixture) {
  const auto subject = captured(1, 600);
  const auto refused = commit(db->journal(), dispute_write(owner, subject, 1'000, 601));
  BOOST_TEST((refused.outcome == kind::rejected));
  BOOST_TEST(refused.detail.find("payment_refunds_and_disputes_within_captured")
             != std::string::npos);
  auto refunded = subject;
  refunded.refunded = minor_units{100};
  BOOST_TEST((commit(db->journal(), dispute_write(owner, refunded, 501, 501)).outcome
              == kind::rejected));
  BOOST_TEST((commit(db->journal(), dispute_write(owner, refunded, 501, 500)).outcome
              == kind::committed));
  BOOST_TEST(value("select count(*) from webhook_event") == "1");
}

BOOST_AUTO_TEST_SUITE_END()
