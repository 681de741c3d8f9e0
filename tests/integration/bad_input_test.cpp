// Bad input of every kind, sent to a real node: each is refused with the documented problem,
// and nothing of it reaches the database.
#include "storage/connection.hpp"
#include "tests/integration/dev_suite.hpp"
#include "tests/integration/expect.hpp"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <stdexcept>

namespace holdfast {

namespace data = boost::unit_test::data;

using test::dev_suite;
using test::expect_problem;
using test::payment_order;

namespace {

/// Rows that a request could leave behind, and the events' own count of themselves.
constexpr storage::sql count_rows{
  "test_count_rows",
  "select (select count(*) from payment) + (select count(*) from payment_operation),"
  " (select count(*) from event), (select sum(last_seq)::int8 from shard),"
  " (select count(*) from ledger_entry), (select count(*) from idempotency_key)"};

/// Payments that are there before, so that bad requests have something to be about; and the
/// rows that are there before, so that it shows if there are more afterwards.
class bad_input_suite : public dev_suite {
public:
  bad_input_suite() {
    authorized_ = test::make_payment(api(), {});
    captured_ = test::make_payment(api(), {.capture = "automatic"});
    const auto stranger = new_merchant();
    auto opened = storage::connection::open(node().database(), "test", soon());
    if (!opened)
      throw std::runtime_error(opened.error().detail);
    database_ = std::move(*opened);
    foreign_ = test::make_payment(*stranger.api, {});
    rows_ = rows();
    current_ = this;
  }
  ~bad_input_suite() { current_ = nullptr; }

  [[nodiscard]] static bad_input_suite& here() { return *current_; }

  /// "{id}" stands for an authorized payment, "{captured}" for a captured one and "{foreign}"
  /// for another merchant's.
  [[nodiscard]] std::string fill(std::string target) const {
    for (const auto& [name, id] :
         {std::pair{"{id}", authorized_}, {"{captured}", captured_}, {"{foreign}", foreign_}}) {
      if (const auto at = target.find(name); at != std::string::npos)
        target.replace(at, std::string_view{name}.size(), id);
    }
    return target;
  }

  void check_that_nothing_was_written() const { BOOST_TEST(rows() == rows_); }

private:
  static std::chrono::steady_clock::time_point soon() {
    return std::chrono::steady_clock::now() + std::chrono::seconds{10};
  }

  [[nodiscard]] std::vector<std::int64_t> rows() const {
    const auto found = database_->query(count_rows, {}, soon());
    if (!found)
      throw std::runtime_error(found.error().detail);
    storage::row counts{*found, 0};
    return {counts.int8(), counts.int8(), counts.int8(), counts.int8(), counts.int8()};
  }

  static inline bad_input_suite* current_ = nullptr;
  std::string authorized_;
  std::string captured_;
  std::string foreign_;
  std::unique_ptr<storage::connection> database_;
  std::vector<std::int64_t> rows_;
};

struct refused_request {
  std::string name;
  std::string method = "POST";
  std::string target = "/v1/payments";
  std::string body = payment_order{}.body();
  /// Besides Authorization, Idempotency-Key and Content-Type, or in place of them; an empty
  /// value takes the header away.
  http::header_list headers = {};
  int status = 400;
  std::string code = "invalid_field";
  std::string param = {};

