// What the payment core makes of a new order, and what it has gateways told at each call.
#include "messages/limits.hpp"
#include "tests/unit/actors/fixtures.hpp"

#include <boost/test/unit_test.hpp>

namespace holdfast::tests {

namespace {

using enum operation_kind;

card_data test_card() {
  return {secret{"4242424242424242"}, 12, 2030, secret{"123"}};
}

} // namespace

BOOST_AUTO_TEST_SUITE(payment_creation)

BOOST_AUTO_TEST_CASE(the_intent_comes_before_the_call) {
  const story life;
  BOOST_REQUIRE_EQUAL(life.history().size(), 2u);
  BOOST_TEST(to_string(type_of(life.history()[0].event)) == "payment.created");
  BOOST_TEST(to_string(type_of(life.history()[1].event)) == "attempt.started");
}

BOOST_AUTO_TEST_CASE(a_new_payment_is_what_was_ordered) {
  const story life{{2'500, capture_mode::automatic, {"beta", "alpha"}}};
  const auto& state = life.state();
  BOOST_TEST(to_string(state.status) == "processing");
  BOOST_TEST(to_string(state.settlement) == "none");
  BOOST_TEST(to_text({state.amount, state.unit}) == "25.00 EUR");
  BOOST_TEST(state.captured.value() == 0);
  BOOST_TEST(state.refunded.value() == 0);
  BOOST_TEST(to_string(state.mode) == "automatic");
  BOOST_TEST(state.card.last4 == "4242");
  BOOST_TEST(state.reference == "order-1");
  BOOST_TEST(state.description == "two chairs");
  BOOST_TEST(state.region == "eu");
  BOOST_REQUIRE_EQUAL(state.metadata.size(), 1u);
  BOOST_TEST(state.metadata[0].second == "17");
  BOOST_TEST(state.idempotency_key == "key-create");
  BOOST_TEST(state.acquirer == "acquirer-one");
  BOOST_CHECK(state.created_at == noon());
  BOOST_CHECK(state.updated_at == noon());
  BOOST_TEST(!state.expires_at);
  BOOST_TEST(!state.decline);
  BOOST_REQUIRE_EQUAL(state.attempts.size(), 1u);
  BOOST_TEST(state.attempts[0].gateway == "beta");
  BOOST_CHECK(state.attempts[0].started_at == noon());
}

BOOST_AUTO_TEST_CASE(a_next_gateway_gets_the_time_that_it_may_take) {
  const story life;
  const milliseconds slow{30'000};
  const payments::context at{life.now(), payments::entropy{1}, life.rules(), true, slow};
  const auto decision =
    payments::decide(life.state(), payments::gateway_answered{authorize(1), not_sent()}, at);
  const auto& started = std::get<attempt_started>(decision.events.back());
  BOOST_TEST(started.gateway == "beta");
  BOOST_CHECK(started.next_try_at == life.now() + slow);
}

BOOST_AUTO_TEST_CASE(gateways_are_tried_in_the_order_of_the_route) {
  story life{{1'000, capture_mode::manual, {"one", "two", "three"}}};
  life.answer(authorize(1), not_sent());
  life.answer(authorize(2), not_sent());
  const auto& state = life.state();
  BOOST_REQUIRE_EQUAL(state.attempts.size(), 3u);
  BOOST_TEST(payments::gateway_of(state, authorize(1)) == "one");
  BOOST_TEST(payments::gateway_of(state, inquire(2)) == "two");
  BOOST_TEST(payments::gateway_of(state, reverse(3)) == "three");
}

BOOST_AUTO_TEST_CASE(a_route_is_tried_no_further_than_the_limit) {
  story life{{1'000, capture_mode::manual, std::vector<std::string>(20, "alpha")}};
  for (std::uint32_t number = 1; number < limits::payment_attempts_max; ++number)
    life.answer(authorize(number), not_sent());
  BOOST_TEST(to_string(life.state().status) == "processing");
  life.answer(authorize(limits::payment_attempts_max), not_sent());
  BOOST_TEST(life.state().attempts.size() == limits::payment_attempts_max);
  BOOST_TEST(to_string(life.state().status) == "failed");
  BOOST_TEST(life.state().decline->code == "gateway_unavailable");
}

BOOST_AUTO_TEST_CASE(a_decline_keeps_the_gateways_words) {
  story life;
  life.answer(authorize(1), declined());
  BOOST_REQUIRE(life.state().decline);
  BOOST_TEST(life.state().decline->code == "insufficient_funds");
  BOOST_TEST(life.state().decline->message == "The card has no cover.");
}

BOOST_AUTO_TEST_CASE(an_unresolved_outcome_fails_with_its_own_code) {
  story life;
  life.answer(authorize(1), unknown());
  life.pass(life.rules().settle_time);
  life.answer(inquire(1), not_found());
  life.answer(reverse(1), approved());
  BOOST_TEST(life.state().decline->code == "outcome_unresolved");
}

BOOST_AUTO_TEST_CASE(only_an_authorization_carries_the_card) {
  story life;
  const auto first = payments::make_request(life.state(), authorize(1), test_card());
  BOOST_TEST(first.card.number.reveal() == "4242424242424242");
  BOOST_TEST(first.card.cvc.reveal() == "123");
  for (const auto target : {inquire(1), reverse(1)})
    BOOST_TEST(payments::make_request(life.state(), target, test_card()).card.number.empty());

  life.answer(authorize(1), approved());
  life.capture(300);
  life.answer(operate(capture, 1), approved());
  life.refund(100);
  for (const auto target : {operate(capture, 1), operate(refund, 1)}) {
    const auto request = payments::make_request(life.state(), target, test_card());
    BOOST_TEST(request.card.number.empty());
    BOOST_TEST(request.card.cvc.empty());
    BOOST_TEST(request.token.empty());
  }
}

BOOST_AUTO_TEST_CASE(an_authorization_names_the_attempt_and_the_whole_amount) {
  story life;
  life.answer(authorize(1), not_sent());
  const auto id = life.state().id.text();
  for (const auto target : {authorize(2), inquire(2), reverse(2)}) {
    const auto request = payments::make_request(life.state(), target, {});
    BOOST_CHECK(request.verb == target.verb);
    BOOST_TEST(request.reference == id + ".2");
    BOOST_TEST(request.operation_reference == "");
    BOOST_TEST(request.gateway_reference == "");
    BOOST_TEST(to_text(request.total) == "10.00 EUR");
    BOOST_TEST(!request.final);
    BOOST_TEST(request.merchant == life.state().merchant.text());
  }
}

BOOST_AUTO_TEST_CASE(an_operation_names_itself_its_hold_and_its_own_amount) {
  story life;
  life.answer(authorize(1), not_sent());
  life.answer(authorize(2), approved());
  life.capture(300);
  life.answer(operate(capture, 1, 2), approved());
  life.capture(400, true);
  life.refund(100);
  const auto id = life.state().id.text();

  const auto final = payments::make_request(life.state(), operate(capture, 2, 2), {});
  BOOST_CHECK(final.verb == gateway_verb::capture);
  BOOST_TEST(final.reference == id + ".2");
  BOOST_TEST(final.operation_reference == id + ".c2");
  BOOST_TEST(final.gateway_reference == "gw-ref");
  BOOST_TEST(to_text(final.total) == "4.00 EUR");
  BOOST_TEST(final.final);

  const auto refunded = payments::make_request(life.state(), operate(refund, 1, 2), {});
  BOOST_CHECK(refunded.verb == gateway_verb::refund);
  BOOST_TEST(refunded.reference == id + ".2");
  BOOST_TEST(refunded.operation_reference == id + ".r1");
  BOOST_TEST(to_text(refunded.total) == "1.00 EUR");
}

BOOST_AUTO_TEST_CASE(a_void_reverses_the_hold) {
  story life;
  life.answer(authorize(1), approved());
  const auto decision = life.void_hold();
  BOOST_REQUIRE_EQUAL(decision.calls.size(), 1u);
  const auto request = payments::make_request(life.state(), decision.calls[0], {});
  BOOST_CHECK(request.verb == gateway_verb::reverse);
  BOOST_TEST(request.reference == life.state().id.text() + ".1");
  BOOST_TEST(request.operation_reference == life.state().id.text() + ".v1");
  BOOST_TEST(to_text(request.total) == "10.00 EUR");
}

BOOST_AUTO_TEST_CASE(the_calls_of_an_operation_go_to_the_gateway_that_approved) {
  story life;
  life.answer(authorize(1), not_sent());
  life.answer(authorize(2), approved());
  const auto decision = life.capture();
  BOOST_REQUIRE_EQUAL(decision.calls.size(), 1u);
  BOOST_TEST(payments::gateway_of(life.state(), decision.calls[0]) == "beta");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::tests
