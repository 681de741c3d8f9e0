#include "runtime/sandbox/outcomes.hpp"

#include <boost/test/unit_test.hpp>

#include <vector>

namespace holdfast::sandbox {

namespace {

const timestamp now = *parse_rfc3339("2026-11-23T12:00:00Z");

reason judge(std::string_view number) {
  return judge_card(number, 12, 2030, now);
}

} // namespace

BOOST_AUTO_TEST_SUITE(sandbox_outcomes)

BOOST_AUTO_TEST_CASE(judges_the_special_cards) {
  const std::vector<std::pair<std::string_view, reason>> cards{
    {"4242424242424242", reason::none},
    {"5555555555554444", reason::none},
    {"4000000000000002", reason::generic_decline},
    {"4000000000009995", reason::insufficient_funds},
    {"4000000000009987", reason::lost_card},
    {"4000000000009979", reason::stolen_card},
    {"4000000000000069", reason::expired_card},
    {"4000000000000127", reason::incorrect_cvc},
    {"4000000000000119", reason::processing_error},
    {"4242424242424241", reason::incorrect_number},
    {"1234", reason::incorrect_number},
    {"4242-4242-4242-4242", reason::incorrect_number},
  };
  for (const auto& [number, verdict] : cards)
    BOOST_TEST(to_string(judge(number)) == to_string(verdict), number);
}

BOOST_AUTO_TEST_CASE(a_card_is_good_until_the_end_of_its_month) {
  BOOST_TEST((judge_card("4242424242424242", 11, 2026, now) == reason::none));
  BOOST_TEST((judge_card("4242424242424242", 10, 2026, now) == reason::expired_card));
  BOOST_TEST((judge_card("4242424242424242", 12, 2025, now) == reason::expired_card));
}

BOOST_AUTO_TEST_CASE(knows_the_fixed_tokens) {
  BOOST_TEST((judge_fixed_token("tok_visa") == reason::none));
  BOOST_TEST((judge_fixed_token("tok_insufficient_funds") == reason::insufficient_funds));
  BOOST_TEST(!judge_fixed_token("tok_other").has_value());
}

BOOST_AUTO_TEST_CASE(chooses_the_fault_by_the_last_two_digits) {
  const std::vector<std::pair<std::int64_t, delivery>> amounts{
    {1'000, delivery::normal},
    {1'051, delivery::no_answer_charged},
    {52, delivery::no_answer_uncharged},
    {153, delivery::http_500_charged},
    {9'954, delivery::slow},
    {255, delivery::reset},
    {1'000'056, delivery::not_json},
    {57, delivery::normal}};
  for (const auto& [amount, how] : amounts)
    BOOST_TEST((delivery_of_amount(amount) == how), amount);
  BOOST_TEST((quirk_of_amount(1'061) == settlement_quirk::rejected));
  BOOST_TEST((quirk_of_amount(62) == settlement_quirk::deferred_once));
  BOOST_TEST((quirk_of_amount(63) == settlement_quirk::missing));
  BOOST_TEST((quirk_of_amount(64) == settlement_quirk::amount_changed));
  BOOST_TEST((quirk_of_amount(65) == settlement_quirk::doubled));
  BOOST_TEST((quirk_of_amount(66) == settlement_quirk::none));
}

BOOST_AUTO_TEST_CASE(rounds_fees_half_to_even) {
  BOOST_TEST(capture_fee(0) == 5);
  BOOST_TEST(capture_fee(1'000) == 17);
  BOOST_TEST(capture_fee(125) == 7); // 1.5 → 2
  BOOST_TEST(capture_fee(375) == 9); // 4.5 → 4
  BOOST_TEST(capture_fee(41) == 5);  // 0.492 → 0
  BOOST_TEST(capture_fee(42) == 6);  // 0.504 → 1
  BOOST_TEST(capture_fee(999'999'999'999) == 12'000'000'005);
}

BOOST_AUTO_TEST_CASE(reads_every_reason_back) {
  for (int i = 0; i <= static_cast<int>(reason::reported_twice); ++i) {
    const auto why = static_cast<reason>(i);
    BOOST_TEST((parse_reason(to_string(why)) == why));
    BOOST_TEST((why == reason::none || !describe(why).empty()));
  }
  BOOST_TEST(!parse_reason("no such reason").has_value());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::sandbox
