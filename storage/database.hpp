// Opens what a node needs of one PostgreSQL database. No libpq here.
#pragma once

#include "storage/journal.hpp"
#include "storage/leases.hpp"
#include "storage/sequence_marks.hpp"
#include "storage/settlement.hpp"
#include "storage/store.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace holdfast::storage {

struct database_options {
  std::string url;           ///< libpq URL, which may name several hosts; never logged
  shard_range range;         ///< the shards that it holds
  std::string cluster;       ///< name of the cluster that it belongs to
  uuid cluster_id{};         ///< of that cluster; nil: whatever the database says
  std::uint16_t shards = 32; ///< of the whole cluster
  std::string node;          ///< the owner's name in lease rows
  milliseconds lease{3'000};
  std::size_t readers = 3; ///< connections for queries
  /// Shared by the databases of a node. None: a database compares with what it has seen itself.
  std::shared_ptr<sequence_marks> marks;
};

/// What a database is made for, and fixed in it for ever.
struct database_identity {
  std::string cluster;
  std::uint16_t shards = 32; ///< of the whole cluster
  shard_range range;         ///< that this database holds
  /// Random, and the same in all databases of a cluster: what tells it from others of its name.
  /// Nil: whatever the database says.
  uuid cluster_id{};
};

/// Creates or migrates the schema and fixes the identity. The cluster's id: a new one if the
/// database has none and the identity leaves it open, so give the first one's to the others.
/// Blocking. Errors: unavailable; invalid_argument when the database belongs to another
/// cluster, has another shard count or range, or a newer schema: the detail says which.
[[nodiscard]] expected<uuid> migrate(const std::string& url, const database_identity& identity);

/// For the copy of a database, which has its original's id: gives it another (nil: a new one),
/// and forgets the nodes of the original. Returns the id. The database has been migrated.
/// Blocking. Errors: unavailable; invalid_state while a node lives there, by the database's own
/// word.
[[nodiscard]] expected<uuid> change_cluster_id(const std::string& url, const uuid& id);

/// Group-commit figures since the start; for metrics.
struct journal_figures {
  std::uint64_t transactions = 0;
  std::uint64_t writes = 0;
  std::uint64_t events = 0;
  std::uint64_t failed_writes = 0;
  std::size_t queued = 0;
  /// Called by the journal after each commit: writes in it, and its time in microseconds.
};

using commit_observer = std::function<void(std::size_t writes, std::int64_t commit_us)>;

class database {
public:
  virtual ~database() = default; ///< Flushes the journal (bounded), then closes everything.

  /// Of the cluster that it belongs to.
  [[nodiscard]] virtual uuid cluster_id() const = 0;
  [[nodiscard]] virtual class journal& journal() = 0;
  [[nodiscard]] virtual class store& store() = 0;
  [[nodiscard]] virtual settlement_store& settlement() = 0;
  [[nodiscard]] virtual journal_figures figures() const = 0;
  virtual void observe_commits(commit_observer observer) = 0;
  /// Starts the keeper of this database's leases. `lost` also reports shards that the journal
  /// gave up.
  [[nodiscard]] virtual std::unique_ptr<lease_keeper> keep_leases(lease_events events) = 0;
  /// Ends every read as unavailable, those that wait for a connection too, and refuses what is
  /// asked from here on. Blocks, bounded, until no callback of a read runs any more.
  virtual void end_reads() = 0;
  /// The shards whose database was found to lack events that were acknowledged once, and has
  /// not been found to have them since. They are not served; docs/cluster.md says what to do.
  [[nodiscard]] virtual std::vector<shard_number> behind() const = 0;
};

/// One database. Blocking, bounded by 10 s. Errors: unavailable; invalid_argument when it isn't
/// what the options say.
[[nodiscard]] expected<std::unique_ptr<database>> open_database(database_options options);

/// All databases of a node behind one door: whatever is asked goes to the database of its
/// shard, and what is asked of all is gathered. One that can't be reached is tried again until
/// it can be; its shards alone are not served meanwhile. Errors: unavailable when none can be
/// reached; invalid_argument when one isn't what the options say, or they are not of one
/// cluster.
[[nodiscard]] expected<std::unique_ptr<database>> open_databases(
  std::vector<database_options> options);

} // namespace holdfast::storage
