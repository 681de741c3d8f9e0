// An operator's cut-off: over the shards of this node, and over all nodes.
#pragma once

#include "actors/environment.hpp"
#include "actors/link/port.hpp"
#include "runtime/cluster/routing_table.hpp"
#include "runtime/front.hpp"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace holdfast::runtime {

/// Thread-safe; every `done` is called exactly once, at the latest after `timeout`.
class cutoffs {
public:
  cutoffs(actors::environment_ptr env, std::shared_ptr<cluster::routing_table> table,
          std::string self)
    : env_(std::move(env)),
      table_(std::move(table)),
      self_(std::move(self)) {}

  /// The way to the other nodes; without one there are none.
  void connect(links::port& others) noexcept { others_ = &others; }

  /// Closes what the shards of this node hold; the second argument of `done` is which they are.
  /// Complete with nothing when there are none.
  void close_here(const links::cutoff_for_node& what, milliseconds timeout,
                  std::function<void(cutoff_result, std::vector<shard_number>)> done);
  /// Closes it everywhere. Incomplete, and saying which, when a node does not answer or nobody
  /// answers for a shard, because it has no owner or moves.
  void close_everywhere(const cutoff_request& request, milliseconds timeout,
                        std::function<void(cutoff_result)> done);

private:
  using local_shards = std::vector<std::pair<shard_number, caf::actor>>;

  void close(const local_shards& shards, const links::cutoff_for_node& what,
             milliseconds timeout, std::function<void(cutoff_result)> done);

  actors::environment_ptr env_;
  std::shared_ptr<cluster::routing_table> table_;
  std::string self_;
  links::port* others_ = nullptr;
};

} // namespace holdfast::runtime
