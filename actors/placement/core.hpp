// Which node should own which shard. Pure: every node computes the same from the same view, and
// who is wrong for a moment does no harm, for safety hangs on leases and epochs alone.
#pragma once

#include "messages/shard.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::placement {

/// A node that lives.
struct candidate {
  std::string id;
  bool serves_shards = true;
  bool draining = false;
  friend bool operator==(const candidate&, const candidate&) = default;
};

/// Where an operator wants a shard. Ignored while that node can't have it.
struct pin {
  shard_number shard;
  std::string node;
  friend bool operator==(const pin&, const pin&) = default;
};

/// The node of every shard of the range, in order; empty where no node can have it. Independent
/// of the order of its arguments. Each database's range is placed by itself, among those who
/// reach it: a shard that is placed at anybody else would be nobody's.
///
/// Rendezvous hashing with a bound on load: each pair of shard and node has a weight, and the
/// heaviest pairs are taken first as long as the node has less than its equal share, rounded
/// up. So nodes differ by one shard or little more, and when one comes or goes hardly more
/// moves than has to. Pinned shards count, but go where they are wanted whatever the load.
[[nodiscard]] std::vector<std::string> place(std::vector<candidate> nodes,
                                             const std::vector<pin>& pins, shard_range range);

} // namespace holdfast::placement
