// What gateways tell unasked: each notice is recorded once, whatever it caused.
#include "storage/migrations/migrations.hpp"

namespace holdfast::storage {

const char* const migration_0003_webhooks = R"sql(
-- Written in the transaction of what the notice causes, so that a gateway which sends it again can't
-- cause it twice. `subject` is the payment that the notice names, which need not exist.
create table webhook_event (
  gateway      text collate "C" not null,
  event_id     text collate "C" not null
               constraint webhook_event_id_length check (length(event_id) between 1 and 255),
  shard_id     int2 not null,
  subject      uuid not null,
  received_at  timestamptz not null,
  constraint webhook_event_pk primary key (gateway, event_id)
);
)sql";

} // namespace holdfast::storage
