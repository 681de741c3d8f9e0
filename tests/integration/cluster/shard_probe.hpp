// How long shards are out: payments to each of them, again and again, until one succeeds.
#pragma once

#include "messages/shard.hpp"
#include "messages/time.hpp"
#include "tests/integration/cluster/wide_merchants.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::test {

struct first_success {
  shard_number shard;
  milliseconds after{0}; ///< since the beginning
  unsigned attempts = 0; ///< the successful one too
};

/// Asks for payments at all of these doors, one at a time for each shard and door, each attempt
/// with a key of its own. Returns when each shard has had a success and nothing is under way
/// any more; throws when that takes longer than `limit`.
[[nodiscard]] std::vector<first_success> probe_shards(
  wide_merchants& merchants, const std::vector<shard_number>& shards,
  const std::vector<std::string>& http_urls, std::chrono::steady_clock::time_point since,
  milliseconds limit);

/// The value below which this share of them lies; they need not be sorted, and be at least one.
[[nodiscard]] milliseconds quantile(std::vector<milliseconds> values, double share);

} // namespace holdfast::test
