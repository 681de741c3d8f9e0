// Every node restarted in turn under load, as an upgrade does it. Fault 25 of the fault list.
#include "tests/integration/cluster/cluster_suite.hpp"

#include <boost/test/unit_test.hpp>

namespace holdfast {

using test::cluster_suite;

namespace {

struct three_nodes : cluster_suite {
  three_nodes() : cluster_suite() {}
};

} // namespace

BOOST_AUTO_TEST_SUITE(cluster_rolling, *boost::unit_test::fixture<three_nodes>())

BOOST_AUTO_TEST_CASE(no_request_fails_that_one_repetition_does_not_mend) {
  auto& suite = cluster_suite::here();
  auto& nodes = suite.nodes();
  const auto load = suite.begin_load();
  for (std::size_t node = 0; node < nodes.size(); ++node) {
    nodes.stop(node);
    nodes.start(node);
    nodes.await_balance();
  }
  suite.finish(*load, "all nodes were restarted");
  const auto found = load->let_down();
  BOOST_TEST(found.twice == 0U, describe(found));
  BOOST_TEST_MESSAGE("a rolling restart of three nodes: " << load->answers().size()
                                                          << " answers, " << describe(found));
  suite.loads().expect_none(suite.loads().audit().prove_ledger(), "the end");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast
