// API keys at scale: whoever checks them must be able to read what has changed, rather than all
// there are.
#include "storage/migrations/migrations.hpp"

namespace holdfast::storage {

const char* const migration_0010_changed_keys = R"sql(
-- The transaction that made or revoked the key. All before a snapshot's xmin have ended, so whoever
-- knows these need not read them again. A trigger, for then nobody's update can go unnoticed:
-- neither that of the release before, nor one made by hand. Rows are never deleted.
alter table api_key add column changed_in xid8 not null default pg_current_xact_id();
create index api_key_changed on api_key (changed_in);
create function note_key_change() returns trigger language plpgsql as $$
begin
  new.changed_in := pg_current_xact_id();
  return new;
end $$;
create trigger api_key_change_noted before update on api_key
  for each row execute function note_key_change();

create index api_key_merchant on api_key (merchant_id);
)sql";

} // namespace holdfast::storage
