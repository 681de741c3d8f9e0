// Who is alive, and who owns which shard of one database. A node says that it lives in a row of
// its own; a shard is owned by a lease, renewed often, taken over only when free, ours by name
// or expired by the database's clock; every take-over raises the epoch. No libpq here.
#pragma once

#include "messages/expected.hpp"
#include "messages/shard.hpp"
#include "messages/time.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::storage {

struct acquired_shard {
  shard_number shard;
  epoch_number epoch;
  sequence_number last_seq;
  std::string chain; ///< 32 bytes
};

/// What a node says of itself to all who share its databases.
struct node_card {
  std::string id;
  std::string incarnation; ///< new at every start; the latest of an id is the one that counts
  std::string advertise;   ///< "host:port" of its cluster port; empty: it has none
  std::string http;        ///< URL; empty: it takes no requests
  std::string admin;       ///< URL
  std::string version;     ///< of the program
  bool serves_shards = true;
  bool draining = false; ///< it stops, and wants no shard
};

struct node_row {
  node_card card;
  timestamp started_at;      ///< by the database's clock
  milliseconds alive_for{0}; ///< left of its claim to be alive when it was read; <= 0: dead
  /// With several databases: the ranges of those that showed it alive when they were read last,
  /// however long ago. Otherwise empty, and `alive_for` says it all.
  std::vector<shard_range> alive_in{};
};

struct lease_row {
  shard_number shard;
  std::string owner; ///< a node's id; empty: free
  epoch_number epoch;
  timestamp lease_until;
  milliseconds left{0};  ///< of the lease when it was read, by the database's clock
  std::string pinned_to; ///< the node that an operator wants it at; empty: wherever it falls
  sequence_number last_seq;
};

/// One look at one database, or the latest at each of several.
struct cluster_view {
  std::vector<node_row> nodes; ///< the dead of the last days too
  std::vector<lease_row> leases;
  /// With several databases: the ranges of those that were not read for so long, or ever, that
  /// nobody is known to live there, this node included.
  std::vector<shard_range> out_of_reach{};
};

/// All of them may be empty. They run on the keeper's thread and must be short.
struct lease_events {
  /// The shard is ours from now on.
  std::function<void(acquired_shard)> acquired;
  /// The lease could not be renewed in time or was taken: stop serving it at once.
  std::function<void(shard_number, epoch_number)> lost;
  /// It is not wanted any more. It stays ours, and renewed, until `released` is called: finish
  /// what is being written first. Said once an epoch. Where nobody listens it is let go at
  /// once.
  std::function<void(shard_number, epoch_number)> give_up;
  /// What was read in the round that ends now.
  std::function<void(const cluster_view&)> seen;
  /// Names of the singletons that this node holds now; said when they change.
  std::function<void(const std::vector<std::string>&)> singletons;
  /// Another process runs under this node's id, and is younger: this one must end.
  std::function<void(const std::string& other_incarnation)> superseded;
  /// The database lacks events of this shard that were acknowledged once (a standby that was
  /// behind has been promoted). It is not taken before the database has them; if this process
  /// has seen them there itself, never. Said once for as long as it is so.
  std::function<void(shard_number, sequence_number has, sequence_number known)> behind;
};

/// Keeps the wanted shards of one database leased, on a thread and a connection of its own.
/// Thread-safe. Callbacks run on the keeper's thread.
class lease_keeper {
public:
  /// Stops renewing; releases nothing that `release_all` did not.
  virtual ~lease_keeper() = default;

  /// The shards to own. Those that are missing are taken as soon as they may be; for those held
  /// and no longer wanted `give_up` is said.
  virtual void want(std::vector<shard_number> shards) = 0;
  /// The names to hold while nobody else does: what must run once in the cluster. Those that
  /// are dropped run out by themselves, so that whoever runs them has the time to end. While
  /// the keeper holds "retention" it sweeps its database itself.
  virtual void want_singletons(std::vector<std::string> names) = 0;
  /// After `give_up`: nothing more will be written in this epoch, another may take it at once.
  virtual void released(shard_number shard, epoch_number epoch) = 0;
  /// Gives the shard up and takes it again at once with a higher epoch: after its actor died.
  virtual void reacquire(shard_number shard) = 0;
  /// What this node says of itself from now on.
  virtual void introduce(node_card card) = 0;
  /// Somebody says that something has changed: look now rather than at the next round.
  virtual void look_again() = 0;
  /// An operator wants these shards at that node, or wherever they fall for an empty name. All
  /// keepers see it in `pinned_to` by their next round; safety does not depend on it. `done` is
  /// called once, on the keeper's thread or at once. Errors: invalid_argument (the shards are
  /// not all of this database), not_found (no node of that name is known), unavailable,
  /// overloaded.
  virtual void pin(shard_range shards, std::string node,
                   std::function<void(expected<void>)> done) = 0;
  /// Sets every held lease to expired, so that another node need not wait, and says that this
  /// node is dead. Blocks, bounded.
  virtual void release_all() = 0;
  /// What was read last.
  [[nodiscard]] virtual cluster_view snapshot() const = 0;
};

} // namespace holdfast::storage
