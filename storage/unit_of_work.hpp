// What a unit of work (journal.hpp) finds when it runs.
#pragma once

#include "storage/connection.hpp"
#include "storage/journal.hpp"

#include <vector>

namespace holdfast::storage {

/// What a unit works with. Lives as long as one attempt.
struct unit_scope {
  connection& db;
  shard_number shard;
  /// Appended, with their postings, to the shard's log in the same transaction.
  std::vector<event_record> events;
};

} // namespace holdfast::storage
