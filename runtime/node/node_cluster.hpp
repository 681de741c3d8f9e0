// A node's part in the cluster: the links to the others, what it owns, and the ways that
// requests go. A node without a cluster port has the same parts, and is alone in them.
#pragma once

#include "runtime/cluster/cluster_links.hpp"
#include "runtime/cluster/ownership.hpp"
#include "runtime/cluster/router.hpp"
#include "runtime/config/config.hpp"
#include "runtime/node/cutoffs.hpp"
#include "runtime/telemetry/metrics.hpp"

#include <caf/fwd.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::runtime {

struct node_cluster_plan {
  const config::node_config* settings = nullptr; ///< outlives it
  actors::environment_ptr env;
  std::shared_ptr<storage::sequence_marks> marks;
  telemetry::registry* metrics = nullptr; ///< likewise
  /// Does to a breaker of this node what was done to another's.
  std::function<void(const std::string& from, const links::breaker_for_node&)> obey;
  /// This process must end, and why. On another thread.
  std::function<void(const std::string& why)> superseded;
};

/// Thread-safe, but for opening and closing.
class node_cluster {
public:
  explicit node_cluster(node_cluster_plan plan);

  /// Before the actor system is made. Errors: invalid_argument.
  [[nodiscard]] expected<void> prepare(caf::actor_system_config& caf_settings);
  /// Begins to listen to the others and to own shards. The URLs are those that people and
  /// clients reach this node at; `http` is empty where it takes no requests.
  /// Errors: invalid_argument, unavailable.
  [[nodiscard]] expected<void> open(caf::actor_system& system, storage::database& database,
                                    const caf::actor& supervisor, const std::string& http,
                                    const std::string& admin);
  /// Ends the links, once nothing is asked any more.
  void close_links();

  [[nodiscard]] bool is_alone() const noexcept;
  [[nodiscard]] cluster::router& router() noexcept { return *router_; }
  [[nodiscard]] cluster::ownership& ownership() noexcept { return ownership_; }
  [[nodiscard]] const cluster::ownership& ownership() const noexcept { return ownership_; }
  [[nodiscard]] runtime::cutoffs& cutoffs() noexcept { return *cutoffs_; }
  [[nodiscard]] const std::string& id() const noexcept { return plan_.settings->id; }
  /// What this node waits for before it is ready, in a sentence; empty when it is. Only what it
  /// could do itself counts: a balancer is not to leave all nodes because of one database. In a
  /// cluster a shard that moves does not count for as long as its requests wait for it.
  [[nodiscard]] std::string waiting_for() const;
  /// What isn't well though this node may be ready, a sentence each.
  [[nodiscard]] std::vector<std::string> warnings() const;
  [[nodiscard]] std::vector<links::link_status> links() const;
  /// Asks all others that live, and is not interested in what they say.
  void tell_others(const links::peer_request& what) const;

private:
  [[nodiscard]] std::string unserved() const;
  [[nodiscard]] storage::node_card card(const std::string& http,
                                        const std::string& admin) const;

  node_cluster_plan plan_;
  const std::string incarnation_;
  const timestamp started_at_;
  std::shared_ptr<cluster::routing_table> table_;
  std::shared_ptr<cluster::router> router_;
  std::shared_ptr<runtime::cutoffs> cutoffs_;
  cluster::ownership ownership_;
  cluster::link_security security_;
  std::unique_ptr<cluster::cluster_links> links_;
  mutable std::atomic<std::int64_t> fine_at_us_{0}; ///< when nothing was waited for
};

} // namespace holdfast::runtime
