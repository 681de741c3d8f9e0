// Opens the databases of a node as its configuration names them.
#pragma once

#include "runtime/config/config.hpp"
#include "runtime/telemetry/metrics.hpp"
#include "storage/database.hpp"

#include <memory>

namespace holdfast::runtime {

/// Blocks, bounded. What is committed is counted in `metrics` and noted in `marks`.
/// Errors: unavailable, invalid_argument; as storage::open_databases.
[[nodiscard]] expected<std::unique_ptr<storage::database>> open_storage(
  const config::node_config& settings, const std::shared_ptr<storage::sequence_marks>& marks,
  telemetry::registry& metrics);

} // namespace holdfast::runtime
