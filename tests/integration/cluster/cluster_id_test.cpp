// `holdfast init` and the id of a cluster: who gets which, and how a copy of its databases
// becomes a cluster of its own.
#include "runtime/config/config.hpp"
#include "runtime/embedded/private_config.hpp"
#include "storage/connection.hpp"
#include "tests/support/postgres.hpp"
#include "tests/support/process.hpp"

#include <boost/test/unit_test.hpp>

#include <fstream>

namespace embedded = holdfast::embedded;
namespace fs = std::filesystem;
namespace storage = holdfast::storage;
namespace test = holdfast::test;
using holdfast::milliseconds;

namespace {

constexpr milliseconds patience{60'000};
constexpr std::string_view before_id = "cluster id: ";

/// What `holdfast init` has said, and the id that it has ended with.
struct outcome {
  bool succeeded = false;
  std::string output;
  std::string id;
};

struct two_clusters {
  /// Of one cluster: shards 0-15 in the one database, 16-31 in the other.
  outcome init(const std::string& first, const std::string& second,
               const std::vector<std::string>& more = {}) {
    auto settings =
      embedded::private_config({"127.0.0.1:0", "127.0.0.1:0", "http://sandbox", ""});
    settings.databases = {{0, 15, first}, {16, 31, second}};
    const auto file = folder.path() / "node.toml";
    std::ofstream{file} << holdfast::config::to_toml(settings);
    std::vector<std::string> arguments{"init", "--config", file};
    arguments.insert(arguments.end(), more.begin(), more.end());
    fs::remove(folder.path() / "output");
    const auto done = test::run({test::from_environment("HOLDFAST_BINARY"),
                                 std::move(arguments),
                                 {{std::string{embedded::pepper_variable}, pepper},
                                  {std::string{embedded::webhook_variable}, pepper}},
                                 folder.path() / "output"},
                                patience);
    const auto at = done.output.find(before_id);
    return {done.succeeded, done.output,
            at == std::string::npos ? "" : done.output.substr(at + before_id.size(), 32)};
  }

  /// As a copy of its files would be.
  std::string copy_of(const std::string& database, const std::string& name) {
    const auto begin = database.find("/test_") + 1;
    const auto original = database.substr(begin, database.find('?') - begin);
    server.run("create database " + name + " template " + original);
    return server.url(name);
  }

  static void run(const std::string& database, const std::string& script) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    const auto db = storage::connection::open(database, "test", deadline);
    BOOST_REQUIRE(db);
    BOOST_REQUIRE((*db)->script(script, deadline));
  }

  const std::string pepper = "a pepper of thirty-two bytes, at least";
  test::temp_folder folder;
  test::postgres_server server{{.fsync = false}};
  const std::string lower = server.create_database();
  const std::string upper = server.create_database();
};

bool says(const outcome& what, const std::string& words) {
  return what.output.find(words) != std::string::npos;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(cluster_id, two_clusters)

BOOST_AUTO_TEST_CASE(all_databases_of_a_cluster_have_one_id_that_stays) {
  const auto first = init(lower, upper);
  BOOST_TEST_REQUIRE(first.succeeded, first.output);
  BOOST_TEST(first.id.size() == 32U);
  const auto again = init(lower, upper);
  BOOST_TEST(again.succeeded, again.output);
  BOOST_TEST(again.id == first.id);
}

BOOST_AUTO_TEST_CASE(databases_of_two_clusters_do_not_become_one) {
  const auto ours = init(lower, upper);
  const auto other_upper = server.create_database();
  const auto theirs = init(server.create_database(), other_upper);
  BOOST_TEST_REQUIRE(theirs.succeeded, theirs.output);
  BOOST_TEST(theirs.id != ours.id);
  const auto mixed = init(lower, other_upper);
  BOOST_TEST(!mixed.succeeded);
  BOOST_TEST(
    says(mixed, "database of shards 16-31: the database is one of a cluster whose id is "
                  + theirs.id + ", not " + ours.id),
    mixed.output);
}

BOOST_AUTO_TEST_CASE(a_copy_is_a_cluster_of_its_own_once_it_is_told_so) {
  const auto original = init(lower, upper);
  const auto lower_copy = copy_of(lower, "lower_copy");
  const auto upper_copy = copy_of(upper, "upper_copy");
  BOOST_TEST(init(lower_copy, upper_copy).id == original.id);
  const auto copy = init(lower_copy, upper_copy, {"--new-cluster-id"});
  BOOST_TEST_REQUIRE(copy.succeeded, copy.output);
  BOOST_TEST(copy.id != original.id);
  BOOST_TEST(init(lower_copy, upper_copy).id == copy.id);
  BOOST_TEST(init(lower, upper).id == original.id);
  // One that was stopped half-way is made whole by the same command.
  run(upper_copy, "update cluster set cluster_id = gen_random_uuid()");
  BOOST_TEST(!init(lower_copy, upper_copy).succeeded);
  const auto mended = init(lower_copy, upper_copy, {"--new-cluster-id"});
  BOOST_TEST(mended.succeeded, mended.output);
  BOOST_TEST(init(lower_copy, upper_copy).id == mended.id);
}

BOOST_AUTO_TEST_CASE(a_database_in_which_a_node_lives_keeps_its_id) {
  const auto before = init(lower, upper);
  run(lower,
      "insert into cluster_node values ('node-1', 'i', '', '', '', '', true, false,"
      " clock_timestamp(), clock_timestamp() + interval '1 hour')");
  const auto refused = init(lower, upper, {"--new-cluster-id"});
  BOOST_TEST(!refused.succeeded);
  BOOST_TEST(says(refused, "database of shards 0-15: a node lives in it"), refused.output);
  BOOST_TEST(init(lower, upper).id == before.id);
}

BOOST_AUTO_TEST_SUITE_END()
