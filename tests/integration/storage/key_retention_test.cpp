// How long the rows of idempotency keys live: uses are noted, unused keys are swept in bounded
// portions by the shard's owner alone, and an expired key is as good as gone even before.
#include "storage/key_retention.hpp"

#include "messages/limits.hpp"
#include "tests/integration/storage/fixture.hpp"

using namespace holdfast;
using namespace holdfast::test;
using kind = storage::write_result::kind;

namespace {

struct retention_fixture : storage_fixture {
  std::unique_ptr<storage::database> db = open();
  storage::acquired_shard owner = open_shard(db->journal(), shard_number{1});

  /// A payment under the key `key-<number>`, authorized and so answered, or not.
  payment pay(std::uint64_t number, bool answered = true) {
    auto created = create_write(owner, number);
    auto subject = *created.snapshot;
    BOOST_REQUIRE((commit(db->journal(), std::move(created)).outcome == kind::committed));
    if (answered)
      BOOST_REQUIRE(
        (commit(db->journal(), authorize_write(owner, subject)).outcome == kind::committed));
    return subject;
  }

  /// As if the key had been used last so long ago.
  void age(std::uint64_t number, milliseconds by) const {
    BOOST_REQUIRE(run("update idempotency_key set last_used_at = clock_timestamp() - "
                      + std::to_string(by.count()) + " * interval '1 millisecond' where key = '"
                      + key(number) + "'")
                    .empty());
  }

  expected<storage::retained_keys> retain(storage::retain_keys_request request) const {
    answers<expected<storage::retained_keys>> done;
    db->journal().run(owner.shard, owner.epoch,
                      storage::retain_keys(std::move(request), done.sink()));
    return done.wait().front();
  }

  std::uint64_t sweep(std::size_t max = 100) const {
    const auto result = retain({{}, max});
    BOOST_REQUIRE(result);
    return result->swept;
  }

