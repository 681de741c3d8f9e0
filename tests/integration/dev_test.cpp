// `holdfast dev` as its users meet it: what it starts, what it leaves behind, what it says when
// it can't.
#include "messages/limits.hpp"
#include "runtime/client/json_members.hpp"
#include "runtime/embedded/folder.hpp"
#include "runtime/embedded/postgres.hpp"
#include "tests/integration/api_client.hpp"
#include "tests/support/node.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include <csignal>
#include <fstream>
#include <map>
#include <memory>
#include <optional>

#include <sys/stat.h>
#include <unistd.h>

namespace embedded = holdfast::embedded;
namespace fs = std::filesystem;
namespace test = holdfast::test;
using holdfast::milliseconds;

namespace {

constexpr milliseconds patience{60'000};

unsigned mode_of(const fs::path& path) {
  struct stat status {};
  BOOST_REQUIRE_MESSAGE(::stat(path.c_str(), &status) == 0, path);
  return status.st_mode & 0777U;
}

test::finished holdfast_with(const test::temp_folder& folder,
                             std::vector<std::string> arguments) {
  return test::run({test::from_environment("HOLDFAST_BINARY"),
                    std::move(arguments),
                    {},
                    folder.path() / "output"},
                   patience);
}

embedded::postgres_options postgres_in(const fs::path& data) {
  embedded::postgres_options options;
  options.data = data;
  options.log_file = data / "postgres.log";
  return options;
}

// A folder for a whole suite: making a database's files takes longer than all the rest.

struct postgres_folder {
  postgres_folder() { folder.emplace(); }
  ~postgres_folder() {
    std::error_code ignored;
    fs::remove_all(fs::read_symlink(long_path() / "socket", ignored), ignored);
    folder.reset();
  }

  /// So long that a socket in it could not be reached.
  static fs::path long_path() { return folder->path() / std::string(120, 'x'); }

  static inline std::optional<test::temp_folder> folder;
};

struct dev_folder {
  dev_folder() { folder.emplace(); }
  ~dev_folder() { folder.reset(); }

  static inline std::optional<test::temp_folder> folder;
};

std::unique_ptr<embedded::postgres> start_postgres() {
  const auto data = postgres_folder::long_path();
  fs::create_directory(data);
  auto started = embedded::postgres::start(postgres_in(data));
  BOOST_REQUIRE_MESSAGE(started, started.error().detail);
  return std::move(*started);
}

test::private_node dev_node(std::vector<std::string> arguments = {}) {
  return test::private_node{
    {.arguments = std::move(arguments), .data = dev_folder::folder->path()}};
}

} // namespace

BOOST_AUTO_TEST_SUITE(embedded_postgres, *boost::unit_test::fixture<postgres_folder>())

BOOST_AUTO_TEST_CASE(long_path_gets_a_short_socket_that_stays_the_same) {
  const auto url = start_postgres()->url();
  const auto socket = fs::read_symlink(postgres_folder::long_path() / "socket");
  BOOST_TEST(socket.string().size() < 90U);
  BOOST_TEST(mode_of(socket) == 0700U);
  BOOST_TEST(start_postgres()->url() == url);
}

BOOST_AUTO_TEST_CASE(server_starts_again_after_it_was_killed) {
  const auto first = start_postgres();
  first->process().signal(SIGKILL);
  BOOST_TEST(first->process().wait(patience));
  BOOST_TEST(start_postgres()->process().running());
}

BOOST_AUTO_TEST_CASE(server_that_a_killed_owner_left_is_ended_first) {
  const auto orphan = start_postgres();
  const auto next = start_postgres();
  BOOST_TEST(!orphan->process().running());
  BOOST_TEST(next->process().running());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(command_line)

BOOST_AUTO_TEST_CASE(usage_errors_are_exit_code_2) {
  const test::temp_folder folder;
  const std::vector<std::vector<std::string>> wrong{
    {},
    {"frobnicate"},
    {"dev", "--http", "nowhere"},
    {"dev", "--nodes", "0"},
    {"demo", "--nodes", "10"},
    {"node"},
    {"node", "--config", folder.path() / "none.toml"},
    {"ctl"},
    {"ctl", "exceptions", "list", "--status", "lost"}};
  for (const auto& arguments : wrong) {
    const auto done = holdfast_with(folder, arguments);
    BOOST_TEST(done.ending == "exit code 2", done.output);
  }
}

BOOST_AUTO_TEST_CASE(help_and_version_are_exit_code_0) {
  const test::temp_folder folder;
  for (const auto& arguments : std::vector<std::vector<std::string>>{
         {"--help"}, {"--version"}, {"dev", "--help"}, {"ctl", "payments", "--help"}})
    BOOST_TEST(holdfast_with(folder, arguments).succeeded);
}

BOOST_AUTO_TEST_CASE(node_that_is_not_there_is_said_so) {
  const test::temp_folder folder;
  const auto done =
    holdfast_with(folder, {"ctl", "shards", "--admin", "http://127.0.0.1:1", "--json"});
  BOOST_TEST(done.ending == "exit code 1");
  BOOST_TEST(done.output.find("http://127.0.0.1:1 can't be reached") != std::string::npos,
             done.output);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(dev, *boost::unit_test::fixture<dev_folder>())

BOOST_AUTO_TEST_CASE(serves_a_payment_and_goes_on_after_a_stop_and_after_a_kill) {
  auto node = dev_node();
  node.start();
  const auto key = node.api_key();
  const auto merchant = node.merchant();
  BOOST_TEST(mode_of(node.data() / "dev.json") == 0600U);
  BOOST_TEST(mode_of(node.data() / "credentials.json") == 0600U);
  BOOST_TEST(mode_of(node.data() / "pepper") == 0600U);
  BOOST_TEST(mode_of(node.data() / "webhook_secret") == 0600U);
  BOOST_TEST(node.api().get("/v1/payments").has_value());

  node.stop();
  BOOST_TEST(!fs::exists(node.data() / "dev.json"));
  node.start();
  BOOST_TEST(node.api_key() == key);
  BOOST_TEST(node.merchant() == merchant);
  BOOST_TEST(node.api().get("/v1/payments").has_value());

  node.kill_all();
  node.start();
  BOOST_TEST(node.api_key() == key);
  BOOST_TEST(node.api().get("/v1/payments").has_value());
  node.stop();
}

BOOST_AUTO_TEST_CASE(second_dev_on_the_same_data_is_refused) {
  auto node = dev_node();
  node.start();
  const test::temp_folder folder;
  const auto second =
    holdfast_with(folder, {"dev", "--data", node.data(), "--http", "127.0.0.1:0", "--admin",
                           "127.0.0.1:0", "--sandbox", "127.0.0.1:0"});
  BOOST_TEST(second.ending == "exit code 1");
  BOOST_TEST(second.output.find("is in use by another holdfast (process "
                                + std::to_string(node.dev().pid()) + ")")
               != std::string::npos,
             second.output);
  node.stop();
}

BOOST_AUTO_TEST_CASE(death_of_the_node_is_the_end_of_all) {
  auto node = dev_node();
  node.start();
  const auto family = test::family_of(node.dev().pid());
  node.kill_node();
  BOOST_TEST(node.dev().wait(patience));
  BOOST_TEST(node.dev().ending() == "exit code 1");
  BOOST_TEST(test::eventually(patience, [&] { return test::still_running(family).empty(); }));
}

BOOST_AUTO_TEST_CASE(node_comes_back_where_it_was_when_asked_to) {
  auto node = dev_node({"--restart-node"});
  node.start();
  const auto http = node.http();
  for (int round = 0; round < 3; ++round) {
    const auto before = node.node_pid();
    node.kill_node();
    node.await_other_node(before);
    BOOST_TEST(node.http() == http);
    BOOST_TEST(node.api().get("/v1/payments").has_value());
  }
  node.stop();
}

BOOST_AUTO_TEST_CASE(operators_see_merchants_keys_and_shards) {
  auto node = dev_node();
  node.start();
  const test::temp_folder folder;
  const auto ctl = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"ctl", "--admin", node.admin()});
    const auto done = holdfast_with(folder, arguments);
    BOOST_TEST(done.succeeded, done.output);
    fs::remove(folder.path() / "output");
    return done.output;
  };
  BOOST_TEST(
    ctl({"merchants", "create", "--name", "Kelp", "--currency", "JPY"}).find("hf_test_")
    != std::string::npos);
  BOOST_TEST(ctl({"merchants", "list"}).find("Kelp") != std::string::npos);
  const auto keys = ctl({"keys", "list", "--json"});
  BOOST_TEST(keys.find("hf_test_") == std::string::npos);
  BOOST_TEST(keys.find(node.merchant()) != std::string::npos);
  BOOST_TEST(ctl({"shards"}).find("node-1") != std::string::npos);
  BOOST_TEST(ctl({"nodes"}).find("node-1") != std::string::npos);
  BOOST_TEST(ctl({"gateways", "list"}).find("closed") != std::string::npos);
  BOOST_TEST(ctl({"ledger", "verify"}).find("FAILS") == std::string::npos);
  node.stop();
}

