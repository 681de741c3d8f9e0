// A shard that moves in good order: what is under way finishes, within bounds; the next owner
// goes on with the rest; no money moves twice, and no cut-off is missed or doubled.
#include "actors/caf.hpp"
#include "actors/protocol.hpp"
#include "messages/limits.hpp"
#include "tests/support/postgres.hpp"
#include "tests/support/stage.hpp"

#include <boost/test/unit_test.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

#include <atomic>
#include <future>
#include <memory>

namespace {

using namespace holdfast;
using test::door;
using test::fate;
using test::stage;

constexpr milliseconds a_tick_more{limits::shard_tick_ms};

/// Answers authorizations only when it is told to.
struct slow_gateway {
  std::promise<void> let_go;
  std::shared_future<void> go{let_go.get_future()};
  std::atomic<int> asked{0};

  test::scripted_gateway::script script() {
    return [this](const gateway_request& call) {
      if (call.verb == gateway_verb::authorize && asked++ == 0)
        go.wait();
      return fate::answer;
    };
  }
};

bool is_ready(const std::future<api_reply>& answer) {
  return answer.wait_for(std::chrono::seconds{0}) == std::future_status::ready;
}

} // namespace

BOOST_AUTO_TEST_SUITE(hand_overs)

BOOST_AUTO_TEST_CASE(a_request_under_way_finishes_before_the_shard_goes) {
  slow_gateway gateway;
  stage on{test::shared_postgres().create_database(), gateway.script()};
  auto answer = on.submit("order", on.authorize(1'000));
  test::wait_until("the gateway is asked", [&] { return gateway.asked == 1; });
  on.begin_hand_over();
  BOOST_TEST(!on.is_handed_over());
  gateway.let_go.set_value();
  BOOST_TEST(answer.get().status == 201);
  test::wait_until("the shard is released", [&] { return on.is_handed_over(); });
  on.take_over();
  const auto repeat = on.submit("order", on.authorize(1'000)).get();
  BOOST_TEST(repeat.status == 201);
  BOOST_TEST(repeat.replayed);
  BOOST_TEST(on.gateway().calls(gateway_verb::authorize) == 1U);
}

BOOST_AUTO_TEST_CASE(one_that_takes_too_long_hears_how_it_stands_and_ends_at_the_next_owner) {
  slow_gateway gateway;
  auto rules = test::quick_rules();
  rules.answer_due = milliseconds{60'000};
  stage on{test::shared_postgres().create_database(), gateway.script(), rules};
  auto answer = on.submit("order", on.authorize(1'000), milliseconds{60'000});
  test::wait_until("the gateway is asked", [&] { return gateway.asked == 1; });
  on.begin_hand_over();
  on.advance_clock(milliseconds{limits::shard_drain_ms_max} + a_tick_more);
  const auto pending = answer.get();
  BOOST_TEST(pending.status == 202);
  on.take_over();
  const auto id = test::id_in(pending);
  gateway.let_go.set_value();
  // Nobody here has heard the gateway's answer: it is asked what became of the call.
  const auto ended = on.wait_for(id, [](const payment& row) {
    return row.status == payment_status::authorized || row.status == payment_status::failed;
  });
  BOOST_TEST(on.gateway().holds_of(id.text())
             == (ended.status == payment_status::authorized ? 1U : 0U));
  BOOST_TEST(on.prove().holds());
  BOOST_TEST(on.errors().empty());
}

BOOST_AUTO_TEST_CASE(a_capture_whose_write_ends_with_the_epoch_is_never_acknowledged) {
  stage on{test::shared_postgres().create_database(),
           [](const gateway_request&) { return fate::answer; }};
  const auto order = on.insist("order", on.authorize(1'000));
  BOOST_REQUIRE_EQUAL(order.status, 201);
  const auto id = test::id_in(order);
  on.storage_gate().shut({door::write});
  auto answer =
    on.submit("capture", capture_payment{id, std::nullopt, false}, milliseconds{60'000});
  test::wait_until("the write is held up", [&] { return on.storage_gate().kept() > 0; });
  on.begin_hand_over();
  // Those who still wait are told how it stands; then the shard goes.
  on.advance_clock(milliseconds{limits::shard_drain_ms_max} + a_tick_more);
  BOOST_TEST(answer.get().status == 503);
  test::wait_until("the shard is released", [&] { return on.is_handed_over(); });
  on.storage_gate().open();
  on.take_over();
  BOOST_TEST(on.stored(id)->operations.empty());
  BOOST_TEST(on.insist("capture", capture_payment{id, std::nullopt, false}).status == 200);
  BOOST_TEST(on.gateway().captured_of(id.text()).value() == 1'000);
  BOOST_TEST(on.prove().holds());
}

BOOST_AUTO_TEST_CASE(who_ordered_a_cutoff_hears_that_the_shard_has_moved_under_it) {
  stage on{test::shared_postgres().create_database(), test::stage_options{}};
  const auto sale = on.insist("sale", on.authorize(1'000, capture_mode::automatic));
  BOOST_REQUIRE_EQUAL(sale.status, 201);
  auto heard = std::make_shared<std::promise<actors::close_outcome>>();
  auto outcome = heard->get_future();
  auto done = std::make_shared<actors::close_promise>(
    [heard](actors::close_outcome told) { heard->set_value(std::move(told)); });
  on.storage_gate().shut({door::settlement_read});
  actors::tell(on.shard(),
               actors::close_batches_now{std::nullopt, on.now(), true, std::move(done), {}});
  test::wait_until("the reconciler has begun", [&] { return on.storage_gate().kept() > 0; });
  on.begin_hand_over();
  BOOST_REQUIRE((outcome.wait_for(std::chrono::seconds{20}) == std::future_status::ready));
  const auto told = outcome.get();
  BOOST_TEST(!told.ok);
  BOOST_TEST(told.detail.find("its batches go on there") != std::string::npos, told.detail);
  on.storage_gate().open();
  on.take_over();
  test::wait_until("the batch is reconciled", [&] {
    const auto found = on.batches();
    return !found.empty() && found.front().status == "reconciled";
  });
}

BOOST_AUTO_TEST_CASE(a_shard_does_not_go_before_its_writes_are_decided) {
  stage on{test::shared_postgres().create_database(),
           [](const gateway_request&) { return fate::answer; }};
  on.storage_gate().shut({door::write_answer});
  auto answer = on.submit("order", on.authorize(1'000));
  test::wait_until("the write is on its way", [&] { return on.storage_gate().kept() > 0; });
  on.begin_hand_over();
  BOOST_TEST(!is_ready(answer));
  BOOST_TEST(!on.is_handed_over());
  on.storage_gate().open();
  BOOST_TEST(answer.get().status == 201);
  on.take_over();
  BOOST_TEST(on.submit("order", on.authorize(1'000)).get().replayed);
}

BOOST_AUTO_TEST_CASE(a_shard_whose_actor_dies_as_it_drains_is_released_all_the_same) {
  slow_gateway gateway;
  stage on{test::shared_postgres().create_database(), gateway.script()};
  const auto draining = on.shard();
  auto answer = on.submit("order", on.authorize(1'000));
  test::wait_until("the gateway is asked", [&] { return gateway.asked == 1; });
  on.begin_hand_over();
  caf::anon_send_exit(draining, caf::exit_reason::kill);
  BOOST_TEST(answer.get().status == 503);
  on.take_over();
  gateway.let_go.set_value();
  const auto known = on.insist("order", on.authorize(1'000));
  BOOST_TEST(known.status == 201);
  BOOST_TEST(on.gateway().holds_of(test::id_in(known).text()) == 1U);
}

BOOST_AUTO_TEST_CASE(a_cutoff_that_passes_between_two_owners_closes_one_batch) {
  stage on{test::shared_postgres().create_database(), test::stage_options{}};
  const auto sale = on.insist("sale", on.authorize(1'000, capture_mode::automatic));
  BOOST_REQUIRE_EQUAL(sale.status, 201);
  on.begin_hand_over();
  on.pass_cutoff();
  on.take_over();
  test::wait_until("the batch is reconciled", [&] {
    const auto found = on.batches();
    return !found.empty() && found.front().status == "reconciled";
  });
  on.begin_hand_over();
  on.take_over();
  on.wait_for_look();
  const auto found = on.batches();
  BOOST_REQUIRE_EQUAL(found.size(), 1U);
  BOOST_TEST(found.front().items == 1U);
  BOOST_TEST(on.acquirer().taken().value() == 1'000);
  BOOST_TEST(on.prove().holds());
}

BOOST_AUTO_TEST_SUITE_END()
