#include "tests/integration/audited_loads.hpp"

#include "tests/support/environment.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <random>
#include <sstream>

namespace holdfast::test {

namespace {

constexpr std::size_t differences_shown = 20;

} // namespace

std::uint64_t first_seed() {
  static const auto seed =
    number_from_environment("HOLDFAST_CRASH_SEED", std::random_device{}());
  return seed;
}

std::unique_ptr<crash_load> audited_loads::begin(std::vector<demo::planned_payment> plan,
                                                 load_pace pace) {
  site_.await_ready();
  return std::make_unique<crash_load>(std::move(plan), audit_.open_accounts(),
                                      "load-" + std::to_string(++loads_), pace);
}

std::vector<std::string> audited_loads::differences_of(crash_load& load) {
  if (!load.await_end(end_limit))
    return {"answers are missing: " + load.open_requests()};
  if (!load.ask_all_again(end_limit))
    return {"answers are missing the second time: " + load.open_requests()};
  site_.await_ready();
  return audit_.check(load);
}

void audited_loads::expect_none(const std::vector<std::string>& differences,
                                const std::string& where) const {
  BOOST_TEST_REQUIRE(differences.empty(), describe(differences, where));
}

void audited_loads::finish(crash_load& load, const std::string& where) {
  expect_none(differences_of(load), where);
}

void audited_loads::check_all(const std::string& where) {
  site_.await_ready();
  expect_none(audit_.check_all(), where);
  expect_none(audit_.prove_ledger(), where);
}

std::string audited_loads::describe(const std::vector<std::string>& differences,
                                    const std::string& where) const {
  std::ostringstream text;
  text << "HOLDFAST_CRASH_SEED=" << first_seed() << ", " << where << ": " << differences.size()
       << " differences\n";
  for (std::size_t i = 0; i < std::min(differences.size(), differences_shown); ++i)
    text << "  " << differences[i] << '\n';
  return text.str() + site_.logs();
}

} // namespace holdfast::test
