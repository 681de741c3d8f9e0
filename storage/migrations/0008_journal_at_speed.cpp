// What a payment costs: rows that grow must have room to grow in, and what changes with every
// outcome must not be indexed, so that an outcome needs no new index entries.
#include "storage/migrations/migrations.hpp"

namespace holdfast::storage {

const char* const migration_0008_journal_at_speed = R"sql(
-- An answer makes five times of a key's row, and a payment is written twice within seconds: room
-- for both stays in the page.
alter table idempotency_key set (fillfactor = 12);
alter table payment set (fillfactor = 50);

-- When an owner that does not have the payment in memory has to look at it: at next_action_at or
-- seconds before. Only an intent is given another time, that when its hold will lapse, which is where
-- an approval leaves it: its owner has it in memory, and a new one reads all that is unresolved.
alter table payment add column wake_at timestamptz;
update payment set wake_at = next_action_at where next_action_at is not null;
create index payment_wake on payment (shard_id, wake_at) where wake_at is not null;
drop index payment_due;
)sql";

} // namespace holdfast::storage
