// Settling a million items: what is written twice an item must not be in more indexes than it
// needs, and what is kept of files must be cheap to keep.
#include "storage/migrations/migrations.hpp"

namespace holdfast::storage {

const char* const migration_0009_settlement_at_scale = R"sql(
-- The columns of a partial index's condition count as indexed: with settlement_status among them,
-- settling an item meant new entries in all indexes. batch_id says the same of what is ready
-- (payment_operation_batch_known). A cut-off takes the items in this order.
drop index payment_operation_ready;
create index payment_operation_ready on payment_operation (shard_id, merchant_id, id)
  where status = 2 and batch_id is null;

-- Files and answers are compressed as they are stored, about 150 bytes an item each; where the server
-- can, by the algorithm that costs a tenth of the old one.
do $$
begin
  if exists (select from pg_settings
              where name = 'default_toast_compression' and 'lz4' = any(enumvals)) then
    alter table settlement_file alter column content set compression lz4;
    alter table settlement_answer alter column content set compression lz4;
  end if;
end $$;
)sql";

} // namespace holdfast::storage
