// What the embedded PostgreSQL is told: pages in memory by what the machine has, and the guards
// of durability and secrecy, which are no matter of taste.
#include "runtime/embedded/postgres_settings.hpp"

#include "tests/support/process.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <fstream>
#include <string>

namespace embedded = holdfast::embedded;

namespace {

constexpr std::uint64_t gibibyte = 1UL << 30;

bool says(const std::string& settings, const std::string& line) {
  return settings.find('\n' + line + '\n') != std::string::npos;
}

std::uint64_t memory_where_the_group_says(const std::string& limit) {
  const holdfast::test::temp_folder group;
  std::ofstream{group.path() / "memory.max"} << limit;
  return embedded::usable_memory(group.path());
}

} // namespace

BOOST_AUTO_TEST_SUITE(embedded_postgres_settings)

BOOST_AUTO_TEST_CASE(an_eighth_of_the_memory_holds_pages) {
  BOOST_TEST(says(embedded::postgres_settings(4 * gibibyte, "/s"), "shared_buffers = 512MB"));
}

BOOST_AUTO_TEST_CASE(pages_have_a_least_and_a_most) {
  BOOST_TEST(says(embedded::postgres_settings(gibibyte / 2, "/s"), "shared_buffers = 128MB"));
  BOOST_TEST(
    says(embedded::postgres_settings(256 * gibibyte, "/s"), "shared_buffers = 1024MB"));
}

BOOST_AUTO_TEST_CASE(a_commit_is_on_disk_and_values_stay_out_of_the_log) {
  const auto settings = embedded::postgres_settings(gibibyte, "/s");
  for (const auto* line :
       {"fsync = on", "synchronous_commit = on", "full_page_writes = on",
        "listen_addresses = ''", "log_statement = 'none'",
        "log_parameter_max_length_on_error = 0", "unix_socket_directories = '/s'"})
    BOOST_TEST(says(settings, line), line);
}

BOOST_AUTO_TEST_CASE(a_control_group_may_allow_less_than_the_machine_has) {
  BOOST_TEST(memory_where_the_group_says("67108864\n") == 64U << 20);
}

BOOST_AUTO_TEST_CASE(without_such_a_limit_the_machine_s_memory_counts) {
  const auto machine = embedded::usable_memory("/nonexistent");
  BOOST_TEST(machine > 64U << 20);
  BOOST_TEST(memory_where_the_group_says("max\n") == machine);
}

BOOST_AUTO_TEST_SUITE_END()
