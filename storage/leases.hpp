// Who owns which shard: one lease row a shard, renewed often, taken over only when free, ours
// by name or expired by the database's clock; every take-over raises the epoch. No libpq here.
#pragma once

#include "messages/shard.hpp"
#include "messages/time.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace holdfast::storage {

struct acquired_shard {
  shard_number shard;
  epoch_number epoch;
  sequence_number last_seq;
  std::string chain; ///< 32 bytes
};

struct lease_events {
  /// The shard is ours from now on.
  std::function<void(acquired_shard)> acquired;
  /// The lease could not be renewed in time or was taken: stop serving it at once.
  std::function<void(shard_number, epoch_number)> lost;
};

struct lease_row {
  shard_number shard;
  std::string owner;
  epoch_number epoch;
  timestamp lease_until;
};

/// Keeps the wanted shards of one database leased, on a thread and a connection of its own.
/// Thread-safe. Callbacks run on the keeper's thread.
class lease_keeper {
public:
  virtual ~lease_keeper() =
    default; ///< Stops renewing; releases nothing that `release_all` did not.

  /// The shards to own. Those held and no longer wanted are released.
  virtual void want(std::vector<shard_number> shards) = 0;
  /// Gives the shard up and takes it again at once with a higher epoch: after its actor died.
  virtual void reacquire(shard_number shard) = 0;
  /// Sets every held lease to expired, so that another node need not wait. Blocks, bounded.
  virtual void release_all() = 0;
  [[nodiscard]] virtual std::vector<lease_row> snapshot() const = 0;
};

} // namespace holdfast::storage
