// Chargebacks: what is reserved for them counts like a refund, against what was captured.
#include "storage/migrations/migrations.hpp"

namespace holdfast::storage {

const char* const migration_0004_disputes = R"sql(
-- Reserved for disputes that are open or lost.
alter table payment
  add column disputed int8 not null default 0,
  add constraint payment_refunds_and_disputes_within_captured
    check (disputed >= 0 and refunded + disputed <= captured);

-- For lists and look-ups, and to hold the sum above to account; what a dispute says is in its
-- payment's detail.
create table payment_dispute (
  id           uuid not null constraint payment_dispute_pk primary key,
  payment_id   uuid not null,
  shard_id     int2 not null,
  merchant_id  uuid not null,
  ordinal      int4 not null constraint payment_dispute_ordinal_positive check (ordinal > 0),
  status       int2 not null constraint payment_dispute_status_known check (status between 1 and 3),
  amount       int8 not null constraint payment_dispute_amount_positive check (amount > 0),
  reserved     int8 not null,
  opened_at    timestamptz not null,
  closed_at    timestamptz,
  constraint payment_dispute_ordinal_unique unique (payment_id, ordinal),
  constraint payment_dispute_reserved_within_amount check (reserved >= 0 and reserved <= amount),
  constraint payment_dispute_end_timed check ((status = 1) = (closed_at is null))
);
create index payment_dispute_by_merchant on payment_dispute (merchant_id, id);

-- Kinds of postings are numbered in messages/ledger.hpp; new ones need no migration up to here.
alter table ledger_entry
  drop constraint ledger_entry_kind_known,
  add constraint ledger_entry_kind_known check (kind between 1 and 31);
)sql";

} // namespace holdfast::storage
