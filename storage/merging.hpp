// How the answers of several databases become one. Pure.
#pragma once

#include "storage/leases.hpp"
#include "storage/store.hpp"

#include <algorithm>
#include <iterator>
#include <vector>

namespace holdfast::storage {

template <class T>
[[nodiscard]] std::vector<T> concatenate(std::vector<std::vector<T>> parts) {
  std::vector<T> all;
  for (auto& part : parts)
    std::ranges::move(part, std::back_inserter(all));
  return all;
}

/// Of lists that are each in the order of `less`, the first `limit` rows.
template <class T, class Less>
[[nodiscard]] slice<T> merge_pages(std::vector<slice<T>> parts, std::size_t limit, Less less) {
  slice<T> whole;
  for (auto& part : parts) {
    std::ranges::move(part.rows, std::back_inserter(whole.rows));
    whole.has_more = whole.has_more || part.has_more;
  }
  std::ranges::stable_sort(whole.rows, less);
  if (whole.rows.size() > limit) {
    whole.rows.erase(whole.rows.begin() + static_cast<std::ptrdiff_t>(limit), whole.rows.end());
    whole.has_more = true;
  }
  return whole;
}

/// One row for each status and currency.
[[nodiscard]] std::vector<status_count> merge_counts(const std::vector<status_count>& counts);

/// One row for each account, summed, in the order of kind, owner and currency: accounts that
/// many merchants share have a part in each database.
[[nodiscard]] std::vector<balance_view> merge_balances(const std::vector<balance_view>& parts);

[[nodiscard]] statement merge_statements(std::vector<statement> parts);

/// `parts` are the proofs of the ranges, in their order: what holds must hold in all of them.
/// What was found is told with the range that it was found in.
[[nodiscard]] ledger_proof merge_proofs(const std::vector<shard_range>& ranges,
                                        const std::vector<ledger_proof>& parts);

/// What was read of one database, and how long ago. Empty if it has never been read.
struct dated_view {
  shard_range range; ///< of the database
  cluster_view view;
  milliseconds age{0};
};

/// Nodes by id, leases by shard. A node lives while any database says so, and is as a whole
/// what its latest process said; it drains once it has said so anywhere. Time that has passed
/// since a database was read is taken off what it said is left, so that one that can't be
/// reached any more says nothing for long: a lease that has run out meanwhile has no owner.
/// Only `alive_in` stays as it was read last: who should have a shard is not to change because
/// a look has failed.
[[nodiscard]] cluster_view merge_views(const std::vector<dated_view>& parts);

} // namespace holdfast::storage
