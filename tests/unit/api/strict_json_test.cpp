#include "runtime/api/strict_json.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <boost/test/unit_test.hpp>

namespace holdfast::api {

namespace {

std::string code_of(std::string_view body) {
  const auto document = parse_object(body);
  return document ? "accepted" : std::string{document.error().code};
}

} // namespace

BOOST_AUTO_TEST_SUITE(api_strict_json)

BOOST_AUTO_TEST_CASE(reads_an_object_as_it_stands) {
  const auto document =
    parse_object(R"({"b":[1,-2,{"c":null}],"a":"\u00e4\n","d":{"b":true}})");
  BOOST_REQUIRE(document.has_value());
  BOOST_TEST(boost::json::serialize(*document)
             == "{\"b\":[1,-2,{\"c\":null}],\"a\":\"\xC3\xA4\\n\",\"d\":{\"b\":true}}");
}

BOOST_AUTO_TEST_CASE(refuses_what_is_not_one_object) {
  for (const auto* body : {"", " ", "[]", "1", "null", "\"x\"", "{", "{}{}", "{} x",
                           "{\"a\":1,}", "{'a':1}", "{\"a\":01}", "{\"a\":+1}", "{\"a\":NaN}",
                           "{\"a\":1}//c", "\xEF\xBB\xBF{}", "{\"a\":\"\t\"}"})
    BOOST_TEST(code_of(body) == "invalid_json", "body: " << body);
  BOOST_TEST(code_of(" {\"a\" : 1} \r\n") == "accepted");
}

BOOST_AUTO_TEST_CASE(refuses_bad_utf8) {
  BOOST_TEST(code_of("{\"a\":\"\xC3\x28\"}") == "invalid_json");
  BOOST_TEST(code_of("{\"a\":\"\xED\xA0\x80\"}") == "invalid_json");
  BOOST_TEST(code_of("{\"\xFF\":1}") == "invalid_json");
  BOOST_TEST(code_of(R"({"a":"\ud800"})") == "invalid_json");
}

BOOST_AUTO_TEST_CASE(refuses_a_member_that_comes_twice) {
  const auto outer = parse_object(R"({"amount":1,"amount":1})");
  BOOST_REQUIRE(outer.has_error());
  BOOST_TEST(outer.error().code == "duplicate_field");
  BOOST_TEST(outer.error().param == "amount");
  const auto inner = parse_object(R"({"a":{"b":{"c":1,"c":2}}})");
  BOOST_REQUIRE(inner.has_error());
  BOOST_TEST(inner.error().param == "a.b.c");
  BOOST_TEST(code_of(R"({"a":1,"\u0061":2})") == "duplicate_field");
  BOOST_TEST(code_of(R"({"a":{"x":1},"b":{"x":1}})") == "accepted");
}

BOOST_AUTO_TEST_CASE(bounds_depth_and_members) {
  std::string deep;
  for (int i = 0; i < 100; ++i)
    deep += "{\"a\":";
  BOOST_TEST(code_of(deep) == "invalid_json");
  std::string wide = "{";
  for (int i = 0; i < 1'000; ++i)
    wide += (i > 0 ? ",\"k" : "\"k") + std::to_string(i) + "\":1";
  BOOST_TEST(code_of(wide + "}") == "invalid_json");
}

BOOST_AUTO_TEST_CASE(shows_no_name_that_may_be_a_card_number) {
  BOOST_TEST(is_showable_name("payment_method.card.number"));
  BOOST_TEST(is_showable_name("order-2026"));
  BOOST_TEST(!is_showable_name("4242424242424242"));
  BOOST_TEST(!is_showable_name("card_4000000000000002"));
  BOOST_TEST(!is_showable_name(""));
  BOOST_TEST(!is_showable_name("a b"));
  const auto refused = parse_object(R"({"4242424242424242":1,"4242424242424242":1})");
  BOOST_REQUIRE(refused.has_error());
  BOOST_TEST(refused.error().param == "");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::api
