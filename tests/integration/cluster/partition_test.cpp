// Three nodes whose links are cut, one way or both: what lies behind the cut is refused in
// bounded time, everything else goes on, and mended links are found again. Faults 6, 7 and 22
// of the fault list.
#include "tests/integration/cluster/cluster_suite.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <ostream>

namespace holdfast {

namespace data = boost::unit_test::data;
using std::chrono::steady_clock;
using test::charges_of;
using test::cluster;
using test::cluster_suite;
using test::eventually;
using test::wire;

namespace {

constexpr milliseconds patience{30'000};
/// The client waits for a second; what a node may add is its own work.
constexpr std::string_view short_wait = "wait=1";
constexpr milliseconds refusal_max{4'000};
/// Behind the cut.
constexpr std::size_t cut_off = 2;

struct three_nodes : cluster_suite {
  three_nodes() : cluster_suite({.proxies = true}) {}
};

struct damage {
  const char* name;
  wire state;
};

std::ostream& operator<<(std::ostream& out, const damage& one) {
  return out << one.name;
}

/// Of the wires from the node that is cut off to the others. One that is mute in one direction
/// carries no answers, and so serves neither side.
const std::vector<damage> damages{
  {"cut", wire::cut}, {"reset", wire::reset}, {"nothing comes from it", wire::mute}};

void set_wires(cluster& nodes, wire state) {
  for (std::size_t node = 0; node < cut_off; ++node)
    nodes.set_wire(cut_off, node, state);
}

test::api_answer pay(cluster_suite& suite, std::size_t node, shard_number shard,
                     const std::string& key) {
  const auto api = suite.client(node, shard);
  return api->send(cluster_suite::payment_call(*api, {}, key, short_wait));
}

/// It is there at once, whatever the links are like.
void expect_payment(cluster_suite& suite, std::size_t node, std::size_t owner) {
  const auto shard = suite.shard_of(owner);
  const auto answer = pay(suite, node, shard, suite.merchants().key_to(shard));
  BOOST_TEST(answer.status == 201, "at " << cluster::id_of(node) << " for a shard of "
                                         << cluster::id_of(owner) << ": " << answer.body);
}

/// A request whose client must not wait for long.
struct refused_request {
  std::size_t node = 0;
  shard_number shard;
  std::string key;
};

/// All of them at once.
void expect_refusals(cluster_suite& suite, const std::vector<refused_request>& requests) {
  const auto asked = steady_clock::now();
  std::vector<std::unique_ptr<test::api_client>> clients;
  std::vector<std::future<test::api_answer>> answers;
  for (const auto& one : requests) {
    clients.push_back(suite.client(one.node, one.shard));
    answers.push_back(clients.back()->begin(
      cluster_suite::payment_call(*clients.back(), {}, one.key, short_wait)));
  }
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const auto refused = answers[i].get();
    BOOST_TEST(refused.status == 503,
               "at " << cluster::id_of(requests[i].node) << ": " << refused.body);
    BOOST_TEST(!refused.header("retry-after").empty());
  }
  BOOST_TEST((steady_clock::now() - asked < refusal_max));
}

/// Repeats what was refused, until it is answered: whatever had come of it before.
void expect_one_charge(cluster_suite& suite, const refused_request& request) {
  const auto insist = [&](std::size_t at) {
    test::api_answer answer;
    const bool answered = eventually(patience, [&] {
      answer = pay(suite, at, request.shard, request.key);
      return answer.status == 201;
    });
    BOOST_TEST_REQUIRE(answered, "at " << cluster::id_of(at) << ": " << answer.body);
    return answer;
  };
  const auto mended = insist(request.node);
  for (std::size_t other = 0; other < suite.nodes().size(); ++other)
    BOOST_TEST(insist(other).body == mended.body);
  BOOST_TEST(charges_of(suite.nodes(), mended.text("/id")) == 1);
}

/// Whether the node says that it has a link to all others.
bool has_all_links(const cluster& nodes, std::size_t node) {
  const auto others = static_cast<double>(nodes.size() - 1);
  return nodes.metric(node, "holdfast_link_up") >= others;
}

} // namespace

BOOST_AUTO_TEST_SUITE(cluster_partitions, *boost::unit_test::fixture<three_nodes>())

BOOST_DATA_TEST_CASE(what_lies_behind_a_cut_is_refused_in_time_and_nothing_else,
                     data::make(damages), one) {
  auto& suite = cluster_suite::here();
  auto& nodes = suite.nodes();
  for (std::size_t node = 0; node < nodes.size(); ++node)
    BOOST_TEST_REQUIRE(eventually(patience, [&] { return has_all_links(nodes, node); }));
  const auto refused_at = [&](std::size_t node, std::size_t owner) {
    const auto shard = suite.shard_of(owner);
    return refused_request{node, shard, suite.merchants().key_to(shard)};
  };
  const std::vector<refused_request> requests{refused_at(0, cut_off), refused_at(1, cut_off),
                                              refused_at(cut_off, 0)};
  set_wires(nodes, one.state);
  expect_refusals(suite, requests);
  expect_payment(suite, cut_off, cut_off);
  expect_payment(suite, 0, 0);
  expect_payment(suite, 0, 1);
  expect_payment(suite, 1, 0);
  set_wires(nodes, wire::whole);
  for (const auto& request : requests)
    expect_one_charge(suite, request);
}

BOOST_AUTO_TEST_CASE(nothing_is_lost_or_done_twice_when_all_links_are_cut_under_load) {
  auto& suite = cluster_suite::here();
  auto& nodes = suite.nodes();
  const auto load = suite.begin_load();
  set_wires(nodes, wire::cut);
  nodes.set_wire(0, 1, wire::cut);
  BOOST_TEST(eventually(patience, [&] { return load->let_down().refused > 0; }),
             "no request was refused although nodes can't reach each other");
  for (std::size_t node = 0; node < nodes.size(); ++node)
    expect_payment(suite, node, node);
  set_wires(nodes, wire::whole);
  nodes.set_wire(0, 1, wire::whole);
  suite.finish(*load, "all links were cut");
  suite.loads().expect_none(suite.loads().audit().prove_ledger(), "the end");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast
