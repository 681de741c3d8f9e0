// A day in which settlement goes wrong in every way that the sandbox knows: each fault ends as
// an exception of its class, and once all are resolved the books balance to the minor unit.
#include "actors/reconciler/core.hpp"
#include "tests/integration/api_client.hpp"
#include "tests/integration/dev_suite.hpp"
#include "tests/integration/expect.hpp"
#include "tests/support/whole_site.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <sstream>

namespace holdfast {

namespace {

namespace json = boost::json;
using test::api_answer;
using test::api_client;
using test::expect;
using test::make_payment;

constexpr milliseconds patience{60'000};
constexpr std::uint32_t platform_bps = 30;

void hurry(config::node_config& config) {
  using std::chrono::seconds;
  // Long enough that a busy machine's acquirer is not taken for a silent one.
  config.settlement.answer_deadline = seconds{8};
  config.settlement.silent_retry = seconds{1};
  config.settlement.orphan_search = seconds{1};
  for (auto& gateway : config.gateways)
    gateway.settle_time = seconds{1};
}

/// One `S` line of a report.
struct report_entry {
  std::string reference;
  std::int64_t net = 0;
  std::string unit;
};

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields;
  std::istringstream from{line};
  for (std::string field; std::getline(from, field, ',');)
    fields.push_back(field);
  return fields;
}

class recon_day {
public:
  recon_day() : site_(hurry), admin_(site_.admin()), sandbox_(site_.sandbox()) {
    BOOST_TEST_REQUIRE(
      test::eventually(patience, [&] { return admin_.get("/readyz").status == 200; }));
    const auto made = admin_.post("/admin/v1/merchants", R"({"name":"Shop","currency":"EUR"})");
    expect(made, 201);
    merchant_ = made.text("/id");
    api_ = std::make_unique<api_client>(site_.http(), made.text("/api_key"));
  }

  api_client& api() { return *api_; }
  api_client& admin() { return admin_; }
  api_client& sandbox() { return sandbox_; }

  std::string capture(std::int64_t amount) {
    return make_payment(*api_, {.amount = amount, .capture = "automatic"});
  }

  /// Sets the acquirer's faults, `"bad_totals","unknown_line"`; none: it is honest again.
  void faults(const std::string& names) {
    expect(
      sandbox_.post("/sandbox/faults", R"({"gateway":"sandbox","settlement":[)" + names + "]}"),
      200);
  }

  void settle() {
    const auto answer = admin_.post("/admin/v1/cutoff", R"({"settle":true})");
    expect(answer, 200);
  }
  void close_only() { expect(admin_.post("/admin/v1/cutoff", R"({})"), 200); }

  std::string status_of(const std::string& payment) {
    return api_->get("/v1/payments/" + payment).text("/status");
  }

  json::array exceptions(const std::string& query) {
    const auto answer = admin_.get("/admin/v1/exceptions?limit=100&" + query);
    expect(answer, 200);
    return answer.at("/data").as_array();
  }

  /// The open exception of that class, as soon as there is one.
  json::object await_exception(const std::string& kind) {
    json::array found;
    const bool came = test::eventually(patience, [&] {
      found = exceptions("status=open&class=" + kind);
      return !found.empty();
    });
    BOOST_TEST_REQUIRE(came, "no exception of the class " << kind);
    return found.front().as_object();
  }

  api_answer try_to_resolve(const std::string& id, const std::string& resolution) {
    return admin_.post("/admin/v1/exceptions/" + id + "/resolve",
                       R"({"note":"agreed","by":"ada","resolution":")" + resolution + "\"}");
  }

  /// Every open exception of the class. Answers how many there were.
  std::size_t resolve_all(const std::string& kind, const std::string& resolution) {
    const auto open = exceptions("status=open&class=" + kind);
    for (const auto& one : open) {
      const auto done = try_to_resolve(std::string{one.at("id").as_string()}, resolution);
      expect(done, 200);
      BOOST_TEST(done.text("/status") == "resolved");
      BOOST_TEST(done.text("/resolution") == resolution);
    }
    return open.size();
  }

