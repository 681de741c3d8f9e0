// What a POST says in its headers: key, preference, media type, bearer.
#include "runtime/api/authentication.hpp"
#include "runtime/api/idempotency.hpp"
#include "runtime/api/media_type.hpp"
#include "runtime/api/prefer.hpp"

#include <boost/test/unit_test.hpp>

namespace holdfast::api {

namespace {

std::string key_or_code(std::string header) {
  const auto key = read_idempotency_key({{"idempotency-key", std::move(header)}});
  return key ? *key : "refused: " + std::string{key.error().code};
}

std::uint16_t media_type_status(http::header_list headers) {
  http::request request;
  request.headers = std::move(headers);
  request.body = "{}";
  const auto refused = refuse_media_type(request);
  return refused ? refused->status : std::uint16_t{0};
}

std::string bearer_or_code(http::header_list headers) {
  const auto key = read_bearer_key(headers);
  return key ? std::string{*key} : "refused: " + std::string{key.error().code};
}

} // namespace

BOOST_AUTO_TEST_SUITE(api_idempotency_key)

BOOST_AUTO_TEST_CASE(reads_bare_and_quoted_keys) {
  BOOST_TEST(key_or_code("abc-123") == "abc-123");
  BOOST_TEST(key_or_code(R"("abc-123")") == "abc-123");
  BOOST_TEST(key_or_code(R"("a\"b\\c")") == R"(a"b\c)");
  BOOST_TEST(key_or_code(R"(a"b)") == R"(a"b)");
  BOOST_TEST(key_or_code(std::string(255, 'k')) == std::string(255, 'k'));
  BOOST_TEST(key_or_code('"' + std::string(255, 'k') + '"') == std::string(255, 'k'));
}

BOOST_AUTO_TEST_CASE(refuses_other_keys) {
  const std::string invalid = "refused: idempotency_key_invalid";
  for (const auto* header : {"", "\"\"", "a b", "\"a b\"", "\"abc", "\"", "\"a\"b\"",
                             "\"a\\n\"", "\"a\";p=1", "k\xC3\xA9", "a\tb", "a\x7F"})
    BOOST_TEST(key_or_code(header) == invalid, "header: " << header);
  BOOST_TEST(key_or_code(std::string(256, 'k')) == invalid);
  BOOST_TEST(key_or_code(std::string(300, 'k')) == invalid);
}

BOOST_AUTO_TEST_CASE(tells_missing_from_doubled) {
  BOOST_TEST(read_idempotency_key({}).error().code == "idempotency_key_missing");
  BOOST_TEST(
    read_idempotency_key({{"idempotency-key", "a"}, {"idempotency-key", "a"}}).error().code
    == "idempotency_key_invalid");
}

BOOST_AUTO_TEST_CASE(fingerprints_method_path_and_body) {
  const auto base = fingerprint_of("POST", "/v1/payments", "{}");
  BOOST_TEST((base == fingerprint_of("POST", "/v1/payments", "{}")));
  BOOST_TEST((base != fingerprint_of("POST", "/v1/payments", "{ }")));
  BOOST_TEST((base != fingerprint_of("POST", "/v1/payment", "s\n{}")));
  BOOST_TEST((base != fingerprint_of("PUT", "/v1/payments", "{}")));
  // printf 'POST\n/v1/payments\n{}' | sha256sum: must not change while keys are kept.
  BOOST_TEST(base[0] == 0x0e);
  BOOST_TEST(base[31] == 0x47);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(api_prefer)

BOOST_AUTO_TEST_CASE(waits_ten_seconds_unless_told) {
  const auto preferred = read_preference({});
  BOOST_TEST(preferred.wait.count() == 10'000);
  BOOST_TEST(!preferred.respond_async);
  BOOST_TEST(preferred.applied == "");
}

BOOST_AUTO_TEST_CASE(follows_wait) {
  BOOST_TEST(read_preference({{"prefer", "wait=3"}}).wait.count() == 3'000);
  BOOST_TEST(read_preference({{"prefer", "wait=3"}}).applied == "wait=3");
  BOOST_TEST(read_preference({{"prefer", "WAIT = \"0\" ; x=1"}}).wait.count() == 0);
  const auto cut = read_preference({{"prefer", "wait=600"}});
  BOOST_TEST(cut.wait.count() == 55'000);
  BOOST_TEST(cut.applied == "wait=55");
}

BOOST_AUTO_TEST_CASE(ignores_what_it_cannot_read) {
  for (const auto* header : {"wait", "wait=", "wait=-1", "wait=1.5", "wait=x", "return=minimal",
                             ",,;=", "wait=99999999999999999999"}) {
    const auto preferred = read_preference({{"prefer", header}});
    BOOST_TEST(preferred.wait.count() == 10'000, "header: " << header);
    BOOST_TEST(preferred.applied == "", "header: " << header);
  }
}

BOOST_AUTO_TEST_CASE(responds_async_at_once_or_after_the_wait) {
  const auto at_once = read_preference({{"prefer", "return=minimal, Respond-Async"}});
  BOOST_TEST(at_once.respond_async);
  BOOST_TEST(at_once.applied == "respond-async");
  const auto later = read_preference({{"prefer", "respond-async"}, {"prefer", "wait=2"}});
  BOOST_TEST(!later.respond_async);
  BOOST_TEST(later.wait.count() == 2'000);
  BOOST_TEST(later.applied == "respond-async, wait=2");
}

BOOST_AUTO_TEST_CASE(takes_the_first_of_a_kind) {
  BOOST_TEST(read_preference({{"prefer", "wait=1, wait=2"}}).wait.count() == 1'000);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(api_request_headers)

BOOST_AUTO_TEST_CASE(takes_json_bodies_only) {
  BOOST_TEST(media_type_status({{"content-type", "application/json"}}) == 0);
  BOOST_TEST(media_type_status({{"content-type", "Application/JSON; Charset=\"UTF-8\""}}) == 0);
  BOOST_TEST(media_type_status({}) == 415);
  BOOST_TEST(media_type_status({{"content-type", "text/plain"}}) == 415);
  BOOST_TEST(media_type_status({{"content-type", "application/json; charset=latin1"}}) == 415);
  BOOST_TEST(media_type_status({{"content-type", "application/jsonp"}}) == 415);
  BOOST_TEST(media_type_status(
               {{"content-type", "application/json"}, {"content-type", "application/json"}})
             == 415);
  BOOST_TEST(!refuse_media_type(http::request{}).has_value());
}

BOOST_AUTO_TEST_CASE(reads_the_bearer_key) {
  BOOST_TEST(bearer_or_code({{"authorization", "Bearer hf_test_1"}}) == "hf_test_1");
  BOOST_TEST(bearer_or_code({{"authorization", "bearer  hf_test_1"}}) == "hf_test_1");
  const std::string required = "refused: authentication_required";
  BOOST_TEST(bearer_or_code({}) == required);
  BOOST_TEST(bearer_or_code({{"authorization", "Basic eDp5"}}) == required);
  BOOST_TEST(bearer_or_code({{"authorization", "Bearer"}}) == required);
  BOOST_TEST(bearer_or_code({{"authorization", "Bearer a"}, {"authorization", "Bearer a"}})
             == required);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::api
