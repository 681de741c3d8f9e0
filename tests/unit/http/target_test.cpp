#include "runtime/http/target.hpp"

#include <boost/test/unit_test.hpp>

namespace holdfast::http {

BOOST_AUTO_TEST_SUITE(http_target)

BOOST_AUTO_TEST_CASE(takes_a_target_apart) {
  const auto target = parse_target("/v1/pay%2Fments%20x?status=captured&a=1+2%2B3&flag&&b=");
  BOOST_REQUIRE(target);
  BOOST_TEST(target->path == "/v1/pay/ments x");
  BOOST_TEST(target->query.size() == 4u);
  BOOST_TEST(query_value(target->query, "status") == "captured");
  BOOST_TEST(query_value(target->query, "a") == "1 2+3");
  BOOST_TEST(query_value(target->query, "flag") == "");
  BOOST_TEST(query_value(target->query, "absent") == "");
}

BOOST_AUTO_TEST_CASE(keeps_a_plus_in_a_path) {
  BOOST_TEST(parse_target("/a+b")->path == "/a+b");
}

BOOST_AUTO_TEST_CASE(refuses_broken_encodings) {
  for (const char* raw :
       {"/%", "/%4", "/%zz", "/a%00b", "/a%0d%0ab", "/?a=%", "/?%g0=1", "/a#b"})
    BOOST_TEST(!parse_target(raw), raw);
}

BOOST_AUTO_TEST_CASE(parses_addresses) {
  BOOST_TEST(parse_address("127.0.0.1:8080")->port == 8080);
  BOOST_TEST(parse_address("[::1]:0")->host == "::1");
  BOOST_TEST(to_authority(*parse_address("[::1]:80")) == "[::1]:80");
  for (const char* text : {"", "localhost", ":80", "a:", "a:65536", "a:-1", "a:1x", "::1:80"})
    BOOST_TEST(!parse_address(text), text);
}

BOOST_AUTO_TEST_CASE(parses_base_urls) {
  const auto url = parse_base_url("http://gateway.example:8082/gateway/alpha/");
  BOOST_REQUIRE(url);
  BOOST_TEST(url->address.host == "gateway.example");
  BOOST_TEST(url->address.port == 8082);
  BOOST_TEST(url->prefix == "/gateway/alpha");
  BOOST_TEST(parse_base_url("http://localhost")->address.port == 80);
  BOOST_TEST(parse_base_url("http://[::1]/x")->address.host == "::1");
  for (const char* text : {"", "https://a", "http://", "http://a:0", "http://u@a", "http://a?b",
                           "http://a b", "ftp://a"})
    BOOST_TEST(!parse_base_url(text), text);
}

BOOST_AUTO_TEST_CASE(encodes_segments) {
  BOOST_TEST(encode_segment("pay_1.c1") == "pay_1.c1");
  BOOST_TEST(encode_segment("a/b?\xc3\xa9") == "a%2Fb%3F%C3%A9");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::http
