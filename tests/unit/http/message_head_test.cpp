#include "runtime/http/message_head.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <ostream>
#include <string>
#include <vector>

namespace data = boost::unit_test::data;

namespace holdfast::http {

namespace {

struct refused_head {
  const char* name;
  std::string head;
  int status;
  const char* code;
};

std::ostream& operator<<(std::ostream& out, const refused_head& one) {
  return out << one.name;
}

/// A head with a good request line and Host, and `fields` after them.
std::string head_with(const std::string& fields) {
  return "POST /v1/payments HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n";
}

std::string many_fields() {
  std::string fields;
  for (int i = 0; i < 101; ++i)
    fields += "X-Field: 1\r\n";
  return fields;
}

const std::vector<refused_head> refused_heads{
  {"folded field", head_with("X-A: 1\r\n 2\r\n"), 400, "malformed_request"},
  {"folded with a tab", head_with("X-A: 1\r\n\t2\r\n"), 400, "malformed_request"},
  {"first field folded", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400, "malformed_request"},
  {"space before colon", head_with("Content-Length : 5\r\n"), 400, "malformed_request"},
  {"tab before colon", head_with("Content-Length\t: 5\r\n"), 400, "malformed_request"},
  {"no colon", head_with("Content-Length 5\r\n"), 400, "malformed_request"},
  {"empty name", head_with(": 5\r\n"), 400, "malformed_request"},
  {"name with a bracket", head_with("X(A): 5\r\n"), 400, "malformed_request"},
  {"bare CR in a value", head_with("X-A: 1\r2\r\n"), 400, "malformed_request"},
  {"bare LF in a value", head_with("X-A: 1\nX-B: 2\r\n"), 400, "malformed_request"},
  {"NUL in a value", head_with(std::string{"X-A: 1\0002\r\n", 10}), 400, "malformed_request"},
  {"DEL in a value", head_with("X-A: \x7f\r\n"), 400, "malformed_request"},
  {"two lengths that differ", head_with("Content-Length: 5\r\nContent-Length: 6\r\n"), 400,
   "ambiguous_framing"},
  {"two lengths that agree", head_with("Content-Length: 5\r\ncontent-length: 5\r\n"), 400,
   "ambiguous_framing"},
  {"a list of lengths", head_with("Content-Length: 5, 5\r\n"), 400, "ambiguous_framing"},
  {"a signed length", head_with("Content-Length: +5\r\n"), 400, "ambiguous_framing"},
  {"a negative length", head_with("Content-Length: -5\r\n"), 400, "ambiguous_framing"},
  {"a hexadecimal length", head_with("Content-Length: 0x5\r\n"), 400, "ambiguous_framing"},
  {"an empty length", head_with("Content-Length:\r\n"), 400, "ambiguous_framing"},
  {"a length beyond 64 bits", head_with("Content-Length: 99999999999999999999\r\n"), 413,
   "body_too_large"},
  {"another coding", head_with("Transfer-Encoding: gzip\r\n"), 400, "ambiguous_framing"},
  {"identity", head_with("Transfer-Encoding: identity\r\n"), 400, "ambiguous_framing"},
  {"a coding before chunked", head_with("Transfer-Encoding: gzip, chunked\r\n"), 400,
   "ambiguous_framing"},
  {"chunked twice in a list", head_with("Transfer-Encoding: chunked, chunked\r\n"), 400,
   "ambiguous_framing"},
  {"chunked twice", head_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
   400, "ambiguous_framing"},
  {"almost chunked", head_with("Transfer-Encoding: xchunked\r\n"), 400, "ambiguous_framing"},
  {"chunked with a parameter", head_with("Transfer-Encoding: chunked;a=b\r\n"), 400,
   "ambiguous_framing"},
  {"quoted chunked", head_with("Transfer-Encoding: \"chunked\"\r\n"), 400, "ambiguous_framing"},
  {"coding and length", head_with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), 400,
   "ambiguous_framing"},
  {"length and coding", head_with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400,
   "ambiguous_framing"},
  {"chunked in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
   "ambiguous_framing"},
  {"no host", "GET / HTTP/1.1\r\n\r\n", 400, "missing_host"},
  {"empty host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400, "malformed_request"},
  {"two hosts", head_with("Host: localhost\r\n"), 400, "duplicate_header"},
  {"a list of hosts", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400, "malformed_request"},
  {"a host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, "malformed_request"},
  {"two keys", head_with("Idempotency-Key: a\r\nIdempotency-Key: b\r\n"), 400,
   "duplicate_header"},
  {"two authorizations", head_with("Authorization: a\r\nAuthorization: a\r\n"), 400,
   "duplicate_header"},
  {"too many fields", head_with(many_fields()), 431, "too_many_headers"},
  {"another expectation", head_with("Expect: 200-maybe\r\n"), 417, "expectation_failed"},
  {"two spaces in the line", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed_request"},
  {"space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed_request"},
  {"raw UTF-8 in the target", "GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", 400,
   "malformed_request"},
  {"absolute target", "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed_request"},
  {"no version", "GET /\r\nHost: a\r\n\r\n", 400, "malformed_request"},
  {"version in lower case", "GET / http/1.1\r\nHost: a\r\n\r\n", 400, "malformed_request"},
  {"HTTP/2.0", "PRI * HTTP/2.0\r\n\r\n", 505, "version_not_supported"},
  {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505, "version_not_supported"},
  {"CONNECT", "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 501, "method_not_implemented"},
  {"TRACE", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 501, "method_not_implemented"},
  {"method with a bracket", "G[T / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed_request"},
};

} // namespace

BOOST_AUTO_TEST_SUITE(http_message_head)

BOOST_DATA_TEST_CASE(refuses_what_two_readers_could_read_differently, data::make(refused_heads),
                     one) {
  const auto facts = inspect_request_head(one.head);
  BOOST_REQUIRE(!facts);
  BOOST_TEST(facts.error().status == one.status);
  BOOST_TEST(facts.error().code == one.code);
  BOOST_TEST(!facts.error().detail.empty());
}

BOOST_AUTO_TEST_CASE(reads_a_length) {
  const auto facts = inspect_request_head(head_with("Content-Length:  0042 \r\n"));
  BOOST_REQUIRE(facts);
  BOOST_TEST((facts->framing == body_framing::content_length));
  BOOST_TEST(facts->content_length == 42u);
  BOOST_TEST(facts->keep_alive);
}

BOOST_AUTO_TEST_CASE(reads_chunked_in_any_case) {
  const auto facts = inspect_request_head(head_with("transfer-ENCODING: Chunked\r\n"));
  BOOST_REQUIRE(facts);
  BOOST_TEST((facts->framing == body_framing::chunked));
}

BOOST_AUTO_TEST_CASE(reads_what_becomes_of_the_connection) {
  BOOST_TEST(!inspect_request_head(head_with("Connection: foo , Close\r\n"))->keep_alive);
  BOOST_TEST(!inspect_request_head("GET / HTTP/1.0\r\n\r\n")->keep_alive);
  BOOST_TEST(
    inspect_request_head("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")->keep_alive);
}

BOOST_AUTO_TEST_CASE(reads_the_expectation_and_the_request_id) {
  const auto head = head_with("Expect: 100-Continue\r\nRequest-Id: abc-1\r\n");
  const auto facts = inspect_request_head(head);
  BOOST_REQUIRE(facts);
  BOOST_TEST(facts->expects_continue);
  BOOST_TEST(facts->request_id == "abc-1");
}

BOOST_AUTO_TEST_CASE(accepts_repeated_fields_that_are_lists) {
  BOOST_TEST(inspect_request_head(head_with("Prefer: a\r\nPrefer: b\r\n")).has_value());
}

BOOST_AUTO_TEST_CASE(judges_the_framing_of_answers_alike) {
  BOOST_TEST(inspect_response_head("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n").has_value());
  BOOST_TEST(inspect_response_head("HTTP/1.1 200 \r\n\r\n").has_value());
  BOOST_TEST(
    !inspect_response_head("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
                           "Transfer-Encoding: chunked\r\n\r\n"));
  BOOST_TEST(!inspect_response_head("HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n"));
  BOOST_TEST(!inspect_response_head("ICY 200 OK\r\n\r\n"));
}

BOOST_AUTO_TEST_CASE(finds_the_end_of_a_head_that_comes_byte_by_byte) {
  const std::string whole = head_with("X-A: 1\r\n");
  const std::string bytes = whole + "body";
  head_scanner scanner;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto end = scanner.scan(std::string_view{bytes}.substr(0, size));
    BOOST_REQUIRE(end);
    BOOST_REQUIRE_EQUAL(*end, 0u);
  }
  BOOST_TEST(*scanner.scan(bytes) == whole.size());
}

BOOST_AUTO_TEST_CASE(refuses_bare_line_feeds_before_the_head_is_whole) {
  BOOST_TEST(!head_scanner{}.scan("GET / HTTP/1.1\nHost: a\n"));
  BOOST_TEST(!head_scanner{}.scan("GET / HTTP/1.1\r\n\n"));
  BOOST_TEST(!head_scanner{}.scan("\r\nGET / HTTP/1.1\r\n"));
  BOOST_TEST(!head_scanner{}.scan("\x16\x03\x01")); // the start of TLS
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::http
