#include "storage/lease_statements.hpp"

#include "messages/limits.hpp"

#include <algorithm>

namespace holdfast::storage {

namespace {

/// Only while unexpired and still ours, by the database's clock and by the epoch, for the
/// owner's name alone could be a namesake's.
constexpr sql renew{"leases_renew", R"sql(
update shard_lease l
   set lease_until = clock_timestamp() + $3::int8 * interval '1 millisecond', backend_pids = $5
  from unnest($1::int2[], $2::int8[]) as u(shard_id, epoch)
  join shard s on s.shard_id = u.shard_id and s.epoch = u.epoch
 where l.shard_id = u.shard_id and l.owner = $4 and l.lease_until > clock_timestamp()
returning l.shard_id)sql"};

/// By the epoch too: a namesake that is younger has taken them by our common name.
constexpr sql free{"leases_free", R"sql(
update shard_lease l set owner = '', lease_until = clock_timestamp(), backend_pids = '{}'
  from unnest($1::int2[], $2::int8[]) as u(shard_id, epoch)
  join shard s on s.shard_id = u.shard_id and s.epoch = u.epoch
 where l.shard_id = u.shard_id and l.owner = $3)sql"};

/// Locks the rows that may be taken: free, expired, or ours by name from a life before.
constexpr sql lock_takeable{"leases_lock_takeable", R"sql(
select shard_id from shard_lease
 where shard_id = any($1::int2[])
   and (owner = '' or owner = $2 or lease_until <= clock_timestamp())
 order by shard_id
   for update skip locked)sql"};

/// Waits for the commit in flight of the owner before; then nothing of that owner's can follow.
constexpr sql lock_heads{"leases_lock_heads",
                         "select shard_id, last_seq from shard where shard_id = any($1::int2[])"
                         " order by shard_id for update"};

constexpr sql raise_epochs{"leases_raise_epochs",
                           "update shard set epoch = epoch + 1 where shard_id = any($1::int2[])"
                           " returning shard_id, epoch, last_seq, chain"};

constexpr sql take{"leases_take", R"sql(
update shard_lease
   set owner = $2, lease_until = clock_timestamp() + $3::int8 * interval '1 millisecond',
       backend_pids = $4
 where shard_id = any($1::int2[]))sql"};

/// Our own writer is spared. By the owner's name too, for a lease tells only at its next
/// renewal of a connection that its owner has just made; PostgreSQL cuts names off.
constexpr sql end_holders_of{"leases_end_holders", R"sql(
select pg_terminate_backend(holder.pid)
  from (select distinct a.pid
          from shard_lease l
          join pg_stat_activity a on a.datname = current_database()
           and a.application_name like 'holdfast journal %'
           and (a.pid = any(l.backend_pids)
                or a.application_name = left('holdfast journal ' || l.owner, 63))
         where l.shard_id = any($1::int2[]) and a.pid <> all($3::int4[])
           and (l.owner = '' or l.owner = $2 or l.lease_until <= clock_timestamp())
       ) as holder)sql"};

constexpr sql pin{"leases_pin", R"sql(
update shard_lease set pinned_to = $3
 where shard_id between $1 and $2
   and ($3 = '' or exists (select from cluster_node where id = $3)))sql"};

constexpr sql list{"leases_list", R"sql(
select l.shard_id, l.owner, s.epoch, greatest(l.lease_until, 'epoch'), statement_timestamp(),
       l.pinned_to, s.last_seq
  from shard_lease l join shard s using (shard_id) order by l.shard_id)sql"};

array_of<std::int16_t> to_array(const std::vector<shard_number>& shards) {
  array_of<std::int16_t> column;
  for (const auto shard : shards)
    column.add(static_cast<std::int16_t>(shard.value));
  return column;
}

array_of<std::int16_t> shards_of(const shard_epochs& held) {
  array_of<std::int16_t> column;
  for (const auto& [shard, epoch] : held)
    column.add(static_cast<std::int16_t>(shard.value));
  return column;
}

array_of<std::int64_t> epochs_of(const shard_epochs& held) {
  array_of<std::int64_t> column;
  for (const auto& [shard, epoch] : held)
    column.add(epoch.value);
  return column;
}

array_of<std::int32_t> writer_of(const lease_context& in) {
  array_of<std::int32_t> column;
  if (in.writer_pid != 0)
    column.add(in.writer_pid);
  return column;
}

std::vector<shard_number> read_shards(const result& from) {
  std::vector<shard_number> shards;
  shards.reserve(static_cast<std::size_t>(from.rows()));
  for (int i = 0; i < from.rows(); ++i)
    shards.push_back(row{from, i}.shard());
  return shards;
}

/// Sorts the shards that are behind what is known of them from those that may be taken.
expected<std::vector<shard_number>> judge_heads(const lease_context& in,
                                                const std::vector<shard_number>& shards,
                                                const sequence_marks& marks,
                                                take_over_end& end) {
  const auto heads = in.db.query(lock_heads, parameters::of(to_array(shards)), in.deadline);
  if (!heads)
    return heads.error();
  std::vector<shard_number> whole;
  for (int i = 0; i < heads->rows(); ++i) {
    row from{*heads, i};
    const auto shard = from.shard();
    const sequence_number has{from.int8()};
    const auto known = marks.known(shard);
    if (has < known || marks.is_lost(shard))
      end.behind.push_back({shard, has, known});
    else
      whole.push_back(shard);
  }
  return whole;
}

expected<void> take_whole(const lease_context& in, const std::vector<shard_number>& shards,
                          take_over_end& end) {
  const auto raised = in.db.query(raise_epochs, parameters::of(to_array(shards)), in.deadline);
  if (!raised)
    return raised.error();
  for (int i = 0; i < raised->rows(); ++i) {
    row from{*raised, i};
    const auto shard = from.shard();
    const epoch_number epoch{from.int8()};
    const sequence_number last_seq{from.int8()};
    end.taken.push_back({shard, epoch, last_seq, std::string{from.bytes()}});
  }
  const auto done = in.db.query(
    take, parameters::of(to_array(shards), in.owner, in.lease.count(), writer_of(in)),
    in.deadline);
  if (!done)
    return done.error();
  return {};
}

} // namespace

expected<std::vector<shard_number>> renew_leases(const lease_context& in,
                                                 const shard_epochs& held) {
  const auto renewed = in.db.query(
    renew,
    parameters::of(shards_of(held), epochs_of(held), in.lease.count(), in.owner, writer_of(in)),
    in.deadline);
  if (!renewed)
    return renewed.error();
  return read_shards(*renewed);
}

expected<void> free_leases(const lease_context& in, const shard_epochs& held) {
  const auto freed =
    in.db.query(free, parameters::of(shards_of(held), epochs_of(held), in.owner), in.deadline);
  if (!freed)
    return freed.error();
  return {};
}

milliseconds take_over_wait(milliseconds lease) {
  return std::clamp(lease / 4, milliseconds{1}, limits::take_over_wait_max);
}

expected<take_over_end> take_over(const lease_context& in,
                                  const std::vector<shard_number>& shards,
                                  const sequence_marks& marks) {
  const auto wait_ms = std::to_string(take_over_wait(in.lease).count());
  if (auto begun = in.db.script("begin; set local lock_timeout = " + wait_ms, in.deadline);
      !begun)
    return begun.error();
  const auto takeable =
    in.db.query(lock_takeable, parameters::of(to_array(shards), in.owner), in.deadline);
  if (!takeable)
    return takeable.error();
  take_over_end end;
  if (takeable->rows() > 0) {
    const auto whole = judge_heads(in, read_shards(*takeable), marks, end);
    if (!whole)
      return whole.error();
    if (auto done = take_whole(in, *whole, end); !done)
      return done.error();
  }
  // An unanswered commit may have taken them: ours by name, they are taken again next time.
  if (auto done = in.db.script("commit", in.deadline); !done)
    return done.error();
  return end;
}

void roll_back(const lease_context& in) {
  if (!in.db.failed())
    static_cast<void>(in.db.script("rollback", in.deadline));
}

expected<int> end_holders(const lease_context& in, const std::vector<shard_number>& shards) {
  const auto ended = in.db.query(
    end_holders_of, parameters::of(to_array(shards), in.owner, writer_of(in)), in.deadline);
  if (!ended)
    return ended.error();
  return ended->rows();
}

expected<void> pin_shards(const lease_context& in, shard_range shards,
                          const std::string& node) {
  const auto pinned =
    in.db.query(pin, parameters::of(shards.first, shards.last, node), in.deadline);
  if (!pinned)
    return pinned.error();
  if (pinned->affected() == 0)
    return make_error(errc::not_found, "no node " + node + " is known");
  return {};
}

expected<std::vector<lease_row>> read_leases(const lease_context& in) {
  const auto found = in.db.query(list, {}, in.deadline);
  if (!found)
    return found.error();
  std::vector<lease_row> rows;
  rows.reserve(static_cast<std::size_t>(found->rows()));
  for (int i = 0; i < found->rows(); ++i) {
    row from{*found, i};
    lease_row lease;
    lease.shard = from.shard();
    lease.owner = from.text();
    lease.epoch = epoch_number{from.int8()};
    lease.lease_until = from.time();
    lease.left = std::chrono::ceil<milliseconds>(lease.lease_until - from.time());
    lease.pinned_to = from.text();
    lease.last_seq = sequence_number{from.int8()};
    rows.push_back(std::move(lease));
  }
  return rows;
}

} // namespace holdfast::storage
