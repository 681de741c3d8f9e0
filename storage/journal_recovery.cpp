// How the journal's writer gets its connection back, and when it gives up.
#include "messages/limits.hpp"
#include "storage/journal_writer.hpp"

#include <spdlog/spdlog.h>

namespace holdfast::storage {

namespace {

/// Plans are made once, without looking at values; and never by scanning a table that may have
/// been small when the plan was made.
constexpr const char* session_settings =
  "set plan_cache_mode = force_generic_plan; set enable_seqscan = off";

constexpr sql end_backend{"journal_end_backend",
                          "select pg_terminate_backend(pid) from pg_stat_activity "
                          "where pid = $1 and application_name = $2"};

} // namespace

bool journal_writer::ensure_connected() {
  while (db_ == nullptr || db_->failed()) {
    const auto connected = try_connect();
    if (connected)
      return true;
    if (!trouble_since_)
      spdlog::warn("journal: no connection: {}", connected.error().detail);
    if (!pause())
      return false;
  }
  return true;
}

expected<void> journal_writer::try_connect() {
  drop_connection();
  const auto now = std::chrono::steady_clock::now();
  const auto since = trouble_since_.value_or(now);
  const auto deadline = std::min(since + limits::journal_recovery_time_max, stop_at_);
  const auto purpose = "journal " + node_;
  auto opened = connection::open(url_, purpose, deadline, session_settings);
  if (!opened)
    return opened.error();
  for (const auto statements : {journal_frame_statements(), journal_statements()})
    for (const auto* statement : statements)
      if (auto ready = (*opened)->prepare(*statement, deadline); !ready)
        return ready.error();
  end_old_backend(**opened, deadline);
  db_ = std::move(*opened);
  backend_pid_ = db_->backend_pid();
  return {};
}

/// The connection before may live on at the server, half-way through a transaction, with locks.
void journal_writer::end_old_backend(connection& db, steady_time deadline) {
  if (old_backend_ == 0)
    return;
  const auto application = "holdfast journal " + node_;
  if (db.query(end_backend, parameters::of(std::int32_t{old_backend_}, application), deadline))
    old_backend_ = 0;
}

void journal_writer::drop_connection() {
  if (db_ == nullptr)
    return;
  old_backend_ = db_->backend_pid();
  backend_pid_ = 0;
  db_.reset();
}

/// Waits a little longer each time. False: it has taken too long in all.
bool journal_writer::pause() {
  const auto now = std::chrono::steady_clock::now();
  if (!trouble_since_)
    trouble_since_ = now;
  const auto give_up_at =
    std::min(*trouble_since_ + limits::journal_recovery_time_max, stop_at_);
  if (now >= give_up_at)
    return false;
  pause_ = std::clamp(pause_ * 2, limits::reconnect_pause_min, limits::reconnect_pause_max);
  const auto until = std::min(now + pause_, give_up_at);
  while (std::chrono::steady_clock::now() < until) {
    queue_.wait(until);
    refill();
  }
  return true;
}

void journal_writer::recovered() {
  trouble_since_.reset();
  pause_ = milliseconds{0};
}

/// Of these, the ones that are open.
void journal_writer::lose_shards(const std::set<shard_number>& shards,
                                 const std::string& reason) {
  std::vector<std::pair<shard_number, epoch_number>> losses;
  std::vector<shard_number> numbers;
  for (const auto shard : shards) {
    const auto open = open_.find(shard);
    if (open == open_.end())
      continue;
    losses.emplace_back(shard, open->second.epoch);
    numbers.push_back(shard);
    open_.erase(open);
  }
  if (losses.empty())
    return;
  spdlog::warn("journal: shards {} lost: {}", ranges_text(numbers), reason);
  shard_lost_callback lost;
  {
    const std::scoped_lock lock{mutex_};
    lost = lost_;
  }
  if (!lost)
    return;
  for (const auto& [shard, epoch] : losses)
    lost(shard, epoch, reason);
}

/// Ends everything that waits. Shards that are opened later begin anew.
void journal_writer::give_up() {
  refill();
  std::deque<journal_entry> kept;
  for (auto& entry : backlog_) {
    if (auto* queued = std::get_if<queued_write>(&entry))
      finish(*queued, {write_result::kind::lost, {}, {}, "the database is out of reach"});
    else if (auto* unit = std::get_if<queued_unit>(&entry))
      unit->work->finish(make_error(errc::unknown_outcome, "the database is out of reach"));
    else
      kept.push_back(std::move(entry));
  }
  backlog_ = std::move(kept);
  std::set<shard_number> all;
  for (const auto& [shard, head] : open_)
    all.insert(shard);
  lose_shards(all, "the database is out of reach");
  recovered();
}

} // namespace holdfast::storage
