#include "runtime/bench/report.hpp"

#include "runtime/bench/baseline.hpp"
#include "runtime/bench/plot.hpp"
#include "runtime/bench/process_usage.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include <unistd.h>

namespace holdfast::bench {

namespace {

run_figures turn(double rate, double baseline, double ceiling) {
  run_figures figures;
  figures.rate = rate;
  figures.baseline = baseline;
  figures.ceiling = ceiling;
  figures.latency.record(std::chrono::milliseconds{7});
  figures.costs = {{"node", 50, 1'000}};
  return figures;
}

/// Two points, of which the second is the better one.
bench_result two_points() {
  bench_result result;
  result.points.push_back({64, std::nullopt, {turn(100, 50, 1'000)}, {}});
  result.points.push_back(
    {256, std::nullopt, {turn(400, 100, 800), turn(200, 100, 800), turn(300, 50, 800)}, {}});
  return result;
}

machine_facts two_cores() {
  machine_facts machine;
  machine.cores = 2;
  return machine;
}

} // namespace

BOOST_AUTO_TEST_SUITE(bench_report)

BOOST_AUTO_TEST_CASE(a_spread_is_the_least_the_middle_and_the_most) {
  BOOST_TEST(spread_of({}).median == 0);
  BOOST_TEST(spread_of({5}).median == 5);
  const auto some = spread_of({9, 1, 4, 2});
  BOOST_TEST(some.min == 1);
  BOOST_TEST(some.median == 3);
  BOOST_TEST(some.max == 9);
}

BOOST_AUTO_TEST_CASE(json_tells_of_the_best_point_and_of_all) {
  const auto document = boost::json::parse(to_json({}, two_points(), two_cores())).as_object();
  BOOST_TEST(document.at("mode").as_string() == "authorize");
  BOOST_TEST(document.at("connections").as_int64() == 256);
  BOOST_TEST(document.at("rate").as_double() == 300);
  // Ratios are taken turn by turn: 4, 2 and 6.
  BOOST_TEST(document.at("ratio").as_double() == 4);
  BOOST_TEST(document.at("ceiling_share").as_double() == 0.375);
  BOOST_TEST(document.at("p99_ms").as_double() == 7);
  BOOST_TEST(document.at("verified").as_bool());
  BOOST_TEST(document.at("points").as_array().size() == 2U);
  BOOST_TEST(document.at("machine").at("cores").to_number<int>() == 2);
  BOOST_TEST(document.at("processes").at("node").at("cpu_us").as_double() == 50);
}

BOOST_AUTO_TEST_CASE(a_run_that_does_not_add_up_is_void) {
  auto result = two_points();
  result.counted.differences = {"1 acknowledged, 0 in the database"};
  const auto document = boost::json::parse(to_json({}, result, {})).as_object();
  BOOST_TEST(!document.at("verified").as_bool());
  BOOST_TEST(to_markdown({}, result, {}).find("**Void**") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_mode_without_comparisons_has_none_in_its_json) {
  auto result = two_points();
  for (auto& at : result.points)
    for (auto& run : at.runs)
      run.baseline = run.ceiling = std::nullopt;
  const auto document = boost::json::parse(to_json({}, result, {})).as_object();
  BOOST_TEST(document.at("baseline").is_null());
  BOOST_TEST(document.at("ratio").is_null());
}

BOOST_AUTO_TEST_CASE(settings_are_compared_with_the_first_turn_by_turn) {
  setting hot;
  hot.skew = 2;
  bench_result result;
  result.points.push_back({64, std::nullopt, {turn(100, 0, 0), turn(200, 0, 0)}, {}});
  result.points.push_back({64, std::nullopt, {turn(90, 0, 0), turn(100, 0, 0)}, hot});
  const auto document = boost::json::parse(to_json({}, result, {})).as_object();
  const auto& points = document.at("points").as_array();
  BOOST_TEST(points[0].at("relative").is_null());
  BOOST_TEST(points[1].at("relative").as_double() == 0.7);
  BOOST_TEST(points[1].at("spread").at("relative").at("max").as_double() == 0.9);
  BOOST_TEST(points[1].at("skew").as_double() == 2);
  BOOST_TEST(to_markdown({}, result, {}).find("| 100 merchants, skew 2 | 64 |")
             != std::string::npos);
  BOOST_TEST(plots_of({}, result).empty());
}

BOOST_AUTO_TEST_CASE(a_share_of_the_peak_is_told_with_what_it_came_to) {
  bench_result result;
  auto one = turn(140, 0, 0);
  one.offered = 140;
  one.figures["of_peak"] = 0.7;
  result.points.push_back({64, offer{0.7, true}, {one}, {}});
  const auto document = boost::json::parse(to_json({}, result, {})).as_object();
  BOOST_TEST(document.at("offered").as_double() == 140);
  BOOST_TEST(document.at("offered_share").as_double() == 0.7);
  BOOST_TEST(document.at("figures").at("of_peak").at("median").as_double() == 0.7);
  BOOST_TEST(to_markdown({}, result, {}).find("140 (70 %)") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(there_is_a_plot_where_there_are_two_points) {
  auto result = two_points();
  const auto plots = plots_of({}, result);
  BOOST_REQUIRE_EQUAL(plots.size(), 1U);
  BOOST_TEST(plots.front().name == "throughput.svg");
  BOOST_TEST(plots.front().content.starts_with("<svg "));
  result.points.pop_back();
  BOOST_TEST(plots_of({}, result).empty());
}

BOOST_AUTO_TEST_CASE(an_axis_ends_at_a_round_number) {
  BOOST_TEST(round_up(0) == 1);
  BOOST_TEST(round_up(0.3) == 0.5);
  BOOST_TEST(round_up(100) == 100);
  BOOST_TEST(round_up(2'100) == 2'500);
  BOOST_TEST(round_up(8'000) == 10'000);
}

BOOST_AUTO_TEST_CASE(pgbench_tells_its_rate_unless_something_failed) {
  const std::string report =
    "transaction type: baseline.sql\n"
    "number of transactions actually processed: 6213\n"
    "number of failed transactions: 0 (0.000%)\n"
    "latency average = 5.150 ms\n"
    "tps = 3106.501 (without initial connection time)\n";
  BOOST_TEST(parse_pgbench(report).value() == 3'106.501);
  auto failed = report;
  failed.replace(failed.find("transactions: 0"), 15, "transactions: 3");
  BOOST_TEST(parse_pgbench(failed).has_error());
  BOOST_TEST(parse_pgbench("").has_error());
}

BOOST_AUTO_TEST_CASE(another_database_of_the_same_server_keeps_the_rest_of_the_url) {
  BOOST_TEST(with_database("postgresql:///holdfast?host=%2Frun&user=me", "other")
             == "postgresql:///other?host=%2Frun&user=me");
  BOOST_TEST(with_database("postgresql://me@db:5432/holdfast", "other")
             == "postgresql://me@db:5432/other");
}

BOOST_AUTO_TEST_CASE(a_process_is_read_whatever_its_name) {
  const auto times =
    parse_stat("42 (a) b (c)) S 7 42 42 0 -1 4194560 1 2 3 4 50 25 9 8 20 0 1");
  BOOST_REQUIRE(times.has_value());
  BOOST_TEST(times->parent == 7);
  BOOST_TEST(times->ticks == 75U);
  BOOST_TEST(times->children_ticks == 17U);
  BOOST_TEST(parse_stat("42 (short) S 7").has_error());
  BOOST_TEST(parse_stat("").has_error());
  BOOST_TEST(status_bytes("VmPeak:\t 9 kB\nVmHWM:\t   12 kB\n", "VmHWM") == 12U * 1'024);
  BOOST_TEST(status_bytes("VmHWMore:\t 12 kB\n", "VmHWM") == 0U);
}

BOOST_AUTO_TEST_CASE(the_machine_s_time_is_read_from_the_line_of_all_processors) {
  // user, nice, system, idle, iowait, irq, softirq, steal, and guests' time, which is in user.
  const auto times =
    parse_machine_times("cpu  10 20 30 40 50 60 70 80 5 5\ncpu0 1 1 1 1 1 1\n");
  BOOST_REQUIRE(times.has_value());
  const auto tick = microseconds{1'000'000 / ::sysconf(_SC_CLK_TCK)};
  BOOST_TEST((times->all == 360 * tick));
  BOOST_TEST((times->idle == 90 * tick));
  BOOST_TEST((times->stolen == 80 * tick));
  BOOST_TEST(parse_machine_times("cpu  10 20 30").has_error());
  BOOST_TEST(parse_machine_times("").has_error());
  BOOST_TEST(machine_times_now().all.count() > 0);
}

BOOST_AUTO_TEST_CASE(a_family_costs_at_least_what_its_head_does) {
  const auto resident = resident_bytes(::getpid());
  const auto alone = usage_of(::getpid());
  const auto family = usage_of_family(::getpid());
  BOOST_TEST(alone.memory_bytes > 0U);
  BOOST_TEST(family.memory_bytes > 0U);
  BOOST_TEST(family.cpu.count() >= alone.cpu.count());
  BOOST_TEST(resident > 0U);
  BOOST_TEST(resident <= alone.memory_bytes); // The most that it has held, a moment later.
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::bench
