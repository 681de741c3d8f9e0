#include "storage/postgres_leases.hpp"

#include "messages/assert.hpp"
#include "messages/limits.hpp"
#include "storage/membership.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace holdfast::storage {

namespace {

std::vector<shard_number> numbers_of(const shard_epochs& shards) {
  std::vector<shard_number> numbers;
  for (const auto& [shard, epoch] : shards)
    numbers.push_back(shard);
  return numbers;
}

/// "shards 0-31 taken, epochs 7": a line for all, since they come and go together.
std::string line_of(const shard_epochs& shards, std::string_view fate) {
  auto lowest = shards.begin()->second;
  auto highest = lowest;
  for (const auto& [shard, epoch] : shards) {
    lowest = std::min(lowest, epoch);
    highest = std::max(highest, epoch);
  }
  auto line = "shards " + ranges_text(numbers_of(shards)) + ' ' + std::string{fate}
              + ", epochs " + std::to_string(lowest.value);
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
  leaving_.signal();
  changed_.notify_all();
  if (thread_.joinable())
    thread_.join();
  refuse_pins();
}

// -- from any thread --------------------------------------------------------------------------

/// Changes what is shared, and has a round follow.
void postgres_lease_keeper::ask(const std::function<void()>& change) {
  {
    const std::scoped_lock lock{mutex_};
    change();
    asked_ = true;
  }
  changed_.notify_all();
}

void postgres_lease_keeper::want(std::vector<shard_number> shards) {
  ask([&] { wanted_ = {shards.begin(), shards.end()}; });
}

void postgres_lease_keeper::want_singletons(std::vector<std::string> names) {
  ask([&] { wanted_singletons_ = std::move(names); });
}

void postgres_lease_keeper::released(shard_number shard, epoch_number epoch) {
  ask([&] { finished_.emplace_back(shard, epoch); });
}

void postgres_lease_keeper::reacquire(shard_number shard) {
  ask([&] { again_.insert(shard); });
}

void postgres_lease_keeper::introduce(node_card card) {
  HF_ASSERT(card.id == options_.owner);
  ask([&] { card_ = std::move(card); });
}

void postgres_lease_keeper::look_again() {
  ask([] {});
}

void postgres_lease_keeper::pin(shard_range shards, std::string node,
                                std::function<void(expected<void>)> done) {
  const auto& ours = options_.identity.range;
  if (shards.first > shards.last || !ours.contains(shards.first) || !ours.contains(shards.last))
    return done(make_error(errc::invalid_argument, "the shards are not all of one database"));
  bool full = false;
  bool stopped = false;
  ask([&] {
    full = pins_.size() >= limits::pin_orders_max;
    stopped = stopping_;
    if (!full && !stopped)
      pins_.push_back({shards, std::move(node), done});
  });
  if (stopped)
    done(make_error(errc::unavailable, "the node stops"));
  else if (full)
    done(make_error(errc::overloaded, "too many orders to pin shards wait"));
}

void postgres_lease_keeper::release_all() {
  std::unique_lock lock{mutex_};
  wanted_.clear();
  wanted_singletons_.clear();
  releasing_ = true;
  asked_ = true;
  leaving_.signal();
  changed_.notify_all();
  changed_.wait_for(lock, limits::query_time_max, [this] { return !releasing_; });
}

cluster_view postgres_lease_keeper::snapshot() const {
  const std::scoped_lock lock{mutex_};
  return view_;
}

void postgres_lease_keeper::journal_lost(shard_number shard, epoch_number epoch) {
  ask([&] { journal_losses_.emplace_back(shard, epoch); });
}

// -- what ends --------------------------------------------------------------------------------

void postgres_lease_keeper::report_lost() {
  losses told;
  {
    const std::scoped_lock lock{mutex_};
    told.swap(journal_losses_);
  }
  // A lease is held in the latest epoch, if at all.
  shard_epochs latest;
  for (const auto& [shard, epoch] : told)
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
  auto singletons = singletons_;
  std::erase_if(singletons, [now](const auto& one) { return one.second <= now; });
  set_singletons(std::move(singletons));
}

/// Of these, the ones that are still held in that epoch.
void postgres_lease_keeper::lose(const shard_epochs& these) {
  shard_epochs lost;
  for (const auto& [shard, epoch] : these) {
    const auto lease = held_.find(shard);
    if (lease == held_.end() || lease->second.epoch != epoch)
      continue;
    held_.erase(lease);
    lost.emplace(shard, epoch);
  }
  if (lost.empty())
    return;
  spdlog::warn("leases: {}", line_of(lost, "lost"));
  if (!events_.lost)
    return;
  for (const auto& [shard, epoch] : lost)
    events_.lost(shard, epoch);
}

/// No query may keep us from noticing that a lease has run out.
steady_time postgres_lease_keeper::query_deadline() const {
  auto deadline = std::chrono::steady_clock::now() + limits::query_time_max;
  for (const auto& [shard, lease] : held_)
    deadline = std::min(deadline, lease.serve_until);
  for (const auto& [name, until] : singletons_)
    deadline = std::min(deadline, until);
  return deadline;
}

/// The margin, a fifth of the lease, is what an owner has to stop serving before a successor
/// can begin.
steady_time postgres_lease_keeper::serve_until(steady_time asked) const {
  return asked + options_.lease - options_.lease / 5;
}

/// Rounds that were asked for may follow each other closely; a lease lasts longer.
void postgres_lease_keeper::renew() {
  const auto asked = std::chrono::steady_clock::now();
  if (held_.empty() || asked - renewed_ < options_.lease / 6)
    return;
  shard_epochs gone;
  for (const auto& [shard, lease] : held_)
    gone.emplace(shard, lease.epoch);
  const auto renewed = renew_leases(context(), gone);
  if (!renewed) {
    spdlog::warn("leases: renewal failed: {}", renewed.error().detail);
    return;
  }
  renewed_ = asked;
  for (const auto shard : *renewed) {
    held_.at(shard).serve_until = serve_until(asked);
    gone.erase(shard);
  }
  lose(gone);
}

// -- giving up --------------------------------------------------------------------------------

void postgres_lease_keeper::release_finished() {
  losses finished;
  {
    const std::scoped_lock lock{mutex_};
    finished.swap(finished_);
  }
  shard_epochs free;
  for (const auto& [shard, epoch] : finished) {
    const auto lease = held_.find(shard);
    if (lease != held_.end() && lease->second.epoch == epoch)
      free.emplace(shard, epoch);
  }
  let_go(free);
}

void postgres_lease_keeper::give_up_unwanted() {
  shard_epochs unwanted;
  {
    const std::scoped_lock lock{mutex_};
    for (auto& [shard, lease] : held_)
      if (!lease.given_up && !wanted_.contains(shard)) {
        lease.given_up = true;
        unwanted.emplace(shard, lease.epoch);
      }
  }
  if (!events_.give_up)
    return let_go(unwanted);
  for (const auto& [shard, epoch] : unwanted)
    events_.give_up(shard, epoch);
}

void postgres_lease_keeper::release_everything() {
  shard_epochs all;
  for (const auto& [shard, lease] : held_)
    all.emplace(shard, lease.epoch);
  let_go(all);
  const auto ours = incarnation();
  {
    const std::scoped_lock lock{mutex_};
    card_.reset();
  }
  if (const auto buried = bury_node(context(), ours); !buried)
    spdlog::warn("leases: the others will find out: {}", buried.error().detail);
  set_singletons({});
}

/// Of held ones, without a word: whoever served them knows.
void postgres_lease_keeper::let_go(const shard_epochs& shards) {
  if (shards.empty())
    return;
  for (const auto& [shard, epoch] : shards)
    held_.erase(shard);
  spdlog::info("leases: {}", line_of(shards, "given up"));
  if (const auto freed = free_leases(context(), shards); !freed)
    spdlog::warn("leases: release failed, they will expire: {}", freed.error().detail);
}

// -- taking over ------------------------------------------------------------------------------

/// Those that are to be taken again and are not wanted any more become free.
std::vector<shard_number> postgres_lease_keeper::missing_shards() {
  std::vector<shard_number> missing;
  shard_epochs done_with;
  {
    const std::scoped_lock lock{mutex_};
    for (const auto shard : again_) {
      const auto lease = held_.find(shard);
      if (lease == held_.end())
        continue;
      if (wanted_.contains(shard))
        held_.erase(lease);
      else
        done_with.emplace(shard, lease->second.epoch);
    }
    again_.clear();
    for (const auto shard : wanted_)
      if (!held_.contains(shard))
        missing.push_back(shard);
  }
  let_go(done_with);
  return missing;
}

void postgres_lease_keeper::take_missing() {
  const auto missing = missing_shards();
  if (missing.empty() || db_->failed())
    return;
  const auto asked = std::chrono::steady_clock::now();
  auto end = take_over(context(), missing, *options_.marks);
  if (!end) {
    spdlog::warn("leases: take-over failed: {}", end.error().detail);
    roll_back(context());
    end_owners_before(missing, asked);
    return;
  }
  adopt(std::move(end->taken), asked);
  refuse_behind(end->behind, "is not taken");
}

void postgres_lease_keeper::end_owners_before(const std::vector<shard_number>& shards,
                                              steady_time since) {
  if (db_->failed())
    return;
  const auto ended = end_holders(context(), shards);
  if (!ended)
    spdlog::warn("leases: cannot end the owner before: {}", ended.error().detail);
  else if (*ended > 0)
    spdlog::warn("leases: ended {} transactions of owners before", *ended);
  // At once, if it was the owner before that stood in the way.
  const bool waited =
    std::chrono::steady_clock::now() - since >= take_over_wait(options_.lease);
  const std::scoped_lock lock{mutex_};
  asked_ = asked_ || waited;
}

void postgres_lease_keeper::adopt(std::vector<acquired_shard> taken, steady_time asked) {
  if (taken.empty())
    return;
  shard_epochs ours;
  for (const auto& shard : taken)
    ours.emplace(shard.shard, shard.epoch);
  spdlog::info("leases: {}", line_of(ours, "taken"));
  for (auto& shard : taken) {
    held_[shard.shard] = {shard.epoch, serve_until(asked)};
    options_.marks->note_seen(shard.shard, shard.last_seq);
    if (events_.acquired)
      events_.acquired(std::move(shard));
  }
}

void postgres_lease_keeper::refuse_behind(
  const std::vector<take_over_end::behind_shard>& shards, std::string_view fate) {
  for (const auto& [shard, has, known] : shards) {
    options_.marks->note_behind(shard, has);
    if (!behind_.insert(shard).second)
      continue;
    spdlog::error(
      "leases: shard {} {}: its log ends at event {}, and {} were "
      "acknowledged; the database has lost some of them",
      shard.value, fate, has.value, known.value);
    if (events_.behind)
      events_.behind(shard, has, known);
  }
}

} // namespace holdfast::storage
