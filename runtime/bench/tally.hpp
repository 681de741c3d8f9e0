// The count that a run must stand up to: what clients were told is in the database and in the
// sandbox's records, once, and nothing else is. Pure.
#pragma once

#include "messages/ids.hpp"
#include "runtime/demo/audit.hpp"
#include "storage/store.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::bench {

struct evidence {
  std::vector<payment_id> acknowledged; ///< by the node, to the load generator
  std::vector<storage::status_count> database;
  std::vector<demo::sandbox_record> sandbox;
};

/// How every acknowledged payment must have ended.
struct expectation {
  std::string status; ///< the only public status in the database
  std::string fact;   ///< the kind of the effective fact that each has in the sandbox, once
  /// Authorized payments that were laid down in the database before, of which no sandbox knows.
  std::uint64_t stored = 0;
};

/// Whether a record is evidence: of several millions, most are not.
[[nodiscard]] bool is_evidence(const demo::sandbox_record& one, const expectation& wanted);

struct tally {
  std::uint64_t acknowledged = 0;
  std::uint64_t database = 0;           ///< payments of the expected status
  std::uint64_t sandbox = 0;            ///< effective facts of the expected kind
  std::vector<std::string> differences; ///< for a person; empty is what must be

  [[nodiscard]] bool holds() const noexcept { return differences.empty(); }
};

/// What was counted in one more installation.
void add(tally& all, tally more);

[[nodiscard]] tally count(evidence found, const expectation& wanted);

} // namespace holdfast::bench
