// A payment whose actor can't live: after a bounded number of deaths it is a dead letter, is
// left alone, and goes on where it was once somebody replays it.
#include "messages/limits.hpp"
#include "tests/support/postgres.hpp"
#include "tests/support/stage.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>

namespace {

using namespace holdfast;
using test::fate;
using test::stage;

} // namespace

BOOST_AUTO_TEST_SUITE(dead_letters)

BOOST_AUTO_TEST_CASE(a_payment_that_keeps_dying_waits_for_a_person_and_is_replayed) {
  std::atomic<bool> is_deadly{true};
  std::atomic<stage*> where{nullptr};
  stage on{test::shared_postgres().create_database(), [&](const gateway_request&) {
             if (!is_deadly)
               return fate::answer;
             // It happens at the gateway; the actor dies before it hears of it.
             if (auto* scene = where.load())
               scene->kill_payment();
             return fate::lose_answer;
           }};
  where = &on;
  const auto reply = on.submit("key", on.authorize(5'000)).get();
  BOOST_TEST(reply.status == 500);
  test::wait_until("it is a dead letter", [&] { return !on.dead_letters("waiting").empty(); });
  const auto letter = on.dead_letters("waiting").front();
  BOOST_TEST(letter.kind == "payment");
  BOOST_TEST(letter.count == 1U);
  const auto id = payment_id::parse(letter.subject).value();
  BOOST_TEST((on.stored(id)->status != payment_status::authorized));

  is_deadly = false;
  desk_order order;
  order.verb = order_verb::replay;
  order.letter = letter.id;
  const auto replayed = on.order(order);
  BOOST_REQUIRE_MESSAGE(replayed, (replayed ? std::string{} : replayed.error().detail));
  const auto after = on.wait_for(
    id, [](const payment& one) { return one.status == payment_status::authorized; });
  BOOST_TEST(on.gateway().holds_of(after.id.text()) == 1U);
  BOOST_TEST(on.dead_letters("waiting").empty());
  BOOST_TEST((on.order(order).error().code == errc::invalid_state));
  BOOST_TEST(on.prove().holds());
  where = nullptr;
}

BOOST_AUTO_TEST_SUITE_END()
