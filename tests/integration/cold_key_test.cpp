// Idempotency keys that the shard's memory has forgotten: the database answers for them.
// Invariants R (same key, same answer) and O (one charge).
#include "tests/support/postgres.hpp"
#include "tests/support/stage.hpp"

#include <boost/test/unit_test.hpp>

namespace {

using namespace holdfast;
using test::fate;
using test::stage;

/// Longer than the window of keys that a new owner of a shard reads.
constexpr milliseconds two_hours{2 * 3'600'000};

struct forgetful {
  forgetful()
    : on(test::shared_postgres().create_database(),
         [](const gateway_request&) { return fate::answer; }) {}

  /// A new owner begins, long after everything so far.
  void forget() {
    on.advance_clock(two_hours);
    on.kill_shard();
  }

  stage on;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(cold_keys, forgetful)

BOOST_AUTO_TEST_CASE(a_forgotten_creation_is_answered_with_the_bytes_of_the_first_time) {
  const auto first = on.submit("order", on.authorize(10'000)).get();
  BOOST_REQUIRE_EQUAL(first.status, 201);
  forget();
  const auto again = on.submit("order", on.authorize(10'000)).get();
  BOOST_TEST(again.status == 201);
  BOOST_TEST(again.body == first.body);
  BOOST_TEST(again.replayed);
  BOOST_TEST(on.gateway().calls(gateway_verb::authorize) == 1U);
}

BOOST_AUTO_TEST_CASE(a_forgotten_capture_is_answered_and_not_made_again) {
  const auto held = test::id_in(on.submit("order", on.authorize(10'000)).get());
  const auto action = capture_payment{held, minor_units{4'000}, false};
  const auto first = on.submit("capture", action).get();
  BOOST_REQUIRE_EQUAL(first.status, 200);
  forget();
  const auto again = on.submit("capture", action).get();
  BOOST_TEST(again.body == first.body);
  BOOST_TEST(on.gateway().captured_of(held.text()).value() == 4'000);
}

BOOST_AUTO_TEST_CASE(a_forgotten_key_is_refused_to_another_request) {
  const auto held = test::id_in(on.submit("order", on.authorize(10'000)).get());
  forget();
  const auto refused = on.submit("order", capture_payment{held, {}, false}).get();
  BOOST_TEST(refused.status == 422);
  BOOST_TEST(refused.body.find("idempotency_key_reused") != std::string::npos);
  // The payment whose actor met the taken key goes on as before.
  BOOST_TEST(on.submit("capture", capture_payment{held, {}, false}).get().status == 200);
}

BOOST_AUTO_TEST_SUITE_END()
