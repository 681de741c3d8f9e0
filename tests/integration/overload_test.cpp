// A journal whose queue is full: what was to be written is not, and whoever asked for it asks
// again. No payment is left alone for it, and no outcome is made up. Real actors, real
// PostgreSQL; the journal turns writes away for as long as the test says.
#include "messages/limits.hpp"
#include "tests/support/postgres.hpp"
#include "tests/support/stage.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <deque>
#include <optional>

namespace {

using namespace holdfast;
using test::door;
using test::fate;
using kind = storage::write_result::kind;

/// More than a payment's own next steps may be refused in a row.
constexpr std::uint32_t many = 3 * limits::answer_refusals_max;

/// Of a client that waits for the outcome, however the clock is set.
constexpr std::chrono::hours patient{24 * 365};

struct fixture {
  fixture()
    : on(test::shared_postgres().create_database(), [this](const gateway_request&) {
        if (fill_up.exchange(false))
          on.end_writes_as(kind::overloaded);
        hold_answers.wait(true);
        return fate::answer;
      }) {}

  payment_id authorized() {
    const auto reply = on.submit("order", on.authorize(10'000)).get();
    BOOST_REQUIRE_EQUAL(reply.status, 201);
    return test::id_in(reply);
  }

  std::future<api_reply> notify(const payment_id& subject, std::uint32_t number) {
    webhook_notice notice;
    notice.event_id = "notice-" + std::to_string(number);
    notice.type = webhook_type::approved;
    notice.sent_at = wall_clock_now();
    notice.reference = attempt_reference(subject, 1);
    notice.about = parse_reference(notice.reference).value();
    return on.notify(std::move(notice));
  }

  /// Time passes, and the payment's own next steps are refused one after the other.
  void refuse_many_steps() {
    const auto before = on.storage_gate().crossed(door::write);
    test::wait_until("the payment tries again and again", [&] {
      on.advance_clock(test::quick_rules().retry_max);
      return on.storage_gate().crossed(door::write) >= before + many;
    });
  }

  /// Of a client whose time is up at the shard's next look.
  std::future<api_reply> capture_impatiently(const payment_id& id, const std::string& key) {
    return on.submit(key, capture_payment{id, minor_units{100}, false},
                     milliseconds{limits::shard_sweep_ms - 100});
  }

  void check_books() {
    BOOST_TEST(on.dead_letters("waiting").empty());
    BOOST_TEST(on.prove().holds());
  }

  /// The next answer of the gateway, and all that follows, finds the journal full.
  std::atomic<bool> fill_up{false};
  std::atomic<bool> hold_answers{false};
  test::stage on;
};

void check_overloaded(const api_reply& reply) {
  BOOST_TEST(reply.status == 503, reply.body);
  BOOST_TEST(reply.retry_after_s == 1U);
  BOOST_TEST(boost::json::parse(reply.body).at("code").as_string() == "overloaded");
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(full_journal, fixture)

BOOST_AUTO_TEST_CASE(a_payment_that_is_turned_away_may_be_sent_again_under_its_key) {
  on.end_writes_as(kind::overloaded);
  for (std::uint32_t i = 0; i < many; ++i)
    check_overloaded(on.submit("order", on.authorize(10'000)).get());
  BOOST_TEST(on.gateway().calls(gateway_verb::authorize) == 0U);
  on.end_writes_as(std::nullopt);
  const auto id = authorized();
  BOOST_TEST(on.gateway().holds_of(id.text()) == 1U);
  BOOST_TEST(on.errors().empty());
  check_books();
}

BOOST_AUTO_TEST_CASE(captures_that_are_turned_away_leave_their_keys_and_their_payment_free) {
  const auto id = authorized();
  const auto capture = [&](std::uint32_t number) {
    return on.submit("capture-" + std::to_string(number),
                     capture_payment{id, minor_units{100}, false});
  };
  on.end_writes_as(kind::overloaded);
  std::deque<std::future<api_reply>> replies;
  for (std::uint32_t i = 0; i < many; ++i)
    replies.push_back(capture(i));
  for (auto& reply : replies)
    check_overloaded(reply.get());
  BOOST_TEST(on.gateway().calls(gateway_verb::capture) == 0U);
  on.end_writes_as(std::nullopt);
  for (std::uint32_t i = 0; i < many; ++i)
    BOOST_TEST(capture(i).get().status == 200);
  BOOST_TEST(on.gateway().captured_of(id.text()).value() == 100 * many);
  BOOST_TEST(on.errors().empty());
  check_books();
}

BOOST_AUTO_TEST_CASE(captures_are_not_acknowledged_before_they_are_known_to_be_written) {
  const auto id = authorized();
  on.storage_gate().shut({door::write});
  auto written = capture_impatiently(id, "capture-1");
  test::wait_until("its write is held up", [this] { return on.storage_gate().kept() == 1; });
  auto behind = capture_impatiently(id, "capture-2");
  on.wait_for_look(); // Now the payment has been asked how it stands.
  on.end_writes_as(kind::overloaded);
  on.storage_gate().open();
  for (auto* reply : {&written, &behind})
    BOOST_TEST(reply->get().status == 503);
  BOOST_TEST(on.stored(id)->operations.empty());
  on.end_writes_as(std::nullopt);
  for (const auto* key : {"capture-1", "capture-2"})
    BOOST_TEST(on.insist(key, capture_payment{id, minor_units{100}, false}).status == 200);
  BOOST_TEST(on.gateway().captured_of(id.text()).value() == 200);
  BOOST_TEST(on.errors().empty());
  check_books();
}

BOOST_AUTO_TEST_CASE(a_capture_is_acknowledged_as_soon_as_it_is_written) {
  const auto id = authorized();
  hold_answers = true;
  on.storage_gate().shut({door::write_answer});
  auto reply = capture_impatiently(id, "capture");
  test::wait_until("its write is held up", [this] { return on.storage_gate().kept() == 1; });
  on.wait_for_look();
  BOOST_TEST((reply.wait_for(std::chrono::seconds{0}) != std::future_status::ready));
  on.storage_gate().open();
  BOOST_TEST(reply.get().status == 202);
  BOOST_TEST(on.stored(id)->operations.size() == 1U);
  hold_answers = false;
  hold_answers.notify_all();
  BOOST_TEST(on.insist("capture", capture_payment{id, minor_units{100}, false}).status == 200);
  check_books();
}

BOOST_AUTO_TEST_CASE(a_notice_that_is_turned_away_is_taken_when_it_is_sent_again) {
  const auto id = authorized();
  on.end_writes_as(kind::overloaded);
  for (std::uint32_t i = 0; i < many; ++i)
    check_overloaded(notify(id, i).get());
  on.end_writes_as(std::nullopt);
  for (std::uint32_t i = 0; i < many; ++i)
    BOOST_TEST(notify(id, i).get().status == 200);
  BOOST_TEST(on.errors().empty());
  check_books();
}

BOOST_AUTO_TEST_CASE(notices_that_the_database_refuses_do_not_part_us_from_their_payment) {
  const auto id = authorized();
  on.end_writes_as(kind::rejected);
  for (std::uint32_t i = 0; i < many; ++i)
    BOOST_TEST(notify(id, i).get().status == 500);
  on.end_writes_as(std::nullopt);
  BOOST_TEST(notify(id, 0).get().status == 200);
  check_books();
}

BOOST_AUTO_TEST_CASE(an_approval_that_could_not_be_written_is_asked_for_until_it_can) {
  fill_up = true;
  auto reply = on.submit("order", on.authorize(10'000), patient);
  refuse_many_steps();
  on.end_writes_as(std::nullopt);
  const auto answer = reply.get();
  BOOST_REQUIRE_EQUAL(answer.status, 201);
  BOOST_TEST(on.gateway().holds_of(test::id_in(answer).text()) == 1U);
  BOOST_TEST(on.gateway().calls(gateway_verb::authorize) == 1U);
  BOOST_TEST(on.gateway().calls(gateway_verb::inquire) > 0U);
  BOOST_TEST(on.errors().empty());
  check_books();
}

BOOST_AUTO_TEST_CASE(a_capture_whose_answer_could_not_be_written_is_repeated_until_it_can) {
  const auto id = authorized();
  fill_up = true;
  auto reply = on.submit("capture", capture_payment{id, {}, false}, patient);
  refuse_many_steps();
  on.end_writes_as(std::nullopt);
  BOOST_TEST(reply.get().status == 200);
  BOOST_TEST(on.gateway().captured_of(id.text()).value() == 10'000);
  BOOST_TEST(on.errors().empty());
  check_books();
}

BOOST_AUTO_TEST_SUITE_END()
