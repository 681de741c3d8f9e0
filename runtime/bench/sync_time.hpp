// What it costs to have a few bytes safe on the disk: every durable commit waits for it.
#pragma once

#include "messages/expected.hpp"

#include <chrono>
#include <filesystem>

namespace holdfast::bench {

/// The median of limits::bench_syncs writes of a page that are each synced, as PostgreSQL syncs
/// its WAL, to a file of the folder, which is gone afterwards. Blocking. Errors: unavailable.
[[nodiscard]] expected<std::chrono::microseconds> median_sync(
  const std::filesystem::path& folder);

} // namespace holdfast::bench
