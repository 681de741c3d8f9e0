// An idempotency key from its first request to its end: known, it is answered whatever a new
// request would hear by now; unused for long, it is a new one again. Invariants R (same key,
// same answer) and O (one charge).
#include "messages/limits.hpp"
#include "storage/connection.hpp"
#include "tests/support/postgres.hpp"
#include "tests/support/stage.hpp"

#include <boost/test/unit_test.hpp>

namespace {

using namespace holdfast;
using test::fate;
using test::stage;

constexpr milliseconds a_day{24 * 3'600'000};
/// Longer than the window of keys that a new owner of a shard reads.
constexpr milliseconds two_hours{2 * 3'600'000};
constexpr milliseconds short_wait{200};

api_reply card_expired() {
  api_reply reply;
  reply.status = 400;
  reply.content_type = "application/problem+json";
  reply.body = R"({"code":"invalid_expiry"})";
  return reply;
}

struct key_life {
  key_life()
    : url(test::shared_postgres().create_database()),
      on(url, [this](const gateway_request& call) {
        if (silent)
          return call.verb == gateway_verb::authorize ? fate::lose_answer : fate::drop_request;
        return fate::answer;
      }) {}

  /// The same order, which would be refused by now if it were new.
  api_reply repeat_late(const std::string& key, milliseconds wait = milliseconds{10'000}) {
    return on.submit(key, on.authorize(10'000), wait, card_expired()).get();
  }

  /// A new owner begins, long after everything so far.
  void forget() {
    on.advance_clock(two_hours);
    on.kill_shard();
  }

  /// As if all that is in the database had happened so much earlier.
  void age_rows(milliseconds by) {
    query("update idempotency_key set last_used_at = last_used_at - "
          + std::to_string(by.count()) + " * interval '1 millisecond' returning 'aged'");
  }

  std::string query(const std::string& text) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    auto db = storage::connection::open(url, "test", deadline).value();
    const storage::sql what{"test_query", text.c_str()};
    const auto found = db->query(what, {}, deadline).value();
    return found.rows() == 0 ? std::string{} : storage::row{found, 0}.text();
  }

  std::string keys() {
    return query(
      "select coalesce(string_agg(key, ' ' order by key), '')"
      " from idempotency_key");
  }

  const std::string url;
  std::atomic<bool> silent{false};
  stage on;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(key_lives, key_life)

BOOST_AUTO_TEST_CASE(a_known_key_is_answered_where_a_new_one_would_be_refused) {
  const auto first = on.submit("order", on.authorize(10'000)).get();
  BOOST_REQUIRE_EQUAL(first.status, 201);
  for (const bool cold : {false, true}) {
    if (cold)
      forget();
    const auto again = repeat_late("order");
    BOOST_TEST(again.status == 201);
    BOOST_TEST(again.body == first.body);
    BOOST_TEST(again.replayed);
  }
  BOOST_TEST(on.gateway().calls(gateway_verb::authorize) == 1U);
}

BOOST_AUTO_TEST_CASE(a_new_key_is_refused_and_stays_free) {
  const auto refused = repeat_late("order");
  BOOST_TEST(refused.status == 400);
  BOOST_TEST(refused.body == card_expired().body);
  BOOST_TEST(!refused.replayed);
  BOOST_TEST(repeat_late("order").status == 400);
  BOOST_TEST(keys() == "");
  BOOST_TEST(on.gateway().calls(gateway_verb::authorize) == 0U);
  BOOST_TEST(on.submit("order", on.authorize(10'000)).get().status == 201);
}

BOOST_AUTO_TEST_CASE(a_known_key_is_refused_to_another_request_before_all_else) {
  const auto held = test::id_in(on.submit("order", on.authorize(10'000)).get());
  const auto capture = capture_payment{held, {}, false};
  for (const bool cold : {false, true}) {
    if (cold)
      forget();
    const auto refused = on.submit("order", capture, short_wait, card_expired()).get();
    BOOST_TEST(refused.status == 422);
    BOOST_TEST(refused.body.find("idempotency_key_reused") != std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(a_known_key_without_an_outcome_says_how_it_stands) {
  silent = true;
  const auto first = on.submit("order", on.authorize(10'000), short_wait).get();
  BOOST_REQUIRE_EQUAL(first.status, 202);
  for (const bool cold : {false, true}) {
    if (cold)
      forget();
    const auto again = repeat_late("order", short_wait);
    BOOST_TEST(again.status == 202);
    BOOST_TEST(test::id_in(again).text() == test::id_in(first).text());
    BOOST_TEST(again.replayed);
  }
  silent = false;
  test::wait_until("the outcome is known",
                   [&] { return repeat_late("order", short_wait).status == 201; });
  BOOST_TEST(on.gateway().calls(gateway_verb::authorize) == 1U);
}

BOOST_AUTO_TEST_CASE(many_at_once_under_a_new_key_are_refused_or_told_to_wait) {
  std::vector<std::future<api_reply>> answers;
  for (int i = 0; i < 32; ++i)
    answers.push_back(on.submit("order", on.authorize(10'000), short_wait, card_expired()));
  int refused = 0;
  for (auto& answer : answers) {
    const auto status = answer.get().status;
    BOOST_TEST((status == 400 || status == 409));
    refused += status == 400;
  }
  BOOST_TEST(refused >= 1);
  BOOST_TEST(keys() == "");
}

BOOST_AUTO_TEST_CASE(a_key_that_nobody_used_for_long_is_swept_and_then_new) {
  const auto first = on.submit("order", on.authorize(10'000)).get();
  BOOST_REQUIRE_EQUAL(first.status, 201);
  age_rows(12 * a_day);
  on.advance_clock(12 * a_day);
  test::wait_until("the key is swept", [&] { return keys().empty(); });
  const auto second = on.submit("order", on.authorize(10'000)).get();
  BOOST_TEST(second.status == 201);
  BOOST_TEST(!second.replayed);
  BOOST_TEST(test::id_in(second).text() != test::id_in(first).text());
  BOOST_TEST(on.submit("order", on.authorize(10'000)).get().body == second.body);
  BOOST_TEST(on.gateway().calls(gateway_verb::authorize) == 2U);
}

BOOST_AUTO_TEST_CASE(a_replay_keeps_its_key) {
  const auto first = on.submit("order", on.authorize(10'000)).get();
  static_cast<void>(on.submit("other", on.authorize(10'000)).get());
  age_rows(9 * a_day);
  on.advance_clock(9 * a_day);
  BOOST_TEST(on.submit("order", on.authorize(10'000)).get().body == first.body);
  test::wait_until("the use is noted", [&] {
    on.advance_clock(milliseconds{limits::idempotency_touch_write_ms});
    return query(
             "select (last_used_at > clock_timestamp() - interval '1 hour')::text"
             " from idempotency_key where key = 'order'")
           == "true";
  });
  age_rows(9 * a_day);
  on.advance_clock(9 * a_day);
  test::wait_until("the other key is swept", [&] { return keys() == "order"; });
  const auto again = on.submit("order", on.authorize(10'000)).get();
  BOOST_TEST(again.body == first.body);
  BOOST_TEST(again.replayed);
}

/// Whoever owns the shard: memory and database end a key alike.
BOOST_AUTO_TEST_CASE(an_expired_key_that_is_not_swept_yet_is_new) {
  const auto first = on.submit("order", on.authorize(10'000)).get();
  forget();
  age_rows(10 * a_day);
  const auto replay = on.submit("order", on.authorize(10'000)).get();
  BOOST_TEST(replay.body == first.body);
  test::wait_until("the use is noted", [&] {
    on.advance_clock(milliseconds{limits::idempotency_touch_write_ms});
    return query(
             "select (last_used_at > clock_timestamp() - interval '1 hour')::text"
             " from idempotency_key")
           == "true";
  });
  forget();
  age_rows(10 * a_day + a_day / 2);
  const auto second = on.submit("order", on.authorize(10'000)).get();
  BOOST_TEST(second.status == 201);
  BOOST_TEST(!second.replayed);
  BOOST_TEST(second.body != first.body);
}

BOOST_AUTO_TEST_CASE(the_key_of_a_payment_that_is_still_pending_is_never_swept) {
  silent = true;
  const auto first = on.submit("order", on.authorize(10'000), short_wait).get();
  BOOST_REQUIRE_EQUAL(first.status, 202);
  age_rows(30 * a_day);
  on.advance_clock(30 * a_day);
  test::wait_until("the sweep has come by", [&] {
    return query(
             "select (last_used_at > clock_timestamp() - interval '1 hour')::text"
             " from idempotency_key")
           == "true";
  });
  silent = false;
  test::wait_until("the outcome is known", [&] {
    return on.submit("order", on.authorize(10'000), short_wait).get().status == 201;
  });
  BOOST_TEST(on.gateway().calls(gateway_verb::authorize) == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
