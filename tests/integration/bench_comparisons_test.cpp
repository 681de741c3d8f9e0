// `holdfast bench` where it compares: with the peak of the same turn, and settings with each
// other.
#include "tests/integration/bench_run.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include <cmath>

namespace holdfast::test {

BOOST_FIXTURE_TEST_SUITE(bench_comparisons, bench_fixture)

BOOST_AUTO_TEST_CASE(a_share_of_the_peak_is_of_the_peak_of_the_same_turn) {
  const auto made = run_alone(
    "authorize", {"--rate", "50%", "--connections", "200", "--peak-connections", "16"});
  check_verified(made);
  check_counted(made);
  BOOST_TEST(made.printed.at("offered_share").as_double() == 0.5);
  const auto peak = made.printed.at("figures").at("peak").at("median").as_double();
  BOOST_TEST(std::abs(made.printed.at("offered").as_double() - peak / 2) < 0.01);
  BOOST_TEST(made.printed.at("figures").at("sync_ms").at("median").as_double() > 0);
}

BOOST_AUTO_TEST_CASE(what_is_refused_under_overload_is_counted_and_asked_again) {
  const auto made = run_alone(
    "authorize", {"--rate", "400%", "--connections", "2000", "--peak-connections", "32"});
  BOOST_TEST_REQUIRE(made.how.succeeded, made.how.output);
  BOOST_TEST_REQUIRE(!made.printed.empty(), made.how.output);
  BOOST_TEST(made.printed.at("verified").as_bool());
  check_counted(made);
  BOOST_TEST(made.printed.at("figures").at("refused_share").at("max").as_double() < 1);
}

BOOST_AUTO_TEST_CASE(settings_take_turns_in_installations_of_their_own) {
  const auto made = run_alone("authorize", {"--stored", "0,500", "--skew", "2"});
  check_verified(made);
  check_counted(made);
  const auto& points = made.printed.at("points").as_array();
  BOOST_TEST_REQUIRE(points.size() == 2U);
  BOOST_TEST(points[0].at("relative").is_null());
  BOOST_TEST(points[1].at("relative").as_double() > 0);
  BOOST_TEST(points[1].at("stored").to_number<int>() == 500);
  BOOST_TEST(points[1].at("skew").as_double() == 2);
}

BOOST_AUTO_TEST_CASE(pending_payments_are_weighed) {
  const auto made = run_alone("pending", {"--population", "200"});
  check_verified(made);
  check_counted(made);
  const auto& figures = made.printed.at("figures");
  BOOST_TEST(figures.at("without_mib").at("median").as_double() > 0);
  BOOST_TEST(figures.at("with_mib").at("median").as_double() > 0);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::test
