// What being a cluster costs. These suites measure and hardly test, so they are run by name
// alone: `make forwarding` and `make idle-cluster`.
#include "runtime/client/json_members.hpp"
#include "runtime/console/table.hpp"
#include "runtime/demo/driver.hpp"
#include "tests/integration/cluster/cluster_suite.hpp"
#include "tests/support/environment.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cstdio>

namespace holdfast {

namespace json = boost::json;
using console::align;
using test::cluster;
using test::cluster_suite;

namespace {

struct three_nodes : cluster_suite {
  three_nodes() : cluster_suite({.fsync = true}) {}
};

std::string with_digits(double value, int digits) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

// -- forwarding -------------------------------------------------------------------------------

/// One API key for each merchant of a plan, whose payments all lie in shards of this node.
std::vector<std::string> merchants_at(const cluster& nodes, std::size_t owner) {
  constexpr int draws_max = 500;
  const auto served = nodes.served_by(owner);
  std::vector<std::string> keys;
  for (int draw = 0; draw < draws_max && keys.size() < demo::merchants.size(); ++draw) {
    const auto made =
      nodes.operators()
        .post("/admin/v1/merchants", json::object{{"name", "Near"}, {"currency", "EUR"}})
        .value();
    const auto id = merchant_id::parse(client::string_at(made.as_object(), "id")).value();
    if (std::ranges::find(served, id.shard().value) != served.end())
      keys.push_back(client::string_at(made.as_object(), "api_key"));
  }
  return keys;
}

/// Authorized and captured in one request, and nothing else.
std::vector<demo::planned_payment> plain_plan(std::size_t count) {
  std::vector<demo::planned_payment> plan(count);
  for (std::size_t i = 0; i < count; ++i) {
    plan[i].merchant = i % demo::merchants.size();
    plan[i].amount = 1'000;
    plan[i].automatic = true;
    plan[i].card = "4242424242424242";
  }
  return plan;
}

struct pass {
  double payments_a_second = 0;
  double p50_ms = 0;
  double p99_ms = 0;
};

pass drive_through(const cluster& nodes, std::size_t node, const std::vector<std::string>& keys,
                   std::size_t payments) {
  static int runs = 0;
  demo::drive_options options;
  options.http_urls = {nodes.http(node)};
  options.api_keys = keys;
  options.run = "pass-" + std::to_string(++runs);
  options.connections = 64;
  const auto driven = demo::drive(plain_plan(payments), options, {});
  BOOST_TEST_REQUIRE(driven.has_value(), nodes.logs());
  BOOST_TEST(driven->surprises.empty());
  return {static_cast<double>(payments) / driven->answers_s, driven->latency_p50_ms,
          driven->latency_p99_ms};
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

// -- counting ---------------------------------------------------------------------------------

/// Waits, unless a node dies before.
void let_pass(cluster& nodes, milliseconds time) {
  BOOST_TEST_REQUIRE(!nodes.await_end(0, time), nodes.logs());
}

/// Frames that a node's own links have carried so far, both ways.
double frames_of(const cluster& nodes, std::size_t node) {
  return nodes.metric(node, "holdfast_link_frames_sent_total")
         + nodes.metric(node, "holdfast_link_frames_received_total");
}

/// Commits of a server so far, in the database of the URL.
std::int64_t commits_of(const std::string& url) {
  return test::read_numbers(
           url, "select xact_commit from pg_stat_database where datname = current_database()",
           1)
    .front();
}

} // namespace

BOOST_AUTO_TEST_SUITE(cluster_forwarding_figures,
                      *boost::unit_test::disabled() * boost::unit_test::fixture<three_nodes>())

BOOST_AUTO_TEST_CASE(payments_through_the_owner_and_through_another_node) {
  auto& nodes = cluster_suite::here().nodes();
  const auto rounds = test::number_from_environment("HOLDFAST_FORWARDING_ROUNDS", 6);
  const auto payments = test::number_from_environment("HOLDFAST_FORWARDING_PAYMENTS", 6'000);
  constexpr std::size_t owner = 1;
  constexpr std::size_t other = 2;
  const auto keys = merchants_at(nodes, owner);
  BOOST_TEST_REQUIRE(keys.size() == demo::merchants.size());
  static_cast<void>(drive_through(nodes, owner, keys, payments / 4)); // to warm up
  console::table table{{{"asked at"},
                        {"n", align::right},
                        {"payments/s", align::right},
                        {"p50 ms", align::right},
                        {"p99 ms", align::right}}};
  std::array<std::vector<pass>, 2> passes;
  for (std::uint64_t round = 0; round < 2 * rounds; ++round) {
    const bool forwarded = round % 2 == 1;
    const auto one = drive_through(nodes, forwarded ? other : owner, keys, payments);
    passes[forwarded].push_back(one);
    table.add({forwarded ? "another node" : "the owner", std::to_string(payments),
               with_digits(one.payments_a_second, 0), with_digits(one.p50_ms, 1),
               with_digits(one.p99_ms, 1)});
  }
  std::array<pass, 2> medians;
  for (std::size_t i = 0; i < passes.size(); ++i) {
    const auto of = [&](auto member) {
      std::vector<double> values;
      for (const auto& one : passes[i])
        values.push_back(one.*member);
      return median(std::move(values));
    };
    medians[i] = {of(&pass::payments_a_second), of(&pass::p50_ms), of(&pass::p99_ms)};
    table.add({i == 1 ? "another node, median" : "the owner, median",
               std::to_string(payments * rounds), with_digits(medians[i].payments_a_second, 0),
               with_digits(medians[i].p50_ms, 1), with_digits(medians[i].p99_ms, 1)});
  }
  BOOST_TEST_MESSAGE(
    table.text(console::terminal{})
    << "forwarded / direct: payments/s "
    << with_digits(medians[1].payments_a_second / medians[0].payments_a_second, 2) << ", p99 "
    << with_digits(medians[1].p99_ms / medians[0].p99_ms, 2));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(cluster_idle_figures,
                      *boost::unit_test::disabled() * boost::unit_test::fixture<three_nodes>())

BOOST_AUTO_TEST_CASE(what_three_nodes_cost_that_do_nothing) {
  auto& nodes = cluster_suite::here().nodes();
  const milliseconds watched{1'000 * test::number_from_environment("HOLDFAST_IDLE_S", 30)};
  const double seconds = static_cast<double>(watched.count()) / 1'000;
  struct reading {
    milliseconds processor{0};
    double frames = 0;
  };
  const auto read = [&] {
    std::vector<reading> all;
    for (std::size_t node = 0; node < nodes.size(); ++node)
      all.push_back({test::processor_time_of(nodes.pid(node)), frames_of(nodes, node)});
    return all;
  };
  const auto& url = nodes.databases().front().url;
  const auto before = read();
  const auto commits = commits_of(url);
  const auto server = test::processor_time_of(nodes.postgres(0).pid());
  let_pass(nodes, watched);
  const auto after = read();
  console::table table{{{"idle for " + with_digits(seconds, 0) + " s"},
                        {"processor %", align::right},
                        {"frames/s", align::right},
                        {"commits/s", align::right}}};
  for (std::size_t node = 0; node < nodes.size(); ++node)
    table.add(
      {cluster::id_of(node),
       with_digits(static_cast<double>((after[node].processor - before[node].processor).count())
                     / 10 / seconds,
                   2),
       with_digits((after[node].frames - before[node].frames) / seconds, 1)});
  const auto worked = test::processor_time_of(nodes.postgres(0).pid()) - server;
  table.add({"PostgreSQL", with_digits(static_cast<double>(worked.count()) / 10 / seconds, 2),
             "", with_digits(static_cast<double>(commits_of(url) - commits) / seconds, 1)});
  BOOST_TEST_MESSAGE(table.text(console::terminal{}));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast
