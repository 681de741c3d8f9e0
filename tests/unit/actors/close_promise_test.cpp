// The answer to an order to close batches: exactly one, whatever becomes of who owes it.
#include "actors/close_promise.hpp"

#include <boost/test/unit_test.hpp>

#include <vector>

namespace holdfast::actors {

namespace {

using outcomes = std::vector<close_outcome>;

close_promise_ptr promise_into(outcomes& heard) {
  return std::make_shared<close_promise>(
    [&heard](close_outcome outcome) { heard.push_back(std::move(outcome)); });
}

close_outcome closed(std::uint32_t batches) {
  close_outcome made;
  made.ok = true;
  made.batches = batches;
  return made;
}

} // namespace

BOOST_AUTO_TEST_SUITE(close_promises)

BOOST_AUTO_TEST_CASE(only_the_first_outcome_counts) {
  outcomes heard;
  auto promise = promise_into(heard);
  promise->deliver(closed(2));
  promise->deliver(closed(3));
  promise.reset();
  BOOST_REQUIRE_EQUAL(heard.size(), 1U);
  BOOST_TEST(heard[0].ok);
  BOOST_TEST(heard[0].batches == 2U);
}

BOOST_AUTO_TEST_CASE(dropped_it_says_that_the_shard_moves) {
  outcomes heard;
  auto promise = promise_into(heard);
  auto other = promise;
  promise.reset();
  BOOST_TEST(heard.empty());
  other.reset();
  BOOST_REQUIRE_EQUAL(heard.size(), 1U);
  BOOST_TEST(!heard[0].ok);
  BOOST_TEST(heard[0].detail == "a shard is starting or moving; its batches go on there");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::actors
