#include "runtime/bench/histogram.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <random>
#include <vector>

namespace holdfast::bench {

namespace {

using us = histogram::duration;

histogram of(const std::vector<std::int64_t>& values) {
  histogram made;
  for (const auto value : values)
    made.record(us{value});
  return made;
}

} // namespace

BOOST_AUTO_TEST_SUITE(bench_histogram)

BOOST_AUTO_TEST_CASE(of_nothing_everything_is_zero) {
  const histogram empty;
  BOOST_TEST(empty.count() == 0U);
  BOOST_TEST(empty.at(0.5).count() == 0);
  BOOST_TEST(empty.max().count() == 0);
  BOOST_TEST(empty.mean().count() == 0);
}

BOOST_AUTO_TEST_CASE(small_values_are_exact) {
  const auto some = of({1, 2, 3, 4, 100});
  BOOST_TEST(some.at(0).count() == 1);
  BOOST_TEST(some.at(0.5).count() == 3);
  BOOST_TEST(some.at(0.8).count() == 4);
  BOOST_TEST(some.at(0.81).count() == 100);
  BOOST_TEST(some.at(1).count() == 100);
  BOOST_TEST(some.mean().count() == 22);
}

BOOST_AUTO_TEST_CASE(a_percentile_is_never_less_than_the_truth_and_hardly_more) {
  std::mt19937_64 random{7};
  std::lognormal_distribution<double> times{8, 2};
  std::vector<std::int64_t> values(20'000);
  for (auto& value : values)
    value = static_cast<std::int64_t>(times(random));
  const auto all = of(values);
  std::ranges::sort(values);
  for (const double share : {0.01, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto rank = static_cast<std::size_t>(std::ceil(share * 20'000.0)) - 1;
    const auto truth = values[rank];
    BOOST_TEST(all.at(share).count() >= truth);
    BOOST_TEST(static_cast<double>(all.at(share).count())
               <= static_cast<double>(truth) * 1.016 + 1);
  }
  BOOST_TEST(all.max().count() == values.back());
}

BOOST_AUTO_TEST_CASE(each_bucket_begins_where_the_one_before_ends) {
  // Alone, a value is its own maximum; next to a far greater one its bucket shows.
  std::int64_t before = -1;
  for (std::int64_t value = 0; value < 70'000; ++value) {
    const auto top = of({value, 1'000'000'000}).at(0.5).count();
    BOOST_REQUIRE(top >= value);
    BOOST_REQUIRE(top == before || value == before + 1);
    before = top;
  }
}

BOOST_AUTO_TEST_CASE(what_no_bucket_holds_goes_to_the_nearest) {
  const auto odd = of({-5, std::int64_t{1} << 50});
  BOOST_TEST(odd.count() == 2U);
  BOOST_TEST(odd.at(0.5).count() == 0);
  BOOST_TEST(odd.max().count() == std::int64_t{1} << 50);
  BOOST_TEST(odd.at(1).count() <= odd.max().count());
}

BOOST_AUTO_TEST_CASE(two_add_up_as_if_they_were_one) {
  auto sum = of({1, 5'000});
  sum.add(of({3, 70'000}));
  const auto whole = of({1, 3, 5'000, 70'000});
  BOOST_TEST(sum.count() == whole.count());
  BOOST_TEST(sum.mean().count() == whole.mean().count());
  for (const double share : {0.25, 0.5, 0.75, 1.0})
    BOOST_TEST(sum.at(share).count() == whole.at(share).count());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::bench
