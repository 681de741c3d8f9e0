// The HTTP server over real sockets: framing, limits, timeouts, order, endings.
#include "runtime/http/server.hpp"
#include "tests/support/echo_server.hpp"
#include "tests/support/http_probe.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <ostream>
#include <vector>

namespace data = boost::unit_test::data;

namespace holdfast::http {

namespace {

using test::echo_server;
using test::ending;
using test::raw_connection;

std::string get(const std::string& path, const std::string& fields = {}) {
  return "GET " + path + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}

std::string post(const std::string& body, const std::string& fields = {}) {
  return "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size())
         + "\r\n" + fields + "\r\n" + body;
}

std::string chunked(const std::string& body, const std::string& path = "/p") {
  return "POST " + path + " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + body;
}

void check_problem(const test::probe_answer& answer, int status, std::string_view code) {
  BOOST_TEST(answer.status == status);
  BOOST_TEST(answer.header("content-type") == "application/problem+json");
  BOOST_TEST(answer.header("connection") == "close");
  BOOST_TEST(!answer.header("request-id").empty());
  BOOST_TEST(answer.body.find('"' + std::string{code} + '"') != std::string::npos, answer.body);
}

} // namespace

BOOST_AUTO_TEST_SUITE(http_server)

BOOST_AUTO_TEST_CASE(answers_and_keeps_the_connection) {
  echo_server server;
  auto client = server.connect();
  for (int i = 0; i < 3; ++i) {
    client.send(post("body"));
    const auto answer = client.read_answer();
    BOOST_TEST(answer.status == 200);
    BOOST_TEST(answer.body == "POST /p body");
    BOOST_TEST(answer.header("connection") == "");
    BOOST_TEST(!answer.header("date").empty());
    BOOST_TEST(answer.header("x-route") == "");
  }
  BOOST_TEST(server.connections() == 1u);
  BOOST_TEST(server.observed().at(0) == "POST the_route 200");
}

BOOST_AUTO_TEST_CASE(answers_pipelined_requests_in_order) {
  echo_server server;
  auto client = server.connect();
  std::string requests;
  for (int i = 0; i < 50; ++i)
    requests += i % 2 == 0 ? post(std::to_string(i)) : get('/' + std::to_string(i));
  client.send(requests);
  for (int i = 0; i < 50; ++i) {
    const auto number = std::to_string(i);
    BOOST_TEST(client.read_answer().body
               == (i % 2 == 0 ? "POST /p " + number : "GET /" + number + ' '));
  }
}

BOOST_AUTO_TEST_CASE(keeps_pipelined_requests_behind_a_slow_one) {
  echo_server server;
  auto client = server.connect();
  client.send(get("/later") + get("/after"));
  auto slow = server.take_waiting();
  BOOST_TEST(server.handled() == 1u);
  response answer;
  answer.status = 202;
  slow(std::move(answer)); // from this thread, which is not the server's
  BOOST_TEST(client.read_answer().status == 202);
  BOOST_TEST(client.read_answer().body == "GET /after ");
}

BOOST_AUTO_TEST_CASE(takes_a_request_that_comes_byte_by_byte) {
  echo_server server;
  auto client = server.connect();
  const auto bytes = chunked("3;name=value\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  for (const char byte : bytes)
    client.send(std::string_view{&byte, 1});
  BOOST_TEST(client.read_answer().body == "POST /p abcde");
}

BOOST_AUTO_TEST_CASE(takes_a_body_of_the_limit_and_refuses_one_byte_more) {
  server_limits limits;
  limits.body_bytes_max = 100'000;
  echo_server server{limits};
  auto client = server.connect();
  client.send(post(std::string(100'000, 'x')));
  BOOST_TEST(client.read_answer().body.size() == 100'000u + 8);
  client.send(post(std::string(100'001, 'x')));
  check_problem(client.read_answer(), 413, "body_too_large");
  BOOST_TEST((client.wait_for_end() == ending::orderly));
}

BOOST_AUTO_TEST_CASE(a_client_that_goes_on_sending_finds_the_refusal) {
  echo_server server;
  auto client = server.connect();
  client.send_what_goes(post(std::string(10 * 1024 * 1024, 'x')));
  check_problem(client.read_answer(), 413, "body_too_large");
}

BOOST_AUTO_TEST_CASE(refuses_a_chunked_body_that_grows_too_large) {
  server_limits limits;
  limits.body_bytes_max = 10;
  echo_server server{limits};
  auto client = server.connect();
  client.send(chunked("6\r\nabcdef\r\n6\r\nabcdef\r\n0\r\n\r\n"));
  check_problem(client.read_answer(), 413, "body_too_large");
  BOOST_TEST(server.handled() == 0u);
}

BOOST_AUTO_TEST_CASE(refuses_a_head_that_grows_too_large) {
  server_limits limits;
  limits.header_bytes_max = 1'000;
  echo_server server{limits};
  auto client = server.connect();
  client.send(get("/", "X-A: " + std::string(1'000, 'x') + "\r\n"));
  check_problem(client.read_answer(), 431, "headers_too_large");
}

BOOST_AUTO_TEST_CASE(asks_for_a_body_that_waits_to_be_asked_for) {
  echo_server server;
  auto client = server.connect();
  client.send(
    "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  BOOST_TEST(client.read_head_only().status == 100);
  client.send("ab");
  BOOST_TEST(client.read_answer().body == "POST /p ab");
}

BOOST_AUTO_TEST_CASE(asks_for_no_body_that_it_would_refuse) {
  echo_server server;
  auto client = server.connect();
  client.send(
    "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\nExpect: 100-continue\r\n\r\n");
  check_problem(client.read_answer(), 413, "body_too_large");
}

BOOST_AUTO_TEST_CASE(answers_a_head_request_without_a_body) {
  echo_server server;
  auto client = server.connect();
  client.send("HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n" + get("/y"));
  BOOST_TEST(client.read_head_only().header("content-length") == "8");
  BOOST_TEST(client.read_answer().body == "GET /y ");
}

BOOST_AUTO_TEST_CASE(speaks_http_1_0) {
  echo_server server;
  auto client = server.connect();
  client.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  BOOST_TEST(client.read_answer().header("connection") == "keep-alive");
  client.send("GET /b HTTP/1.0\r\n\r\n");
  BOOST_TEST(client.read_answer().header("connection") == "close");
  BOOST_TEST((client.wait_for_end() == ending::orderly));
}

BOOST_AUTO_TEST_CASE(repeats_a_well_formed_request_id_and_replaces_others) {
  echo_server server;
  auto client = server.connect();
  client.send(get("/", "Request-Id: mine-1.2_3\r\n"));
  BOOST_TEST(client.read_answer().header("request-id") == "mine-1.2_3");
  client.send(get("/", "Request-Id: a b\r\n"));
  BOOST_TEST(client.read_answer().header("request-id").starts_with("req_"));
  client.send(get("/", "Request-Id: mine\r\nExpect: miracles\r\n"));
  const auto refused = client.read_answer();
  check_problem(refused, 417, "expectation_failed");
}

namespace {

struct bad_bytes {
  const char* name;
  std::string bytes;
  int status;
  const char* code;
};

std::ostream& operator<<(std::ostream& out, const bad_bytes& one) {
  return out << one.name;
}

const std::vector<bad_bytes> bad_requests{
  {"length and coding",
   "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
   "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
   400, "ambiguous_framing"},
  {"two lengths",
   "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nabcd", 400,
   "ambiguous_framing"},
  {"chunked in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
   "ambiguous_framing"},
  {"no host", "GET / HTTP/1.1\r\n\r\n", 400, "missing_host"},
  {"folded", "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n", 400, "malformed_request"},
  {"bare line feeds", "GET / HTTP/1.1\nHost: a\n\n", 400, "malformed_request"},
  {"TLS", "\x16\x03\x01\x02", 400, "malformed_request"},
  {"broken encoding", get("/%zz"), 400, "malformed_request"},
  {"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "version_not_supported"},
  {"bad chunk size", chunked("x\r\nabc\r\n0\r\n\r\n"), 400, "malformed_request"},
  {"negative chunk size", chunked("-1\r\nabc\r\n0\r\n\r\n"), 400, "malformed_request"},
  {"chunk size of 65 bits", chunked("10000000000000003\r\nabc\r\n0\r\n\r\n"), 400,
   "malformed_request"},
  {"chunk without its end", chunked("3\r\nabcd\r\n0\r\n\r\n"), 400, "malformed_request"},
  {"bare line feed in a chunk", chunked("3\nabc\r\n0\r\n\r\n"), 400, "malformed_request"},
  {"bare line feed in an extension", chunked("3;a\nx\r\nabc\r\n0\r\n\r\n"), 400,
   "malformed_request"},
  {"space before an extension's end", chunked("3 \r\nabc\r\n0\r\n\r\n"), 400,
   "malformed_request"},
  {"endless extension", chunked("3;a=" + std::string(5'000, 'x')), 400, "malformed_request"},
  {"trailers", chunked("3\r\nabc\r\n0\r\nX-Late: 1\r\n\r\n"), 400, "trailers_not_accepted"},
  {"a length in the trailers", chunked("3\r\nabc\r\n0\r\nContent-Length: 3\r\n\r\n"), 400,
   "malformed_request"},
};

} // namespace

BOOST_DATA_TEST_CASE(refuses_bad_framing_and_closes, data::make(bad_requests), one) {
  echo_server server;
  auto client = server.connect();
  client.send(one.bytes);
  check_problem(client.read_answer(), one.status, one.code);
  client.end_sending();
  BOOST_TEST((client.wait_for_end() == ending::orderly));
  BOOST_TEST(server.handled() == 0u);
}

BOOST_AUTO_TEST_CASE(bounds_all_extensions_of_a_body_together) {
  echo_server server;
  auto client = server.connect();
  std::string body;
  for (int i = 0; i < 200; ++i)
    body += "1;abcdef\r\nx\r\n";
  client.send(chunked(body));
  check_problem(client.read_answer(), 400, "malformed_request");
}

BOOST_AUTO_TEST_CASE(ends_a_head_that_does_not_come) {
  server_limits limits;
  limits.header_timeout = milliseconds{40};
  echo_server server{limits};
  auto client = server.connect();
  client.send("GET / HTTP/1.1\r\nHo");
  check_problem(client.read_answer(), 408, "request_timeout");
  BOOST_TEST((client.wait_for_end() == ending::orderly));
}

BOOST_AUTO_TEST_CASE(ends_a_body_that_does_not_come) {
  server_limits limits;
  limits.body_timeout = milliseconds{40};
  echo_server server{limits};
  auto client = server.connect();
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab");
  check_problem(client.read_answer(), 408, "request_timeout");
  BOOST_TEST(server.handled() == 0u);
}

BOOST_AUTO_TEST_CASE(closes_an_idle_connection_without_a_word) {
  server_limits limits;
  limits.idle_timeout = milliseconds{40};
  echo_server server{limits};
  auto client = server.connect();
  client.send(get("/"));
  BOOST_TEST(client.read_answer().status == 200);
  BOOST_TEST((client.wait_for_end() == ending::orderly));
}

BOOST_AUTO_TEST_CASE(answers_for_a_handler_that_takes_too_long) {
  server_limits limits;
  limits.handler_timeout = milliseconds{40};
  echo_server server{limits};
  auto client = server.connect();
  client.send(get("/later"));
  const auto answer = client.read_answer();
  check_problem(answer, 503, "handler_timeout");
  BOOST_TEST(answer.header("retry-after") == "1");
  server.take_waiting()({}); // too late, and ignored
  BOOST_TEST((client.wait_for_end() == ending::orderly));
}

BOOST_AUTO_TEST_CASE(answers_for_handlers_that_forget_or_throw) {
  echo_server server;
  auto client = server.connect();
  client.send(get("/forgotten") + get("/throws"));
  for (int i = 0; i < 2; ++i) {
    const auto answer = client.read_answer();
    BOOST_TEST(answer.status == 500);
    BOOST_TEST(answer.body.find("on purpose") == std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(resets_where_a_handler_wants_it) {
  echo_server server;
  auto client = server.connect();
  client.send(get("/reset"));
  BOOST_TEST((client.wait_for_end() == ending::reset));
}

BOOST_AUTO_TEST_CASE(sends_answers_larger_than_the_socket_takes_at_once) {
  echo_server server;
  auto client = server.connect();
  client.send(get("/large"));
  BOOST_TEST(client.read_answer().body.size() == 8u * 1024 * 1024);
}

BOOST_AUTO_TEST_CASE(turns_connections_above_the_limit_away) {
  server_limits limits;
  limits.connections_max = 2;
  echo_server server{limits};
  std::vector<raw_connection> served;
  for (int i = 0; i < 2; ++i) {
    auto& client = served.emplace_back(server.connect());
    client.send(get("/"));
    BOOST_TEST(client.read_answer().status == 200);
  }
  auto third = server.connect();
  check_problem(third.read_answer(), 503, "too_many_connections");
  third.close();
  served.at(0).close();
  // Room comes back once the server has noticed, so ask until it has.
  while (true) {
    auto next = server.connect();
    next.send_what_goes(get("/"));
    if (next.read_answer().status == 200)
      break;
  }
}

BOOST_AUTO_TEST_CASE(sends_its_clients_elsewhere_before_it_stops) {
  echo_server server;
  auto kept = server.connect();
  kept.send(get("/"));
  BOOST_TEST(kept.read_answer().header("connection").empty());
  BOOST_TEST(!server.await_no_connection(milliseconds{0}));

  server.drain();
  kept.send(get("/"));
  BOOST_TEST(kept.read_answer().header("connection") == "close");
  BOOST_TEST((kept.wait_for_end() == ending::orderly));
  kept.close();
  // Whoever comes now is served, once.
  auto late = server.connect();
  late.send(get("/"));
  const auto answer = late.read_answer();
  BOOST_TEST(answer.status == 200);
  BOOST_TEST(answer.header("connection") == "close");
  late.close();
  BOOST_TEST(server.await_no_connection(milliseconds{20'000}));
}

BOOST_AUTO_TEST_CASE(ends_what_is_under_way_when_it_stops) {
  echo_server server;
  auto busy = server.connect();
  busy.send(get("/later"));
  auto answer = server.take_waiting();
  auto idle = server.connect();
  idle.send(get("/"));
  BOOST_TEST(idle.read_answer().status == 200);

  server.stop();
  BOOST_TEST((idle.wait_for_end() == ending::orderly));
  answer({});
  BOOST_TEST(busy.read_answer().header("connection") == "close");
  BOOST_CHECK_THROW(server.connect(), std::system_error);
}

BOOST_AUTO_TEST_CASE(says_why_it_cannot_listen) {
  echo_server server;
  boost::asio::io_context io;
  const auto taken = "127.0.0.1:" + std::to_string(server.port());
  BOOST_TEST((server::listen(io, taken, {}, {}).error().code == errc::unavailable));
  BOOST_TEST((server::listen(io, "nonsense", {}, {}).error().code == errc::invalid_argument));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::http
