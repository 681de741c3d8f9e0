// `holdfast dev --nodes` and the operators' commands for a cluster, as their users meet them.
#include "runtime/client/json_members.hpp"
#include "runtime/embedded/folder.hpp"
#include "tests/support/node.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <csignal>
#include <optional>
#include <set>
#include <span>
#include <string>

namespace client = holdfast::client;
namespace embedded = holdfast::embedded;
namespace json = boost::json;
namespace fs = std::filesystem;
namespace test = holdfast::test;
using client::integer_at;
using client::string_at;
using holdfast::milliseconds;

namespace {

constexpr milliseconds patience{60'000};

struct dev_cluster_folder {
  dev_cluster_folder() { folder.emplace(); }
  ~dev_cluster_folder() { folder.reset(); }

  static inline std::optional<test::temp_folder> folder;
};

test::private_node three_nodes(std::vector<std::string> more = {}) {
  std::vector<std::string> arguments{"--nodes", "3", "--cluster", "127.0.0.1:0"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return test::private_node{{.arguments = std::move(arguments),
                             .environment = {},
                             .data = dev_cluster_folder::folder->path()}};
}

/// What dev.json says of the nodes; empty while there is none.
json::array nodes_of(const test::private_node& dev) {
  const auto content = embedded::read_file(dev.data() / "dev.json");
  return content ? json::parse(*content).at("nodes").as_array() : json::array{};
}

std::string output_of(const std::string& admin, std::vector<std::string> arguments) {
  const test::temp_folder folder;
  arguments.insert(arguments.begin(), {"ctl", "--admin", admin});
  const auto done = test::run({test::from_environment("HOLDFAST_BINARY"),
                               std::move(arguments),
                               {},
                               folder.path() / "output"},
                              patience);
  BOOST_TEST(done.succeeded, done.output);
  return done.output;
}

json::array rows(const std::string& admin, std::vector<std::string> arguments) {
  arguments.emplace_back("--json");
  return json::parse(output_of(admin, std::move(arguments))).at("data").as_array();
}

} // namespace

BOOST_AUTO_TEST_SUITE(dev_cluster, *boost::unit_test::fixture<dev_cluster_folder>())

BOOST_AUTO_TEST_CASE(three_nodes_serve_one_merchant_and_operators_see_all_of_them) {
  auto dev = three_nodes();
  dev.start();
  const auto listed = nodes_of(dev);
  BOOST_REQUIRE(listed.size() == 3U);
  std::set<std::string> places;
  for (const auto& node : listed) {
    places.insert(string_at(node.as_object(), "http"));
    const client::json_client api{string_at(node.as_object(), "http"), dev.api_key()};
    BOOST_TEST(api.get("/v1/payments").has_value());
  }
  BOOST_TEST(places.size() == 3U);
  // The table comes last of all that it prints.
  BOOST_TEST(test::eventually(patience, [&] {
    return embedded::read_file(dev.data() / "dev.log").value().find("\nnode-3 ")
           != std::string::npos;
  }));

  const auto nodes = rows(dev.admin(), {"nodes"});
  BOOST_REQUIRE(nodes.size() == 3U);
  for (const auto& node : nodes)
    BOOST_TEST(string_at(node.as_object(), "status") == "alive");
  BOOST_TEST(test::eventually(patience, [&] {
    const auto shown = rows(dev.admin(), {"nodes"});
    return std::ranges::all_of(shown, [](const json::value& node) {
      return integer_at(node.as_object(), "shards") > 0;
    });
  }));
  // The owners' own figures are gathered from them.
  BOOST_TEST(test::eventually(patience, [&] {
    const auto shards = rows(dev.admin(), {"shards"});
    return shards.size() == 32U && std::ranges::all_of(shards, [](const json::value& shard) {
             return client::flag_at(shard.as_object(), "serving")
                    && shard.at("in_flight").is_int64() && shard.at("lag_ms").is_int64();
           });
  }));
  for (const auto& shard : rows(dev.admin(), {"shards", "--node", "node-2"}))
    BOOST_TEST(string_at(shard.as_object(), "owner") == "node-2");
  dev.stop();
}

BOOST_AUTO_TEST_CASE(shards_move_where_an_operator_wants_them) {
  auto dev = three_nodes();
  dev.start();
  output_of(dev.admin(), {"shards", "move", "0-3", "--to", "node-3"});
  BOOST_TEST(test::eventually(patience, [&] {
    const auto shards = rows(dev.admin(), {"shards"});
    return std::ranges::all_of(std::span{shards}.first(4), [](const json::value& shard) {
      return string_at(shard.as_object(), "owner") == "node-3"
             && string_at(shard.as_object(), "pinned_to") == "node-3"
             && client::flag_at(shard.as_object(), "serving");
    });
  }));
  output_of(dev.admin(), {"shards", "move", "0-3", "--to", "anywhere"});
  BOOST_TEST(test::eventually(patience, [&] {
    const auto shards = rows(dev.admin(), {"shards"});
    return std::ranges::all_of(std::span{shards}.first(4), [](const json::value& shard) {
      return shard.at("pinned_to").is_null();
    });
  }));
  const test::temp_folder folder;
  const auto unknown =
    test::run({test::from_environment("HOLDFAST_BINARY"),
               {"ctl", "--admin", dev.admin(), "shards", "move", "0", "--to", "node-9"},
               {},
               folder.path() / "output"},
              patience);
  BOOST_TEST(unknown.ending == "exit code 1");
  BOOST_TEST(unknown.output.find("node-9") != std::string::npos, unknown.output);
  dev.stop();
}

BOOST_AUTO_TEST_CASE(any_node_comes_back_where_it_was_and_nothing_outlives_a_kill) {
  auto dev = three_nodes({"--restart-node"});
  dev.start();
  const auto before = nodes_of(dev);
  BOOST_REQUIRE(before.size() == 3U);
  const auto killed = integer_at(before[1].as_object(), "pid");
  ::kill(static_cast<pid_t>(killed), SIGKILL);
  BOOST_TEST(test::eventually(patience, [&] {
    const auto now = nodes_of(dev);
    return now.size() == 3U && integer_at(now[1].as_object(), "pid") != killed;
  }));
  const auto after = nodes_of(dev);
  for (std::size_t i = 0; i < after.size(); ++i)
    for (const char* name : {"id", "http", "admin", "log"})
      BOOST_TEST(string_at(after[i].as_object(), name)
                 == string_at(before[i].as_object(), name));
  dev.kill_all();
}

BOOST_AUTO_TEST_SUITE_END()
