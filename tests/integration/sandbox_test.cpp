// The sandbox over HTTP, as gateways' wires, acquirers and checkers see it, and over restarts.
#include "runtime/sandbox/sandbox.hpp"

#include "runtime/sandbox/settlement_desk.hpp"
#include "tests/support/http_probe.hpp"
#include "tests/support/process.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include <fstream>
#include <map>
#include <sstream>

namespace json = boost::json;

namespace holdfast::sandbox {

namespace {

using test::ending;
using test::probe_answer;
using test::raw_connection;

/// A sandbox on a thread of its own that can be restarted on the same folder.
class running_sandbox {
public:
  running_sandbox() { start(); }
  ~running_sandbox() { stop(); }

  void restart() {
    stop();
    start();
  }

  raw_connection connect() const { return raw_connection{server_->port()}; }

  probe_answer send(const std::string& method, const std::string& path,
                    const std::string& body = {}, const std::string& fields = {}) {
    auto client = connect();
    client.send(request(method, path, body, fields));
    return client.read_answer();
  }
  probe_answer get(const std::string& path) { return send("GET", path); }
  probe_answer post(const std::string& path, const std::string& body = "{}") {
    return send("POST", path, body);
  }

  static std::string request(const std::string& method, const std::string& path,
                             const std::string& body, const std::string& fields = {}) {
    return method + ' ' + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: "
           + std::to_string(body.size()) + "\r\n" + fields + "\r\n" + body;
  }

  std::vector<json::object> records(const std::string& query = "?limit=10000") {
    std::vector<json::object> found;
    std::istringstream lines{get("/sandbox/records" + query).body};
    for (std::string line; std::getline(lines, line);)
      found.push_back(json::parse(line).as_object());
    return found;
  }

  std::filesystem::path folder() const { return folder_.path(); }

private:
  void start() {
    background_ = std::make_unique<test::background_io>();
    sandbox_options options;
    options.listen = "127.0.0.1:0";
    options.state_dir = folder_.path() / "state";
    options.slow = milliseconds{30};
    options.silence = milliseconds{30};
    background_->run([&] { server_ = *sandbox_server::start(background_->io(), options); });
  }

  void stop() {
    background_->run([this] { server_.reset(); });
    background_.reset();
  }