  friend std::ostream& operator<<(std::ostream& out, const refused_request& one) {
    return out << one.name;
  }
};

void check_refusal(const refused_request& wanted) {
  auto& suite = bad_input_suite::here();
  auto& api = suite.api();
  auto request = wanted.method == "POST" ? api.make_post(suite.fill(wanted.target), wanted.body)
                                         : api.make_get(suite.fill(wanted.target));
  request.method = wanted.method;
  for (const auto& header : wanted.headers) {
    std::erase_if(request.headers,
                  [&](const auto& field) { return field.first == header.first; });
    if (!header.second.empty())
      request.headers.push_back(header);
  }
  const auto answer = api.send(std::move(request));
  expect_problem(answer, wanted.status, wanted.code, wanted.param);
  BOOST_TEST(answer.header("idempotent-replayed").empty());
  suite.check_that_nothing_was_written();
}

/// A payment whose `member` (amount, currency …) is written as `text`; empty: left out.
std::string order_with(std::string_view member, std::string_view text) {
  std::string body = "{";
  const auto add = [&](std::string_view name, std::string_view usual) {
    const auto value = name == member ? text : usual;
    if (value.empty())
      return;
    body.append(body.size() > 1 ? "," : "")
      .append("\"")
      .append(name)
      .append("\":")
      .append(value);
  };
  add("amount", "1000");
  add("currency", R"("EUR")");
  add("capture", R"("manual")");
  add("payment_method",
      R"({"card":{"number":"4242424242424242","exp_month":12,"exp_year":2034,"cvc":"123"}})");
  for (const auto* name : {"reference", "description", "region", "metadata"})
    add(name, "");
  return body + '}';
}

std::string order_by_card(std::string_view number, std::string_view month = "12",
                          std::string_view year = "2034", std::string_view cvc = R"("123")") {
  std::string method = R"({"card":{"number":)";
  method.append(number).append(R"(,"exp_month":)").append(month).append(R"(,"exp_year":)");
  method.append(year).append(R"(,"cvc":)").append(cvc).append("}}");
  return order_with("payment_method", method);
}

std::vector<refused_request> bad_amounts() {
  std::vector<refused_request> table;
  for (const auto* amount :
       {"0", "-0", "-1", "-1000", "0.5", "10.0", "10.5", "1e3", "1000000000000",
        "9223372036854775807", "9223372036854775808", "-9223372036854775809",
        "123456789012345678901234567890", "1e400", "\"1000\"", "true", "null", "[1000]", "{}"})
    table.push_back({.name = std::string{"amount "} + amount,
                     .body = order_with("amount", amount),
                     .code = "invalid_amount",
                     .param = "amount"});
  table.push_back({.name = "no amount",
                   .body = order_with("amount", ""),
                   .code = "missing_field",
                   .param = "amount"});
  for (const auto* target : {"/v1/payments/{id}/capture", "/v1/payments/{captured}/refunds"})
    for (const auto* amount : {"0", "-5", "1.5", "1000000000000", "\"5\""})
      table.push_back({.name = std::string{target} + ' ' + amount,
                       .target = target,
                       .body = std::string{R"({"amount":)"} + amount + '}',
                       .code = "invalid_amount",
                       .param = "amount"});
  return table;
}

std::vector<refused_request> bad_fields() {
  std::vector<refused_request> table;
  for (const auto* unit : {R"("XXQ")", R"("eur")", R"("EURO")", R"("")", "978", "null"})
    table.push_back({.name = std::string{"currency "} + unit,
                     .body = order_with("currency", unit),
                     .code = "unknown_currency",
                     .param = "currency"});
  const auto field = [&](std::string member, std::string text, std::string code,
                         std::string param) {
    table.push_back({.name = member + ' ' + text.substr(0, 40),
                     .body = order_with(member, text),
                     .code = std::move(code),
                     .param = std::move(param)});
  };
  field("currency", "", "missing_field", "currency");
  field("capture", "", "missing_field", "capture");
  field("capture", R"("later")", "invalid_field", "capture");
  field("payment_method", "", "missing_field", "payment_method");
  field("payment_method", "{}", "invalid_field", "payment_method");
  field("payment_method", R"({"token":"t","card":{}})", "invalid_field", "payment_method");
  field("payment_method", R"({"token":""})", "invalid_field", "payment_method.token");
  field("payment_method", R"({"token":"4242424242424242"})", "card_data_in_text",
        "payment_method.token");
  field("payment_method", R"({"card":{"pin":"1"}})", "unknown_field",
        "payment_method.card.pin");
  field("reference", '"' + std::string(256, 'r') + '"', "invalid_field", "reference");
  field("reference", R"("a\u0000b")", "invalid_field", "reference");
  field("reference", R"("4242424242424242")", "card_data_in_text", "reference");
  field("description", '"' + std::string(1'001, 'd') + '"', "invalid_field", "description");
  field("description", R"("4242 4242 4242 4242")", "card_data_in_text", "description");
  field("region", R"("E U")", "invalid_field", "region");
  field("metadata", R"("text")", "invalid_field", "metadata");
  field("metadata", R"({"a":1})", "invalid_field", "metadata.a");
  field("metadata", R"({"a":{"b":"c"}})", "invalid_field", "metadata.a");
  field("metadata", R"({"card":"4242-4242-4242-4242"})", "card_data_in_text", "metadata.card");
  return table;
}

std::vector<refused_request> bad_cards() {
  const auto card = [](std::string name, std::string body, std::string code,
                       std::string member) {
    return refused_request{.name = std::move(name),
                           .body = std::move(body),
                           .code = std::move(code),
                           .param = "payment_method.card." + std::move(member)};
  };
  constexpr auto good = R"("4242424242424242")";
  return {
    card("a PAN failing Luhn", order_by_card(R"("4242424242424241")"), "incorrect_number",
         "number"),
    card("a short PAN", order_by_card(R"("42424242424")"), "incorrect_number", "number"),
    card("a long PAN", order_by_card(R"("42424242424242424242")"), "incorrect_number",
         "number"),
    card("a PAN with blanks", order_by_card(R"("4242 4242 4242 4242")"), "incorrect_number",
         "number"),
    card("a PAN as a number", order_by_card("4242424242424242"), "incorrect_number", "number"),
    card("month 13", order_by_card(good, "13"), "invalid_field", "exp_month"),
    card("month 0", order_by_card(good, "0"), "invalid_field", "exp_month"),
    card("a year of two digits", order_by_card(good, "12", "34"), "invalid_field", "exp_year"),
    card("an expired card", order_by_card(good, "1", "2020"), "invalid_expiry", "exp_year"),
    card("letters for a cvc", order_by_card(good, "12", "2034", R"("12a")"), "invalid_cvc",
         "cvc"),
    card("a cvc as a number", order_by_card(good, "12", "2034", "123"), "invalid_cvc", "cvc"),
  };
}

std::vector<refused_request> bad_documents() {
  const auto json = [](std::string name, std::string body) {
    return refused_request{
      .name = std::move(name), .body = std::move(body), .code = "invalid_json"};
  };
  const auto good = payment_order{}.body();
  const auto with = [](std::string_view further) {
    return payment_order{.further = further}.body();
  };
  return {
    json("an empty body", ""),
    json("no JSON", "amount=1000&currency=EUR"),
    json("half a document", good.substr(0, good.size() / 2)),
    json("a document and more", good + good),
    json("a list", "[" + good + "]"),
    json("a number", "1000"),
    json("a trailing comma", with(R"("reference":"a",)")),
    json("a comment", "/* */" + good),
    json("not a number", order_with("amount", "NaN")),
    json("bad UTF-8", with("\"description\":\"\xC3\x28\"")),
    json("overlong UTF-8", with("\"description\":\"\xC0\xAF\"")),
    json("a surrogate in UTF-8", with("\"description\":\"\xED\xA0\x80\"")),
    json("a lone surrogate", with(R"("description":"\ud800")")),
    json("a bare control character", with("\"description\":\"a\x01"
                                          "b\"")),
    json("a byte order mark", "\xEF\xBB\xBF" + good),
    json("a deep document",
         with("\"metadata\":" + std::string(100, '[') + std::string(100, ']'))),
    {.name = "an unknown field",
     .body = with(R"("amout":1)"),
     .code = "unknown_field",
     .param = "amout"},
    {.name = "a card number as a field",
     .body = with(R"("4242424242424242":"x")"),
     .code = "unknown_field"},
    {.name = "a doubled field",
     .body = with(R"("amount":1000)"),
     .code = "duplicate_field",
     .param = "amount"},
    {.name = "an unknown field of a capture",
     .target = "/v1/payments/{id}/capture",
     .body = R"({"amount":1,"finally":true})",
     .code = "unknown_field",
     .param = "finally"},
    {.name = "a void with a body",
     .target = "/v1/payments/{id}/void",
     .body = R"({"amount":1})",
     .code = "unknown_field",
     .param = "amount"},
    {.name = "a capture that is final perhaps",
     .target = "/v1/payments/{id}/capture",
     .body = R"({"final":"yes"})",
     .param = "final"},
    {.name = "a card number as a reason",
     .target = "/v1/payments/{captured}/refunds",
     .body = R"({"reason":"card 4242424242424242"})",
     .code = "card_data_in_text",
     .param = "reason"},
  };
}

std::vector<refused_request> bad_headers() {
  const std::string key = "Idempotency-Key";
  const auto bad_key = [&](std::string name, std::string value) {
    return refused_request{.name = std::move(name),
                           .headers = {{key, std::move(value)}},
                           .code = "idempotency_key_invalid",
                           .param = key};
  };
  const auto bad_type = [](std::string type) {
    return refused_request{.name = "content type " + type,
                           .headers = {{"Content-Type", type}},
                           .status = 415,
                           .code = "unsupported_media_type"};
  };
  const auto bad_credentials = [](std::string name, std::string value, std::string code) {
    return refused_request{.name = std::move(name),
                           .headers = {{"Authorization", std::move(value)}},
                           .status = 401,
                           .code = std::move(code)};
  };
  return {
    {.name = "no key", .headers = {{key, ""}}, .code = "idempotency_key_missing", .param = key},
    bad_key("a key of 300 characters", std::string(300, 'k')),
    bad_key("an empty quoted key", "\"\""),
    bad_key("a key with a blank", "a b"),
    bad_key("a key that is not ASCII", "\xC3\xA4"),
    bad_key("half a quoted key", "\"abc"),
    {.name = "a card number as the key",
     .headers = {{key, "4242424242424242"}},
     .code = "card_data_in_text",
     .param = key},
    bad_type(""),
    bad_type("text/plain"),
    bad_type("application/x-www-form-urlencoded"),
    bad_type("application/json; charset=latin1"),
    bad_type("application/jsonp"),
    bad_credentials("no credentials", "", "authentication_required"),
    bad_credentials("other credentials", "Basic aGY6aGY=", "authentication_required"),
    bad_credentials("an empty key", "Bearer ", "authentication_required"),
    bad_credentials("an unknown key", "Bearer hf_test_" + std::string(64, '0'),
                    "invalid_api_key"),
    bad_credentials("a key of another make", "Bearer sk_live_1", "invalid_api_key"),
  };
}

std::vector<refused_request> bad_targets() {
  std::vector<refused_request> table;
  for (const auto* action : {"/capture", "/void", "/refunds"}) {
    table.push_back({.name = std::string{"another merchant's payment"} + action,
                     .target = std::string{"/v1/payments/{foreign}"} + action,
                     .body = "",
                     .status = 404,
                     .code = "not_found"});
    table.push_back({.name = std::string{"no payment"} + action,
                     .target = "/v1/payments/pay_" + std::string(32, '0') + action,
                     .body = "",
                     .status = 404,
                     .code = "not_found"});
    table.push_back({.name = std::string{"no id"} + action,
                     .target = std::string{"/v1/payments/42"} + action,
                     .body = "",
                     .status = 404,
                     .code = "not_found"});
  }
  for (const auto* target :
       {"/v1/payments/{foreign}", "/v1/payments/{foreign}/timeline", "/v1/payments/pay_",
        "/v1/payments/", "/v1/refunds/{id}", "/v1/batches/{id}", "/v1", "/", "/v2/payments",
        "/V1/payments", "/admin/v1/merchants", "/metrics"})
    table.push_back(
      {.name = target, .method = "GET", .target = target, .status = 404, .code = "not_found"});
  for (const auto* method : {"PUT", "DELETE", "PATCH"})
    table.push_back({.name = std::string{method} + " of a payment",
                     .method = method,
                     .target = "/v1/payments/{id}",
                     .status = 405,
                     .code = "method_not_allowed"});
  const auto query = [&](std::string target, std::string param) {
    table.push_back({.name = target,
                     .method = "GET",
                     .target = target,
                     .code = "invalid_parameter",
                     .param = std::move(param)});
  };
  for (const auto* limit : {"0", "101", "-1", "ten", "1.5", "99999999999999999999"})
    query(std::string{"/v1/payments?limit="} + limit, "limit");
  query("/v1/payments?limit=1&limit=2", "limit");
  query("/v1/payments?status=paid", "status");
  query("/v1/payments?starting_after=evt_1", "starting_after");
  query("/v1/payments?customer=7", "customer");
  query("/v1/payments?4242424242424242=7", "");
  query("/v1/payments?reference=", "reference");
  query("/v1/ledger/entries?payment=7", "payment");
  query("/v1/ledger/entries?account=acquirer_cash", "account");
  query("/v1/events?after=7", "after");
  query("/v1/batches?status=open", "status");
  return table;
}

// -- byte for byte ----------------------------------------------------------------------------

struct raw_request {
  std::string name;
  std::string head; ///< after the request line and the headers that every request has
  std::string body;
  std::string start = "POST /v1/payments HTTP/1.1";
  int status = 400;
  std::string code = "ambiguous_framing";

  friend std::ostream& operator<<(std::ostream& out, const raw_request& one) {
    return out << one.name;
  }
};

void check_refusal(const raw_request& request) {
  auto& suite = bad_input_suite::here();
  test::raw_connection connection{suite.api().port()};
  connection.send_what_goes(request.start + "\r\nHost: shop\r\nAuthorization: Bearer "
                            + suite.node().api_key() + "\r\nIdempotency-Key: "
                            + test::fresh_key() + "\r\nContent-Type: application/json\r\n"
                            + request.head + "\r\n" + request.body);
  const auto answer = connection.read_answer();
  BOOST_TEST(answer.status == request.status);
  BOOST_TEST(answer.header("content-type") == "application/problem+json");
  BOOST_TEST(answer.body.find("\"code\":\"" + request.code + '"') != std::string::npos,
             answer.body);
  BOOST_TEST(answer.header("connection") == "close");
  connection.end_sending();
  connection.wait_for_end();
  suite.check_that_nothing_was_written();
}

std::vector<raw_request> bad_framings() {
  const std::string order = payment_order{}.body();
  const auto length = "Content-Length: " + std::to_string(order.size()) + "\r\n";
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  return {
    {.name = "both Content-Length and Transfer-Encoding",
     .head = length + chunked,
     .body = "0\r\n\r\n"},
    {.name = "gzip before chunked",
     .head = "Transfer-Encoding: gzip, chunked\r\n",
     .body = "0\r\n\r\n"},
    {.name = "identity", .head = "Transfer-Encoding: identity\r\n", .body = order},
    {.name = "Content-Length twice", .head = length + length, .body = order},
    {.name = "two lengths in one", .head = "Content-Length: 5, 5\r\n", .body = order},
    {.name = "a negative length", .head = "Content-Length: -1\r\n", .body = ""},
    {.name = "a length with a sign", .head = "Content-Length: +5\r\n", .body = "hello"},
    {.name = "HTTP/1.0 with chunked",
     .head = chunked,
     .body = "0\r\n\r\n",
     .start = "POST /v1/payments HTTP/1.0"},
    {.name = "a broken chunk", .head = chunked, .body = "zz\r\n", .code = "malformed_request"},
    {.name = "a folded header",
     .head = length + "X-A: b\r\n c\r\n",
     .body = order,
     .code = "malformed_request"},
    {.name = "a blank before the colon",
     .head = "Content-Length : 5\r\n",
     .body = "hello",
     .code = "malformed_request"},
    {.name = "a bare line feed", .head = "X-A: b\n", .body = "", .code = "malformed_request"},
    {.name = "an absolute target",
     .head = length,
     .body = order,
     .start = "POST http://elsewhere/v1/payments HTTP/1.1",
     .code = "malformed_request"},
    {.name = "two hosts",
     .head = length + "Host: elsewhere\r\n",
     .body = order,
     .code = "duplicate_header"},
    {.name = "two keys",
     .head = length + "Idempotency-Key: another\r\n",
     .body = order,
     .code = "duplicate_header"},
    {.name = "HTTP/2.0",
     .head = length,
     .body = order,
     .start = "POST /v1/payments HTTP/2.0",
     .status = 505,
     .code = "version_not_supported"},
  };
}

std::vector<raw_request> oversized_requests() {
  const std::string huge = "Content-Length: 10485760\r\n";
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  return {
    {.name = "10 MiB announced",
     .head = huge,
     .body = "",
     .status = 413,
     .code = "body_too_large"},
    {.name = "10 MiB sent",
     .head = huge,
     .body = std::string(10 * 1024 * 1024, ' '),
     .status = 413,
     .code = "body_too_large"},
    {.name = "10 MiB in a chunk",
     .head = chunked,
     .body = "A00000\r\n" + std::string(10 * 1024 * 1024, ' '),
     .status = 413,
     .code = "body_too_large"},
    {.name = "a header of 20 KiB",
     .head = "X-A: " + std::string(20 * 1024, 'a') + "\r\n",
     .body = "",
     .status = 431,
     .code = "headers_too_large"},
  };
}

} // namespace

BOOST_AUTO_TEST_SUITE(bad_input, *boost::unit_test::fixture<bad_input_suite>())

BOOST_DATA_TEST_CASE(refuses_bad_amounts, data::make(bad_amounts()), request) {
  check_refusal(request);
}

BOOST_DATA_TEST_CASE(refuses_bad_fields, data::make(bad_fields()), request) {
  check_refusal(request);
}

BOOST_DATA_TEST_CASE(refuses_bad_cards, data::make(bad_cards()), request) {
  check_refusal(request);
}

BOOST_DATA_TEST_CASE(refuses_bad_documents, data::make(bad_documents()), request) {
  check_refusal(request);
}

BOOST_DATA_TEST_CASE(refuses_bad_headers, data::make(bad_headers()), request) {
  check_refusal(request);
}

BOOST_DATA_TEST_CASE(refuses_bad_targets, data::make(bad_targets()), request) {
  check_refusal(request);
}

BOOST_DATA_TEST_CASE(refuses_bad_framing_and_hangs_up, data::make(bad_framings()), request) {
  check_refusal(request);
}

BOOST_DATA_TEST_CASE(refuses_what_is_too_large_and_hangs_up, data::make(oversized_requests()),
                     request) {
  check_refusal(request);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast
