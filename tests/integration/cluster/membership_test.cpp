// Nodes that come and go while merchants ask for payments: nobody but the log should notice.
// And nodes that must not come in. Faults 25 and, in part, 19 of the fault list.
#include "tests/integration/cluster/cluster_suite.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <ostream>

namespace holdfast {

namespace data = boost::unit_test::data;
using test::cluster;
using test::cluster_suite;
using test::describe;
using test::eventually;

namespace {

constexpr milliseconds patience{30'000};
constexpr milliseconds a_lease{3'000};
constexpr std::size_t newcomer = 2;
/// Never comes in.
constexpr std::size_t stranger = 3;

struct two_nodes : cluster_suite {
  two_nodes() : cluster_suite({.nodes = 4}, 2) {}
};

void expect_nobody_was_let_down(const test::crash_load& load) {
  const auto found = load.let_down();
  BOOST_TEST(found.refused + found.unanswered == 0U, describe(found));
}

/// As a load balancer does: no new requests to a node that says it isn't ready.
void take_out(cluster& nodes, std::size_t node, test::crash_load& load) {
  BOOST_TEST_REQUIRE(
    eventually(patience, [&] { return !nodes.runs(node) || !nodes.is_ready(node); }),
    cluster::id_of(node) << " is still ready while it stops");
  std::vector<std::string> others;
  for (std::size_t other = 0; other < nodes.size(); ++other)
    if (other != node && nodes.runs(other))
      others.push_back(nodes.http(other));
  load.go_to(others);
}

void move(const cluster& nodes, std::uint16_t shard, const std::string& to) {
  const auto moved = nodes.ctl(1, {"shards", "move", std::to_string(shard), "--to", to});
  BOOST_TEST_REQUIRE(moved.succeeded, moved.output);
}

/// What the stranger gets wrong, and the words that must be in its log or its last words.
struct mistake {
  const char* name;
  void (*make)(cluster&, config::node_config&);
  const char* said;
};

std::ostream& operator<<(std::ostream& out, const mistake& one) {
  return out << one.name;
}

void other_authority(cluster& nodes, config::node_config& settings) {
  const auto other = embedded::make_authority("others", embedded::authority_days).value();
  settings.cluster_tls = nodes.write_identity("other-authority", other, settings.id);
}

void somebody_elses_certificate(cluster& nodes, config::node_config& settings) {
  settings.cluster_tls =
    nodes.write_identity("somebody-else", nodes.authority(), "somebody-else");
}

void no_certificate(cluster&, config::node_config& settings) {
  settings.cluster_tls.reset();
}

void other_cluster(cluster&, config::node_config& settings) {
  settings.cluster_name = "another";
}

void fewer_shards(cluster&, config::node_config& settings) {
  settings.shards /= 2;
  settings.databases.front().last_shard = static_cast<std::uint16_t>(settings.shards - 1);
}

const std::vector<mistake> mistakes{
  {"another authority", other_authority, "authority"},
  {"a certificate of another name", somebody_elses_certificate, "somebody-else"},
  {"no certificate", no_certificate, "certificate"},
  {"another cluster's name", other_cluster, "another"},
  {"another number of shards", fewer_shards, "shards"},
};

/// What a newer program leaves behind.
class newer_schema {
public:
  explicit newer_schema(const cluster& nodes) : url_(nodes.databases().front().url) {
    write(
      "insert into schema_version (version, title) values (9999, 'newer') returning 1::int8");
  }
  ~newer_schema() {
    write("delete from schema_version where version = 9999 returning 1::int8");
  }
  newer_schema(const newer_schema&) = delete;
  newer_schema& operator=(const newer_schema&) = delete;

private:
  void write(const char* statement) const {
    static_cast<void>(test::read_numbers(url_, statement, 1));
  }

  std::string url_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(cluster_membership, *boost::unit_test::fixture<two_nodes>())

BOOST_AUTO_TEST_CASE(a_node_joins_under_load_and_takes_its_share) {
  auto& suite = cluster_suite::here();
  auto& nodes = suite.nodes();
  const auto first = nodes.pid(0);
  const auto load = suite.begin_load();
  nodes.start(newcomer);
  nodes.await_balance();
  load->go_to(nodes.entrances());
  suite.finish(*load, "a node has joined");
  expect_nobody_was_let_down(*load);
  BOOST_TEST(nodes.pid(0) == first);
}

BOOST_AUTO_TEST_CASE(shards_move_under_load_when_an_operator_says_so) {
  auto& suite = cluster_suite::here();
  auto& nodes = suite.nodes();
  const auto load = suite.begin_load();
  const auto moving = nodes.served_by(0);
  for (const auto shard : moving)
    move(nodes, shard, cluster::id_of(newcomer));
  BOOST_TEST(eventually(patience,
                        [&] {
                          const auto there = nodes.served_by(newcomer);
                          return std::ranges::includes(there, moving);
                        }),
             "not all shards have moved\n"
               << nodes.logs());
  for (const auto shard : nodes.served_by(0))
    BOOST_TEST(!std::ranges::binary_search(moving, shard));
  for (const auto shard : moving)
    move(nodes, shard, "anywhere");
  suite.finish(*load, "shards have moved");
  expect_nobody_was_let_down(*load);
}

BOOST_AUTO_TEST_CASE(a_node_that_stops_leaves_without_a_failed_request) {
  auto& suite = cluster_suite::here();
  auto& nodes = suite.nodes();
  const auto load = suite.begin_load();
  nodes.begin_stop(newcomer);
  take_out(nodes, newcomer, *load);
  nodes.await_stop(newcomer);
  nodes.await_served({0, 1});
  suite.finish(*load, "a node has left");
  expect_nobody_was_let_down(*load);
}

BOOST_DATA_TEST_CASE(a_stranger_is_refused_and_told_why, data::make(mistakes), one) {
  auto& suite = cluster_suite::here();
  auto& nodes = suite.nodes();
  const auto words = nodes.outcry_of(
    stranger, [&](config::node_config& settings) { one.make(nodes, settings); }, one.said);
  BOOST_TEST(words.find(one.said) != std::string::npos, words);
  BOOST_TEST_MESSAGE(one.name << ":\n" << words);
  nodes.dismiss(stranger);
}

BOOST_AUTO_TEST_CASE(a_node_that_no_other_can_reach_is_given_no_shard) {
  auto& suite = cluster_suite::here();
  auto& nodes = suite.nodes();
  static_cast<void>(nodes.outcry_of(
    stranger, [&](config::node_config& settings) { other_authority(nodes, settings); },
    "authority"));
  const bool got_some = eventually(a_lease, [&] {
    return std::ranges::any_of(nodes.shards_as_seen_by(0), [](const auto& one) {
      return one.second.owner == cluster::id_of(stranger);
    });
  });
  BOOST_TEST(!got_some);
  nodes.dismiss(stranger);
}

BOOST_AUTO_TEST_CASE(a_node_behind_the_databases_schema_is_refused_and_told_so) {
  auto& nodes = cluster_suite::here().nodes();
  const newer_schema upgraded{nodes};
  const auto words = nodes.outcry_of(
    stranger, [](config::node_config&) {}, "schema version 9999");
  BOOST_TEST(words.find("schema version 9999") != std::string::npos, words);
  BOOST_TEST(words.find("exit code") != std::string::npos, words);
  nodes.dismiss(stranger);
}

BOOST_AUTO_TEST_CASE(the_younger_of_two_nodes_with_one_id_stays) {
  auto& nodes = cluster_suite::here().nodes();
  nodes.start(stranger, [&](config::node_config& settings) {
    settings.id = cluster::id_of(1);
    settings.cluster_tls = nodes.write_identity("double", nodes.authority(), settings.id);
  });
  BOOST_TEST(eventually(patience, [&] { return !nodes.runs(1); }), "the older one still runs\n"
                                                                     << nodes.logs());
  BOOST_TEST(nodes.log_of(1).find("another process runs as node") != std::string::npos);
  BOOST_TEST(eventually(patience, [&] { return nodes.is_ready(stranger); }));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast
