#include "runtime/node/randomness.hpp"

#include <boost/test/unit_test.hpp>

#include <set>
#include <thread>

namespace holdfast::runtime {

BOOST_AUTO_TEST_SUITE(node_randomness)

BOOST_AUTO_TEST_CASE(nothing_comes_twice_on_one_thread_or_on_two) {
  constexpr std::size_t draws = 1'000; // more than what a thread draws at once
  std::set<std::uint64_t> seen;
  const auto draw = [&seen] {
    for (std::size_t i = 0; i < draws; ++i)
      seen.insert(random_bits());
  };
  draw();
  std::thread{draw}.join();
  BOOST_TEST(seen.size() == 2 * draws);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::runtime
