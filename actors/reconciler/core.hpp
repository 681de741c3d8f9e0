// The reconciler's pure core: what an acquirer's answers and reports mean for our items, what
// is posted for them, and what a person must look at.
#pragma once

#include "actors/reconciler/file_format.hpp"
#include "storage/settlement.hpp"

#include <string>
#include <vector>

namespace holdfast::settlements {

struct answered_items {
  /// One for each item. Those put off too often are rejected, so that a person is asked.
  std::vector<storage::item_result> results;
  std::vector<posting> postings;
  std::vector<storage::new_exception> exceptions;
  std::uint32_t accepted = 0;
  std::uint32_t rejected = 0;
  std::uint32_t deferred = 0;
  std::vector<merchant_id> waiting; ///< whose deferred items wait for another batch
};

/// The per-item results of a file. What was rejected for good will never be paid: it leaves the
/// receivable, and a person is told. The same answer twice is one. Errors: corrupt, when an
/// item has no result or two different ones, or one is not of the file.
[[nodiscard]] expected<answered_items> judge_results(
  const std::vector<storage::batch_content>& batches,
  const std::vector<storage::item_result>& results);

struct matched_report {
  std::vector<storage::settled_item> settled;
  std::vector<storage::batch_outcome> batches;
  std::vector<posting> postings;
  std::vector<storage::new_exception> exceptions;
};

/// Matches a report line by line: on the operation's reference, the gateway's reference,
/// merchant, kind, currency and amount. An item settles on an exact match alone. Money of a
/// line that matches nothing goes to suspense until a person explains it; items without a line
/// stay open.
[[nodiscard]] matched_report match_report(const file_id& file,
                                          const std::vector<storage::batch_content>& batches,
                                          const report& reported);

/// The exception of a report that contradicts itself. A file has one, however often and in
/// however many ways its acquirer talks nonsense.
[[nodiscard]] storage::new_exception malformed_report(const file_id& file,
                                                      const std::string& acquirer,
                                                      std::string_view body,
                                                      const error& failure);

/// The platform's fee on one capture: half-even rounding of bps ten-thousandths.
[[nodiscard]] minor_units platform_fee(minor_units captured, std::uint32_t bps) noexcept;

} // namespace holdfast::settlements
