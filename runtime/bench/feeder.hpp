// Feeds the journal writer with synthetic payments, when nothing stands before or behind it: no
// HTTP, no actors, no gateway.
#pragma once

#include "messages/expected.hpp"
#include "messages/time.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace holdfast::bench {

struct feed_plan {
  milliseconds length{0};     ///< No payment begins after it; 0: counted by `payments`.
  std::uint64_t payments = 0; ///< how many begin; 0: counted by `length`
  timestamp dated;            ///< when the first of them is said to have been made
};

struct feed_result {
  std::uint64_t payments = 0; ///< both writes of which are durable
  std::uint64_t writes = 0;   ///< durable within `length`, of all payments
  double seconds = 0;         ///< until the last of them
};

/// Writes authorized payments, two durable writes each, with limits::bench_ceiling_writes under
/// way, spread over all shards of the database, which it owns meanwhile. Blocking. `check` is
/// asked now and then and told how many payments are done: an error ends it. Errors:
/// unavailable, what `check` says.
[[nodiscard]] expected<feed_result> feed_journal(
  const std::string& database_url, const feed_plan& plan,
  const std::function<expected<void>(std::uint64_t)>& check);

} // namespace holdfast::bench
