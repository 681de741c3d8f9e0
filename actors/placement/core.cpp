#include "actors/placement/core.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace holdfast::placement {

namespace {

/// FNV-1a. Nodes of different builds must agree on it, which is why it is not std::hash.
std::uint64_t hash_of(std::string_view text) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3U;
  }
  return hash;
}

/// The finalizer of SplitMix64: similar numbers in, unrelated ones out.
std::uint64_t mixed(std::uint64_t value) noexcept {
  value += 0x9e3779b97f4a7c15U;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9U;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebU;
  return value ^ (value >> 31);
}

struct seat {
  std::string id;
  std::uint64_t hash = 0;
  std::size_t load = 0;
};

struct pair_weight {
  std::uint64_t weight;
  std::uint16_t shard;
  std::uint16_t seat;
};

class plan {
public:
  plan(std::vector<candidate> nodes, shard_range range) : range_(range), taken_(range.size()) {
    std::erase_if(nodes,
                  [](const candidate& one) { return !one.serves_shards || one.draining; });
    std::ranges::sort(nodes, {}, &candidate::id);
    const auto doubles = std::ranges::unique(nodes, {}, &candidate::id);
    nodes.erase(doubles.begin(), doubles.end());
    for (auto& node : nodes) {
      const auto hash = hash_of(node.id);
      seats_.push_back({std::move(node.id), hash, 0});
    }
  }

  void take_pins(const std::vector<pin>& pins) {
    for (const auto& wish : pins)
      for (std::size_t index = 0; index < seats_.size(); ++index)
        if (seats_[index].id == wish.node && range_.contains(wish.shard))
          take(wish.shard.value - range_.first.value, index);
  }

  void take_by_weight() {
    if (seats_.empty())
      return;
    const auto share = (taken_.size() + seats_.size() - 1) / seats_.size();
    for (const auto& pair : open_pairs())
      if (seats_[pair.seat].load < share)
        take(pair.shard - range_.first.value, pair.seat);
  }

  [[nodiscard]] std::vector<std::string> owners() const {
    std::vector<std::string> all;
    all.reserve(taken_.size());
    for (const auto& seat : taken_)
      all.push_back(seat ? seats_[*seat].id : std::string{});
    return all;
  }

private:
  void take(std::size_t place, std::size_t index) {
    if (taken_[place])
      return;
    taken_[place] = index;
    ++seats_[index].load;
  }

  /// The heaviest first; all that may be taken.
  [[nodiscard]] std::vector<pair_weight> open_pairs() const {
    std::vector<pair_weight> pairs;
    pairs.reserve(taken_.size() * seats_.size());
    for (std::size_t place = 0; place < taken_.size(); ++place) {
      const auto shard = static_cast<std::uint16_t>(range_.first.value + place);
      for (std::size_t index = 0; !taken_[place] && index < seats_.size(); ++index)
        pairs.push_back(
          {mixed(seats_[index].hash ^ mixed(shard)), shard, static_cast<std::uint16_t>(index)});
    }
    std::ranges::sort(pairs, [](const pair_weight& left, const pair_weight& right) {
      if (left.weight != right.weight)
        return left.weight > right.weight;
      return std::pair{left.shard, left.seat} < std::pair{right.shard, right.seat};
    });
    return pairs;
  }

  const shard_range range_;
  std::vector<seat> seats_;                       ///< by id
  std::vector<std::optional<std::size_t>> taken_; ///< the seat of each shard of the range
};

} // namespace

std::vector<std::string> place(std::vector<candidate> nodes, const std::vector<pin>& pins,
                               shard_range range) {
  plan made{std::move(nodes), range};
  made.take_pins(pins);
  made.take_by_weight();
  return made.owners();
}

} // namespace holdfast::placement
