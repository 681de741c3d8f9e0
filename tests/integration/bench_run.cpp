#include "tests/integration/bench_run.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <filesystem>

namespace holdfast::test {

namespace json = boost::json;

namespace {

constexpr milliseconds patience{240'000};

} // namespace

bench_run bench_fixture::run(const std::vector<std::string>& arguments) {
  command bench;
  bench.program = from_environment("HOLDFAST_BINARY");
  bench.arguments = {"bench", "--results", (folder_.path() / "results").string()};
  bench.arguments.insert(bench.arguments.end(), arguments.begin(), arguments.end());
  bench.log = folder_.path() / ("run-" + std::to_string(++runs_) + ".log");
  bench_run made;
  made.how = test::run(bench, patience);
  const auto begin = made.how.output.find("{\"");
  if (begin == std::string::npos)
    return made;
  const auto end = std::min(made.how.output.find('\n', begin), made.how.output.size());
  boost::system::error_code bad;
  auto document = json::parse(made.how.output.substr(begin, end - begin), bad);
  if (!bad && document.is_object())
    made.printed = std::move(document.as_object());
  return made;
}

bench_run bench_fixture::run_alone(const std::string& mode,
                                   const std::vector<std::string>& more) {
  std::vector<std::string> arguments{"--mode",    mode,     "--runs",      "1",
                                     "--seconds", "1",      "--alone",     "--warm-up",
                                     "0",         "--json", "--merchants", "4"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run(arguments);
}

std::vector<std::string> bench_fixture::result_files() const {
  std::vector<std::string> names;
  std::error_code none;
  for (const auto& entry :
       std::filesystem::directory_iterator{folder_.path() / "results", none})
    names.push_back(entry.path().extension());
  std::ranges::sort(names);
  return names;
}

void check_verified(const bench_run& made) {
  BOOST_TEST_REQUIRE(made.how.succeeded, made.how.output);
  BOOST_TEST_REQUIRE(!made.printed.empty(), made.how.output);
  BOOST_TEST(made.printed.at("verified").as_bool());
  BOOST_TEST(made.printed.at("errors").to_number<int>() == 0);
  BOOST_TEST(made.printed.at("rate").as_double() > 0);
}

void check_counted(const bench_run& made) {
  const auto& counted = made.printed.at("counted");
  const auto acknowledged = counted.at("acknowledged").to_number<int>();
  BOOST_TEST(acknowledged > 0);
  BOOST_TEST(counted.at("database").to_number<int>() == acknowledged);
  BOOST_TEST(counted.at("sandbox").to_number<int>() == acknowledged);
}

} // namespace holdfast::test