/// More than a page of it, so that the pages must fit together.
BOOST_AUTO_TEST_CASE(operators_export_every_account_and_entry) {
  auto node = dev_node();
  node.start();
  test::api_client api{node.http(), node.api_key()};
  constexpr int payments = holdfast::limits::export_rows_max / 6 + 20; // of six entries each
  std::vector<holdfast::http::call> orders;
  for (int i = 0; i < payments; ++i)
    orders.push_back(
      api.make_post("/v1/payments", test::payment_order{.capture = "automatic"}.body()));
  for (const auto& answer : api.send_all(std::move(orders)))
    BOOST_TEST(answer.status == 201);

  const test::temp_folder folder;
  const auto target = folder.path() / "ledger";
  const auto lines_of = [&](std::vector<std::string> further) {
    further.insert(further.begin(), {"ctl", "--admin", node.admin(), "ledger", "export",
                                     "--output", target.string()});
    const auto done = holdfast_with(folder, further);
    BOOST_TEST(done.succeeded, done.output);
    BOOST_TEST(done.output.find("Entries exported") != std::string::npos, done.output);
    fs::remove(folder.path() / "output");
    std::ifstream file{target};
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);)
      lines.push_back(line);
    return lines;
  };
  const auto counted = node.operators().get("/admin/v1/ledger/verify");
  const auto entries = static_cast<std::size_t>(
    holdfast::client::integer_at(counted.value().as_object(), "entries"));
  BOOST_TEST(entries > holdfast::limits::export_rows_max);
  const auto as_json = lines_of({"--json"});
  BOOST_TEST(as_json.size() == entries);
  const auto as_csv = lines_of({"--format", "csv"});
  BOOST_TEST(as_csv.size() == entries + 1);
  std::map<std::string, std::int64_t> sums; // by the account's kind
  std::string before;
  for (const auto& line : as_json) {
    const auto entry = boost::json::parse(line).as_object();
    const auto id = holdfast::client::string_at(entry, "id");
    BOOST_TEST(before < id);
    before = id;
    sums[holdfast::client::string_at(entry, "account")] +=
      holdfast::client::integer_at(entry, "amount");
  }
  BOOST_TEST(sums.size() == 4U);
  BOOST_TEST(sums.at("acquirer_receivable") == payments * 1'000);
  BOOST_TEST(sums.at("merchant_pending") == -payments * 1'000);
  BOOST_TEST(lines_of({"--merchant", node.merchant()}).size() == entries / 2);

  const auto both = holdfast_with(
    folder, {"ctl", "--admin", node.admin(), "ledger", "export", "--json", "--format", "csv"});
  BOOST_TEST(both.ending == "exit code 2");
  node.stop();
}

BOOST_AUTO_TEST_SUITE_END()
