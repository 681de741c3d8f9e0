// What a gateway's answer proves: only a well-formed one for our own reference, amount and
// currency decides anything. The test plays the gateway, byte for byte.
#include "runtime/gateways/sandbox_gateway.hpp"
#include "tests/support/http_probe.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <future>
#include <ostream>

namespace holdfast {

namespace data = boost::unit_test::data;

namespace {

struct evidence {
  const char* name;
  gateway_verb verb;
  int status; ///< of HTTP
  const char* body;
  gateway_verdict verdict;
  const char* code;
};

std::ostream& operator<<(std::ostream& out, const evidence& one) {
  return out << one.name;
}

constexpr auto authorize = gateway_verb::authorize;
constexpr auto inquire = gateway_verb::inquire;
constexpr auto capture = gateway_verb::capture;
constexpr auto reverse = gateway_verb::reverse;
constexpr auto is_approved = gateway_verdict::approved;
constexpr auto is_declined = gateway_verdict::declined;
constexpr auto is_unknown = gateway_verdict::unknown;

#define HF_ABOUT R"("reference":"pay_1.1","gateway_reference":"g1",)"
#define HF_SUM R"("amount":1000,"currency":"EUR")"

const evidence answers[]{
  {"approved", authorize, 200, R"({"status":"approved",)" HF_ABOUT HF_SUM "}", is_approved, ""},
  {"declined", authorize, 200,
   R"({"status":"declined","code":"lost_card",)" HF_ABOUT HF_SUM "}", is_declined, "lost_card"},
  {"an inquiry's approval", inquire, 200, R"({"status":"approved",)" HF_ABOUT HF_SUM "}",
   is_approved, ""},
  {"an approval within a 500", authorize, 500, R"({"status":"approved",)" HF_ABOUT HF_SUM "}",
   is_unknown, "http_500"},
  {"a decline within a 402", authorize, 402,
   R"({"status":"declined","code":"lost_card",)" HF_ABOUT HF_SUM "}", is_unknown, "http_402"},
  {"HTML", authorize, 200, "<html>approved</html>", is_unknown, "not_json"},
  {"half a document", authorize, 200, R"({"status":"approved",)", is_unknown, "not_json"},
  {"no object", authorize, 200, R"(["approved"])", is_unknown, "not_json"},
  {"another reference", authorize, 200,
   R"({"status":"approved","reference":"pay_1.2","gateway_reference":"g1",)" HF_SUM "}",
   is_unknown, "other_reference"},
  {"another's decline", inquire, 200,
   R"({"status":"declined","reference":"pay_2.1","gateway_reference":"g1",)" HF_SUM "}",
   is_unknown, "other_reference"},
  {"no reference", authorize, 200, R"({"status":"approved",)" HF_SUM "}", is_unknown,
   "other_reference"},
  {"a reference that nobody can write down", authorize, 200,
   R"({"status":"approved","reference":"pay_1.1","gateway_reference":"g\u0000x",)" HF_SUM "}",
   is_unknown, "bad_reference"},
  {"another amount", authorize, 200,
   R"({"status":"approved",)" HF_ABOUT R"("amount":1001,"currency":"EUR"})", is_unknown,
   "other_amount"},
  {"an amount of no kind", authorize, 200,
   R"({"status":"approved",)" HF_ABOUT R"("amount":"1000","currency":"EUR"})", is_unknown,
   "other_amount"},
  {"another currency", inquire, 200,
   R"({"status":"approved",)" HF_ABOUT R"("amount":1000,"currency":"USD"})", is_unknown,
   "other_amount"},
  {"an approval that names no hold", authorize, 200,
   R"({"status":"approved","reference":"pay_1.1",)" HF_SUM "}", is_unknown,
   "unexpected_status"},
  {"a status that there is not", authorize, 200, R"({"status":"ok",)" HF_ABOUT HF_SUM "}",
   is_unknown, "unexpected_status"},
  {"not found", inquire, 404, R"({"status":"not_found","reference":"pay_1.1"})",
   gateway_verdict::not_found, "not_found"},
  {"a proxy's 404", inquire, 404, "Not Found", is_unknown, "not_json"},
  {"another's 404", inquire, 404, R"({"status":"not_found","reference":"pay_2.1"})", is_unknown,
   "http_404"},
  {"a 404 to an authorization", authorize, 404,
   R"({"status":"not_found","reference":"pay_1.1"})", is_unknown, "http_404"},
  {"captured", capture, 200,
   R"({"status":"succeeded","operation_reference":"pay_1.c1","gateway_reference":"g1",)" HF_SUM
   "}",
   is_approved, ""},
  {"another capture", capture, 200,
   R"({"status":"succeeded","operation_reference":"pay_1.c2","gateway_reference":"g1",)" HF_SUM
   "}",
   is_unknown, "other_reference"},
  {"another amount captured", capture, 200,
   R"({"status":"succeeded","operation_reference":"pay_1.c1","amount":1,"currency":"EUR"})",
   is_unknown, "other_amount"},
  {"reversed before it came", reverse, 200, R"({"status":"reversed","reference":"pay_1.1"})",
   is_approved, ""},
  {"another reversed", reverse, 200, R"({"status":"reversed","reference":"pay_1.2"})",
   is_unknown, "other_reference"},
  {"an approval for a reversal", reverse, 200, R"({"status":"approved",)" HF_ABOUT HF_SUM "}",
   is_unknown, "unexpected_status"},
};

gateway_request request_of(gateway_verb verb) {
  gateway_request request;
  request.verb = verb;
  request.reference = "pay_1.1";
  if (verb == capture)
    request.operation_reference = "pay_1.c1";
  request.total = {minor_units{1'000}, currency::parse("EUR").value()};
  request.token = "tok_visa";
  request.merchant = "mer_1";
  return request;
}

/// Answers one request with `status` and `body`, and says what the gateway's client made of it.
gateway_answer judged(const evidence& one) {
  test::raw_listener listener;
  test::background_io background;
  const auto client = gateways::make_sandbox_gateway(background.io(), {listener.url(), 1});
  BOOST_TEST_REQUIRE(client.has_value());
  std::promise<gateway_answer> promise;
  auto answer = promise.get_future();
  (*client)->send(request_of(one.verb), milliseconds{10'000},
                  [&](gateway_answer heard) { promise.set_value(std::move(heard)); });
  auto connection = listener.accept();
  connection.read_until("\r\n\r\n");
  const std::string body = one.body;
  connection.send("HTTP/1.1 " + std::to_string(one.status)
                  + " Answer\r\nContent-Type: application/json\r\nContent-Length: "
                  + std::to_string(body.size()) + "\r\n\r\n" + body);
  return answer.get();
}

} // namespace

BOOST_AUTO_TEST_SUITE(gateway_evidence)

BOOST_DATA_TEST_CASE(an_answer_proves_what_it_says_of_our_own_call, data::make(answers), one) {
  const auto answer = judged(one);
  BOOST_TEST(to_string(answer.verdict) == to_string(one.verdict));
  BOOST_TEST(answer.code == one.code);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast
