// Idempotency keys leave in the order of their last use, so that is what is indexed; a new
// owner warms its memory from the same index. The one by creation has nothing left to do.
#include "storage/migrations/migrations.hpp"

namespace holdfast::storage {

const char* const migration_0002_key_retention = R"sql(
create index idempotency_key_used on idempotency_key (shard_id, last_used_at);
drop index idempotency_key_recent;
)sql";

} // namespace holdfast::storage
