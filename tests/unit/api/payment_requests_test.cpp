#include "runtime/api/payment_requests.hpp"

#include "tests/unit/api/fakes.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

namespace holdfast::api {

namespace {

namespace data = boost::unit_test::data;

constexpr std::string_view good_card =
  R"({"card":{"number":"4242424242424242","exp_month":12,"exp_year":2030,"cvc":"123"}})";

/// A request with some members replaced; an empty text leaves the member out.
struct request_body {
  std::string amount = "1000";
  std::string currency = R"("EUR")";
  std::string capture = R"("manual")";
  std::string payment_method{good_card};
  std::string rest = {}; ///< `,"name":value` …

  [[nodiscard]] std::string text() const {
    std::string body;
    const auto add = [&body](std::string_view name, const std::string& value) {
      if (value.empty())
        return;
      body += body.empty() ? "{" : ",";
      body.append("\"").append(name).append("\":").append(value);
    };
    add("amount", amount);
    add("currency", currency);
    add("capture", capture);
    add("payment_method", payment_method);
    return body + rest + "}";
  }
};

std::string card(std::string_view number, std::string_view month = "12",
                 std::string_view year = "2030", std::string_view cvc = R"("123")") {
  std::string text = R"({"card":{"number":)";
  text.append(number).append(R"(,"exp_month":)").append(month);
  return text.append(R"(,"exp_year":)").append(year).append(R"(,"cvc":)").append(cvc) + "}}";
}

struct bad_input {
  std::string name;
  request_body body;
  std::string code;
  std::string param;
};

std::ostream& operator<<(std::ostream& out, const bad_input& input) {
  return out << input.name;
}

const std::string long_text(1'001, 'x');

const std::vector<bad_input> bad_inputs{
  {"no amount", {.amount = ""}, "missing_field", "amount"},
  {"zero amount", {.amount = "0"}, "invalid_amount", "amount"},
  {"minus zero", {.amount = "-0"}, "invalid_amount", "amount"},
  {"negative amount", {.amount = "-1"}, "invalid_amount", "amount"},
  {"fraction", {.amount = "10.5"}, "invalid_amount", "amount"},
  {"whole number with a point", {.amount = "100.0"}, "invalid_amount", "amount"},
  {"exponent", {.amount = "1e2"}, "invalid_amount", "amount"},
  {"amount as text", {.amount = "\"100\""}, "invalid_amount", "amount"},
  {"amount null", {.amount = "null"}, "invalid_amount", "amount"},
  {"huge amount", {.amount = "1000000000000"}, "invalid_amount", "amount"},
  {"beyond 63 bits", {.amount = "9223372036854775808"}, "invalid_amount", "amount"},
  {"beyond 64 bits", {.amount = "99999999999999999999999"}, "invalid_amount", "amount"},
  {"no currency", {.currency = ""}, "missing_field", "currency"},
  {"unknown currency", {.currency = R"("XQQ")"}, "unknown_currency", "currency"},
  {"lower-case currency", {.currency = R"("eur")"}, "unknown_currency", "currency"},
  {"currency number", {.currency = "978"}, "unknown_currency", "currency"},
  {"no capture", {.capture = ""}, "missing_field", "capture"},
  {"other capture", {.capture = R"("later")"}, "invalid_field", "capture"},
  {"no payment method", {.payment_method = ""}, "missing_field", "payment_method"},
  {"text method", {.payment_method = R"("card")"}, "invalid_field", "payment_method"},
  {"empty method", {.payment_method = "{}"}, "invalid_field", "payment_method"},
  {"card and token",
   {.payment_method = R"({"token":"t","card":{}})"},
   "invalid_field",
   "payment_method"},
  {"card number as token",
   {.payment_method = R"({"token":"4242424242424242"})"},
   "card_data_in_text",
   "payment_method.token"},
  {"empty token",
   {.payment_method = R"({"token":""})"},
   "invalid_field",
   "payment_method.token"},
  {"token with blank",
   {.payment_method = R"({"token":"a b"})"},
   "invalid_field",
   "payment_method.token"},
  {"unknown card member",
   {.payment_method = R"({"card":{"pin":"1"}})"},
   "unknown_field",
   "payment_method.card.pin"},
  {"wrong check digit",
   {.payment_method = card(R"("4242424242424241")")},
   "incorrect_number",
   "payment_method.card.number"},
  {"short number",
   {.payment_method = card(R"("42424242424")")},
   "incorrect_number",
   "payment_method.card.number"},
  {"long number",
   {.payment_method = card(R"("42424242424242424242")")},
   "incorrect_number",
   "payment_method.card.number"},
  {"number with blanks",
   {.payment_method = card(R"("4242 4242 4242 4242")")},
   "incorrect_number",
   "payment_method.card.number"},
  {"number as number",
   {.payment_method = card("4242424242424242")},
   "incorrect_number",
   "payment_method.card.number"},
  {"month 13",
   {.payment_method = card(R"("4242424242424242")", "13")},
   "invalid_field",
   "payment_method.card.exp_month"},
  {"two-digit year",
   {.payment_method = card(R"("4242424242424242")", "12", "30")},
   "invalid_field",
   "payment_method.card.exp_year"},
  {"short cvc",
   {.payment_method = card(R"("4242424242424242")", "12", "2030", R"("12")")},
   "invalid_cvc",
   "payment_method.card.cvc"},
  {"cvc as number",
   {.payment_method = card(R"("4242424242424242")", "12", "2030", "123")},
   "invalid_cvc",
   "payment_method.card.cvc"},
  {"unknown field", {.rest = R"(,"amout":1)"}, "unknown_field", "amout"},
  {"card number as field", {.rest = R"(,"4242424242424242":1)"}, "unknown_field", ""},
  {"doubled field", {.rest = R"(,"amount":1000)"}, "duplicate_field", "amount"},
  {"long reference",
   {.rest = ",\"reference\":\"" + long_text + "\""},
   "invalid_field",
   "reference"},
  {"reference with control character",
   {.rest = R"(,"reference":"a\u0000b")"},
   "invalid_field",
   "reference"},
  {"long description",
   {.rest = ",\"description\":\"" + long_text + "\""},
   "invalid_field",
   "description"},
  {"card number in the reference",
   {.rest = R"(,"reference":"order 4242424242424242")"},
   "card_data_in_text",
   "reference"},
  {"card number in the description",
   {.rest = R"(,"description":"paid with\n4242-4242-4242-4242")"},
   "card_data_in_text",
   "description"},
  {"card number in a metadata value",
   {.rest = R"(,"metadata":{"note":"4242 4242 4242 4242"})"},
   "card_data_in_text",
   "metadata.note"},
  {"card number as a metadata key",
   {.rest = R"(,"metadata":{"4242424242424242":"x"})"},
   "card_data_in_text",
   "metadata"},
  {"strange region", {.rest = R"(,"region":"E U")"}, "invalid_field", "region"},
  {"metadata as list", {.rest = R"(,"metadata":[])"}, "invalid_field", "metadata"},
  {"metadata number", {.rest = R"(,"metadata":{"a":1})"}, "invalid_field", "metadata.a"},
  {"metadata empty key", {.rest = R"(,"metadata":{"":"x"})"}, "invalid_field", "metadata"},
  {"metadata long value",
   {.rest = ",\"metadata\":{\"a\":\"" + long_text + "\"}"},
   "invalid_field",
   "metadata.a"},
};

} // namespace

BOOST_AUTO_TEST_SUITE(api_payment_requests)

BOOST_DATA_TEST_CASE(names_what_is_wrong, data::make(bad_inputs), input) {
  const auto order = read_create_payment(input.body.text());
  BOOST_REQUIRE(order.has_error());
  BOOST_TEST(order.error().status == 400);
  BOOST_TEST(order.error().code == input.code);
  BOOST_TEST(order.error().param == input.param);
  BOOST_TEST(order.error().detail.find("4242") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(reads_a_card_payment) {
  const request_body body{.capture = R"("automatic")",
                          .rest =
                            R"(,"reference":"o-1","description":"two\nlines","region":"EU",)"
                            R"("metadata":{"b":"2","a":"1"})"};
  const auto order = read_create_payment(body.text());
  BOOST_REQUIRE(order.has_value());
  BOOST_TEST(order->total.amount.value() == 1'000);
  BOOST_TEST(order->total.unit.code() == "EUR");
  BOOST_TEST((order->mode == capture_mode::automatic));
  BOOST_TEST(order->card.number.reveal() == "4242424242424242");
  BOOST_TEST(order->card.cvc.reveal() == "123");
  BOOST_TEST(order->summary.brand == "visa");
  BOOST_TEST(order->summary.last4 == "4242");
  BOOST_TEST(order->summary.exp_month == 12);
  BOOST_TEST(order->summary.exp_year == 2030);
  BOOST_TEST(order->token == "");
  BOOST_TEST(order->region == "EU");
  BOOST_REQUIRE(order->metadata.size() == 2U);
  BOOST_TEST(order->metadata.front().first == "b");
}

BOOST_AUTO_TEST_CASE(reads_a_token_payment) {
  const request_body body{.amount = "999999999999", .payment_method = R"({"token":"tok_1"})"};
  const auto order = read_create_payment(body.text());
  BOOST_REQUIRE(order.has_value());
  BOOST_TEST(order->token == "tok_1");
  BOOST_TEST(order->card.number.empty());
  BOOST_TEST(!refuse_expired_card(*order, test_now));
}

BOOST_AUTO_TEST_CASE(takes_a_card_to_the_end_of_its_month_anywhere) {
  const request_body body{.payment_method = card(R"("4242424242424242")", "11", "2026")};
  const auto until = [](unsigned month, unsigned day, int hours) {
    return timestamp{std::chrono::sys_days{std::chrono::year{2026} / std::chrono::month{month}
                                           / std::chrono::day{day}}
                     + std::chrono::hours{hours}};
  };
  const auto order = read_create_payment(body.text());
  BOOST_REQUIRE(order.has_value());
  BOOST_TEST(!refuse_expired_card(*order, until(12, 1, 11)));
  const auto refused = refuse_expired_card(*order, until(12, 1, 12));
  BOOST_REQUIRE(refused.has_value());
  BOOST_TEST(refused->status == 400);
  BOOST_TEST(refused->code == "invalid_expiry");
  BOOST_TEST(refused->param == "payment_method.card.exp_year");
}

BOOST_AUTO_TEST_CASE(reads_empty_bodies_of_changes) {
  const auto id = payment_id::make(test_now, shard_number{1}, 1);
  const auto capture = read_capture_payment("", id);
  BOOST_REQUIRE(capture.has_value());
  BOOST_TEST(!capture->amount.has_value());
  BOOST_TEST(!capture->final);
  BOOST_TEST(read_void_payment("", id).has_value());
  BOOST_TEST(read_void_payment("{}", id).has_value());
  BOOST_TEST(!read_refund_payment("", id)->amount.has_value());
}

BOOST_AUTO_TEST_CASE(checks_the_bodies_of_changes) {
  const auto id = payment_id::make(test_now, shard_number{1}, 1);
  const auto capture = read_capture_payment(R"({"amount":5,"final":true})", id);
  BOOST_REQUIRE(capture.has_value());
  BOOST_TEST(capture->amount->value() == 5);
  BOOST_TEST(capture->final);
  BOOST_TEST(read_capture_payment(R"({"final":1})", id).error().param == "final");
  BOOST_TEST(read_capture_payment(R"({"amount":0})", id).error().code == "invalid_amount");
  BOOST_TEST(read_void_payment(R"({"amount":5})", id).error().code == "unknown_field");
  BOOST_TEST(read_void_payment("[]", id).error().code == "invalid_json");
  const auto refund = read_refund_payment(R"({"reason":"broken"})", id);
  BOOST_REQUIRE(refund.has_value());
  BOOST_TEST(refund->reason == "broken");
  BOOST_TEST(read_refund_payment(R"({"reason":5})", id).error().param == "reason");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::api
