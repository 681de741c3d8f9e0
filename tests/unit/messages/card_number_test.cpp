// Which texts hold a card number and which only look like it.
#include "messages/card_number.hpp"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

namespace holdfast {

namespace data = boost::unit_test::data;

namespace {

constexpr std::array with_card_number{
  "4242424242424242",
  "4000000000000002",
  "card 4242424242424242.",
  "PAN:4242424242424242",
  "x=4242424242424242&y",
  "4242 4242 4242 4242",
  "4242-4242-4242-4242",
  "2 of 4242 4242 4242 4242 today",
  "7 4242424242424242 7",
  "5555555555554444",
  "2221000000000009",
  "378282246310005",
  "3782 822463 10005",
  "30569309025904",
  "3056 930902 5904",
  "6205500000000000004",
  "/v1/payments/4242424242424242",
};

constexpr std::array without_card_number{
  "",
  "4242424242424241",                     // the check digit
  "424242424242",                         // too short
  "42424242424242424242",                 // too long
  "1700000000000000",                     // no issuer: microseconds since 1970
  "20261123012704",                       // no issuer: a date and a time
  "pay_4242424242424242",                 // part of a word
  "a4242424242424242",                    //
  "4242424242424242b",                    //
  "42424242 42424242",                    // nobody groups a card like this
  "8f14e45f-ceea-4123-8123-446655440000", // an id with hyphens
  "4242  4242  4242  4242",               // wider gaps
  "4242.4242.4242.4242",
};

} // namespace

BOOST_AUTO_TEST_SUITE(messages_card_number)

BOOST_DATA_TEST_CASE(finds_card_numbers, data::make(with_card_number), text) {
  BOOST_TEST(contains_card_number(text));
}

BOOST_DATA_TEST_CASE(leaves_other_numbers_alone, data::make(without_card_number), text) {
  BOOST_TEST(!contains_card_number(text));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast
