// Opens what a node needs of one PostgreSQL database. No libpq here.
#pragma once

#include "storage/journal.hpp"
#include "storage/leases.hpp"
#include "storage/settlement.hpp"
#include "storage/store.hpp"

#include <functional>
#include <memory>
#include <string>

namespace holdfast::storage {

struct database_options {
  std::string url; ///< libpq URL; never logged
  std::uint16_t shards = 32;
  std::string node; ///< the owner's name in lease rows
  milliseconds lease{3'000};
  std::size_t readers = 3; ///< connections for queries
};

/// Creates or migrates the schema and fixes the shard count. Blocking.
/// Errors: unavailable; invalid_argument when the database has another shard count or a newer
/// schema.
[[nodiscard]] expected<void> migrate(const std::string& url, std::uint16_t shards);

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

  [[nodiscard]] virtual class journal& journal() = 0;
  [[nodiscard]] virtual class store& store() = 0;
  [[nodiscard]] virtual settlement_store& settlement() = 0;
  [[nodiscard]] virtual journal_figures figures() const = 0;
  virtual void observe_commits(commit_observer observer) = 0;
  /// Starts the keeper of this database's leases. `lost` also reports shards that the journal
  /// gave up.
  [[nodiscard]] virtual std::unique_ptr<lease_keeper> keep_leases(lease_events events) = 0;
};

/// Connects. Blocking, bounded by 10 s. Errors: unavailable, invalid_argument.
[[nodiscard]] expected<std::unique_ptr<database>> open_database(database_options options);

} // namespace holdfast::storage
