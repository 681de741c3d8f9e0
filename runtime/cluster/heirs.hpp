// Who should own each shard, by what the databases show. Each database is looked at by itself:
// who can't be seen in it could not take its shards, and what is not known of one says nothing
// of the others.
#pragma once

#include "actors/placement/core.hpp"
#include "storage/leases.hpp"

#include <string>
#include <vector>

namespace holdfast::cluster {

/// Not thread-safe.
class heir_finder {
public:
  explicit heir_finder(const shard_layout& layout);

  /// The heir of each shard, from 0 on; empty where nobody can have it. `self` is this node as
  /// it is now, which the others may not see yet. Nodes without a cluster port can't be reached
  /// by the others: besides this one they are not counted upon.
  [[nodiscard]] const std::vector<std::string>& find(const storage::cluster_view& seen,
                                                     const placement::candidate& self);

private:
  struct part {
    shard_range range;
    std::vector<placement::candidate> nodes{}; ///< that were placed last, with these pins
    std::vector<placement::pin> pins{};
  };

  void place(part& one, const storage::cluster_view& seen, const placement::candidate& self);

  std::vector<part> parts_;
  std::vector<std::string> heirs_;
};

} // namespace holdfast::cluster