  std::map<std::string, int> open_classes() {
    std::map<std::string, int> classes;
    for (const auto& one : exceptions("status=open"))
      ++classes[std::string{one.at("kind").as_string()}];
    return classes;
  }

  /// All lines of all reports, as the acquirer itself has them.
  std::vector<report_entry> reported() {
    std::set<std::string> files;
    const auto batches = admin_.get("/admin/v1/batches?limit=100");
    for (const auto& batch : batches.at("/data").as_array())
      if (batch.at("file").is_string())
        files.insert(std::string{batch.at("file").as_string()});
    std::vector<report_entry> lines;
    for (const auto& file : files) {
      const auto report = sandbox_.get("/acquirer/sandbox/files/" + file + "/report");
      expect(report, 200);
      std::istringstream text{report.body};
      for (std::string line; std::getline(text, line);)
        if (const auto fields = fields_of(line); fields.front() == "S")
          lines.push_back({fields.at(3), std::stoll(fields.at(8)), fields.at(9)});
    }
    return lines;
  }

  /// `holdfast ctl exceptions …` against this node.
  test::finished ctl(std::vector<std::string> arguments) {
    test::command command;
    command.program = test::from_environment("HOLDFAST_BINARY");
    command.arguments = {"ctl", "--admin", site_.admin(), "exceptions"};
    std::ranges::move(arguments, std::back_inserter(command.arguments));
    command.log = folder_.path() / "ctl.log";
    return test::run(command, patience);
  }

  /// By "account currency", over all owners.
  std::map<std::string, std::int64_t> balances() {
    std::map<std::string, std::int64_t> sums;
    const auto answer = admin_.get("/admin/v1/ledger/balances");
    expect(answer, 200);
    for (const auto& row : answer.at("/data").as_array())
      sums[std::string{row.at("account").as_string()} + ' '
           + std::string{row.at("currency").as_string()}] += row.at("balance").as_int64();
    return sums;
  }

private:
  test::temp_folder folder_;
  test::whole_site site_;
  api_client admin_;
  api_client sandbox_;
  std::string merchant_;
  std::unique_ptr<api_client> api_;
};

std::int64_t platform_fee(std::int64_t amount) {
  return settlements::platform_fee(minor_units{amount}, platform_bps).value();
}

/// What the acquirer does to single items and lines. Answers the payments that are to be
/// settled when all is resolved.
std::vector<std::string> spoil_items(recon_day& day) {
  std::map<int, std::string> paid;
  for (const int ending : {0, 61, 62, 63, 64, 65})
    paid[ending] = day.capture(2'000 + ending);
  day.settle();
  test::await_status(day.api(), paid[61], {"rejected"});
  test::await_status(day.api(), paid[62], {"captured"});

  day.faults(R"("half_accept","answer_twice")");
  const auto half = day.capture(1'010);
  day.settle();
  day.faults("");
  day.settle();
  test::await_status(day.api(), paid[62], {"settled"});
  test::await_status(day.api(), half, {"settled"});

  day.faults(R"("unknown_line","wrong_currency")");
  const auto in_dollars = day.capture(1'100);
  day.settle();
  day.faults(R"("wrong_merchant")");
  const auto elsewhere = day.capture(1'200);
  day.settle();
  BOOST_TEST(day.status_of(elsewhere) == "batched");
  std::vector<std::string> payments{in_dollars, elsewhere};
  for (const auto& [ending, id] : paid)
    payments.push_back(id);
  return payments;
}

/// What the acquirer does to whole files: each ends once it is honest again.
void spoil_files(recon_day& day) {
  day.faults(R"("bad_totals")");
  const auto unreadable = day.capture(1'300);
  day.close_only();
  const auto malformed = day.await_exception("report_malformed");
  BOOST_TEST(!malformed.at("raw_line").as_string().empty());
  day.faults("");
  test::await_status(day.api(), unreadable, {"settled"});

  day.faults(R"("refuse_file")");
  const auto refused = day.capture(1'400);
  day.settle();
  static_cast<void>(day.await_exception("file_refused"));
  day.faults("");
  const auto batch = day.api().get("/v1/payments/" + refused).text("/batch");
  const auto resubmit = "/admin/v1/batches/" + batch + "/resubmit";
  expect(day.admin().post(resubmit), 200);
  test::await_status(day.api(), refused, {"settled"});
  test::expect_problem(day.admin().post(resubmit), 409, "invalid_state");

  day.faults(R"("never_answer")");
  const auto late = day.capture(1'500);
  day.close_only();
  const auto silent = day.await_exception("acquirer_silent");
  BOOST_TEST(day.status_of(late) == "batched");
  day.faults("");
  test::await_status(day.api(), late, {"settled"});
  for (const auto& one : {malformed, silent}) {
    const std::string id{one.at("id").as_string()};
    BOOST_TEST(day.admin().get("/admin/v1/exceptions/" + id).text("/resolution") == "answered");
  }
}

/// What a class doesn't allow is refused in words that help, and nothing is resolved twice.
void resolve_everything(recon_day& day) {
  const std::string doubled{day.await_exception("duplicate_line").at("id").as_string()};
  const auto not_allowed = day.try_to_resolve(doubled, "retry");
  test::expect_problem(not_allowed, 422, "not_allowed");
  BOOST_TEST(not_allowed.text("/detail").find("adjust, write_off") != std::string::npos);
  const auto assigned = day.admin().post("/admin/v1/exceptions/" + doubled + "/assign",
                                         R"({"owner":"ada","note":"asked them"})");
  expect(assigned, 200);
  BOOST_TEST(assigned.text("/owner") == "ada");

  BOOST_TEST(day.resolve_all("rejected_item", "write_off") == 1U);
  BOOST_TEST(day.resolve_all("missing_in_report", "retry") == 1U);
  BOOST_TEST(day.resolve_all("amount_mismatch", "adjust") == 1U);
  BOOST_TEST(day.resolve_all("duplicate_line", "adjust") == 1U);
  BOOST_TEST(day.resolve_all("unknown_line", "write_off") == 1U);
  BOOST_TEST(day.resolve_all("reference_mismatch", "adjust") == 2U);
  test::expect_problem(day.try_to_resolve(doubled, "adjust"), 409, "invalid_state");
  day.settle();
}

/// Against what the acquirer's own reports say, less what was given back of the doubled line.
void expect_balanced_books(recon_day& day) {
  std::map<std::string, std::int64_t> cash;
  std::set<std::string> seen;
  std::int64_t strangers_net = 0;
  for (const auto& line : day.reported()) {
    if (seen.insert(line.reference).second)
      cash[line.unit] += line.net;
    if (line.reference.starts_with("nobody"))
      strangers_net += line.net;
  }
  auto books = day.balances();
  BOOST_TEST(books["acquirer_cash EUR"] == cash["EUR"]);
  BOOST_TEST(books["acquirer_cash USD"] == cash["USD"]);
  BOOST_TEST(cash["USD"] != 0);
  for (const auto* account : {"suspense EUR", "suspense USD", "acquirer_receivable EUR",
                              "merchant_pending EUR", "hold EUR", "hold_contra EUR"})
    BOOST_TEST(books[account] == 0, account);
  // Fees of what settled by an exact line, less what the platform took upon itself.
  std::int64_t fees = 0;
  for (const auto amount : {2'000, 2'062, 2'063, 2'065, 1'010, 1'300, 1'400, 1'500})
    fees += platform_fee(amount);
  BOOST_TEST(books["platform_fees EUR"] == -(fees + strangers_net - 2'061));
  const auto proof = day.admin().get("/admin/v1/ledger/verify");
  BOOST_TEST(proof.at("/holds").as_bool(), proof.body);
}

} // namespace

BOOST_AUTO_TEST_SUITE(reconciliation)

BOOST_AUTO_TEST_CASE(every_settlement_fault_ends_in_its_class_and_the_books_balance) {
  recon_day day;
  const auto payments = spoil_items(day);
  spoil_files(day);
  const std::map<std::string, int> wanted{{"rejected_item", 1},      {"missing_in_report", 1},
                                          {"amount_mismatch", 1},    {"duplicate_line", 1},
                                          {"reference_mismatch", 2}, {"unknown_line", 1}};
  BOOST_TEST((day.open_classes() == wanted));
  resolve_everything(day);
  for (const auto& payment : payments)
    test::await_status(day.api(), payment, {"settled"});
  BOOST_TEST(day.open_classes().empty());
  expect_balanced_books(day);
}

BOOST_AUTO_TEST_CASE(operators_list_show_and_resolve_with_ctl) {
  recon_day day;
  day.faults(R"("unknown_line")");
  static_cast<void>(day.capture(1'700));
  day.settle();
  const auto listed = day.ctl({"list", "--class", "unknown_line", "--json"});
  BOOST_TEST_REQUIRE(listed.succeeded, listed.output);
  const auto rows = json::parse(listed.output).at("data").as_array();
  BOOST_TEST_REQUIRE(rows.size() == 1U);
  const std::string id{rows[0].at("id").as_string()};
  const auto shown = day.ctl({"show", id});
  BOOST_TEST(shown.output.find("adjust, write_off") != std::string::npos, shown.output);
  const auto refused = day.ctl({"resolve", id, "--as", "retry", "--note", "x"});
  BOOST_TEST(!refused.succeeded);
  BOOST_TEST(refused.output.find("adjust, write_off") != std::string::npos, refused.output);
  const auto assigned = day.ctl({"assign", id, "--owner", "ada", "--note", "asks them"});
  BOOST_TEST(assigned.succeeded, assigned.output);
  const auto done = day.ctl({"resolve", id, "--as", "write_off", "--note", "theirs to claim"});
  BOOST_TEST(done.succeeded, done.output);
  BOOST_TEST(done.output.find("theirs to claim") != std::string::npos, done.output);
  BOOST_TEST(day.open_classes().empty());
}

BOOST_AUTO_TEST_CASE(orphans_on_either_side_are_found_once_and_reversed_on_proof) {
  recon_day day;
  const std::string holds = "/gateway/alder/authorizations";
  const auto authorize = [&](const std::string& reference) {
    return day.sandbox().post(
      holds, R"({"amount":700,"currency":"EUR","merchant":"mer_1","token":"tok_visa",)"
             R"("reference":")"
               + reference + "\"}");
  };
  const auto kept = make_payment(day.api(), {.amount = 900});
  const auto lost = make_payment(day.api(), {.amount = 800});
  expect(day.sandbox().post(holds + '/' + lost + ".1/reverse", "{}"), 200);
  expect(authorize(kept + ".2"), 200);
  expect(authorize("stranger.1"), 200);

  BOOST_TEST_REQUIRE(
    test::eventually(patience, [&] { return day.exceptions("status=open").size() == 3U; }));
  std::map<std::string, std::string> ids;
  for (const auto& one : day.exceptions("status=open"))
    ids[std::string{one.at("external_ref").as_string()}] =
      std::string{one.at("id").as_string()};
  BOOST_TEST_REQUIRE(ids.size() == 3U);
  BOOST_TEST(day.await_exception("orphan_at_us").at("payment").as_string() == lost);

  // Nobody's hold is not ours to release.
  test::expect_problem(day.try_to_resolve(ids.at("stranger.1"), "reverse"), 409,
                       "invalid_state");
  expect(day.try_to_resolve(ids.at("stranger.1"), "mark_known"), 200);
  expect(day.try_to_resolve(ids.at(kept + ".2"), "reverse"), 200);
  BOOST_TEST(day.sandbox().get(holds + '/' + kept + ".2").text("/status") == "reversed");
  BOOST_TEST(day.sandbox().get(holds + '/' + kept + ".1").text("/status") == "approved");

  // What is still wrong after a retry is found again, under its old number; nothing else is.
  expect(day.try_to_resolve(ids.at(lost + ".1"), "retry"), 200);
  const auto again = day.await_exception("orphan_at_us");
  BOOST_TEST(again.at("id").as_string() == ids.at(lost + ".1"));
  BOOST_TEST(day.exceptions("status=open").size() == 1U);
  BOOST_TEST(day.exceptions("").size() == 3U);
  const auto proof = day.admin().get("/admin/v1/ledger/verify");
  BOOST_TEST(proof.at("/holds").as_bool(), proof.body);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast
