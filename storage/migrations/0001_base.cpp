// The base schema. Numbers in the CHECKs are the persisted enums of messages/*.hpp.
//
// Each index is paid for by every payment, so there is one only where a list, a sweep or a
// look-up needs it, and partial where it can be. Ids begin with their time, which keeps the
// indexes on them growing at one end.
#include "storage/migrations/migrations.hpp"

namespace holdfast::storage {

const char* const migration_0001_base = R"sql(
-- One row: what was fixed when the database was initialised.
create table cluster (
  id           int2 not null constraint cluster_pk primary key constraint cluster_one_row check (id = 1),
  shard_count  int2 not null constraint cluster_shard_count_range check (shard_count between 1 and 10000),
  created_at   timestamptz not null default clock_timestamp()
);

-- The head of each shard's log. Touched by writes and take-overs only.
create table shard (
  shard_id  int2 not null constraint shard_pk primary key,
  epoch     int8 not null default 0 constraint shard_epoch_positive check (epoch >= 0),
  last_seq  int8 not null default 0 constraint shard_last_seq_positive check (last_seq >= 0),
  chain     bytea not null constraint shard_chain_length check (length(chain) = 32)
) with (fillfactor = 20);

-- Renewed often, and apart from the head, so that renewals and commits never wait for each other.
-- Rows are never deleted. An empty owner means that the shard is free.
create table shard_lease (
  shard_id      int2 not null constraint shard_lease_pk primary key
                constraint shard_lease_shard_fk references shard,
  owner         text not null default '',
  lease_until   timestamptz not null default '-infinity',
  backend_pids  int4[] not null default '{}'
) with (fillfactor = 20);

create table merchant (
  id          uuid not null constraint merchant_pk primary key,
  name        text not null,
  currency    text not null constraint merchant_currency_code check (length(currency) = 3),
  stripes     int2 not null constraint merchant_stripes_range check (stripes between 1 and 64),
  fee_bps     int4 not null constraint merchant_fee_range check (fee_bps between 0 and 10000),
  created_at  timestamptz not null
);

-- The key itself is never stored: `hash` is its HMAC-SHA-256 under the server's pepper.
create table api_key (
  id           uuid not null constraint api_key_pk primary key,
  merchant_id  uuid not null constraint api_key_merchant_fk references merchant,
  hash         bytea not null constraint api_key_hash_length check (length(hash) = 32)
               constraint api_key_hash_unique unique,
  live         boolean not null,
  created_at   timestamptz not null,
  revoked_at   timestamptz
);

-- `status` … `location` are null until the outcome is known.
create table idempotency_key (
  merchant_id   uuid not null,
  key           text collate "C" not null
                constraint idempotency_key_length check (length(key) between 1 and 255),
  shard_id      int2 not null,
  fingerprint   bytea not null constraint idempotency_key_fingerprint_length check (length(fingerprint) = 32),
  subject       uuid not null,
  status        int2,
  content_type  text,
  body          bytea,
  location      text,
  created_at    timestamptz not null default clock_timestamp(),
  last_used_at  timestamptz not null default clock_timestamp(),
  constraint idempotency_key_pk primary key (merchant_id, key),
  constraint idempotency_key_answer_whole check (
    (status is null) = (body is null) and (status is null) = (content_type is null)
    and (status is null) = (location is null))
) with (fillfactor = 60);
-- A new owner warms its memory with the shard's newest keys.
create index idempotency_key_recent on idempotency_key (shard_id, created_at);

-- The payment as its last event left it. Only the journal writes these columns, but for
-- settlement_status, which settlement writes too: that of the least advanced succeeded capture.
create table payment (
  id                 uuid not null constraint payment_pk primary key,
  shard_id           int2 not null,
  merchant_id        uuid not null,
  status             int2 not null constraint payment_status_known check (status between 1 and 9),
  settlement_status  int2 not null default 0
                     constraint payment_settlement_status_known check (settlement_status between 0 and 3),
  amount             int8 not null,
  captured           int8 not null,
  refunded           int8 not null,
  currency           text not null constraint payment_currency_code check (length(currency) = 3),
  mode               int2 not null constraint payment_mode_known check (mode in (1, 2)),
  reference          text not null,
  gateway            text not null,
  gateway_reference  text not null,
  acquirer           text not null,
  created_at         timestamptz not null,
  updated_at         timestamptz not null,
  next_action_at     timestamptz,
  last_seq           int8 not null,
  detail             bytea not null,
  constraint payment_amount_positive check (amount > 0),
  constraint payment_captured_within_amount check (captured >= 0 and captured <= amount),
  constraint payment_refunded_within_captured check (refunded >= 0 and refunded <= captured)
) with (fillfactor = 80);
create index payment_by_merchant on payment (merchant_id, id);
create index payment_by_reference on payment (merchant_id, reference, id) where reference <> '';
create index payment_due on payment (shard_id, next_action_at) where next_action_at is not null;

-- Captures and refunds. The journal writes what the gateway did, settlement what the acquirer did;
-- the two sets of columns don't overlap.
create table payment_operation (
  id                 uuid not null constraint payment_operation_pk primary key,
  payment_id         uuid not null,
  shard_id           int2 not null,
  merchant_id        uuid not null,
  acquirer           text not null,
  currency           text not null,
  kind               int2 not null constraint payment_operation_kind_known check (kind in (1, 2)),
  status             int2 not null constraint payment_operation_status_known check (status between 1 and 3),
  ordinal            int4 not null constraint payment_operation_ordinal_positive check (ordinal > 0),
  amount             int8 not null constraint payment_operation_amount_positive check (amount > 0),
  gateway_reference  text not null,
  created_at         timestamptz not null,
  succeeded_at       timestamptz,
  settlement_status  int2 not null default 0
                     constraint payment_operation_settlement_known check (settlement_status between 0 and 3),
  batch_id           uuid,
  settle_tries       int4 not null default 0,
  fee                int8 not null default 0,
  report_line        int4,
  settled_at         timestamptz,
  constraint payment_operation_ordinal_unique unique (payment_id, kind, ordinal),
  constraint payment_operation_success_timed check ((status = 2) = (succeeded_at is not null)),
  constraint payment_operation_settled_succeeded check (settlement_status = 0 or status = 2),
  constraint payment_operation_batch_known check ((settlement_status = 0) = (batch_id is null))
) with (fillfactor = 80);
create index payment_operation_ready on payment_operation (shard_id, merchant_id)
  where status = 2 and settlement_status = 0;
create index payment_operation_by_batch on payment_operation (batch_id) where batch_id is not null;

-- The log: outbox, audit trail and source of every rebuild. `chain` is set on the last event of
-- each transaction.
create table event (
  shard_id     int2 not null,
  seq          int8 not null constraint event_seq_positive check (seq > 0),
  type         int2 not null,
  merchant_id  uuid not null,
  subject      uuid not null,
  at           timestamptz not null,
  payload      bytea not null,
  chain        bytea,
  constraint event_pk primary key (shard_id, seq)
);
create index event_by_merchant on event (merchant_id, shard_id, seq);
create index event_by_subject on event (subject, seq);

-- Striped per shard: the id is the first 16 bytes of SHA-256 over shard, kind, owner and currency.
create table account (
  id        uuid not null constraint account_pk primary key,
  shard_id  int2 not null,
  kind      int2 not null constraint account_kind_known check (kind between 1 and 9),
  owner     text not null,
  currency  text not null constraint account_currency_code check (length(currency) = 3),
  balance   int8 not null
) with (fillfactor = 50);
create index account_by_owner on account (owner);

-- `leg` counts within the event and `posting` is the leg that the entry's posting begins with.
create table ledger_entry (
  shard_id        int2 not null,
  seq             int8 not null,
  leg             int4 not null,
  posting         int4 not null,
  account_id      uuid not null,
  kind            int2 not null constraint ledger_entry_kind_known check (kind between 1 and 7),
  subject         uuid not null,
  ordinal         int4 not null,
  amount          int8 not null constraint ledger_entry_amount_moves check (amount <> 0),
  currency        text not null,
  balance_after   int8 not null,
  effective_date  date not null,
  external_ref    text not null,
  created_at      timestamptz not null,
  constraint ledger_entry_pk primary key (shard_id, seq, leg),
  constraint ledger_entry_leg_in_posting check (posting between 0 and leg and leg < 65536)
);
-- Nothing is posted twice. The posting's first leg stands for all of it, at a fraction of the cost.
create unique index ledger_entry_posted_once on ledger_entry (subject, kind, ordinal)
  where leg = posting;

create function refuse_unbalanced_posting() returns trigger language plpgsql as $$
begin
  if exists (select from inserted
              group by shard_id, seq, posting, currency
             having sum(amount) <> 0) then
    raise exception 'a posting does not sum to zero'
      using errcode = 'check_violation', constraint = 'ledger_entry_posting_balanced';
  end if;
  return null;
end $$;
create trigger ledger_entry_posting_balanced after insert on ledger_entry
  referencing new table as inserted for each statement execute function refuse_unbalanced_posting();

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only', tg_table_name
    using errcode = 'restrict_violation', constraint = tg_name;
end $$;
create trigger event_append_only before update or delete or truncate on event
  for each statement execute function refuse_change();
create trigger ledger_entry_append_only before update or delete or truncate on ledger_entry
  for each statement execute function refuse_change();

create table batch (
  id             uuid not null constraint batch_pk primary key,
  shard_id       int2 not null,
  merchant_id    uuid not null,
  acquirer       text not null,
  currency       text not null constraint batch_currency_code check (length(currency) = 3),
  status         int2 not null constraint batch_status_known check (status between 1 and 4),
  items          int4 not null constraint batch_items_positive check (items >= 0),
  gross          int8 not null,
  acquirer_fees  int8 not null default 0,
  platform_fees  int8 not null default 0,
  net            int8 not null default 0,
  file_id        uuid,
  closed_at      timestamptz not null,
  reconciled_at  timestamptz
);
create index batch_by_merchant on batch (merchant_id, id);
create index batch_by_file on batch (file_id) where file_id is not null;
create index batch_unfiled on batch (shard_id, id) where file_id is null;

create table settlement_file (
  id           uuid not null constraint settlement_file_pk primary key,
  shard_id     int2 not null,
  acquirer     text not null,
  status       int2 not null constraint settlement_file_status_known check (status between 1 and 5),
  content      bytea not null,
  sha256       text not null constraint settlement_file_sha256 check (sha256 = encode(sha256(content), 'hex')),
  items        int4 not null,
  tries        int4 not null default 0,
  next_try_at  timestamptz not null,
  note         text not null default '',
  created_at   timestamptz not null,
  updated_at   timestamptz not null
);
create index settlement_file_open on settlement_file (shard_id, id) where status in (1, 2, 3);

-- What acquirers sent, byte for byte: 1 per-item results, 2 settlement report.
create table settlement_answer (
  file_id      uuid not null constraint settlement_answer_file_fk references settlement_file,
  kind         int2 not null constraint settlement_answer_kind_known check (kind in (1, 2)),
  content      bytea not null,
  sha256       text not null constraint settlement_answer_sha256 check (sha256 = encode(sha256(content), 'hex')),
  received_at  timestamptz not null,
  constraint settlement_answer_pk primary key (file_id, kind)
);

create table recon_exception (
  id               uuid not null constraint recon_exception_pk primary key,
  shard_id         int2 not null,
  kind             text not null,
  status           int2 not null default 1
                   constraint recon_exception_status_known check (status in (1, 2)),
  merchant_id      uuid not null,
  payment_id       uuid,
  operation_id     uuid,
  batch_id         uuid,
  file_id          uuid,
  currency         text not null,
  expected_amount  int8 not null,
  reported_amount  int8 not null,
  raw_line         text not null,
  detail           text not null,
  opened_at        timestamptz not null,
  resolved_at      timestamptz,
  constraint recon_exception_resolution_timed check ((status = 2) = (resolved_at is not null))
);
create index recon_exception_by_payment on recon_exception (payment_id) where payment_id is not null;
)sql";

} // namespace holdfast::storage