  test::temp_folder folder_;
  std::unique_ptr<test::background_io> background_;
  std::unique_ptr<sandbox_server> server_;
};

constexpr auto visa = "4242424242424242";

std::string authorization_body(const std::string& reference, std::int64_t amount,
                               const std::string& number = visa) {
  return json::serialize(json::object{
    {"reference", reference},
    {"amount", amount},
    {"currency", "EUR"},
    {"merchant", "mer_1"},
    {"card", {{"number", number}, {"exp_month", 12}, {"exp_year", 2090}, {"cvc", "987"}}}});
}

std::string operation_body(const std::string& reference, std::int64_t amount,
                           bool final = false) {
  return json::serialize(
    json::object{{"operation_reference", reference}, {"amount", amount}, {"final", final}});
}

const std::string authorizations = "/gateway/alpha/authorizations";

std::string text(const probe_answer& answer, const char* member) {
  const auto parsed = json::parse(answer.body);
  const auto* value = parsed.as_object().if_contains(member);
  return value ? std::string{value->as_string()} : std::string{};
}

std::int64_t number(const probe_answer& answer, const char* member) {
  return json::parse(answer.body).at(member).as_int64();
}

} // namespace

BOOST_AUTO_TEST_SUITE(sandbox_gateways)

BOOST_AUTO_TEST_CASE(authorizes_captures_and_refunds) {
  running_sandbox sandbox;
  const auto approved = sandbox.post(authorizations, authorization_body("pay_1.1", 1'000));
  BOOST_TEST(approved.status == 200);
  BOOST_TEST(text(approved, "status") == "approved");
  BOOST_TEST(text(approved, "reference") == "pay_1.1");
  BOOST_TEST(!text(approved, "gateway_reference").empty());
  BOOST_TEST(number(approved, "amount") == 1'000);
  BOOST_TEST(text(approved, "currency") == "EUR");

  const auto captured =
    sandbox.post(authorizations + "/pay_1.1/capture", operation_body("pay_1.c1", 600));
  BOOST_TEST(text(captured, "status") == "succeeded");
  BOOST_TEST(text(captured, "operation_reference") == "pay_1.c1");
  BOOST_TEST(text(captured, "gateway_reference") == text(approved, "gateway_reference"));
  BOOST_TEST(number(captured, "amount") == 600);

  const auto over =
    sandbox.post(authorizations + "/pay_1.1/capture", operation_body("pay_1.c2", 401));
  BOOST_TEST(over.status == 200);
  BOOST_TEST(text(over, "status") == "refused");
  BOOST_TEST(text(over, "code") == "amount_too_large");

  const auto refunded =
    sandbox.post(authorizations + "/pay_1.1/refund", operation_body("pay_1.r1", 100));
  BOOST_TEST(text(refunded, "status") == "succeeded");
  const auto seen = sandbox.get(authorizations + "/pay_1.1");
  BOOST_TEST(number(seen, "captured") == 600);
  BOOST_TEST(number(seen, "refunded") == 100);
}

BOOST_AUTO_TEST_CASE(charges_once_however_often_it_is_asked) {
  running_sandbox sandbox;
  for (int i = 0; i < 3; ++i) {
    const auto answer = sandbox.post(authorizations, authorization_body("pay_1.1", 1'000));
    BOOST_TEST(text(answer, "status") == "approved");
    BOOST_TEST(text(answer, "gateway_reference") == "alpha_000000000001");
  }
  const auto other = sandbox.post(authorizations, authorization_body("pay_1.1", 1'001));
  BOOST_TEST(other.status == 409);
  // Another gateway knows nothing of it.
  BOOST_TEST(
    text(sandbox.post("/gateway/beta/authorizations", authorization_body("pay_1.1", 1'001)),
         "status")
    == "approved");
  const auto records = sandbox.records();
  BOOST_REQUIRE(records.size() == 4u);
  BOOST_TEST(records[0].at("effective").as_bool());
  BOOST_TEST(!records[1].at("effective").as_bool());
  BOOST_TEST(!records[2].at("effective").as_bool());
  BOOST_TEST(records[3].at("gateway").as_string() == "beta");
}

BOOST_AUTO_TEST_CASE(declines_the_special_cards) {
  running_sandbox sandbox;
  const std::map<std::string, std::string> cards{{"4000000000000002", "generic_decline"},
                                                 {"4000000000009995", "insufficient_funds"},
                                                 {"4000000000000069", "expired_card"}};
  int count = 0;
  for (const auto& [card, code] : cards) {
    const auto answer = sandbox.post(
      authorizations, authorization_body("pay_" + std::to_string(++count) + ".1", 1'000, card));
    BOOST_TEST(answer.status == 200);
    BOOST_TEST(text(answer, "status") == "declined");
    BOOST_TEST(text(answer, "code") == code);
    BOOST_TEST(!text(answer, "message").empty());
  }
  for (const auto& record : sandbox.records()) {
    BOOST_TEST(!record.at("effective").as_bool());
    BOOST_TEST(!record.at("code").as_string().empty());
  }
}

BOOST_AUTO_TEST_CASE(a_reversal_before_its_original_declines_it) {
  running_sandbox sandbox;
  BOOST_TEST(sandbox.get(authorizations + "/pay_1.1").status == 404);
  for (int i = 0; i < 2; ++i) {
    const auto reversed = sandbox.post(authorizations + "/pay_1.1/reverse", "");
    BOOST_TEST(reversed.status == 200);
    BOOST_TEST(text(reversed, "status") == "reversed");
  }
  const auto late = sandbox.post(authorizations, authorization_body("pay_1.1", 1'000));
  BOOST_TEST(text(late, "status") == "declined");
  BOOST_TEST(text(late, "code") == "reversed");
  BOOST_TEST(text(sandbox.get(authorizations + "/pay_1.1"), "status") == "reversed");
}

BOOST_AUTO_TEST_CASE(amounts_make_answers_go_wrong_and_inquiries_tell_the_truth) {
  running_sandbox sandbox;
  const auto ask = [&](std::int64_t amount) {
    auto client = sandbox.connect();
    const auto reference = "pay_" + std::to_string(amount) + ".1";
    client.send(
      running_sandbox::request("POST", authorizations, authorization_body(reference, amount)));
    return client;
  };
  const auto inquire = [&](std::int64_t amount) {
    return text(sandbox.get(authorizations + "/pay_" + std::to_string(amount) + ".1"),
                "status");
  };
  ask(1'051).wait_for_end();
  BOOST_TEST(inquire(1'051) == "approved");
  ask(1'052).wait_for_end();
  BOOST_TEST(inquire(1'052) == "not_found");
  BOOST_TEST(ask(1'053).read_answer().status == 500);
  BOOST_TEST(inquire(1'053) == "approved");

  auto slow = ask(1'054);
  BOOST_TEST(text(slow.read_answer(), "status") == "approved");
  BOOST_TEST((ask(1'055).wait_for_end() == ending::reset));
  BOOST_TEST(inquire(1'055) == "approved");

  const auto garbled = ask(1'056).read_answer();
  BOOST_TEST(garbled.status == 200);
  boost::system::error_code not_json;
  json::parse(garbled.body, not_json);
  BOOST_TEST(static_cast<bool>(not_json));
  BOOST_TEST(inquire(1'056) == "approved");

  // A second try of a reference is answered, with the first outcome.
  BOOST_TEST(text(ask(1'051).read_answer(), "status") == "approved");
}

BOOST_AUTO_TEST_CASE(a_slow_answer_takes_effect_at_once) {
  running_sandbox sandbox;
  BOOST_TEST(sandbox.post("/sandbox/faults", R"({"gateway":"alpha","rates":{"slow":1}})").status
             == 200);
  auto client = sandbox.connect();
  client.send(
    running_sandbox::request("POST", authorizations, authorization_body("pay_1.1", 1'000)));
  BOOST_TEST(
    test::eventually(milliseconds{10'000}, [&] { return !sandbox.records().empty(); }));
  BOOST_TEST(client.read_answer().status == 200);
}

BOOST_AUTO_TEST_CASE(makes_tokens_without_keeping_cards) {
  running_sandbox sandbox;
  const auto made = sandbox.post("/gateway/alpha/tokens",
                                 R"({"card":{"number":"4000000000009995","exp_month":1,)"
                                 R"("exp_year":2090,"cvc":"987"}})");
  const auto token = text(made, "token");
  BOOST_TEST(token.starts_with("tok_"));
  sandbox.restart();
  const auto pay_with = [&](const std::string& reference, const std::string& with) {
    return sandbox.post(
      authorizations,
      json::serialize(json::object{
        {"reference", reference}, {"amount", 1'000}, {"currency", "EUR"}, {"token", with}}));
  };
  BOOST_TEST(text(pay_with("pay_1.1", token), "code") == "insufficient_funds");
  BOOST_TEST(text(pay_with("pay_2.1", "tok_visa"), "status") == "approved");
  BOOST_TEST(text(pay_with("pay_3.1", "tok_lost_card"), "code") == "lost_card");
  BOOST_TEST(text(pay_with("pay_4.1", "tok_nobody_made"), "code") == "invalid_token");
}

BOOST_AUTO_TEST_CASE(keeps_no_card_number_and_no_security_code) {
  running_sandbox sandbox;
  sandbox.post(authorizations, authorization_body("pay_1.1", 1'000));
  sandbox.post(
    "/gateway/alpha/tokens",
    R"({"card":{"number":"4242424242424242","exp_month":1,"exp_year":2090,"cvc":"987"}})");
  for (const auto& entry : std::filesystem::recursive_directory_iterator{sandbox.folder()}) {
    if (!entry.is_regular_file())
      continue;
    std::ifstream file{entry.path()};
    const std::string content{std::istreambuf_iterator<char>{file}, {}};
    BOOST_TEST(content.find(visa) == std::string::npos);
    BOOST_TEST(content.find("\"987\"") == std::string::npos);
    // A name in quotes: ids are random letters too, but after a prefix.
    BOOST_TEST(content.find("\"cvc") == std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(refuses_malformed_requests_without_a_record) {
  running_sandbox sandbox;
  for (
    const char* body :
    {"", "x", "[]", "{}",
     R"({"reference":"a b","amount":1,"currency":"EUR","token":"tok_visa"})",
     R"({"reference":"a","amount":0,"currency":"EUR","token":"tok_visa"})",
     R"({"reference":"a","amount":1.5,"currency":"EUR","token":"tok_visa"})",
     R"({"reference":"a","amount":1,"currency":"eur","token":"tok_visa"})",
     R"({"reference":"a","amount":1,"currency":"EUR"})",
     R"({"reference":"a","amount":1,"currency":"EUR","card":{"number":"4242424242424242"}})"}) {
    const auto answer = sandbox.post(authorizations, body);
    BOOST_TEST(answer.status == 400, body);
    BOOST_TEST(answer.header("content-type") == "application/problem+json");
  }
  BOOST_TEST(sandbox.get("/gateway").status == 404);
  BOOST_TEST(sandbox.send("DELETE", authorizations).status == 404);
  BOOST_TEST(sandbox.records().empty());
}

BOOST_AUTO_TEST_CASE(lists_recent_authorizations_in_pages) {
  running_sandbox sandbox;
  for (int i = 1; i <= 5; ++i)
    sandbox.post(authorizations, authorization_body("pay_" + std::to_string(i) + ".1", 1'000));
  const auto list = [&](const std::string& query) {
    return json::parse(sandbox.get(authorizations + query).body).as_object();
  };
  const auto first = list("?limit=2");
  BOOST_TEST(first.at("authorizations").as_array().size() == 2u);
  BOOST_TEST(first.at("has_more").as_bool());
  const auto& last = first.at("authorizations").at(1);
  BOOST_TEST(last.at("reference").as_string() == "pay_2.1");
  const auto rest = list("?after=" + std::to_string(last.at("seq").as_int64()));
  BOOST_TEST(rest.at("authorizations").as_array().size() == 3u);
  BOOST_TEST(!rest.at("has_more").as_bool());
  const auto since = list("?since=" + std::string{last.at("at").as_string()});
  BOOST_TEST(since.at("authorizations").at(0).at("reference").as_string() == "pay_2.1");
  BOOST_TEST(list("?since=2090-01-01T00:00:00Z").at("authorizations").as_array().empty());
  BOOST_TEST(sandbox.get(authorizations + "?since=yesterday").status == 400);
}

BOOST_AUTO_TEST_CASE(goes_wrong_on_demand) {
  running_sandbox sandbox;
  sandbox.post("/sandbox/faults", R"({"gateway":"alpha","outage":true})");
  BOOST_TEST(sandbox.post(authorizations, authorization_body("pay_1.1", 1'000)).status == 503);
  BOOST_TEST(sandbox.get(authorizations + "/pay_1.1").status == 503);
  sandbox.post("/sandbox/faults", R"({"gateway":"alpha","rates":{"http_500_uncharged":1}})");
  BOOST_TEST(sandbox.post(authorizations, authorization_body("pay_1.1", 1'000)).status == 500);
  BOOST_TEST(sandbox.send("DELETE", "/sandbox/faults").status == 200);
  BOOST_TEST(sandbox.get(authorizations + "/pay_1.1").status == 404);
  BOOST_TEST(text(sandbox.post(authorizations, authorization_body("pay_1.1", 1'000)), "status")
             == "approved");
  BOOST_TEST(sandbox.post("/sandbox/faults", R"({"rates":{"nonsense":1}})").status == 400);
}

BOOST_AUTO_TEST_CASE(remembers_everything_over_a_restart) {
  running_sandbox sandbox;
  sandbox.post(authorizations, authorization_body("pay_1.1", 1'000));
  sandbox.post(authorizations + "/pay_1.1/capture", operation_body("pay_1.c1", 600, true));
  sandbox.post(authorizations, authorization_body("pay_2.1", 1'000, "4000000000000002"));
  sandbox.post(authorizations + "/pay_3.1/reverse");
  const auto before = sandbox.get("/sandbox/records").body;
  sandbox.restart();
  BOOST_TEST(sandbox.get("/sandbox/records").body == before);
  BOOST_TEST(number(sandbox.get(authorizations + "/pay_1.1"), "captured") == 600);
  BOOST_TEST(
    text(sandbox.post(authorizations + "/pay_1.1/capture", operation_body("pay_1.c2", 1)),
         "code")
    == "closed");
  BOOST_TEST(
    text(sandbox.post(authorizations + "/pay_1.1/capture", operation_body("pay_1.c1", 600)),
         "status")
    == "succeeded");
  BOOST_TEST(text(sandbox.get(authorizations + "/pay_2.1"), "code") == "generic_decline");
  BOOST_TEST(text(sandbox.post(authorizations, authorization_body("pay_3.1", 1'000)), "code")
             == "reversed");
}

BOOST_AUTO_TEST_CASE(serves_records_in_pages) {
  running_sandbox sandbox;
  for (int i = 1; i <= 5; ++i)
    sandbox.post(authorizations, authorization_body("pay_" + std::to_string(i) + ".1", 1'000));
  const auto page = sandbox.records("?after=2&limit=2");
  BOOST_REQUIRE(page.size() == 2u);
  BOOST_TEST(page[0].at("seq").as_int64() == 3);
  BOOST_TEST(page[0].at("kind").as_string() == "authorize");
  BOOST_TEST(page[0].at("reference").as_string() == "pay_3.1");
  BOOST_TEST(page[0].contains("at"));
  BOOST_TEST(sandbox.records("?after=5").empty());
  BOOST_TEST(sandbox.get("/sandbox/records?after=x").status == 400);
  BOOST_TEST(sandbox.get("/sandbox/health").status == 200);
}

BOOST_AUTO_TEST_SUITE_END()

namespace {

/// Captured payments and the settlement files made of them.
class settlement_day {
public:
  running_sandbox sandbox;

  /// Authorizes and captures so much; remembers the item.
  void capture(std::int64_t amount) {
    const auto payment = "pay_" + std::to_string(++payments_);
    // The authorization is a little larger: its own last digits would go wrong.
    const auto held = sandbox.post(
      authorizations, authorization_body(payment + ".1", amount / 100 * 100 + 100));
    sandbox.post(authorizations + "/" + payment + ".1/capture",
                 operation_body(payment + ".c1", amount));
    add("capture", payment + ".c1", text(held, "gateway_reference"), amount);
  }

  void refund(std::int64_t amount) {
    const auto payment = "pay_" + std::to_string(payments_);
    sandbox.post(authorizations + "/" + payment + ".1/refund",
                 operation_body(payment + ".r1", amount));
    add("refund", payment + ".r1", gateway_reference_, amount);
  }

  void add(const std::string& kind, const std::string& reference,
           const std::string& gateway_reference, std::int64_t amount) {
    gateway_reference_ = gateway_reference;
    items_.push_back(",bat_1,mer_1,op_" + reference + ',' + kind + ",alpha," + gateway_reference
                     + ',' + reference + ',' + std::to_string(amount) + ",EUR\n");
    (kind == "capture" ? captures_ : refunds_) += amount;
  }

  std::string file(const std::string& id) const {
    std::string bytes = "H,holdfast-settlement,1," + id + ",acme,2026-11-23T12:00:00Z\n";
    for (std::size_t i = 0; i < items_.size(); ++i)
      bytes += "I," + std::to_string(i + 1) + items_[i];
    return bytes + "T," + std::to_string(items_.size()) + ',' + (items_.empty() ? "0" : "1")
           + ',' + std::to_string(captures_) + ',' + std::to_string(refunds_) + '\n';
  }

  probe_answer put(const std::string& id, const std::string& bytes) {
    return sandbox.send(
      "PUT", "/acquirer/acme/files/" + id, bytes,
      "Content-Type: text/csv\r\nX-File-SHA256: " + sha256_hex(bytes) + "\r\n");
  }

  /// The document, once it is there.
  std::string fetch(const std::string& id, const std::string& which) {
    probe_answer answer;
    const bool is_there = test::eventually(milliseconds{10'000}, [&] {
      answer = sandbox.get("/acquirer/acme/files/" + id + '/' + which);
      return answer.status != 202;
    });
    BOOST_REQUIRE(is_there);
    BOOST_TEST(answer.status == 200);
    return answer.body;
  }

  /// "accepted", or "rejected mismatch".
  std::vector<std::string> results(const std::string& id) {
    std::vector<std::string> found;
    const auto parsed = json::parse(fetch(id, "results"));
    BOOST_TEST(parsed.at("status").as_string() == "done");
    for (const auto& item : parsed.at("items").as_array()) {
      auto& one = found.emplace_back(item.at("result").as_string());
      if (const auto* code = item.as_object().if_contains("code"))
        one.append(" ").append(code->as_string().c_str());
    }
    return found;
  }

private:
  std::vector<std::string> items_;
  std::int64_t captures_ = 0;
  std::int64_t refunds_ = 0;
  int payments_ = 0;
  std::string gateway_reference_;
};

void check_equal(const std::vector<std::string>& left, const std::vector<std::string>& right) {
  BOOST_CHECK_EQUAL_COLLECTIONS(left.begin(), left.end(), right.begin(), right.end());
}

} // namespace

BOOST_AUTO_TEST_SUITE(sandbox_acquirer)

BOOST_AUTO_TEST_CASE(settles_a_file_and_reports_it) {
  settlement_day day;
  day.capture(1'000);
  day.refund(300);
  const auto bytes = day.file("fil_1");
  const auto accepted = day.put("fil_1", bytes);
  BOOST_TEST(accepted.status == 202);
  BOOST_TEST(text(accepted, "status") == "accepted");
  BOOST_TEST(text(accepted, "file_id") == "fil_1");
  check_equal(day.results("fil_1"), {"accepted", "accepted"});
  const auto report = day.fetch("fil_1", "report");
  const auto lines = report.substr(report.find('\n') + 1);
  BOOST_TEST(report.starts_with("H,holdfast-report,1,fil_1,acme,"));
  BOOST_TEST(lines
             == "S,1,alpha_000000000001,pay_1.c1,mer_1,capture,1000,17,983,EUR\n"
                "S,2,alpha_000000000001,pay_1.r1,mer_1,refund,300,0,-300,EUR\n"
                "P,EUR,700,17,683\nT,2\n");
}

BOOST_AUTO_TEST_CASE(takes_a_file_once) {
  settlement_day day;
  day.capture(1'000);
  const auto bytes = day.file("fil_1");
  BOOST_TEST(day.put("fil_1", bytes).status == 202);
  const auto report = day.fetch("fil_1", "report");
  BOOST_TEST(day.put("fil_1", bytes).status == 200);
  BOOST_TEST(day.fetch("fil_1", "report") == report);
  day.capture(2'000);
  BOOST_TEST(day.put("fil_1", day.file("fil_1")).status == 409);
  check_equal((day.put("fil_2", day.file("fil_2")), day.results("fil_2")),
              {"rejected already_settled", "accepted"});
}

BOOST_AUTO_TEST_CASE(refuses_files_that_are_wrong) {
  settlement_day day;
  day.capture(1'000);
  auto bytes = day.file("fil_1");
  bytes.replace(bytes.rfind("1000"), 4, "1001");
  const auto refused = day.put("fil_1", bytes);
  BOOST_TEST(refused.status == 422);
  BOOST_TEST(text(refused, "status") == "refused");
  BOOST_TEST(text(refused, "reason").starts_with("line 3"));
  const auto path = "/acquirer/acme/files/fil_1";
  BOOST_TEST(
    day.sandbox.send("PUT", path, day.file("fil_1"), "Content-Type: text/csv\r\n").status
    == 422);
  BOOST_TEST(day.sandbox.send("PUT", path, "{}", "Content-Type: application/json\r\n").status
             == 415);
  BOOST_TEST(day.sandbox.get("/acquirer/acme/files/fil_1/results").status == 404);
  BOOST_TEST(day.sandbox.get("/acquirer/acme/files/fil_1/report").status == 404);
}

BOOST_AUTO_TEST_CASE(rejects_what_the_gateway_does_not_know) {
  settlement_day day;
  day.capture(1'000);
  day.add("capture", "pay_9.c1", "alpha_000000000009", 500);
  day.add("capture", "pay_1.c1", "alpha_000000000001", 999);
  day.add("capture", "pay_1.c1", "alpha_000000000007", 1'000);
  day.add("refund", "pay_1.c1", "alpha_000000000001", 1'000);
  day.put("fil_1", day.file("fil_1"));
  check_equal(day.results("fil_1"),
              {"accepted", "rejected unknown_operation", "rejected mismatch",
               "rejected mismatch", "rejected unknown_operation"});
}

BOOST_AUTO_TEST_CASE(amounts_make_settlement_go_wrong) {
  settlement_day day;
  for (const std::int64_t amount : {1'061, 1'062, 1'063, 1'064, 1'065})
    day.capture(amount);
  day.put("fil_1", day.file("fil_1"));
  check_equal(day.results("fil_1"), {"rejected rejected_by_issuer", "deferred try_next_file",
                                     "accepted", "accepted", "accepted"});
  const auto report = day.fetch("fil_1", "report");
  BOOST_TEST(report.substr(report.find('\n') + 1)
             == "S,1,alpha_000000000007,pay_4.c1,mer_1,capture,1164,19,1145,EUR\n"
                "S,2,alpha_000000000009,pay_5.c1,mer_1,capture,1065,18,1047,EUR\n"
                "S,3,alpha_000000000009,pay_5.c1,mer_1,capture,1065,18,1047,EUR\n"
                "P,EUR,3294,55,3239\nT,3\n");
  std::vector<std::string> settled;
  for (const auto& record : day.sandbox.records()) {
    if (record.at("kind").as_string() != "settle")
      continue;
    auto& one = settled.emplace_back(record.at("reference").as_string());
    one += record.at("effective").as_bool() ? " effective " : " not ";
    one += std::to_string(record.at("amount").as_int64());
  }
  check_equal(settled,
              {"pay_1.c1 not 1061", "pay_2.c1 not 1062", "pay_3.c1 not 1063",
               "pay_4.c1 effective 1164", "pay_5.c1 effective 1065", "pay_5.c1 not 1065"});
  // What was deferred is accepted with the next file.
  day.put("fil_2", day.file("fil_2"));
  BOOST_TEST(day.results("fil_2").at(1) == "accepted");
}

BOOST_AUTO_TEST_CASE(makes_results_wait_when_it_is_told_to) {
  settlement_day day;
  day.capture(1'000);
  day.sandbox.post("/sandbox/faults", R"({"gateway":"acme","report_delay_ms":30000})");
  day.put("fil_1", day.file("fil_1"));
  const auto pending = day.sandbox.get("/acquirer/acme/files/fil_1/results");
  BOOST_TEST(pending.status == 202);
  BOOST_TEST(day.sandbox.get("/acquirer/acme/files/fil_1/report").status == 202);
  // The wait does not outlive the process, and the file does.
  day.sandbox.restart();
  check_equal(day.results("fil_1"), {"accepted"});
  BOOST_TEST(day.fetch("fil_1", "report").find("\nT,1\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(works_through_a_large_file_while_it_serves_others) {
  settlement_day day;
  for (int i = 0; i < 5'000; ++i)
    day.add("capture", "pay_" + std::to_string(i) + ".c1", "alpha_1", 1'000);
  BOOST_TEST(day.put("fil_1", day.file("fil_1")).status == 202);
  BOOST_TEST(day.sandbox.get("/sandbox/health").status == 200);
  BOOST_TEST(day.results("fil_1").size() == 5'000u);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::sandbox
