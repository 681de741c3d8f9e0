// A cluster, loads on all its nodes and an audit for a whole suite: starting one takes longer
// than most that is asked of it.
#pragma once

#include "tests/integration/api_client.hpp"
#include "tests/integration/audited_loads.hpp"
#include "tests/integration/cluster/wide_merchants.hpp"
#include "tests/support/cluster.hpp"

#include <memory>
#include <string>
#include <vector>

namespace holdfast::test {

/// Leaves most of a small machine to the nodes: how fast they are isn't the subject.
inline constexpr load_pace usual_pace{.requests_at_once = 24,
                                      .between_requests = milliseconds{8}};
/// For what takes long.
inline constexpr load_pace light_pace{.requests_at_once = 2,
                                      .between_requests = milliseconds{100}};

/// To be derived from by a fixture, named once a suite.
class cluster_suite {
public:
  /// All nodes serve when it returns, or only so many of them.
  explicit cluster_suite(cluster_options options = {}, std::size_t started = 3);
  ~cluster_suite();
  cluster_suite(const cluster_suite&) = delete;
  cluster_suite& operator=(const cluster_suite&) = delete;

  /// That of the suite which runs.
  [[nodiscard]] static cluster_suite& here();

  [[nodiscard]] test::cluster& nodes() noexcept { return nodes_; }
  [[nodiscard]] audited_loads& loads() noexcept { return loads_; }
  [[nodiscard]] wide_merchants& merchants() noexcept { return *merchants_; }

  /// A load on all nodes that run, which goes on until `finish`. Returns once it is under way.
  [[nodiscard]] std::unique_ptr<crash_load> begin_load(load_pace pace = usual_pace);
  /// Ends the load and compares all sides; ends the test unless they agree.
  void finish(crash_load& load, const std::string& where);

  /// As the merchant whose payments go to the shard, through one node.
  [[nodiscard]] std::unique_ptr<api_client> client(std::size_t node, shard_number shard) const;
  /// A payment in the shard, asked for through one node; not answered yet. The key is a new one
  /// unless it is told.
  [[nodiscard]] static http::call payment_call(const api_client& through,
                                               const payment_order& order, std::string key,
                                               std::string_view preference = "wait=10");
  /// A new payment in the shard, asked for through one node: the answer, whatever it is.
  [[nodiscard]] api_answer pay(std::size_t node, shard_number shard,
                               std::string_view preference = "wait=5");
  /// Asks with this key until the payment is there; ends the test when it never is.
  [[nodiscard]] api_answer insist(std::size_t node, shard_number shard, const std::string& key);
  /// One that the node owns.
  [[nodiscard]] shard_number shard_of(std::size_t node) const;

private:
  /// Those of payments whose askers have not waited for them.
  void await_outcomes();

  test::cluster nodes_;
  audited_loads loads_;
  std::unique_ptr<wide_merchants> merchants_;
};

/// How often gateways have charged for the payment.
[[nodiscard]] std::ptrdiff_t charges_of(const cluster& nodes, const std::string& payment);

/// For a test that says nobody was let down.
[[nodiscard]] std::string describe(const letdowns& found);

} // namespace holdfast::test
