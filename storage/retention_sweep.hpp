// What nobody asks for any more is taken out of the database: notices of gateways from long
// ago, and nodes long dead. (Idempotency keys leave with their shard:
// storage/key_retention.hpp.)
#pragma once

#include "storage/connection.hpp"

namespace holdfast::storage {

/// One portion, in a transaction of its own whose statements are bounded on the server, each by
/// a sixth of a lease at most, for the connection has more urgent work. Ages are counted by the
/// database's clock. True when there may be more. Errors: the connection's.
[[nodiscard]] expected<bool> sweep_portion(connection& db, milliseconds lease,
                                           steady_time deadline);

} // namespace holdfast::storage
