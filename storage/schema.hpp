// Whether a database is the one that this program expects.
#pragma once

#include "storage/connection.hpp"

namespace holdfast::storage {

/// Errors: unavailable; invalid_argument when the schema is older or newer than this program's.
[[nodiscard]] expected<void> check_schema(connection& db, steady_time deadline);

/// Errors: unavailable; invalid_argument when the database was initialised with another count.
[[nodiscard]] expected<void> check_shard_count(connection& db, std::uint16_t shards,
                                               steady_time deadline);

} // namespace holdfast::storage
