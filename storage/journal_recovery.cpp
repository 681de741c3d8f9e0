// How the journal's writer gets its connection back, and when it gives up.
#include "messages/limits.hpp"
#include "storage/journal_writer.hpp"
#include "storage/schema.hpp"

#include <spdlog/spdlog.h>

namespace holdfast::storage {

namespace {

/// Plans are made once, without looking at values; and never by scanning a table that may have
/// been small when the plan was made.
constexpr const char* session_settings =
  "set plan_cache_mode = force_generic_plan; set enable_seqscan = off";

constexpr sql end_backend{"journal_end_backend",
                          "select pg_terminate_backend(pid) from pg_stat_activity "
                          "where pid = $1 and application_name = $2 "
                          "and pid <> pg_backend_pid()"};

constexpr sql read_heads{"journal_read_heads",
                         "select shard_id, epoch, last_seq, chain from shard "
                         "where shard_id = any($1::int2[])"};

} // namespace

bool journal_writer::ensure_connected() {
  while (db_ == nullptr || db_->failed() || turn_ != options_.turns->load()) {
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
  const bool is_first = db_ == nullptr && old_backend_ == 0;
  drop_connection();
  const auto now = std::chrono::steady_clock::now();
  const auto since = trouble_since_.value_or(now);
  const auto deadline = std::min(since + limits::journal_recovery_time_max, stop_at_);
  const auto turn = options_.turns->load();
  const auto purpose = "journal " + options_.node;
  // Once it is known that we stop, the deadline is near, and what waits deserves an attempt.
  const auto* const unwanted = stop_at_ == steady_time::max() ? &leaving_ : nullptr;
  auto opened = connection::open(options_.url, purpose, deadline, session_settings,
                                 options_.timeline->load(), unwanted);
  if (!opened)
    return opened.error();
  if (auto same = check_identity(**opened, options_.identity, schema_rule::same_or_newer,
                                 *options_.timeline, deadline);
      !same)
    return same.error();
  for (const auto statements : {journal_frame_statements(), journal_statements()})
    for (const auto* statement : statements)
      if (auto ready = (*opened)->prepare(*statement, deadline); !ready)
        return ready.error();
  end_old_backend(**opened, deadline);
  if (auto checked = check_heads(**opened, deadline); !checked)
    return checked.error();
  db_ = std::move(*opened);
  backend_pid_ = db_->backend_pid();
  const bool is_news = !is_first && turn == turn_;
  turn_ = turn;
  // Unless the keeper has met another server meanwhile, the next turn is this connection's.
  if (auto last = turn; is_news && options_.turns->compare_exchange_strong(last, turn + 1))
    turn_ = turn + 1;
  return {};
}

/// Behind a new connection there may be another server: a standby that has been promoted. What
/// it has of the open shards must be all that we know of, or they are not ours to write to.
expected<void> journal_writer::check_heads(connection& db, steady_time deadline) {
  if (open_.empty())
    return {};
  // Before the look: what another owner commits after it is no fault of the server's.
  std::map<shard_number, sequence_number> known;
  array_of<std::int16_t> shards;
  for (const auto& [shard, head] : open_) {
    known[shard] = std::max(head.last_seq, options_.marks->known(shard));
    shards.add(static_cast<std::int16_t>(shard.value));
  }
  const auto found = db.query(read_heads, parameters::of(std::move(shards)), deadline);
  if (!found)
    return found.error();
  std::set<shard_number> moved;
  for (int i = 0; i < found->rows(); ++i) {
    row from{*found, i};
    const auto shard = from.shard();
    const auto& ours = open_.at(shard);
    const epoch_number epoch{from.int8()};
    const sequence_number has{from.int8()};
    const auto chain = from.bytes();
    // As long as ours and yet another: what others acknowledged has taken the place of ours.
    const bool is_another = epoch == ours.epoch && has == ours.last_seq && chain != ours.chain;
    if (is_another)
      options_.marks->note_lost(shard);
    if (has < known.at(shard) || is_another)
      lose_behind(shard, has, known.at(shard));
    else if (epoch != ours.epoch)
      moved.insert(shard);
  }
  lose_shards(moved, "another owner has taken the shard");
  return {};
}

void journal_writer::lose_behind(shard_number shard, sequence_number has,
                                 sequence_number known) {
  options_.marks->note_behind(shard, has);
  spdlog::error(
    "journal: shard {} is behind: the database has its log up to {}, but events up to {} were "
    "acknowledged: a standby that lacked them has been promoted. This node does not serve the "
    "shard. Find the server that has them, or accept the loss: docs/cluster.md, \"A "
    "standby that was behind\".",
    shard.value, has.value, known.value);
  lose_shards({shard}, "the database lacks acknowledged events");
}

/// The connection before may live on at the server, half-way through a transaction, with locks.
void journal_writer::end_old_backend(connection& db, steady_time deadline) {
  if (old_backend_ == 0)
    return;
  const auto application = "holdfast journal " + options_.node;
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
    if (auto* queued = std::get_if<queued_write_ptr>(&entry))
      finish(**queued, {write_result::kind::lost, {}, {}, "the database is out of reach"});
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
