// Simulated worlds: the same seed makes the same run, what must hold holds in many of them,
// every planted bug is caught, and seeds that once found something stay tried.
#include "runtime/simulation/report.hpp"
#include "runtime/simulation/runner.hpp"
#include "runtime/simulation/world.hpp"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <ctime>
#include <ostream>
#include <vector>

namespace holdfast::simulation {

namespace {

/// Of the test that tries as many seeds as it can; `make sim` tries more.
constexpr double cpu_seconds_max = 45;
/// Wanted: each planted bug within a few tens of seeds.
constexpr std::uint64_t seeds_to_catch_max = 100;

world_outcome run(std::uint64_t seed, std::size_t payments, plant which = plant::none) {
  return world{{seed, payments, which, std::nullopt}}.run();
}

std::string sentence_of(const world_outcome& outcome) {
  if (!outcome.violated)
    return {};
  return "seed " + std::to_string(outcome.seed) + ": " + outcome.violated->letter + ", "
         + outcome.violated->sentence + ' ' + outcome.violated_payment;
}

/// A run that found a bug of the cores, or of the actors that the simulator mirrors.
struct finding {
  std::uint64_t seed;
  const char* what;
};

std::ostream& operator<<(std::ostream& out, const finding& one) {
  return out << one.seed << " (" << one.what << ')';
}

const std::vector<finding> findings{
  {6, "a cold key was repeated while its payment came to its end: an assertion failed"},
  {10, "the same, and items put off after a shard's restart waited for nobody"},
  {18, "a request whose payment loaded too slowly was lost, and its key pending for ever"},
  {56, "an actor died with its last write on the way: its key was answered 202 for ever"},
  {78, "a creation that was repeated while its dead actor was rebuilt got a 404"},
};

} // namespace

BOOST_AUTO_TEST_SUITE(simulated_replay)

BOOST_AUTO_TEST_CASE(the_same_seed_makes_the_same_run) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const auto once = run(seed, 200);
    const auto again = run(seed, 200);
    BOOST_TEST(once.hash == again.hash);
    BOOST_TEST(once.steps == again.steps);
    BOOST_CHECK(once.virtual_time == again.virtual_time);
    BOOST_CHECK(once.faults == again.faults);
  }
}

BOOST_AUTO_TEST_CASE(another_seed_makes_another_run) {
  BOOST_TEST(run(1, 100).hash != run(2, 100).hash);
}

BOOST_AUTO_TEST_CASE(a_trace_changes_nothing) {
  const auto plain = run(3, 200);
  const auto traced = world{{3, 200, plant::none, payment_ref{7}}}.run();
  BOOST_TEST(plain.hash == traced.hash);
  BOOST_TEST(plain.trace.empty());
  BOOST_TEST(!traced.trace.empty());
}

BOOST_AUTO_TEST_CASE(threads_change_neither_the_runs_nor_their_order) {
  const auto hashes = [](std::size_t jobs) {
    std::vector<std::uint64_t> found;
    run_seeds({11, 30, 50, plant::none, jobs}, [&](const world_outcome& outcome) {
      found.push_back(outcome.seed);
      found.push_back(outcome.hash);
      return true;
    });
    return found;
  };
  const auto one = hashes(1);
  BOOST_TEST(one.size() == 40u);
  BOOST_TEST(one == hashes(3), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_listener_that_has_heard_enough_ends_the_runs) {
  for (const std::size_t jobs : {1, 2}) {
    std::uint64_t heard = 0;
    run_seeds({1, 1'000'000, 5, plant::none, jobs},
              [&](const world_outcome&) { return ++heard < 3; });
    BOOST_TEST(heard == 3u);
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(simulated_worlds)

BOOST_AUTO_TEST_CASE(what_must_hold_holds_in_many_worlds) {
  const auto began = std::clock();
  summary total;
  const auto spent = [&] { return static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC; };
  for (std::uint64_t seed = 1; spent() < cpu_seconds_max; ++seed) {
    const auto outcome = run(seed, 1'000);
    total.add(outcome);
    BOOST_REQUIRE_MESSAGE(!outcome.violated, sentence_of(outcome));
  }
  BOOST_TEST_MESSAGE(total.seeds << " seeds, " << total.payments << " payments");
  // Everything that can happen does happen, or the worlds have become too calm.
  for (std::size_t i = 0; i < fault_count; ++i)
    BOOST_TEST(total.faults[i] > 0u, to_string(static_cast<fault>(i)) << " never struck");
  BOOST_TEST(total.unknowns.approved > 0u);
  BOOST_TEST(total.unknowns.declined > 0u);
  BOOST_TEST(total.unknowns.reversed > 0u);
}

BOOST_DATA_TEST_CASE(seeds_that_once_found_something, findings, one) {
  const auto outcome = run(one.seed, 1'000);
  BOOST_TEST(!outcome.violated, sentence_of(outcome));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(simulated_plants)

BOOST_DATA_TEST_CASE(every_planted_bug_is_caught, all_plants, which) {
  std::uint64_t seeds = 0;
  bool caught = false;
  run_seeds({1, seeds_to_catch_max, 1'000, which, 1}, [&](const world_outcome& outcome) {
    ++seeds;
    caught = outcome.violated.has_value();
    return !caught;
  });
  BOOST_TEST_MESSAGE(to_string(which) << ": " << seeds << " seeds");
  BOOST_TEST(caught, to_string(which) << " is not caught");
}

BOOST_AUTO_TEST_CASE(plants_are_known_by_their_names_alone) {
  for (const auto which : all_plants)
    BOOST_CHECK(parse_plant(to_string(which)) == which);
  BOOST_CHECK(!parse_plant("none"));
  BOOST_CHECK(!parse_plant(""));
}

BOOST_AUTO_TEST_CASE(a_caught_plant_tells_how_to_replay_it) {
  report told;
  told.asked = {1, 1, 100, plant::skip_intent, 1};
  told.build = {"1.2.3", "abcdef"};
  const auto found = run(1, 100, plant::skip_intent);
  BOOST_REQUIRE(found.violated);
  told.failed = world{{1, 100, plant::skip_intent, found.violated->payment}}.run();
  told.total.add(found);
  BOOST_TEST(told.is_good());
  const auto text = to_text(told);
  for (const char* part :
       {"invariant O", "seed 1", "commit abcdef", "pay_", "gateway", "caught after 1 seeds",
        "holdfast sim --seeds 1-1 --payments 100 --plant skip_intent"})
    BOOST_TEST(text.find(part) != std::string::npos, part << " is missing in:\n" << text);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::simulation
