// What settlement writes: the items alone, and these where they are.
#include "storage/migrations/migrations.hpp"

namespace holdfast::storage {

const char* const migration_0011_settlement_in_one_place = R"sql(
-- A payment's is read from its captures. The column stays for nodes of the release before, which name
-- it in what they write; it goes with the next.
comment on column payment.settlement_status is 'not used any more: see payment_operation';

-- An item is written again when it succeeds, is put into a batch and is settled: with room for that in
-- its page, the last needs no new index entries.
alter table payment_operation set (fillfactor = 40);
)sql";

} // namespace holdfast::storage
