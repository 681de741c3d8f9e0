// Owners that freeze with a write in their hands and go on when their shards have other owners:
// the write is tried, and refused. Faults 4 and 8 of the fault list.
#include "tests/integration/cluster/cluster_suite.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <functional>

namespace holdfast {

using test::charges_of;
using test::cluster;
using test::cluster_suite;
using test::eventually;

namespace {

constexpr milliseconds patience{30'000};

/// The others freeze.
constexpr std::size_t survivor = 0;

struct freezing_node {
  std::size_t node;
  const char* point; ///< of the second transaction, which has what a gateway has answered
};

/// One has nothing of it at the database yet, the other everything but the COMMIT, and so holds
/// locks that a take-over has to end.
constexpr std::array<freezing_node, 2> freezing_nodes{
  {{1, "journal.before_begin:2"}, {2, "journal.before_commit:2"}}};

struct one_node : cluster_suite {
  one_node() : cluster_suite({.binary = "HOLDFAST_FAULTY_BINARY"}, 1) {}
};

/// A payment whose owner freezes with its outcome unwritten, asked for through the survivor.
class interrupted_payment {
public:
  interrupted_payment(cluster_suite& suite, std::size_t owner)
    : suite_(suite),
      shard_(suite.shard_of(owner)),
      key_(suite.merchants().key_to(shard_)),
      client_(suite.client(survivor, shard_)),
      answer_(client_->begin(first_call())) {}

  /// The new owner finds out what came of it. Returns once it has, and everybody knows.
  void expect_one_charge() {
    const auto first = answer_.get();
    BOOST_TEST((first.status == 201 || first.status == 202 || first.status == 503), first.body);
    const auto paid = suite_.insist(survivor, shard_, key_);
    id_ = paid.text("/id");
    BOOST_TEST(charges_of(suite_.nodes(), id_) == 1);
    body_ = paid.body;
  }

  void expect_same_answer(std::size_t node) const {
    BOOST_TEST(suite_.insist(node, shard_, key_).body == body_);
    BOOST_TEST(charges_of(suite_.nodes(), id_) == 1);
  }

private:
  /// Its client waits for as long as it takes.
  http::call first_call() const {
    auto call = cluster_suite::payment_call(*client_, {}, key_);
    call.timeout = patience;
    return call;
  }

  cluster_suite& suite_;
  shard_number shard_;
  std::string key_;
  std::unique_ptr<test::api_client> client_;
  std::future<test::api_answer> answer_;
  std::string id_;
  std::string body_;
};

/// Of all shards together: how long their logs are, what they hold, and what was written with
/// them. A take-over changes none of it.
std::vector<std::int64_t> written(const cluster& nodes) {
  return nodes.numbers(
    "select sum(last_seq)::int8, sum(hashtext(encode(chain, 'hex')))::int8,"
    " (select count(*) from event), (select count(*) from ledger_entry),"
    " (select count(*) from idempotency_key) from shard",
    5);
}

std::vector<double> failed_writes(const cluster& nodes) {
  std::vector<double> counts;
  for (const auto& [node, point] : freezing_nodes)
    counts.push_back(nodes.metric(node, "holdfast_journal_failed_writes_total"));
  return counts;
}

/// Each node tries what it had begun, and is refused: by the epoch, or because the next owner
/// has ended its connection and it knows by now of a newer epoch.
void expect_refused_writes(const cluster& nodes, const std::vector<double>& before) {
  const bool are_refused = eventually(patience, [&] {
    return std::ranges::equal(failed_writes(nodes), before, std::ranges::greater{});
  });
  BOOST_TEST(are_refused);
}

} // namespace

BOOST_AUTO_TEST_SUITE(cluster_frozen_owners, *boost::unit_test::fixture<one_node>())

BOOST_AUTO_TEST_CASE(a_write_that_an_owner_had_begun_is_refused_when_it_goes_on) {
  auto& suite = cluster_suite::here();
  auto& nodes = suite.nodes();
  for (const auto& [node, point] : freezing_nodes)
    nodes.start_to_freeze(node, point);
  nodes.await_balance();
  const auto failed_before = failed_writes(nodes);
  std::vector<interrupted_payment> payments;
  for (const auto& [node, point] : freezing_nodes)
    payments.emplace_back(suite, node);
  for (const auto& [node, point] : freezing_nodes)
    nodes.await_freeze(node);
  nodes.await_served({survivor});
  for (auto& one : payments)
    one.expect_one_charge();
  const auto before = written(nodes);

  for (const auto& [node, point] : freezing_nodes)
    nodes.resume(node);
  expect_refused_writes(nodes, failed_before);
  BOOST_TEST(written(nodes) == before, boost::test_tools::per_element());
  // They come back as if they were new.
  nodes.await_balance();
  BOOST_TEST(written(nodes) == before, boost::test_tools::per_element());
  for (const auto& [node, point] : freezing_nodes)
    for (const auto& one : payments)
      one.expect_same_answer(node);
  suite.loads().expect_none(suite.loads().audit().prove_ledger(), "the end");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast
