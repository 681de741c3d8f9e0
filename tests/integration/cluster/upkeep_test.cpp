// What operators do to a cluster that goes on serving: order its breakers about, replace the
// authority of its certificates, move a database to another server, see to what the search for
// orphans has found. As docs/cluster.md tells them to.
#include "runtime/client/json_members.hpp"
#include "tests/integration/cluster/cluster_suite.hpp"
#include "tests/integration/expect.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>

namespace holdfast {

namespace json = boost::json;
using client::string_at;
using test::cluster;
using test::cluster_suite;
using test::describe;
using test::eventually;

namespace {

constexpr milliseconds patience{30'000};
/// As the cluster creates it.
constexpr const char* database_name = "test_1";
constexpr const char* gateway = "alder";

void search_often(config::node_config& settings) {
  settings.settlement.orphan_search = milliseconds{1'000};
}

struct three_nodes : cluster_suite {
  three_nodes() : cluster_suite({.tune = search_often}) {}
};

/// Restarts one node after the other, as they are configured by now; goes on when a node is
/// ready, and linked with both others, in both directions.
void restart_all(cluster& nodes) {
  const auto is_back = [&](std::size_t node) {
    const auto others = static_cast<double>(nodes.size() - 1);
    bool linked = nodes.is_ready(node);
    for (std::size_t each = 0; linked && each < nodes.size(); ++each)
      linked = nodes.metric(each, "holdfast_link_up") >= others;
    return linked;
  };
  for (std::size_t node = 0; node < nodes.size(); ++node) {
    nodes.stop(node);
    nodes.start(node);
    BOOST_TEST_REQUIRE(eventually(patience, [&] { return is_back(node); }),
                       cluster::id_of(node) << " is not back\n"
                                            << nodes.logs());
  }
}

/// What a node says of a gateway's breaker: "open", by whom.
std::pair<std::string, std::string> breaker_at(const cluster& nodes, std::size_t node) {
  const auto rows = nodes.operators(node).rows("/admin/v1/gateways").value();
  for (const auto& row : rows)
    if (string_at(row.as_object(), "name") == gateway)
      return {string_at(row.as_object(), "breaker"), string_at(row.as_object(), "by")};
  return {};
}

void expect_breakers(const cluster& nodes, const std::string& state) {
  for (std::size_t node = 0; node < nodes.size(); ++node)
    BOOST_TEST(eventually(patience, [&] { return breaker_at(nodes, node).first == state; }),
               cluster::id_of(node) << " has it " << breaker_at(nodes, node).first);
}

/// Where a new payment of a shard of the node is charged.
std::string gateway_chosen_by(cluster_suite& suite, std::size_t node) {
  const auto paid = suite.pay(0, suite.shard_of(node));
  test::expect(paid, 201);
  return paid.text("/gateway");
}

// -- orphans ----------------------------------------------------------------------------------

/// The node that searches for them.
std::size_t searching_node(const cluster& nodes) {
  std::size_t found = nodes.size();
  const auto finds = [&] {
    for (std::size_t node = 0; node < nodes.size() && found == nodes.size(); ++node)
      if (test::read_numbers(nodes.databases().front().url,
                             "select count(*) from singleton_lease where name = 'orphans'"
                             " and lease_until > clock_timestamp() and owner = '"
                               + cluster::id_of(node) + "'",
                             1)
            .front()
          == 1)
        found = node;
    return found != nodes.size();
  };
  BOOST_TEST_REQUIRE(eventually(patience, finds));
  return found;
}

std::vector<json::object> exceptions_of(const cluster& nodes, std::size_t asked,
                                        const std::string& payment) {
  std::vector<json::object> found;
  for (const auto& row : nodes.operators(asked).rows("/admin/v1/exceptions").value())
    if (string_at(row.as_object(), "payment") == payment)
      found.push_back(row.as_object());
  return found;
}

} // namespace

BOOST_AUTO_TEST_SUITE(cluster_upkeep, *boost::unit_test::fixture<three_nodes>())

BOOST_AUTO_TEST_CASE(an_order_to_one_nodes_breaker_is_obeyed_by_all) {
  auto& suite = cluster_suite::here();
  auto& nodes = suite.nodes();
  const auto tripped =
    nodes.ctl(0, {"gateways", "trip", gateway, "--note", "their maintenance"});
  BOOST_TEST_REQUIRE(tripped.succeeded, tripped.output);
  expect_breakers(nodes, "open");
  for (std::size_t node = 0; node < nodes.size(); ++node) {
    BOOST_TEST(breaker_at(nodes, node).second == breaker_at(nodes, 0).second);
    BOOST_TEST(gateway_chosen_by(suite, node) != gateway);
  }
  const auto reset = nodes.ctl(2, {"gateways", "reset", gateway});
  BOOST_TEST_REQUIRE(reset.succeeded, reset.output);
  expect_breakers(nodes, "closed");
  for (std::size_t node = 0; node < nodes.size(); ++node)
    BOOST_TEST(gateway_chosen_by(suite, node) == gateway);
}

BOOST_AUTO_TEST_CASE(
  the_authority_is_replaced_without_a_failure_that_a_repetition_does_not_mend) {
  auto& suite = cluster_suite::here();
  auto& nodes = suite.nodes();
  const auto before = nodes.authority();
  const auto after = embedded::make_authority("the next one", embedded::authority_days).value();
  const auto load = suite.begin_load(test::light_pace);
  nodes.set_authority(before, {before, after});
  restart_all(nodes);
  nodes.set_authority(after, {before, after});
  restart_all(nodes);
  nodes.set_authority(after, {after});
  restart_all(nodes);
  suite.finish(*load, "the authority was replaced");
  const auto found = load->let_down();
  BOOST_TEST(found.twice == 0U, describe(found));
}

BOOST_AUTO_TEST_CASE(a_database_moves_to_another_server_and_nothing_is_lost) {
  auto& suite = cluster_suite::here();
  auto& nodes = suite.nodes();
  auto& before = nodes.postgres(0);
  const auto load = suite.begin_load(test::light_pace);
  auto& after = nodes.add_standby(0);
  nodes.set_database_url(0, before.url_with(after, database_name));
  restart_all(nodes);
  before.shut_down();
  after.promote();
  for (std::size_t node = 0; node < nodes.size(); ++node)
    BOOST_TEST(
      eventually(patience, [&] { return suite.pay(node, {0}, "wait=2").status == 201; }));
  // One of them is enough to show that the old host may be taken out.
  nodes.set_database_url(0, after.url(database_name));
  nodes.stop(0);
  nodes.start(0);
  suite.finish(*load, "the database was moved");
  for (std::size_t node = 0; node < nodes.size(); ++node)
    BOOST_TEST(nodes.metric(node, "holdfast_shards_behind") == 0);
  suite.loads().expect_none(suite.loads().audit().prove_ledger(), "the database was moved");
}

BOOST_AUTO_TEST_CASE(an_orphan_is_found_on_one_node_and_settled_by_another) {
  auto& suite = cluster_suite::here();
  auto& nodes = suite.nodes();
  nodes.await_balance();
  const auto searching = searching_node(nodes);
  const auto owner = (searching + 1) % nodes.size();
  const auto third = (searching + 2) % nodes.size();
  const auto paid = suite.pay(searching, suite.shard_of(owner));
  test::expect(paid, 201);
  const auto id = paid.text("/id");
  const auto holds = "/gateway/" + paid.text("/gateway") + "/authorizations";
  const client::json_client sandbox{nodes.sandbox()};
  BOOST_TEST_REQUIRE(sandbox
                       .post(holds, json::object{{"reference", id + ".2"},
                                                 {"amount", 700},
                                                 {"currency", "EUR"},
                                                 {"merchant", "mer_1"},
                                                 {"token", "tok_visa"}})
                       .has_value());

  BOOST_TEST_REQUIRE(
    eventually(patience, [&] { return !exceptions_of(nodes, owner, id).empty(); }),
    nodes.logs());
  for (std::size_t node = 0; node < nodes.size(); ++node) {
    const auto found = exceptions_of(nodes, node, id);
    BOOST_TEST_REQUIRE(found.size() == 1U);
    BOOST_TEST(string_at(found.front(), "kind") == "orphan_at_gateway");
    BOOST_TEST(string_at(found.front(), "status") == "open");
  }
  const auto number = string_at(exceptions_of(nodes, third, id).front(), "id");
  const auto done = nodes.ctl(
    third, {"exceptions", "resolve", number, "--as", "reverse", "--note", "not ours"});
  BOOST_TEST_REQUIRE(done.succeeded, done.output);
  const auto status_of = [&](const std::string& reference) {
    return string_at(sandbox.get(holds + '/' + reference).value().as_object(), "status");
  };
  BOOST_TEST(status_of(id + ".2") == "reversed");
  BOOST_TEST(status_of(id + ".1") == "approved");
  const auto resolved = exceptions_of(nodes, owner, id);
  BOOST_TEST_REQUIRE(resolved.size() == 1U);
  BOOST_TEST(string_at(resolved.front(), "status") == "resolved");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast
