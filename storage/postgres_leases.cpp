#include "storage/postgres_leases.hpp"

#include "messages/limits.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace holdfast::storage {

namespace {

/// Only while unexpired and still ours, by the database's clock and by the epoch, for the
/// owner's name alone could be a namesake's.
constexpr sql renew_leases{"leases_renew", R"sql(
update shard_lease l
   set lease_until = clock_timestamp() + $3::int8 * interval '1 millisecond', backend_pids = $5
  from unnest($1::int2[], $2::int8[]) as u(shard_id, epoch)
  join shard s on s.shard_id = u.shard_id and s.epoch = u.epoch
 where l.shard_id = u.shard_id and l.owner = $4 and l.lease_until > clock_timestamp()
returning l.shard_id)sql"};

/// Locks the rows that may be taken: free, expired, or ours by name from a life before.
constexpr sql lock_takeable{"leases_lock_takeable", R"sql(
select shard_id from shard_lease
 where shard_id = any($1::int2[])
   and (owner = '' or owner = $2 or lease_until <= clock_timestamp())
 order by shard_id
   for update skip locked)sql"};

/// Waits for the commit in flight of the owner before; then nothing of that owner's can follow.
constexpr sql raise_epochs{"leases_raise_epochs", R"sql(
with taken as materialized (
  select shard_id from shard where shard_id = any($1::int2[]) order by shard_id for update)
update shard s set epoch = s.epoch + 1 from taken where s.shard_id = taken.shard_id
returning s.shard_id, s.epoch, s.last_seq, s.chain)sql"};

constexpr sql take_leases{"leases_take", R"sql(
update shard_lease
   set owner = $2, lease_until = clock_timestamp() + $3::int8 * interval '1 millisecond',
       backend_pids = $4
 where shard_id = any($1::int2[]))sql"};

/// Ends the transactions of whoever held these shards; our own writer is spared.
constexpr sql end_holders_of{"leases_end_holders", R"sql(
select pg_terminate_backend(a.pid)
  from shard_lease l
  cross join unnest(l.backend_pids) as p(pid)
  join pg_stat_activity a on a.pid = p.pid and a.application_name like 'holdfast journal %'
 where l.shard_id = any($1::int2[]) and a.pid <> all($3::int4[])
   and (l.owner = '' or l.owner = $2 or l.lease_until <= clock_timestamp()))sql"};

constexpr sql release_leases{"leases_release", R"sql(
update shard_lease set owner = '', lease_until = clock_timestamp(), backend_pids = '{}'
 where shard_id = any($1::int2[]) and owner = $2)sql"};

constexpr sql list_leases{"leases_list", R"sql(
select l.shard_id, l.owner, s.epoch, greatest(l.lease_until, 'epoch')
  from shard_lease l join shard s using (shard_id) order by l.shard_id)sql"};

array_of<std::int16_t> to_array(const std::vector<shard_number>& shards) {
  array_of<std::int16_t> column;
  for (const auto shard : shards)
    column.add(static_cast<std::int16_t>(shard.value));
  return column;
}

array_of<std::int32_t> pids(int writer) {
  array_of<std::int32_t> column;
  if (writer != 0)
    column.add(writer);
  return column;
}

/// "shards 0-31 taken, epochs 7": a line for all, since they come and go together.
std::string line_of(const std::map<shard_number, epoch_number>& shards, std::string_view fate) {
  std::vector<shard_number> numbers;
  auto lowest = shards.begin()->second;
  auto highest = lowest;
  for (const auto& [shard, epoch] : shards) {
    numbers.push_back(shard);
    lowest = std::min(lowest, epoch);
    highest = std::max(highest, epoch);
  }
  auto line = "shards " + ranges_text(numbers) + ' ' + std::string{fate} + ", epochs "
              + std::to_string(lowest.value);
  if (highest != lowest)
    line += '-' + std::to_string(highest.value);
  return line;
}

} // namespace

postgres_lease_keeper::postgres_lease_keeper(lease_options options, lease_events events)
  : options_(std::move(options)),
    events_(std::move(events)),
    thread_([this] { work(); }) {}

postgres_lease_keeper::~postgres_lease_keeper() {
  stop();
}

void postgres_lease_keeper::stop() {
  {
    const std::scoped_lock lock{mutex_};
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable())
    thread_.join();
}

// -- from any thread --------------------------------------------------------------------------

void postgres_lease_keeper::want(std::vector<shard_number> shards) {
  {
    const std::scoped_lock lock{mutex_};
    wanted_ = {shards.begin(), shards.end()};
    asked_ = true;
  }
  changed_.notify_all();
}

void postgres_lease_keeper::reacquire(shard_number shard) {
  {
    const std::scoped_lock lock{mutex_};
    again_.insert(shard);
    asked_ = true;
  }
  changed_.notify_all();
}

void postgres_lease_keeper::release_all() {
  std::unique_lock lock{mutex_};
  wanted_.clear();
  releasing_ = true;
  asked_ = true;
  changed_.notify_all();
  changed_.wait_for(lock, limits::query_time_max, [this] { return !releasing_; });
}

std::vector<lease_row> postgres_lease_keeper::snapshot() const {
  const std::scoped_lock lock{mutex_};
  return rows_;
}

void postgres_lease_keeper::journal_lost(shard_number shard, epoch_number epoch) {
  {
    const std::scoped_lock lock{mutex_};
    journal_losses_.emplace_back(shard, epoch);
    asked_ = true;
  }
  changed_.notify_all();
}

// -- the keeper's thread ----------------------------------------------------------------------

void postgres_lease_keeper::work() {
  auto next = std::chrono::steady_clock::now();
  for (;;) {
    {
      std::unique_lock lock{mutex_};
      changed_.wait_until(lock, next, [this] { return asked_ || stopping_; });
      if (stopping_)
        return;
      asked_ = false;
    }
    round();
    // Earlier when a lease runs out before: being late there is what must not happen.
    next = std::chrono::steady_clock::now() + options_.lease / 3;
    for (const auto& [shard, lease] : held_)
      next = std::min(next, lease.serve_until);
  }
}

void postgres_lease_keeper::round() {
  const bool releasing = [this] {
    const std::scoped_lock lock{mutex_};
    return releasing_;
  }();
  report_lost();
  expire();
  if (connected()) {
    renew();
    expire();
    release_unwanted();
    take_missing();
    read_rows();
  }
  expire();
  if (releasing) {
    const std::scoped_lock lock{mutex_};
    releasing_ = false;
  }
  changed_.notify_all();
}

void postgres_lease_keeper::report_lost() {
  std::vector<std::pair<shard_number, epoch_number>> losses;
  {
    const std::scoped_lock lock{mutex_};
    losses.swap(journal_losses_);
  }
  // A lease is held in the latest epoch, if at all.
  shard_epochs latest;
  for (const auto& [shard, epoch] : losses)
    latest[shard] = std::max(latest[shard], epoch);
  lose(latest);
}

/// By our own clock, which the database can't stop.
void postgres_lease_keeper::expire() {
  const auto now = std::chrono::steady_clock::now();
  shard_epochs late;
  for (const auto& [shard, lease] : held_)
    if (lease.serve_until <= now)
      late.emplace(shard, lease.epoch);
  lose(late);
}

/// Of these, the ones that are still held in that epoch.
void postgres_lease_keeper::lose(const shard_epochs& losses) {
  shard_epochs lost;
  for (const auto& [shard, epoch] : losses) {
    const auto lease = held_.find(shard);
    if (lease == held_.end() || lease->second.epoch != epoch)
      continue;
    held_.erase(lease);
    lost.emplace(shard, epoch);
  }
  if (!lost.empty())
    spdlog::warn("leases: {}", line_of(lost, "lost"));
  for (const auto& [shard, epoch] : lost)
    events_.lost(shard, epoch);
}

bool postgres_lease_keeper::connected() {
  if (db_ != nullptr && !db_->failed())
    return true;
  db_.reset();
  auto opened = connection::open(options_.url, "leases " + options_.owner, query_deadline());
  if (!opened) {
    spdlog::warn("leases: no connection: {}", opened.error().detail);
    return false;
  }
  db_ = std::move(*opened);
  return true;
}

/// No query may keep us from noticing that a lease has run out.
steady_time postgres_lease_keeper::query_deadline() const {
  auto deadline = std::chrono::steady_clock::now() + limits::query_time_max;
  for (const auto& [shard, lease] : held_)
    deadline = std::min(deadline, lease.serve_until);
  return deadline;
}

/// The margin, a fifth of the lease, is what an owner has to stop serving before a successor
/// can begin.
steady_time postgres_lease_keeper::serve_until(steady_time asked) const {
  return asked + options_.lease - options_.lease / 5;
}

void postgres_lease_keeper::renew() {
  if (held_.empty())
    return;
  array_of<std::int16_t> shards;
  array_of<std::int64_t> epochs;
  for (const auto& [shard, lease] : held_) {
    shards.add(static_cast<std::int16_t>(shard.value));
    epochs.add(lease.epoch.value);
  }
  const auto asked = std::chrono::steady_clock::now();
  const auto renewed =
    db_->query(renew_leases,
               parameters::of(std::move(shards), std::move(epochs), options_.lease.count(),
                              options_.owner, pids(options_.writer_pid())),
               query_deadline());
  if (!renewed) {
    spdlog::warn("leases: renewal failed: {}", renewed.error().detail);
    return;
  }
  shard_epochs gone;
  for (const auto& [shard, lease] : held_)
    gone.emplace(shard, lease.epoch);
  for (int i = 0; i < renewed->rows(); ++i) {
    const auto shard = row{*renewed, i}.shard();
    held_.at(shard).serve_until = serve_until(asked);
    gone.erase(shard);
  }
  lose(gone);
}