  static std::string key(std::uint64_t number) { return "key-" + std::to_string(number); }
  std::string keys() const {
    return value("select string_agg(key, ' ' order by key) from idempotency_key");
  }
  bool used_just_now(std::uint64_t number) const {
    return value(
             "select last_used_at > clock_timestamp() - interval '1 minute'"
             " from idempotency_key where key = '"
             + key(number) + "'")
           == "true";
  }
};

constexpr milliseconds swept{limits::idempotency_key_swept_ms};
constexpr milliseconds expired{limits::idempotency_key_expired_ms};
constexpr milliseconds a_minute{60'000};

} // namespace

BOOST_FIXTURE_TEST_SUITE(storage_key_retention, retention_fixture)

BOOST_AUTO_TEST_CASE(old_keys_are_swept_and_recent_ones_kept) {
  for (std::uint64_t number = 1; number <= 4; ++number)
    pay(number);
  age(1, swept + a_minute);
  age(2, swept - a_minute);
  age(3, 3 * swept);
  BOOST_TEST(sweep() == 2U);
  BOOST_TEST(keys() == "key-2 key-4");
  BOOST_TEST(sweep() == 0U);
}

BOOST_AUTO_TEST_CASE(a_key_without_an_answer_is_kept_and_out_of_the_sweeps_way) {
  pay(1, false);
  pay(2);
  age(1, 3 * swept);
  age(2, 2 * swept);
  const auto first = retain({{}, 1});
  BOOST_REQUIRE(first);
  BOOST_TEST(first->swept == 0U);
  BOOST_TEST(first->more);
  BOOST_TEST(used_just_now(1));
  BOOST_TEST(sweep(1) == 1U);
  BOOST_TEST(keys() == "key-1");
}

BOOST_AUTO_TEST_CASE(a_sweep_is_bounded_and_begins_with_the_oldest) {
  for (std::uint64_t number = 1; number <= 5; ++number) {
    pay(number);
    age(number, swept + number * a_minute);
  }
  const auto first = retain({{}, 2});
  BOOST_REQUIRE(first);
  BOOST_TEST(first->swept == 2U);
  BOOST_TEST(first->more);
  BOOST_TEST(keys() == "key-1 key-2 key-3");
  BOOST_TEST(sweep(2) == 2U);
  const auto last = retain({{}, 2});
  BOOST_REQUIRE(last);
  BOOST_TEST(last->swept == 1U);
  BOOST_TEST(!last->more);
}

BOOST_AUTO_TEST_CASE(a_use_is_noted_before_the_sweep_of_the_same_round) {
  for (std::uint64_t number = 1; number <= 3; ++number) {
    pay(number);
    age(number, 2 * swept);
  }
  storage::retain_keys_request request;
  request.used = {{merchant_of(owner.shard), key(1)},
                  {merchant_of(owner.shard), key(1)},
                  {merchant_of(owner.shard), "never-seen"},
                  {merchant_of(owner.shard, 2), key(3)}};
  request.sweep_max = 10;
  BOOST_REQUIRE(retain(request));
  BOOST_TEST(keys() == "key-1");
  BOOST_TEST(used_just_now(1));
}

BOOST_AUTO_TEST_CASE(another_shards_keys_are_another_owners) {
  pay(1);
  age(1, 2 * swept);
  const auto other = open_shard(db->journal(), shard_number{0});
  answers<expected<storage::retained_keys>> done;
  db->journal().run(
    other.shard, other.epoch,
    storage::retain_keys({{{merchant_of(owner.shard), key(1)}}, 10}, done.sink()));
  BOOST_REQUIRE(done.wait().front());
  BOOST_TEST(keys() == "key-1");
  BOOST_TEST(!used_just_now(1));
}

BOOST_AUTO_TEST_CASE(an_owner_that_was_fenced_off_sweeps_nothing) {
  pay(1);
  age(1, 2 * swept);
  static_cast<void>(take_over(owner.shard));
  const auto refused = retain({{}, 10});
  BOOST_REQUIRE(!refused);
  BOOST_TEST((refused.error().code == errc::not_owner));
  BOOST_TEST(keys() == "key-1");
}

BOOST_AUTO_TEST_CASE(a_row_that_somebody_is_taking_is_left_alone) {
  pay(1);
  pay(2);
  age(1, 2 * swept);
  age(2, 2 * swept);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  auto other = storage::connection::open(url, "test", deadline);
  BOOST_REQUIRE(other);
  BOOST_REQUIRE((*other)->script(
    "begin; update idempotency_key set last_used_at = clock_timestamp() where key = 'key-1'",
    deadline));
  BOOST_TEST(sweep() == 1U);
  BOOST_REQUIRE((*other)->script("commit", deadline));
  BOOST_TEST(sweep() == 0U);
  BOOST_TEST(keys() == "key-1");
}

BOOST_AUTO_TEST_CASE(an_expired_key_is_free_before_it_is_swept) {
  const auto old = pay(1);
  const auto merchant = merchant_of(owner.shard);
  const auto look = [&] {
    return ask<std::optional<storage::stored_key>>(
      [&](auto done) { db->store().find_key(merchant, key(1), std::move(done)); });
  };
  auto again = create_write(owner, 2);
  again.claim->key = key(1);

  age(1, expired - a_minute);
  const auto kept = look();
  BOOST_REQUIRE((kept && *kept));
  BOOST_TEST(((*kept)->subject == old.id.value));
  const auto conflict = commit(db->journal(), again);
  BOOST_REQUIRE((conflict.outcome == kind::key_conflict));
  BOOST_TEST((conflict.existing->subject == old.id.value));

  age(1, expired + a_minute);
  const auto gone = look();
  BOOST_REQUIRE(gone);
  BOOST_TEST(!*gone);
  BOOST_REQUIRE((commit(db->journal(), again).outcome == kind::committed));
  const auto taken = look();
  BOOST_REQUIRE((taken && *taken));
  BOOST_TEST(((*taken)->subject == again.claim->subject));
  BOOST_TEST((!(*taken)->answer));
  BOOST_TEST(used_just_now(1));
  BOOST_TEST(sweep() == 0U);
}

BOOST_AUTO_TEST_CASE(an_expired_key_without_an_answer_is_not_free) {
  const auto open = pay(1, false);
  age(1, 3 * swept);
  auto again = create_write(owner, 2);
  again.claim->key = key(1);
  const auto conflict = commit(db->journal(), again);
  BOOST_REQUIRE((conflict.outcome == kind::key_conflict));
  BOOST_TEST((conflict.existing->subject == open.id.value));
  // Its time begins with its answer.
  BOOST_REQUIRE(
    (commit(db->journal(), authorize_write(owner, open)).outcome == kind::committed));
  BOOST_TEST(used_just_now(1));
}

BOOST_AUTO_TEST_CASE(an_answer_that_comes_at_once_needs_no_new_index_entry) {
  const auto subject = pay(1, false);
  const auto before = value("select last_used_at from idempotency_key");
  BOOST_REQUIRE(
    (commit(db->journal(), authorize_write(owner, subject)).outcome == kind::committed));
  BOOST_TEST(value("select last_used_at from idempotency_key where status = 201") == before);
}

BOOST_AUTO_TEST_CASE(the_sweep_has_an_index_to_go_by) {
  BOOST_TEST(value("select indexdef like '%(shard_id, last_used_at)' from pg_indexes"
                   " where indexname = 'idempotency_key_used'")
             == "true");
}

BOOST_AUTO_TEST_SUITE_END()
