#include "runtime/cluster/heirs.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::cluster {

namespace {

bool lives_in(const storage::node_row& node, shard_range range) {
  return node.alive_in.empty() ? node.alive_for > milliseconds{0}
                               : std::ranges::find(node.alive_in, range) != node.alive_in.end();
}

std::vector<placement::candidate> candidates_of(shard_range range,
                                                const storage::cluster_view& seen,
                                                const placement::candidate& self) {
  std::vector<placement::candidate> nodes;
  for (const auto& row : seen.nodes) {
    if (!lives_in(row, range))
      continue;
    if (row.card.id == self.id)
      nodes.push_back(self);
    else if (!row.card.advertise.empty())
      nodes.push_back({row.card.id, row.card.serves_shards, row.card.draining});
  }
  return nodes;
}

std::vector<placement::pin> pins_of(shard_range range, const storage::cluster_view& seen) {
  std::vector<placement::pin> pins;
  for (const auto& lease : seen.leases)
    if (!lease.pinned_to.empty() && range.contains(lease.shard))
      pins.push_back({lease.shard, lease.pinned_to});
  return pins;
}

} // namespace

heir_finder::heir_finder(const shard_layout& layout) : heirs_(layout.count()) {
  for (const auto& range : layout.ranges())
    parts_.push_back({range});
}

const std::vector<std::string>& heir_finder::find(const storage::cluster_view& seen,
                                                  const placement::candidate& self) {
  for (auto& one : parts_)
    place(one, seen, self);
  return heirs_;
}

void heir_finder::place(part& one, const storage::cluster_view& seen,
                        const placement::candidate& self) {
  auto nodes = candidates_of(one.range, seen, self);
  auto pins = pins_of(one.range, seen);
  // Hardly ever does anything change, and many shards take their time.
  if (nodes == one.nodes && pins == one.pins)
    return;
  std::ranges::move(placement::place(nodes, pins, one.range),
                    heirs_.begin() + one.range.first.value);
  one.nodes = std::move(nodes);
  one.pins = std::move(pins);
}

} // namespace holdfast::cluster
