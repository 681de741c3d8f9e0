// Shards on two PostgreSQL servers: when one is down, its shards alone are, and they come back
// by themselves. Faults 5 and 13 of the fault list.
#include "messages/limits.hpp"
#include "runtime/client/json_members.hpp"
#include "runtime/embedded/ports.hpp"
#include "tests/integration/cluster/cluster_suite.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

namespace holdfast {

namespace json = boost::json;
using std::chrono::steady_clock;
using test::cluster_suite;
using test::eventually;

namespace {

constexpr milliseconds patience{30'000};
/// A refusal must not take longer than a client that asks for a short wait would bear.
constexpr milliseconds refusal_max{8'000};
constexpr std::string_view short_wait = "wait=2";
/// Whoever waits for a server that says nothing takes longer than this to start or to stop.
constexpr milliseconds prompt = limits::connect_time_max;

struct two_databases : cluster_suite {
  two_databases() : cluster_suite({.databases = 2}) {}
};

/// The first shard of each database.
shard_number shard_in(cluster_suite& suite, std::size_t database) {
  return {suite.nodes().databases()[database].first_shard};
}

/// Whether the shards of the second database are all owned by the first two nodes.
bool first_two_own_second(cluster_suite& suite) {
  const auto& range = suite.nodes().databases()[1];
  auto seen = suite.nodes().shards_as_seen_by(0);
  for (auto shard = range.first_shard; shard <= range.last_shard; ++shard)
    if (const auto& owner = seen[shard].owner;
        owner != test::cluster::id_of(0) && owner != test::cluster::id_of(1))
      return false;
  return true;
}

} // namespace

BOOST_AUTO_TEST_SUITE(cluster_databases, *boost::unit_test::fixture<two_databases>())

BOOST_AUTO_TEST_CASE(shards_of_a_stopped_database_are_out_alone_and_come_back_by_themselves) {
  auto& suite = cluster_suite::here();
  auto& nodes = suite.nodes();
  for (std::size_t database = 0; database < 2; ++database)
    BOOST_TEST(suite.pay(0, shard_in(suite, database)).status == 201);
  nodes.postgres(1).crash();
  BOOST_TEST(eventually(
    patience, [&] { return suite.pay(0, shard_in(suite, 1), short_wait).status == 503; }));
  for (std::size_t node = 0; node < nodes.size(); ++node) {
    BOOST_TEST_CONTEXT("asked at " << test::cluster::id_of(node)) {
      const auto asked = steady_clock::now();
      const auto refused = suite.pay(node, shard_in(suite, 1), short_wait);
      BOOST_TEST(refused.status == 503, refused.body);
      BOOST_TEST(!refused.header("retry-after").empty());
      BOOST_TEST((steady_clock::now() - asked < refusal_max));
      const auto taken = suite.pay(node, shard_in(suite, 0), short_wait);
      BOOST_TEST(taken.status == 201, taken.body);
    }
  }
  // A balancer goes on with all of them, for longer than requests wait for a shard.
  BOOST_TEST(!eventually(milliseconds{limits::look_for_owner_ms_max + 3'000}, [&] {
    return !nodes.is_ready(0) || !nodes.is_ready(1) || !nodes.is_ready(2);
  }));
  for (std::size_t node = 0; node < nodes.size(); ++node) {
    BOOST_TEST(nodes.metric(node, "holdfast_shards_without_owner") == 16);
    const auto told = nodes.operators(node).text("/readyz", patience);
    BOOST_TEST_REQUIRE(told.has_value());
    BOOST_TEST(told->find("Shards 16-31 have no owner.") != std::string::npos, *told);
  }
  nodes.postgres(1).start();
  nodes.await_balance();
  for (std::size_t node = 0; node < nodes.size(); ++node)
    BOOST_TEST(suite.pay(node, shard_in(suite, 1)).status == 201);
}

/// The worst that may be at the other end: it takes connections, and says nothing.
BOOST_AUTO_TEST_CASE(a_node_that_a_database_does_not_answer_is_given_none_of_its_shards) {
  auto& suite = cluster_suite::here();
  auto& nodes = suite.nodes();
  embedded::port_finder ports;
  const auto silent = ports.find("127.0.0.1:0");
  BOOST_TEST_REQUIRE(silent.has_value());
  nodes.stop(2);
  nodes.await_served({0, 1});
  const auto started = steady_clock::now();
  nodes.start(2, [&](config::node_config& settings) {
    settings.databases[1].url = "postgresql://" + *silent + "/nowhere";
  });
  BOOST_TEST((steady_clock::now() - started < prompt));
  bool kept = true;
  const auto share_of_first = [&] {
    kept = kept && first_two_own_second(suite);
    return nodes.served_by(2).size() >= 4 && nodes.is_ready(2);
  };
  BOOST_TEST_REQUIRE(eventually(patience, share_of_first), nodes.logs());
  BOOST_TEST(kept);
  // It counts payments, and waits for those of the silent database.
  test::api_client admin{nodes.admin(2)};
  const auto unanswered = admin.begin(admin.make_get("/metrics"));
  for (std::size_t database = 0; database < 2; ++database)
    BOOST_TEST(suite.pay(0, shard_in(suite, database)).status == 201);
  const auto asked_to_stop = steady_clock::now();
  nodes.stop(2);
  BOOST_TEST((steady_clock::now() - asked_to_stop < prompt));
  nodes.start_all();
}

BOOST_AUTO_TEST_CASE(everything_asked_while_a_database_restarts_comes_right) {
  auto& suite = cluster_suite::here();
  const auto load = suite.begin_load();
  suite.nodes().postgres(0).crash();
  load->await_end_or(milliseconds{500});
  suite.nodes().postgres(0).start();
  suite.nodes().await_balance();
  suite.finish(*load, "a database was restarted");
}

BOOST_AUTO_TEST_CASE(the_proof_of_the_ledger_covers_both) {
  auto& nodes = cluster_suite::here().nodes();
  const auto proof = nodes.ctl(0, {"ledger", "verify"});
  BOOST_TEST_REQUIRE(proof.succeeded, proof.output);
  boost::system::error_code bad;
  const auto told = json::parse(proof.output, bad);
  BOOST_TEST_REQUIRE((!bad && told.is_object()), proof.output);
  const auto events = nodes.numbers("select count(*) from event", 1).front();
  BOOST_TEST(client::integer_at(told.as_object(), "events") == events);
  for (std::size_t database = 0; database < 2; ++database)
    BOOST_TEST(
      test::read_numbers(nodes.databases()[database].url, "select count(*) from event", 1)
        .front()
      > 0);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast
