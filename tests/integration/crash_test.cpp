// Processes killed at every step between two effects, at random moments, and together: no
// acknowledged payment is lost, nobody is charged twice, and the ledger balances.
#include "runtime/demo/reading.hpp"
#include "tests/integration/crash_suite.hpp"
#include "tests/support/environment.hpp"

#include <boost/json.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <map>
#include <random>

namespace holdfast {

namespace json = boost::json;
namespace data = boost::unit_test::data;
using demo::planned_payment;
using demo::story;
using test::crash_site;
using test::crash_suite;
using test::end_limit;
using test::first_seed;

namespace {

constexpr milliseconds death_limit{30'000};
constexpr milliseconds settle_call_limit{30'000};
constexpr std::size_t payments_a_load = 64;

/// Which pass of its point kills each node in turn. The later ones die early, and so in the
/// midst of recovering from the one before.
constexpr std::array<int, 4> fatal_passes{7, 3, 2, 1};

struct shipped_program : crash_suite {
  shipped_program() : crash_suite("HOLDFAST_BINARY") {}
};

struct faulty_program : crash_suite {
  faulty_program() : crash_suite("HOLDFAST_FAULTY_BINARY") {}
};

/// Captures and refunds that settle as they should, at once; in more shards, and so in more
/// files, than there are deaths to come.
std::vector<planned_payment> plan_to_settle(std::uint64_t seed) {
  auto plan = demo::make_plan(2 * payments_a_load, seed);
  std::erase_if(plan, [](const planned_payment& one) {
    return one.which == story::unknown || one.which == story::odd_settlement
           || one.which == story::declined;
  });
  return plan;
}

// -- settlement
// ---------------------------------------------------------------------------------

expected<json::value> cut_off(crash_site& site) {
  return site.operators().post("/admin/v1/cutoff", json::object{{"settle", true}},
                               settle_call_limit);
}

void settle_all(crash_suite& suite, const std::string& where) {
  auto& site = suite.site();
  site.await_ready();
  const bool settled = test::eventually(end_limit, [&] {
    const auto answer = cut_off(site);
    return answer && answer->at("complete").as_bool() && answer->at("items").as_int64() == 0;
  });
  if (!settled)
    suite.expect_none({"settlement does not end"}, where);
}

/// Every capture and refund was taken by the acquirer once, and ended up with its merchant.
std::vector<std::string> check_settlement(crash_site& site) {
  std::vector<std::string> differences;
  constexpr const char* query =
    "select (select count(*) from payment_operation where status = 2),"
    " (select count(*) from payment_operation where status = 2 and settlement_status <> 2),"
    " (select count(*) from settlement_file where status <> 4),"
    " (select count(*) from batch where status <> 4),"
    " (select count(*) from recon_exception),"
    " (select count(*) from account where kind = 5 and balance <> 0)";
  constexpr const char* names[] = {"operations", "operations that are not settled",
                                   "open files", "open batches",
                                   "exceptions", "merchants with pending money"};
  const auto found = site.numbers(query, 6);
  for (std::size_t i = 1; i < found.size(); ++i) {
    if (found[i] != 0)
      differences.push_back(std::to_string(found[i]) + ' ' + names[i]);
  }
  const auto records = demo::read_records(site.sandbox());
  if (!records)
    return {"records can't be read: " + records.error().detail};
  std::map<std::string, int> settled;
  for (const auto& record : *records) {
    if (record.kind == "settle" && record.effective)
      ++settled[record.reference];
  }
  for (const auto& [reference, times] : settled) {
    if (times > 1)
      differences.push_back(reference + ": settled " + std::to_string(times) + " times");
  }
  if (static_cast<std::int64_t>(settled.size()) != found[0])
    differences.push_back("the acquirer settled " + std::to_string(settled.size())
                          + " operations of " + std::to_string(found[0]));
  return differences;
}

} // namespace

// -- killed between any two steps
// -----------------------------------------------------------------

BOOST_AUTO_TEST_SUITE(crash_points, *boost::unit_test::fixture<faulty_program>())

constexpr std::array<const char*, 7> points_of_payments{
  "journal.before_begin",        "journal.before_commit",
  "journal.commit_sent",         "journal.committed_before_callbacks",
  "payment.before_gateway_call", "payment.after_gateway_answer",
  "payment.before_reply"};

BOOST_DATA_TEST_CASE(payments_survive_a_death_at, data::make(points_of_payments), point) {
  auto& suite = crash_suite::here();
  auto& site = suite.site();
  const auto load = suite.new_load(demo::make_plan(payments_a_load, first_seed()));
  site.kill_node();
  for (const int pass : fatal_passes) {
    if (site.start_node(std::string{point} + ':' + std::to_string(pass)))
      load->go_to(site.http());
    site.await_node_death(death_limit);
  }
  site.start_node();
  load->go_to(site.http());
  suite.finish(*load, point);
}

BOOST_AUTO_TEST_CASE(all_of_them_leave_a_ledger_that_holds) {
  crash_suite::here().check_all("the end");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(crash_settlement, *boost::unit_test::fixture<faulty_program>())

constexpr std::array<const char*, 8> points_of_settlement{
  "journal.before_begin",     "journal.before_commit",
  "journal.commit_sent",      "journal.committed_before_callbacks",
  "reconciler.before_submit", "reconciler.after_submit",
  "reconciler.after_results", "reconciler.after_report"};

BOOST_DATA_TEST_CASE(settlement_survives_a_death_at, data::make(points_of_settlement), point) {
  auto& suite = crash_suite::here();
  auto& site = suite.site();
  const auto load = suite.new_load(plan_to_settle(first_seed()));
  load->go_to(site.http());
  suite.finish(*load, point);
  site.kill_node();
  for (const int pass : fatal_passes) {
    // What a cut-off answers does not matter. It may come too early for some shards, or not at
    // all: what was begun goes on by itself, and may kill the node before.
    if (site.start_node(std::string{point} + ':' + std::to_string(pass)))
      static_cast<void>(
        test::eventually(death_limit, [&] { return !cut_off(site) && site.node_has_died(); }));
    site.await_node_death(death_limit);
  }
  site.start_node();
  settle_all(suite, point);
  suite.expect_none(check_settlement(site), point);
}

BOOST_AUTO_TEST_CASE(all_of_them_leave_a_ledger_that_holds) {
  crash_suite::here().check_all("the end");
}

BOOST_AUTO_TEST_SUITE_END()

// -- killed at random moments
// ---------------------------------------------------------------------

BOOST_AUTO_TEST_SUITE(crash_rounds, *boost::unit_test::fixture<shipped_program>())

constexpr std::uint64_t rounds_in_a_test_run = 20;
constexpr std::uint64_t rounds_between_proofs = 10;
constexpr std::uint64_t proofs_between_messages = 5;
/// After the answer that a kill waits for. A restart and its recovery take about as long.
constexpr std::uint64_t pause_ms_max = 20;
constexpr std::uint64_t recovery_ms_max = 100;

BOOST_AUTO_TEST_CASE(nothing_is_lost_or_charged_twice_when_the_node_is_killed_again_and_again) {
  auto& suite = crash_suite::here();
  auto& site = suite.site();
  const auto rounds =
    test::number_from_environment("HOLDFAST_CRASH_ROUNDS", rounds_in_a_test_run);
  BOOST_TEST_MESSAGE("HOLDFAST_CRASH_SEED=" << first_seed());
  std::mt19937_64 random{first_seed()};
  for (std::uint64_t round = 1; round <= rounds; ++round) {
    const auto where = "round " + std::to_string(round) + " of " + std::to_string(rounds);
    const auto load = suite.new_load(demo::make_plan(payments_a_load, random()));
    load->go_to(site.http());
    load->await_answers(random() % load->answers_wanted(), end_limit);
    load->await_end_or(milliseconds{random() % pause_ms_max});
    site.kill_node();
    site.start_node();
    load->go_to(site.http());
    if (random() % 4 == 0) {
      // Once more, while it is still picking up the pieces.
      load->await_end_or(milliseconds{random() % recovery_ms_max});
      site.kill_node();
      site.start_node();
      load->go_to(site.http());
    }
    suite.finish(*load, where);
    if (round % rounds_between_proofs == 0)
      suite.expect_none(suite.audit().prove_ledger(), where);
    if (round % (rounds_between_proofs * proofs_between_messages) == 0)
      BOOST_TEST_MESSAGE(where << ": " << suite.audit().payments() << " payments, "
                               << suite.audit().answers() << " answers, no difference");
  }
  suite.check_all("the end");
}

BOOST_AUTO_TEST_SUITE_END()

// -- what the node depends on
// ---------------------------------------------------------------------

BOOST_AUTO_TEST_SUITE(crash_servers, *boost::unit_test::fixture<shipped_program>())

constexpr std::array<std::size_t, 3> answers_before_a_crash{5, 40, 70};

BOOST_AUTO_TEST_CASE(node_outlives_a_crash_of_postgresql) {
  auto& suite = crash_suite::here();
  auto& site = suite.site();
  for (const auto answers : answers_before_a_crash) {
    const auto load = suite.new_load(demo::make_plan(payments_a_load, first_seed() + answers));
    load->go_to(site.http());
    load->await_answers(answers, end_limit);
    site.postgres().crash();
    load->await_end_or(milliseconds{200});
    site.postgres().start();
    suite.finish(*load, "PostgreSQL crashed after " + std::to_string(answers) + " answers");
  }
}

BOOST_AUTO_TEST_CASE(node_outlives_a_crash_of_the_gateway) {
  auto& suite = crash_suite::here();
  auto& site = suite.site();
  for (const auto answers : answers_before_a_crash) {
    const auto load = suite.new_load(demo::make_plan(payments_a_load, first_seed() + answers));
    load->go_to(site.http());
    load->await_answers(answers, end_limit);
    site.kill_sandbox();
    load->await_end_or(milliseconds{200});
    site.start_sandbox();
    suite.finish(*load, "the gateway crashed after " + std::to_string(answers) + " answers");
  }
}

BOOST_AUTO_TEST_CASE(all_of_them_leave_a_ledger_that_holds) {
  crash_suite::here().check_all("the end");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast
