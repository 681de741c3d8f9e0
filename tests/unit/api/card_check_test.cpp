#include "runtime/api/card_check.hpp"

#include <boost/test/unit_test.hpp>

namespace holdfast::api {

BOOST_AUTO_TEST_SUITE(api_card_check)

BOOST_AUTO_TEST_CASE(checks_the_check_digit) {
  for (const auto* number : {"4242424242424242", "4000000000000002", "4000000000009995",
                             "378282246310005", "6011111111111117", "5555555555554444"})
    BOOST_TEST(passes_luhn(number));
  BOOST_TEST(!passes_luhn("4242424242424241"));
  BOOST_TEST(!passes_luhn(""));
}

BOOST_AUTO_TEST_CASE(knows_brands_by_their_ranges) {
  BOOST_TEST(card_brand("4242424242424242") == "visa");
  BOOST_TEST(card_brand("5105105105105100") == "mastercard");
  BOOST_TEST(card_brand("2221000000000009") == "mastercard");
  BOOST_TEST(card_brand("2720990000000007") == "mastercard");
  BOOST_TEST(card_brand("2721000000000004") == "unknown");
  BOOST_TEST(card_brand("341111111111111") == "amex");
  BOOST_TEST(card_brand("378282246310005") == "amex");
  BOOST_TEST(card_brand("6011111111111117") == "discover");
  BOOST_TEST(card_brand("6440000000000000") == "discover");
  BOOST_TEST(card_brand("6500000000000000") == "discover");
  BOOST_TEST(card_brand("6200000000000000") == "unknown");
  BOOST_TEST(card_brand("") == "unknown");
}

BOOST_AUTO_TEST_CASE(takes_only_whole_texts_for_card_numbers) {
  BOOST_TEST(is_card_number("4242424242424242"));
  BOOST_TEST(!is_card_number("tok_4242424242424242"));
  BOOST_TEST(!is_card_number("42424242424"));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::api
