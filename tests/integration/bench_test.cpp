// `holdfast bench` as it is called: it starts its own PostgreSQL, sandbox and node, and what it
// prints must be true of them.
#include "tests/integration/bench_run.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

namespace holdfast::test {

BOOST_FIXTURE_TEST_SUITE(bench, bench_fixture)

BOOST_AUTO_TEST_CASE(an_authorization_run_is_verified_next_to_baseline_and_ceiling) {
  const auto made = run({"--mode", "authorize", "--seconds", "2", "--runs", "1", "--json"});
  check_verified(made);
  check_counted(made);
  for (const auto* name :
       {"mode", "unit", "rate", "baseline", "ceiling", "ratio", "ceiling_share", "p50_ms",
        "p99_ms", "p999_ms", "errors", "verified", "connections", "seconds", "machine",
        "spread", "processes", "points"})
    BOOST_TEST(made.printed.contains(name), name << " is missing");
  BOOST_TEST(made.printed.at("mode").as_string() == "authorize");
  BOOST_TEST(made.printed.at("baseline").as_double() > 0);
  BOOST_TEST(made.printed.at("ceiling").as_double() > 0);
  BOOST_TEST(made.printed.at("p50_ms").as_double() <= made.printed.at("p999_ms").as_double());
  for (const auto* process : {"node", "postgres", "sandbox", "bench"})
    BOOST_TEST(made.printed.at("processes").at(process).at("cpu_us").as_double() > 0);
  BOOST_TEST((result_files() == std::vector<std::string>{".json", ".md"}));
}

BOOST_AUTO_TEST_CASE(an_open_loop_offers_what_it_was_asked_to) {
  const auto made = run_alone("authorize_capture", {"--rate", "50,100", "--connections", "50"});
  check_verified(made);
  check_counted(made);
  BOOST_TEST(made.printed.at("points").as_array().size() == 2U);
  BOOST_TEST(made.printed.at("rate").as_double() <= 101);
  BOOST_TEST(made.printed.at("baseline").is_null());
}

BOOST_AUTO_TEST_CASE(replays_and_reads_find_what_was_made_before) {
  for (const auto* mode : {"replay", "reads"}) {
    const auto made = run_alone(mode, {"--population", "100"});
    check_verified(made);
    BOOST_TEST(made.printed.at("counted").at("database").to_number<int>() == 100);
  }
}

BOOST_AUTO_TEST_CASE(settlement_is_measured_to_its_end) {
  const auto made = run_alone("settle", {"--population", "200"});
  check_verified(made);
  BOOST_TEST(made.printed.at("counted").at("sandbox").to_number<int>() == 200);
}

BOOST_AUTO_TEST_CASE(a_killed_node_comes_back_to_its_pending_payments) {
  const auto made = run_alone("recovery", {"--population", "200"});
  check_verified(made);
  check_counted(made);
  BOOST_TEST(made.printed.at("figures").at("serving_s").at("max").as_double() > 0);
  BOOST_TEST(made.printed.at("figures").at("with_mib").at("max").as_double() > 0);
}

BOOST_AUTO_TEST_CASE(actors_are_spawned_and_weighed) {
  const auto made = run_alone("spawn", {"--population", "5000"});
  check_verified(made);
  BOOST_TEST(made.printed.at("figures").at("bytes_an_actor").at("median").as_double() > 100);
}

BOOST_AUTO_TEST_CASE(bad_arguments_say_what_was_expected) {
  const std::vector<std::vector<std::string>> bad{
    {"--mode", "nonsense"},
    {"--seconds", "0"},
    {"--runs", "0"},
    {"--connections", "0"},
    {"--connections", "x"},
    {"--rate", "-1"},
    {"--rate", "7O%"},
    {"--skew", "0,1,2,3,4,5,6,7,8"},
    {"--mode", "spawn", "--rate", "5"},
    {"--stripes", "65"},
  };
  for (const auto& arguments : bad) {
    const auto made = run(arguments);
    BOOST_TEST(made.how.ending == "exit code 2", made.how.ending << ": " << made.how.output);
    BOOST_TEST(made.how.output.find(arguments[arguments.size() - 2]) != std::string::npos,
               made.how.output);
  }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::test
