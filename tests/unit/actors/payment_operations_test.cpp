// Captures, refunds and voids of the payment core: how much is left for whom, what stands
// against what, and the ledger transactions that follow.
#include "messages/limits.hpp"
#include "tests/unit/actors/fixtures.hpp"

#include <boost/test/unit_test.hpp>

namespace holdfast::tests {

namespace {

using enum operation_kind;

story authorized(order wish = {}) {
  story life{std::move(wish)};
  life.answer(authorize(1), approved());
  return life;
}

story captured(std::int64_t amount) {
  auto life = authorized();
  life.capture(amount);
  life.answer(operate(capture, 1), approved());
  return life;
}

/// "hold -300 alpha, …": the legs of one posting.
std::string legs_of(const posting& entry) {
  std::string text;
  for (const auto& leg : entry.legs)
    text += (text.empty() ? "" : ", ") + std::string{to_string(leg.where.kind)} + ' '
            + std::to_string(leg.amount.value());
  return text;
}

/// "capture 2 of gw-ref: …".
std::string text_of(const posting& entry) {
  return std::string{to_string(entry.kind)} + ' ' + std::to_string(entry.ordinal) + ": "
         + legs_of(entry);
}

std::vector<std::string> texts_of(const std::vector<posting>& entries) {
  std::vector<std::string> texts;
  for (const auto& entry : entries)
    texts.push_back(text_of(entry));
  return texts;
}

void check_postings(const story& life, const std::vector<std::string>& expected) {
  const auto texts = texts_of(life.postings());
  BOOST_TEST(texts == expected, boost::test_tools::per_element());
}

const char* const authorization = "authorization 1: hold 1000, hold_contra -1000";

errc code_of(const payments::decision& decision) {
  BOOST_TEST_REQUIRE(decision.refused.has_value());
  return decision.refused->code;
}

} // namespace

BOOST_AUTO_TEST_SUITE(payment_operations)

BOOST_AUTO_TEST_CASE(a_capture_without_an_amount_takes_what_is_left) {
  auto life = captured(300);
  life.capture();
  BOOST_TEST(life.last_operation().amount.value() == 700);
  life.answer(operate(capture, 2), approved());
  BOOST_TEST(to_string(life.state().status) == "captured");
  BOOST_TEST(life.state().captured.value() == 1'000);
}

BOOST_AUTO_TEST_CASE(pending_captures_count_against_what_is_left) {
  auto life = authorized();
  life.capture(600);
  BOOST_CHECK(code_of(life.capture(401)) == errc::amount_too_large);
  life.capture(400);
  BOOST_CHECK(code_of(life.capture(1)) == errc::invalid_state);
  BOOST_CHECK(code_of(life.capture()) == errc::invalid_state);
}

BOOST_AUTO_TEST_CASE(a_refused_capture_gives_back_what_it_took) {
  auto life = authorized();
  life.capture(600);
  life.answer(operate(capture, 1), declined());
  BOOST_TEST(life.last_operation().refusal_code == "insufficient_funds");
  BOOST_TEST(!life.capture(1'000).refused);
  BOOST_TEST(life.last_operation().ordinal == 2u);
}

BOOST_AUTO_TEST_CASE(captures_may_end_in_another_order_than_they_began) {
  auto life = authorized();
  life.capture(600);
  life.capture(400);
  life.answer(operate(capture, 2), approved());
  BOOST_TEST(to_string(life.state().status) == "partially_captured");
  life.answer(operate(capture, 1), approved());
  BOOST_TEST(to_string(life.state().status) == "captured");
  check_postings(life, {authorization,
                        "capture 2: hold -400, hold_contra 400, acquirer_receivable 400, "
                        "merchant_pending -400",
                        "capture 1: hold -600, hold_contra 600, acquirer_receivable 600, "
                        "merchant_pending -600"});
}

BOOST_AUTO_TEST_CASE(a_final_capture_releases_the_rest) {
  auto life = captured(300);
  life.capture(200, true);
  life.answer(operate(capture, 2), approved());
  BOOST_TEST(to_string(life.state().status) == "captured");
  check_postings(life, {authorization,
                        "capture 1: hold -300, hold_contra 300, acquirer_receivable 300, "
                        "merchant_pending -300",
                        "capture 2: hold -200, hold_contra 200, acquirer_receivable 200, "
                        "merchant_pending -200",
                        "release 0: hold -500, hold_contra 500"});
}

BOOST_AUTO_TEST_CASE(a_final_capture_of_everything_has_nothing_to_release) {
  auto life = authorized();
  life.capture(1'000, true);
  life.answer(operate(capture, 1), approved());
  BOOST_TEST(life.postings().size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_refused_final_capture_releases_nothing) {
  auto life = captured(300);
  life.capture(200, true);
  life.answer(operate(capture, 2), declined());
  BOOST_TEST(to_string(life.state().status) == "partially_captured");
  BOOST_TEST(sum_of(life.postings(), account_kind::hold) == 700);
}

BOOST_AUTO_TEST_CASE(an_automatic_capture_takes_all_under_the_creations_key) {
  auto life = authorized({1'000, capture_mode::automatic, {"alpha"}});
  const auto& op = life.last_operation();
  BOOST_TEST(op.amount.value() == 1'000);
  BOOST_TEST(op.final);
  BOOST_TEST(op.idempotency_key == "");
  BOOST_TEST(!op.id.is_nil());
  BOOST_TEST(shard_of(op.id).value == life.state().id.shard().value);
  const auto done = life.answer(operate(capture, 1), approved());
  BOOST_REQUIRE_EQUAL(done.settled.size(), 1u);
  BOOST_TEST(done.settled[0].idempotency_key == "key-create");
}

BOOST_AUTO_TEST_CASE(a_refused_automatic_capture_answers_the_creations_key_and_keeps_the_hold) {
  auto life = authorized({1'000, capture_mode::automatic, {"alpha"}});
  const auto refused = life.answer(operate(capture, 1), declined());
  BOOST_REQUIRE_EQUAL(refused.settled.size(), 1u);
  BOOST_TEST(refused.settled[0].idempotency_key == "key-create");
  BOOST_TEST(to_string(life.state().status) == "authorized");
  BOOST_TEST(sum_of(life.postings(), account_kind::hold) == 1'000);
}

BOOST_AUTO_TEST_CASE(every_request_settles_its_own_key) {
  auto life = authorized();
  life.capture(300);
  life.capture(400);
  const auto second = life.answer(operate(capture, 2), approved());
  const auto first = life.answer(operate(capture, 1), declined());
  BOOST_REQUIRE(second.settled.size() == 1 && first.settled.size() == 1);
  BOOST_TEST(second.settled[0].idempotency_key == "key-1");
  BOOST_TEST(first.settled[0].idempotency_key == "key-0");
}

BOOST_AUTO_TEST_CASE(concurrent_refunds_share_what_was_captured) {
  auto life = captured(500);
  BOOST_TEST(!life.refund(200).refused);
  BOOST_TEST(!life.refund(200).refused);
  BOOST_CHECK(code_of(life.refund(101)) == errc::amount_too_large);
  BOOST_TEST(!life.refund().refused);
  BOOST_TEST(life.last_operation().amount.value() == 100);
  BOOST_CHECK(code_of(life.refund(1)) == errc::invalid_state);

  life.answer(operate(refund, 3), approved());
  life.answer(operate(refund, 1), declined());
  life.answer(operate(refund, 2), approved());
  BOOST_TEST(life.state().refunded.value() == 300);
  BOOST_CHECK(code_of(life.refund(201)) == errc::amount_too_large);
  BOOST_TEST(!life.refund(200).refused);
}

BOOST_AUTO_TEST_CASE(a_refund_of_captured_money_may_run_beside_a_capture_of_the_rest) {
  auto life = captured(300);
  life.capture(700);
  BOOST_TEST(!life.refund(300).refused);
  BOOST_CHECK(code_of(life.refund(1)) == errc::invalid_state);
  life.answer(operate(capture, 2), approved());
  BOOST_TEST(!life.refund(700).refused);
}

BOOST_AUTO_TEST_CASE(a_refund_is_posted_against_the_acquirer) {
  auto life = captured(1'000);
  life.refund(400);
  BOOST_TEST(life.last_operation().reason == "returned");
  life.answer(operate(refund, 1), approved());
  BOOST_TEST(text_of(life.postings().back())
             == "refund 1: merchant_pending 400, acquirer_receivable -400");
  BOOST_TEST(life.last_operation().gateway_reference == "gw-ref");
}

BOOST_AUTO_TEST_CASE(a_void_and_a_capture_exclude_each_other) {
  auto voiding = authorized();
  voiding.void_hold();
  BOOST_CHECK(code_of(voiding.capture(1)) == errc::invalid_state);
  BOOST_CHECK(code_of(voiding.void_hold()) == errc::invalid_state);
  voiding.answer(operate(void_hold, 1), declined());
  BOOST_TEST(!voiding.capture(1).refused);

  auto capturing = authorized();
  capturing.capture(1);
  BOOST_CHECK(code_of(capturing.void_hold()) == errc::invalid_state);
  capturing.answer(operate(capture, 1), declined());
  BOOST_TEST(!capturing.void_hold().refused);
}

BOOST_AUTO_TEST_CASE(a_void_releases_the_hold) {
  auto life = authorized();
  life.void_hold();
  BOOST_TEST(life.last_operation().id.is_nil());
  life.answer(operate(void_hold, 1), approved());
  check_postings(life, {authorization, "release 0: hold -1000, hold_contra 1000"});
}

BOOST_AUTO_TEST_CASE(postings_name_payment_gateway_merchant_and_acquirer) {
  auto life = captured(300);
  const auto& state = life.state();
  const auto& entry = life.postings().back();
  BOOST_CHECK(entry.subject == state.id.value);
  BOOST_TEST(entry.external_ref == "gw-ref");
  BOOST_REQUIRE_EQUAL(entry.legs.size(), 4u);
  const std::vector<std::string> owners{"alpha", state.merchant.text(), "acquirer-one",
                                        state.merchant.text()};
  for (std::size_t i = 0; i < owners.size(); ++i) {
    BOOST_TEST(entry.legs[i].where.owner == owners[i]);
    BOOST_CHECK(entry.legs[i].where.unit == unit_of("EUR"));
  }
}

BOOST_AUTO_TEST_CASE(what_moves_no_money_posts_nothing) {
  story life;
  life.answer(authorize(1), not_sent());
  life.answer(authorize(2), unknown());
  life.answer(inquire(2), unknown());
  life.pass(life.rules().settle_time);
  life.answer(inquire(2), not_found());
  life.answer(reverse(2), unknown());
  life.answer(reverse(2), approved());
  BOOST_TEST(life.postings().empty());
}

BOOST_AUTO_TEST_CASE(operations_of_one_payment_have_a_limit) {
  auto life = captured(1'000);
  while (life.state().operations.size() < limits::payment_operations_max) {
    BOOST_TEST_REQUIRE(!life.refund(1).refused);
    life.answer(operate(refund, life.last_operation().ordinal), declined());
  }
  BOOST_CHECK(code_of(life.refund(1)) == errc::invalid_state);
}

BOOST_AUTO_TEST_CASE(the_largest_amount_goes_all_the_way) {
  auto life = authorized({limits::amount_minor_max, capture_mode::manual, {"alpha"}});
  life.capture(limits::amount_minor_max - 1);
  life.answer(operate(capture, 1), approved());
  life.capture(1);
  life.answer(operate(capture, 2), approved());
  life.refund();
  life.answer(operate(refund, 1), approved());
  BOOST_TEST(life.state().refunded.value() == limits::amount_minor_max);
  BOOST_TEST(sum_of(life.postings(), account_kind::hold) == 0);
  BOOST_TEST(sum_of(life.postings(), account_kind::merchant_pending) == 0);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::tests
