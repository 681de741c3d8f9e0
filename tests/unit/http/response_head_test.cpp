#include "runtime/http/response_head.hpp"

#include <boost/test/unit_test.hpp>

#include <set>

namespace holdfast::http {

BOOST_AUTO_TEST_SUITE(http_response_head)

BOOST_AUTO_TEST_CASE(writes_what_every_answer_has) {
  response answer;
  answer.status = 201;
  answer.body = "{}";
  answer.headers = {{"Location", "/v1/payments/1"}, {"x-route", "hidden"}};
  std::string head = "left over";
  write_response_head(answer, "req_1", "today", connection_fate::kept, head);
  BOOST_TEST(head == "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n"
                     "Content-Length: 2\r\nDate: today\r\nRequest-Id: req_1\r\n"
                     "Location: /v1/payments/1\r\n\r\n");
}

BOOST_AUTO_TEST_CASE(says_when_the_connection_ends) {
  std::string head;
  write_response_head({}, "r", "d", connection_fate::closed, head);
  BOOST_TEST(head.find("\r\nConnection: close\r\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(lets_no_field_end_the_head) {
  response answer;
  answer.headers = {{"X-A", "1\r\nSet-Cookie: evil"}, {"Bad Name", "2"}};
  std::string head;
  write_response_head(answer, "r", "d", connection_fate::kept, head);
  BOOST_TEST(head.find("X-A: 1  Set-Cookie: evil\r\n") != std::string::npos);
  BOOST_TEST(head.find("Bad Name") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(gives_no_length_where_there_is_no_body) {
  response answer;
  answer.status = 204;
  std::string head;
  write_response_head(answer, "r", "d", connection_fate::kept, head);
  BOOST_TEST(head.find("Content-") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(writes_the_date_as_http_wants_it) {
  date_text date;
  const std::chrono::system_clock::time_point example{std::chrono::seconds{784'111'777}};
  BOOST_TEST(date.at(example) == "Sun, 06 Nov 1994 08:49:37 GMT");
  BOOST_TEST(date.at(example + std::chrono::seconds{1}) == "Sun, 06 Nov 1994 08:49:38 GMT");
}

BOOST_AUTO_TEST_CASE(makes_request_ids_that_it_would_accept) {
  request_id_maker maker;
  std::set<std::string> seen;
  for (int i = 0; i < 1'000; ++i) {
    const auto id = maker.next();
    BOOST_TEST(is_request_id(id));
    BOOST_TEST(seen.insert(id).second);
  }
  BOOST_TEST(!is_request_id(""));
  BOOST_TEST(!is_request_id("a b"));
  BOOST_TEST(!is_request_id(std::string(65, 'a')));
  BOOST_TEST(is_request_id(std::string(64, 'a')));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::http
