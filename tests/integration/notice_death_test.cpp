// Faults 1 and 21 together: actors die while a gateway tells of a payment, again and again
// until it hears 200. What it told counts once. Real actors, real journal, real PostgreSQL.
#include "tests/support/postgres.hpp"
#include "tests/support/stage.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <deque>

namespace {

using namespace holdfast;
using test::fate;
using test::stage;

webhook_notice notice_of(const payment& subject, webhook_type type, std::string event_id) {
  webhook_notice notice;
  notice.event_id = std::move(event_id);
  notice.type = type;
  notice.sent_at = wall_clock_now();
  notice.reference = attempt_reference(subject.id, 1);
  notice.about = parse_reference(notice.reference).value();
  if (is_dispute(type)) {
    notice.claimed = money{minor_units{1}, subject.unit};
    notice.dispute = webhook_dispute{"cb-" + notice.event_id, "fraud", {}};
  }
  return notice;
}

/// As a gateway does: again until it hears 200.
void insist(stage& on, const webhook_notice& notice) {
  test::wait_until("the notice is taken", [&] {
    const auto reply = on.notify(notice).get();
    BOOST_TEST((reply.status == 200 || reply.status == 503), reply.body);
    return reply.status == 200;
  });
}

payment captured(stage& on) {
  api_reply reply;
  test::wait_until("a payment is captured", [&] {
    reply = on.submit("key-1", on.authorize(10'000, capture_mode::automatic)).get();
    return reply.status == 201;
  });
  return on.stored(test::id_in(reply)).value();
}

void check_books(stage& on) {
  const auto proof = on.prove();
  for (const auto& finding : proof.findings)
    BOOST_TEST_MESSAGE(finding);
  BOOST_TEST(proof.holds());
}

} // namespace

BOOST_AUTO_TEST_SUITE(notice_death)

BOOST_AUTO_TEST_CASE(a_dispute_is_opened_once_whoever_dies_while_it_is_told) {
  stage on{test::shared_postgres().create_database(),
           [](const gateway_request&) { return fate::answer; }};
  const auto subject = captured(on);
  constexpr std::size_t rounds = 30; // below limits::payment_disputes_max
  for (std::size_t round = 0; round < rounds; ++round) {
    const auto notice = notice_of(subject, webhook_type::dispute_opened, std::to_string(round));
    std::deque<std::future<api_reply>> told;
    for (int copy = 0; copy < 4; ++copy)
      told.push_back(on.notify(notice));
    if (round % 3 == 2)
      on.kill_shard();
    else
      on.kill_payment();
    insist(on, notice);
    for (auto& one : told) {
      const auto reply = one.get();
      BOOST_TEST((reply.status == 200 || reply.status == 503), reply.body);
    }
  }
  const auto after = on.wait_for(subject.id, [](const payment&) { return true; });
  BOOST_TEST(after.disputes.size() == rounds);
  BOOST_TEST(after.disputed.value() == static_cast<std::int64_t>(rounds));
  check_books(on);
}

BOOST_AUTO_TEST_CASE(a_hint_that_is_told_while_its_payment_dies_does_no_harm) {
  std::atomic<bool> answers{false};
  stage on{test::shared_postgres().create_database(), [&](const gateway_request& call) {
             const bool lost = call.verb == gateway_verb::authorize || !answers;
             return lost ? fate::lose_answer : fate::answer;
           }};
  const auto reply = on.submit("key-1", on.authorize(10'000), milliseconds{0}).get();
  BOOST_REQUIRE_EQUAL(reply.status, 202);
  const auto id = test::id_in(reply);
  const auto subject = on.stored(id).value();
  for (int round = 0; round < 10; ++round) {
    const auto type = round % 2 == 0 ? webhook_type::approved : webhook_type::declined;
    auto told = on.notify(notice_of(subject, type, std::to_string(round)));
    on.kill_payment();
    insist(on, notice_of(subject, type, std::to_string(round)));
    told.wait();
  }
  answers = true;
  const auto end = on.wait_for(
    id, [](const payment& now) { return now.status == payment_status::authorized; });
  BOOST_TEST(end.attempts.size() == 1U);
  BOOST_TEST(on.gateway().holds_of(id.text()) == 1U);
  check_books(on);
}

BOOST_AUTO_TEST_SUITE_END()
