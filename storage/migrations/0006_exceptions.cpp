// Exceptions that people work on, answers kept although nothing came of them, and dead letters.
#include "storage/migrations/migrations.hpp"

namespace holdfast::storage {

const char* const migration_0006_exceptions = R"sql(
-- `fingerprint` is what is raised once, however often it is seen. `posted_amount` went into suspense
-- with the exception and leaves it with the resolution.
alter table recon_exception
  add column owner            text not null default '',
  add column note             text not null default '',
  add column resolution       text not null default '',
  add column resolved_by      text not null default '',
  add column fingerprint      text constraint recon_exception_fingerprint_unique unique,
  add column source           text not null default '',
  add column external_ref     text not null default '',
  add column posted_currency  text not null default '',
  add column posted_amount    int8 not null default 0;

-- What the lines of reports had put into suspense before it was noted.
update recon_exception
   set posted_amount = split_part(raw_line, ',', 9)::int8,
       posted_currency = split_part(raw_line, ',', 10)
 where raw_line like 'S,%,%,%,%,%,%,%,%,%';
update recon_exception set kind = 'missing_in_report' where kind = 'missing_line';

alter table recon_exception
  add constraint recon_exception_resolution_told check ((status = 2) = (resolution <> ''));
create index recon_exception_open on recon_exception (id) where status = 1;
create index recon_exception_by_file on recon_exception (file_id) where file_id is not null;

-- Since when the file waits for what it waits for.
alter table settlement_file add column status_since timestamptz;
update settlement_file set status_since = updated_at;
alter table settlement_file alter column status_since set not null;

-- Besides what was applied, 3: reports that contradicted themselves. A file may have several that
-- differ: of each time that its exception was opened, the report that opened it.
alter table settlement_answer
  drop constraint settlement_answer_kind_known,
  add constraint settlement_answer_kind_known check (kind between 1 and 3),
  drop constraint settlement_answer_pk,
  add constraint settlement_answer_pk primary key (file_id, kind, sha256);
create unique index settlement_answer_applied_once on settlement_answer (file_id, kind) where kind < 3;

alter table ledger_entry drop constraint if exists ledger_entry_kind_known;
alter table ledger_entry add constraint ledger_entry_kind_known check (kind between 1 and 31);

-- What could not be processed within its limit of tries. Never card data.
create table dead_letter (
  id           uuid not null constraint dead_letter_pk primary key,
  shard_id     int2 not null,
  kind         text not null,
  subject      text not null,
  reason       text not null,
  payload      text not null,
  count        int4 not null default 1 constraint dead_letter_count_positive check (count > 0),
  status       int2 not null default 1 constraint dead_letter_status_known check (status in (1, 2)),
  first_at     timestamptz not null,
  last_at      timestamptz not null,
  replayed_at  timestamptz,
  constraint dead_letter_subject_unique unique (kind, subject),
  constraint dead_letter_replay_timed check ((status = 2) = (replayed_at is not null))
);
)sql";

} // namespace holdfast::storage
