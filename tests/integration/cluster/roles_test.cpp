// Nodes that do one thing alone: one takes requests and owns nothing, the others own shards and
// take no requests. They come and go like any others.
#include "runtime/client/json_members.hpp"
#include "tests/integration/cluster/cluster_suite.hpp"
#include "tests/integration/cluster/shard_probe.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include <array>

namespace holdfast {

namespace json = boost::json;
using std::chrono::steady_clock;
using test::cluster;
using test::cluster_suite;
using test::describe;
using test::eventually;

namespace {

constexpr milliseconds patience{30'000};
/// As with nodes that do both.
constexpr milliseconds out_max{5'000};
constexpr milliseconds probe_limit{20'000};

constexpr std::size_t entrance = 0;
constexpr std::array<std::size_t, 2> owners{1, 2};

void divide_work(config::node_config& settings) {
  settings.serve_http = settings.id == cluster::id_of(entrance);
  settings.serve_shards = !settings.serve_http;
}

struct divided_nodes : cluster_suite {
  divided_nodes() : cluster_suite({.tune = divide_work}) {}
};

std::vector<shard_number> shards_of(const cluster& nodes, std::size_t node) {
  std::vector<shard_number> numbers;
  for (const auto shard : nodes.served_by(node))
    numbers.push_back({shard});
  return numbers;
}

/// Rises whenever a shard moves. As the database has it: what nodes have seen may be old.
std::int64_t epochs(const cluster& nodes) {
  return nodes.numbers("select sum(epoch)::int8 from shard", 1).front();
}

/// A payment in a shard of each owner, and nobody is let down.
void expect_payments(cluster_suite& suite) {
  for (const auto owner : owners) {
    const auto paid = suite.pay(entrance, suite.shard_of(owner));
    BOOST_TEST(paid.status == 201, paid.body);
  }
}

} // namespace

BOOST_AUTO_TEST_SUITE(cluster_roles, *boost::unit_test::fixture<divided_nodes>())

BOOST_AUTO_TEST_CASE(one_node_takes_every_request_and_the_others_own_every_shard) {
  auto& suite = cluster_suite::here();
  auto& nodes = suite.nodes();
  BOOST_TEST(nodes.shards_as_seen_by(entrance).size() == 32U);
  BOOST_TEST(nodes.served_by(entrance).empty());
  BOOST_TEST(nodes.metric(entrance, "holdfast_shards_wanted") == 0);
  for (const auto owner : owners)
    BOOST_TEST(nodes.http(owner).empty());
  const auto load = suite.begin_load();
  load->await_end_or(milliseconds{500});
  suite.finish(*load, "one node takes all requests");
  const auto found = load->let_down();
  BOOST_TEST(found.refused + found.unanswered == 0U, describe(found));
}

BOOST_AUTO_TEST_CASE(operators_may_ask_the_node_without_shards) {
  auto& suite = cluster_suite::here();
  const auto& nodes = suite.nodes();
  const auto shard = suite.shard_of(owners.back());
  const auto api = suite.client(entrance, shard);
  const auto sold = api->send(cluster_suite::payment_call(
    *api, {.amount = 4'200, .capture = "automatic"}, suite.merchants().key_to(shard)));
  BOOST_TEST_REQUIRE(sold.status == 201, sold.body);
  const auto cut = nodes.operators(entrance).post(
    "/admin/v1/cutoff",
    json::object{{"merchant", suite.merchants().id(shard).text()}, {"settle", true}}, patience);
  BOOST_TEST_REQUIRE(cut.has_value());
  BOOST_TEST(client::flag_at(cut->as_object(), "complete"), json::serialize(*cut));
  BOOST_TEST(client::integer_at(cut->as_object(), "items") == 1);
  const auto proof = nodes.ctl(entrance, {"ledger", "verify"});
  BOOST_TEST(proof.succeeded, proof.output);
}

BOOST_AUTO_TEST_CASE(shards_of_an_owner_that_dies_are_found_at_the_other) {
  auto& suite = cluster_suite::here();
  auto& nodes = suite.nodes();
  const auto [victim, heir] = owners;
  const auto load = suite.begin_load();
  const auto lost = shards_of(nodes, victim);
  nodes.kill(victim);
  const auto outages = test::probe_shards(suite.merchants(), lost, nodes.entrances(),
                                          steady_clock::now(), probe_limit);
  for (const auto& one : outages)
    BOOST_TEST(one.after <= out_max, "shard " << one.shard.value);
  nodes.await_served({heir});
  nodes.start(victim);
  suite.finish(*load, cluster::id_of(victim) + " was killed");
}

BOOST_AUTO_TEST_CASE(an_owner_that_stops_lets_nobody_down) {
  auto& suite = cluster_suite::here();
  auto& nodes = suite.nodes();
  const auto load = suite.begin_load();
  nodes.stop(owners.back());
  nodes.start(owners.back());
  nodes.await_balance();
  suite.finish(*load, cluster::id_of(owners.back()) + " was restarted");
  const auto found = load->let_down();
  BOOST_TEST(found.refused + found.unanswered == 0U, describe(found));
}

BOOST_AUTO_TEST_CASE(no_shard_moves_when_the_node_without_shards_goes_and_comes) {
  auto& suite = cluster_suite::here();
  auto& nodes = suite.nodes();
  const auto before = epochs(nodes);
  nodes.stop(entrance);
  nodes.start(entrance);
  BOOST_TEST(eventually(patience, [&] { return nodes.is_ready(entrance); }));
  expect_payments(suite);
  nodes.kill(entrance);
  nodes.start(entrance);
  BOOST_TEST(eventually(patience, [&] { return nodes.is_ready(entrance); }));
  expect_payments(suite);
  BOOST_TEST(epochs(nodes) == before);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast
