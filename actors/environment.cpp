#include "actors/environment.hpp"

namespace holdfast::actors {

namespace {

template <class Map, class Key>
caf::actor find_in(const Map& map, const Key& key) {
  auto found = map.find(key);
  return found == map.end() ? caf::actor{} : found->second;
}

} // namespace

void directory::set_gateway(const std::string& name, caf::actor who) {
  std::unique_lock guard{mutex_};
  gateways_[name] = std::move(who);
}

void directory::set_acquirer(const std::string& name, caf::actor who) {
  std::unique_lock guard{mutex_};
  acquirers_[name] = std::move(who);
}

void directory::set_shard(shard_number shard, caf::actor who) {
  std::unique_lock guard{mutex_};
  shards_[shard] = std::move(who);
}

void directory::remove_shard(shard_number shard) {
  std::unique_lock guard{mutex_};
  shards_.erase(shard);
}

caf::actor directory::gateway(const std::string& name) const {
  std::shared_lock guard{mutex_};
  return find_in(gateways_, name);
}

caf::actor directory::acquirer(const std::string& name) const {
  std::shared_lock guard{mutex_};
  return find_in(acquirers_, name);
}

caf::actor directory::shard(shard_number shard) const {
  std::shared_lock guard{mutex_};
  return find_in(shards_, shard);
}

std::vector<std::pair<shard_number, caf::actor>> directory::shards() const {
  std::shared_lock guard{mutex_};
  return {shards_.begin(), shards_.end()};
}

} // namespace holdfast::actors
