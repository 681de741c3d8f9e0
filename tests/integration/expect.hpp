// What nearly every test of the API says of an answer.
#pragma once

#include "tests/integration/api_client.hpp"

#include <boost/test/unit_test.hpp>

namespace holdfast::test {

/// Ends the test case otherwise.
inline void expect(const api_answer& answer, int status) {
  BOOST_TEST_REQUIRE(answer.status == status,
                     "expected " << status << ", got " << answer.status << ' ' << answer.body);
}

/// A problem document (RFC 9457) that is whole and agrees with its own answer. `param` is the
/// field at fault; empty for none.
inline void expect_problem(const api_answer& answer, int status, std::string_view code,
                           std::string_view param = {}) {
  expect(answer, status);
  BOOST_TEST(answer.header("content-type") == "application/problem+json");
  BOOST_TEST(answer.text("/code") == code);
  BOOST_TEST(answer.text("/type") == "urn:holdfast:problem:" + std::string{code});
  BOOST_TEST(!answer.text("/title").empty());
  BOOST_TEST(answer.number("/status") == status);
  BOOST_TEST(answer.text("/request_id") == answer.header("request-id"));
  BOOST_TEST((answer.has("/param") ? answer.text("/param") : std::string{}) == param);
}

} // namespace holdfast::test
