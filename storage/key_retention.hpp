// How long idempotency keys live: their uses are written down, and those that nobody has used
// for long are swept. No libpq here: actors include this header.
//
// A row's age is counted by the database's clock alone, from `last_used_at`. Past
// limits::idempotency_key_expired_ms an answered key is as good as gone: a new claim takes its
// row, and `find_key` does not see it. So the sweep, which begins later still, takes nothing
// that anybody could be answered from, and when it runs is nobody's concern.
#pragma once

#include "storage/store.hpp"

#include <memory>
#include <string>
#include <vector>

namespace holdfast::storage {

struct used_key {
  merchant_id merchant;
  std::string key;
};

struct retain_keys_request {
  std::vector<used_key> used; ///< since they were last written down
  std::size_t sweep_max = 0;  ///< rows to look at, the longest unused first; 0: no sweep
};

struct retained_keys {
  std::uint64_t swept = 0;
  bool more = false; ///< the sweep came to its limit
};

/// Housekeeping: it stands in the shard's order like any unit, but is no step of settlement.
class key_unit : public unit_of_work {};

/// Notes the uses, then sweeps the shard's keys. A key without an answer stands for something
/// that is still going on: the sweep counts that as a use. A unit of the shard's owner, since
/// it is the owner's memory that must agree with the rows; repeatable.
[[nodiscard]] std::unique_ptr<unit_of_work> retain_keys(retain_keys_request request,
                                                        callback<retained_keys> done);

} // namespace holdfast::storage
