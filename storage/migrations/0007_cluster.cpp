// Several nodes and several databases: who lives, what runs once, and which part of which
// cluster a database holds.
#include "storage/migrations/migrations.hpp"

namespace holdfast::storage {

const char* const migration_0007_cluster = R"sql(
-- What this database is a part of. An empty name, as in a database from before, is filled by the
-- first migrate that says one; until then such a database holds all shards.
alter table cluster
  add column name         text not null default ''
                          constraint cluster_name_length check (length(name) <= 64),
  -- Tells it from others of its name; the same in all databases of a cluster.
  add column cluster_id   uuid not null default gen_random_uuid(),
  add column first_shard  int2 not null default 0,
  add column last_shard   int2,
  -- Notices that the sweep has taken out of webhook_event, so that the log can still be compared.
  add column webhook_events_swept int8 not null default 0;
update cluster set last_shard = shard_count - 1;
alter table cluster
  alter column last_shard set not null,
  add constraint cluster_range_within_shards check (
    first_shard between 0 and last_shard and last_shard < shard_count);

-- A process that says it lives, until `alive_until`. The latest start of an id is the one that counts.
create table cluster_node (
  id             text not null constraint cluster_node_pk primary key
                 constraint cluster_node_id_given check (id <> ''),
  incarnation    text not null,
  advertise      text not null,
  http           text not null,
  admin          text not null,
  version        text not null,
  serves_shards  boolean not null,
  draining       boolean not null,
  started_at     timestamptz not null,
  alive_until    timestamptz not null
) with (fillfactor = 20);

-- What runs once in the cluster, or once a database. An empty owner means that nobody runs it.
create table singleton_lease (
  name         text not null constraint singleton_lease_pk primary key,
  owner        text not null,
  incarnation  text not null,
  lease_until  timestamptz not null
) with (fillfactor = 20);

-- Where an operator wants the shard; empty: wherever it falls.
alter table shard_lease add column pinned_to text not null default '';

-- For the sweep.
create index webhook_event_received on webhook_event (received_at);
)sql";

} // namespace holdfast::storage
