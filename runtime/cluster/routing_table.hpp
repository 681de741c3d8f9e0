// Where each shard is, as this node knows it: from what the databases show, from what it takes
// and gives up itself, and from what other nodes answer. May be behind; whoever is asked in
// vain says so.
#pragma once

#include "messages/shard.hpp"
#include "storage/leases.hpp"

#include <functional>
#include <shared_mutex>
#include <string>
#include <vector>

namespace holdfast::cluster {

struct shard_place {
  std::string owner;  ///< a node's id; empty: nobody, or not known
  epoch_number epoch; ///< of the latest owner that is known of
  std::string heir;   ///< who should own it by placement; empty: nobody can
};

/// Thread-safe.
class routing_table {
public:
  /// Runs after a change, on the thread that told of it; must be short.
  using listener = std::function<void(const std::vector<shard_number>& changed)>;

  explicit routing_table(std::uint16_t shards) : places_(shards) {}

  /// Set once, before anybody tells anything.
  void on_change(listener changed) { changed_ = std::move(changed); }

  [[nodiscard]] shard_place find(shard_number shard) const;
  [[nodiscard]] std::vector<shard_place> all() const;

  /// What a node says of an owner, or takes itself. Counts only if its epoch is higher.
  void learn(shard_number shard, const std::string& owner, epoch_number epoch);
  /// What a database shows. Counts unless a higher epoch is known.
  void see(const std::vector<storage::lease_row>& leases);
  /// Who should own each shard, from 0 on.
  void expect(const std::vector<std::string>& heirs);

private:
  void tell(const std::vector<shard_number>& changed) const;

  mutable std::shared_mutex mutex_;
  std::vector<shard_place> places_;
  listener changed_;
};

} // namespace holdfast::cluster
