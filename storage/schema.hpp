// Whether a database is the one that this program expects.
#pragma once

#include "storage/connection.hpp"
#include "storage/database.hpp"

#include <cstdint>

namespace holdfast::storage {

/// A release's migrations only add, so that the release before goes on while they are made
/// under it. So a newer schema is refused to a program that starts, and not to one that runs
/// and has to connect again.
enum class schema_rule : std::uint8_t { same, same_or_newer };

/// To be asked of every new connection that writes: behind the same URL there may be another
/// database today. If it is the right one, `newest` is raised to its timeline; its cluster's
/// id. Errors: unavailable, also when its timeline is below `newest`; invalid_argument when the
/// schema is older than this program's, or newer against the rule, or the database was made for
/// another cluster, shard count or range: the detail says which.
[[nodiscard]] expected<uuid> check_identity(connection& db, const database_identity& identity,
                                            schema_rule rule, server_timeline& newest,
                                            steady_time deadline);

} // namespace holdfast::storage
