#include "storage/retention_sweep.hpp"

#include "messages/limits.hpp"

#include <algorithm>

namespace holdfast::storage {

namespace {

/// What is swept is counted, since the proof compares the notices with the log.
/// statement_timestamp() rather than clock_timestamp(), which no index can be searched for.
constexpr sql sweep_notices{"retention_sweep_notices", R"sql(
with old as materialized (
  select gateway, event_id from webhook_event
   where received_at < statement_timestamp() - $1::int8 * interval '1 millisecond'
   order by received_at limit $2),
swept as (
  delete from webhook_event w using old o
   where w.gateway = o.gateway and w.event_id = o.event_id
  returning 1),
counted as (select count(*) as rows from swept)
update cluster set webhook_events_swept = webhook_events_swept + counted.rows
  from counted where counted.rows > 0
returning counted.rows)sql"};

constexpr sql sweep_nodes{
  "retention_sweep_nodes",
  "delete from cluster_node"
  " where alive_until < statement_timestamp() - $1::int8 * interval '1 millisecond'"};

expected<bool> sweep_within(connection& db, milliseconds lease, steady_time deadline) {
  const auto limit =
    std::clamp(lease / 6, milliseconds{1}, limits::retention_statement_time_max);
  if (auto begun = db.script(
        "begin; set local statement_timeout = " + std::to_string(limit.count()), deadline);
      !begun)
    return begun.error();
  const auto notices = db.query(
    sweep_notices, parameters::of(limits::webhook_event_kept_ms, limits::retention_rows_max),
    deadline);
  if (!notices)
    return notices.error();
  const auto nodes = db.query(sweep_nodes, parameters::of(limits::dead_node_kept_ms), deadline);
  if (!nodes)
    return nodes.error();
  if (auto done = db.script("commit", deadline); !done)
    return done.error();
  return notices->rows() == 1 && row{*notices, 0}.int8() == limits::retention_rows_max;
}

} // namespace

expected<bool> sweep_portion(connection& db, milliseconds lease, steady_time deadline) {
  auto more = sweep_within(db, lease, deadline);
  if (!more && !db.failed())
    static_cast<void>(db.script("rollback", deadline));
  return more;
}

} // namespace holdfast::storage