void postgres_lease_keeper::release_unwanted() {
  std::vector<shard_number> unwanted;
  {
    const std::scoped_lock lock{mutex_};
    for (const auto& [shard, lease] : held_)
      if (!wanted_.contains(shard))
        unwanted.push_back(shard);
  }
  if (unwanted.empty())
    return;
  for (const auto shard : unwanted)
    held_.erase(shard);
  spdlog::info("leases: shards {} given up", ranges_text(unwanted));
  release(unwanted);
}

void postgres_lease_keeper::release(const std::vector<shard_number>& shards) {
  const auto released = db_->query(
    release_leases, parameters::of(to_array(shards), options_.owner), query_deadline());
  if (!released)
    spdlog::warn("leases: release failed, they will expire: {}", released.error().detail);
}

// -- taking over ------------------------------------------------------------------------------

void postgres_lease_keeper::take_missing() {
  std::vector<shard_number> missing;
  {
    const std::scoped_lock lock{mutex_};
    for (const auto shard : again_)
      held_.erase(shard);
    again_.clear();
    for (const auto shard : wanted_)
      if (!held_.contains(shard))
        missing.push_back(shard);
  }
  if (missing.empty() || db_->failed())
    return;
  const auto asked = std::chrono::steady_clock::now();
  auto taken = take_over(missing, query_deadline());
  if (!taken) {
    spdlog::warn("leases: take-over failed: {}", taken.error().detail);
    roll_back();
    end_holders(missing);
    // At once, if it was the owner before that stood in the way.
    const bool waited = std::chrono::steady_clock::now() - asked >= limits::take_over_wait_max;
    const std::scoped_lock lock{mutex_};
    asked_ = asked_ || waited;
    return;
  }
  shard_epochs ours;
  for (const auto& shard : *taken)
    ours.emplace(shard.shard, shard.epoch);
  if (!ours.empty())
    spdlog::info("leases: {}", line_of(ours, "taken"));
  for (auto& shard : *taken) {
    held_[shard.shard] = {shard.epoch, serve_until(asked)};
    events_.acquired(std::move(shard));
  }
}

expected<std::vector<acquired_shard>> postgres_lease_keeper::take_over(
  const std::vector<shard_number>& shards, steady_time deadline) {
  const auto wait_ms = std::to_string(limits::take_over_wait_max.count());
  if (auto begun = db_->script("begin; set local lock_timeout = " + wait_ms, deadline); !begun)
    return begun.error();
  const auto takeable =
    db_->query(lock_takeable, parameters::of(to_array(shards), options_.owner), deadline);
  if (!takeable)
    return takeable.error();
  std::vector<shard_number> mine;
  for (int i = 0; i < takeable->rows(); ++i)
    mine.push_back(row{*takeable, i}.shard());
  std::vector<acquired_shard> taken;
  if (!mine.empty()) {
    const auto raised = db_->query(raise_epochs, parameters::of(to_array(mine)), deadline);
    if (!raised)
      return raised.error();
    for (int i = 0; i < raised->rows(); ++i) {
      row from{*raised, i};
      const auto shard = from.shard();
      const epoch_number epoch{from.int8()};
      const sequence_number last_seq{from.int8()};
      taken.push_back({shard, epoch, last_seq, std::string{from.bytes()}});
    }
    const auto set =
      db_->query(take_leases,
                 parameters::of(to_array(mine), options_.owner, options_.lease.count(),
                                pids(options_.writer_pid())),
                 deadline);
    if (!set)
      return set.error();
  }
  // An unanswered commit may have taken them: ours by name, they are taken again next time.
  if (auto done = db_->script("commit", deadline); !done)
    return done.error();
  return taken;
}

void postgres_lease_keeper::roll_back() {
  if (!db_->failed())
    static_cast<void>(db_->script("rollback", query_deadline()));
}

void postgres_lease_keeper::end_holders(const std::vector<shard_number>& shards) {
  if (db_->failed())
    return;
  const auto ended =
    db_->query(end_holders_of,
               parameters::of(to_array(shards), options_.owner, pids(options_.writer_pid())),
               query_deadline());
  if (!ended)
    spdlog::warn("leases: cannot end the owner before: {}", ended.error().detail);
  else if (ended->rows() > 0)
    spdlog::warn("leases: ended {} transactions of owners before", ended->rows());
}

void postgres_lease_keeper::read_rows() {
  if (db_->failed())
    return;
  const auto found = db_->query(list_leases, {}, query_deadline());
  if (!found)
    return;
  std::vector<lease_row> rows;
  for (int i = 0; i < found->rows(); ++i) {
    row from{*found, i};
    lease_row lease;
    lease.shard = from.shard();
    lease.owner = from.text();
    lease.epoch = epoch_number{from.int8()};
    lease.lease_until = from.time();
    rows.push_back(std::move(lease));
  }
  const std::scoped_lock lock{mutex_};
  rows_ = std::move(rows);
}

} // namespace holdfast::storage
