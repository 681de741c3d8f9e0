// A payment has one actor at a time, and that actor knows all that was written: it leaves only
// when nothing is under way, and its successor reads the payment only when all its writes are
// decided. The answers of the real journal and store come when the test lets them.
#include "messages/limits.hpp"
#include "tests/support/postgres.hpp"
#include "tests/support/stage.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <future>

namespace {

using namespace holdfast;
using test::door;
using test::fate;

/// Longer than a payment without work keeps its actor, and than a hold lasts.
constexpr milliseconds rest{11'000};
constexpr std::chrono::hours lifetime{7 * 24 + 1};

/// Of a client that waits for the outcome, however the clock is set.
constexpr std::chrono::hours patient{24 * 365};

struct fixture {
  fixture()
    : on(test::shared_postgres().create_database(),
         [this](const gateway_request& call) { return answer(call); }) {}

  fate answer(const gateway_request& call) {
    if (call.verb == gateway_verb::authorize && lose_authorizations)
      return fate::lose_answer;
    if (call.verb == gateway_verb::inquire)
      may_answer_inquiries.wait(false);
    return fate::answer;
  }

  payment_id authorized() {
    const auto reply = on.insist("order", on.authorize(10'000));
    BOOST_REQUIRE_EQUAL(reply.status, 201);
    return test::id_in(reply);
  }

  void let_actor_go() {
    test::wait_until("the payment's actor has left", [this] {
      on.advance_clock(rest);
      return on.live_payments() == 0;
    });
  }

  [[nodiscard]] test::gate& gate() { return on.storage_gate(); }
  [[nodiscard]] std::size_t payments_read() { return gate().crossed(door::payment_read); }

  void wait_until_kept(std::size_t count) {
    test::wait_until("it comes to the gate", [&] { return gate().kept() >= count; });
  }

  void check_books() {
    BOOST_TEST(on.errors().empty());
    BOOST_TEST(on.prove().holds());
  }

  std::atomic<bool> lose_authorizations{false};
  std::atomic<bool> may_answer_inquiries{true};
  test::stage on;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(passivation, fixture)

BOOST_AUTO_TEST_CASE(an_actor_without_work_leaves_and_the_next_request_finds_the_payment) {
  const auto id = authorized();
  let_actor_go();
  BOOST_TEST(payments_read() == 0U);
  BOOST_TEST(on.insist("capture", capture_payment{id, {}, false}).status == 200);
  BOOST_TEST(payments_read() == 1U);
  BOOST_TEST(on.live_payments() == 1U);
  check_books();
}

BOOST_AUTO_TEST_CASE(an_actor_with_a_write_in_flight_stays_and_serves_what_comes) {
  const auto id = authorized();
  gate().shut({door::write});
  // The hold lapses, which is written; and the actor, long idle, is asked to go.
  on.advance_clock(lifetime);
  wait_until_kept(1);
  on.advance_clock(rest);
  on.wait_for_look();
  BOOST_TEST(on.live_payments() == 1U);
  auto reply = on.submit("capture", capture_payment{id, {}, false}, patient);
  on.wait_for_look();
  // Nobody else writes, and nobody has read what that write is about to change.
  BOOST_TEST(gate().kept() == 1U);
  BOOST_TEST(payments_read() == 0U);
  gate().open();
  BOOST_TEST(reply.get().status == 409);
  BOOST_TEST(to_string(on.stored(id)->status) == "expired");
  BOOST_TEST(on.gateway().captured_of(id.text()).value() == 0);
  BOOST_TEST(payments_read() == 0U);
  let_actor_go();
  check_books();
}

BOOST_AUTO_TEST_CASE(a_successor_reads_the_payment_only_when_the_dead_actors_write_is_decided) {
  const auto id = authorized();
  gate().shut({door::write, door::barrier});
  auto reply = on.submit("capture", capture_payment{id, minor_units{4'000}, false}, patient);
  wait_until_kept(1);
  on.kill_payment();
  wait_until_kept(2);
  BOOST_TEST(payments_read() == 0U);
  gate().open();
  BOOST_TEST(reply.get().status == 200);
  BOOST_TEST(payments_read() == 1U);
  BOOST_TEST(on.gateway().captured_of(id.text()).value() == 4'000);
  check_books();
}

BOOST_AUTO_TEST_CASE(a_sweep_does_not_bring_back_what_a_payment_was_when_it_looked) {
  lose_authorizations = true;
  may_answer_inquiries = false;
  auto first = on.submit("order", on.authorize(10'000), patient);
  test::wait_until("the gateway is asked for the outcome",
                   [this] { return on.gateway().calls(gateway_verb::inquire) > 0; });
  // The payment is due and stays so: what its actor would write of it waits.
  gate().shut({door::write});
  on.wait_for_look();
  wait_until_kept(1);
  // A sweep reads it like that, and the answer is long in coming.
  gate().shut({door::due_answer});
  on.advance_clock(milliseconds{limits::shard_sweep_ms});
  wait_until_kept(2);
  gate().open({door::write});
  // Meanwhile the outcome is found out, and the actor has nothing more to do.
  may_answer_inquiries = true;
  may_answer_inquiries.notify_all();
  const auto reply = first.get();
  BOOST_REQUIRE_EQUAL(reply.status, 201);
  const auto id = test::id_in(reply);
  let_actor_go();
  const auto inquiries = on.gateway().calls(gateway_verb::inquire);
  gate().open();
  BOOST_TEST(on.insist("capture", capture_payment{id, {}, false}).status == 200);
  BOOST_TEST(on.gateway().calls(gateway_verb::inquire) == inquiries);
  BOOST_TEST(on.gateway().holds_of(id.text()) == 1U);
  BOOST_TEST(to_string(on.stored(id)->status) == "captured");
  check_books();
}

BOOST_AUTO_TEST_SUITE_END()
