#include "runtime/cluster/routing_table.hpp"

#include <mutex>

namespace holdfast::cluster {

shard_place routing_table::find(shard_number shard) const {
  const std::shared_lock guard{mutex_};
  return shard.value < places_.size() ? places_[shard.value] : shard_place{};
}

std::vector<shard_place> routing_table::all() const {
  const std::shared_lock guard{mutex_};
  return places_;
}

void routing_table::learn(shard_number shard, const std::string& owner, epoch_number epoch) {
  {
    const std::unique_lock guard{mutex_};
    if (shard.value >= places_.size() || epoch <= places_[shard.value].epoch)
      return;
    places_[shard.value].owner = owner;
    places_[shard.value].epoch = epoch;
  }
  tell({shard});
}

void routing_table::see(const std::vector<storage::lease_row>& leases) {
  std::vector<shard_number> changed;
  {
    const std::unique_lock guard{mutex_};
    for (const auto& lease : leases) {
      if (lease.shard.value >= places_.size())
        continue;
      auto& known = places_[lease.shard.value];
      const bool is_news =
        lease.epoch > known.epoch || (lease.epoch == known.epoch && lease.owner != known.owner);
      if (!is_news)
        continue;
      known.owner = lease.owner;
      known.epoch = lease.epoch;
      changed.push_back(lease.shard);
    }
  }
  tell(changed);
}

void routing_table::expect(const std::vector<std::string>& heirs) {
  std::vector<shard_number> changed;
  {
    const std::unique_lock guard{mutex_};
    for (std::size_t shard = 0; shard < places_.size() && shard < heirs.size(); ++shard) {
      if (places_[shard].heir == heirs[shard])
        continue;
      places_[shard].heir = heirs[shard];
      changed.push_back({static_cast<std::uint16_t>(shard)});
    }
  }
  tell(changed);
}

void routing_table::tell(const std::vector<shard_number>& changed) const {
  if (changed_ && !changed.empty())
    changed_(changed);
}

} // namespace holdfast::cluster
