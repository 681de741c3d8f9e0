// The lease keeper's rounds, and what in them is about other nodes than ours.
#include "messages/limits.hpp"
#include "messages/thread_name.hpp"
#include "storage/membership.hpp"
#include "storage/postgres_leases.hpp"
#include "storage/retention_sweep.hpp"
#include "storage/schema.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace holdfast::storage {

namespace {

/// Whoever holds it sweeps this database.
constexpr const char* retention = "retention";

} // namespace

void postgres_lease_keeper::work() {
  name_this_thread("leases");
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
    next = next_round();
  }
}

/// Earlier when a lease runs out before: being late there is what must not happen. A connection
/// that is lost is tried for several times before what is held runs out.
steady_time postgres_lease_keeper::next_round() const {
  const auto now = std::chrono::steady_clock::now();
  const bool lost = db_ == nullptr || db_->failed();
  auto next = std::min(now + options_.lease / (lost ? 12 : 3), look_at_);
  if (const auto renewal = renewed_ + options_.lease / 3; renewal > now)
    next = std::min(next, renewal);
  for (const auto& [shard, lease] : held_)
    next = std::min(next, lease.serve_until);
  for (const auto& [name, until] : singletons_)
    next = std::min(next, until);
  if (singletons_.contains(retention))
    next = std::min(next, sweep_at_);
  return next;
}

void postgres_lease_keeper::round() {
  const bool releasing = [this] {
    const std::scoped_lock lock{mutex_};
    return releasing_;
  }();
  look_at_ = steady_time::max();
  report_lost();
  expire();
  if (!superseded_ && connected())
    round_with_database(releasing);
  else
    refuse_pins();
  expire();
  if (releasing) {
    held_.clear(); // What could not be released runs out by itself.
    const std::scoped_lock lock{mutex_};
    releasing_ = false;
  }
  changed_.notify_all();
}

/// First we say that we live, or hear that we should not: a namesake's shards are not taken.
void postgres_lease_keeper::round_with_database(bool releasing) {
  if (releasing)
    return release_everything();
  introduce_ourselves();
  if (superseded_ || db_->failed())
    return;
  renew();
  expire();
  release_finished();
  give_up_unwanted();
  take_missing();
  keep_singletons();
  obey_pins();
  look();
  sweep();
}

// -- the connection ---------------------------------------------------------------------------

bool postgres_lease_keeper::connected() {
  // The server that we hang on may have been replaced, alive as it is.
  if (db_ != nullptr && !db_->failed() && !is_outdated(*db_, *options_.timeline))
    return true;
  db_.reset();
  // Whoever leaves connects once more if there is something to release, and never otherwise.
  const bool leaves = leaving_.is_signalled();
  if (leaves && held_.empty())
    return false;
  const auto deadline = query_deadline();
  auto opened = connection::open(options_.url, "leases " + options_.owner, deadline, nullptr,
                                 options_.timeline->load(), leaves ? nullptr : &leaving_);
  if (!opened) {
    if (!leaving_.is_signalled())
      complain(opened.error());
    return false;
  }
  if (const auto fits = check_identity(**opened, options_.identity, schema_rule::same_or_newer,
                                       *options_.timeline, deadline);
      !fits) {
    complain(fits.error());
    return false;
  }
  if (!trouble_.empty())
    spdlog::info("leases: connected again");
  trouble_.clear();
  db_ = std::move(*opened);
  if (options_.connected)
    options_.connected();
  return true;
}

/// Once, for as long as it is the same.
void postgres_lease_keeper::complain(const error& trouble) {
  if (trouble.detail == trouble_)
    return;
  trouble_ = trouble.detail;
  const auto& [first, last] = options_.identity.range;
  if (trouble.code == errc::unavailable)
    spdlog::warn("leases: no connection to the database of shards {}-{}: {}", first.value,
                 last.value, trouble_);
  else
    spdlog::error("leases: the database of shards {}-{} is not used: {}", first.value,
                  last.value, trouble_);
}

lease_context postgres_lease_keeper::context() {
  return {*db_, options_.owner, options_.lease, options_.writer_pid(), query_deadline()};
}

// -- who we are -------------------------------------------------------------------------------

/// Of the last introduction; empty before the first one.
std::string postgres_lease_keeper::incarnation() const {
  const std::scoped_lock lock{mutex_};
  return card_ ? card_->incarnation : std::string{};
}

void postgres_lease_keeper::introduce_ourselves() {
  std::optional<node_card> card;
  {
    const std::scoped_lock lock{mutex_};
    card = card_;
  }
  if (!card)
    return;
  if (!started_at_) {
    const auto told = database_time_of(context(), started_);
    if (!told)
      return spdlog::warn("leases: can't say that this node lives: {}", told.error().detail);
    started_at_ = *told;
  }
  const auto younger = introduce_node(context(), *card, *started_at_);
  if (!younger)
    spdlog::warn("leases: can't say that this node lives: {}", younger.error().detail);
  else if (*younger)
    step_down(**younger);
}

/// Nothing is released: what was ours by name is the other's.
void postgres_lease_keeper::step_down(const std::string& other_incarnation) {
  superseded_ = true;
  spdlog::error(
    "leases: another process runs as node \"{}\", and is younger: this one ends "
    "its service. Each node needs a name of its own (node.id)",
    options_.owner);
  shard_epochs all;
  for (const auto& [shard, lease] : held_)
    all.emplace(shard, lease.epoch);
  lose(all);
  set_singletons({});
  if (events_.superseded)
    events_.superseded(other_incarnation);
}

// -- what runs once ---------------------------------------------------------------------------

void postgres_lease_keeper::keep_singletons() {
  std::vector<std::string> wanted;
  {
    const std::scoped_lock lock{mutex_};
    wanted = wanted_singletons_;
  }
  if (db_->failed())
    return;
  std::map<std::string, steady_time> ours;
  if (!wanted.empty()) {
    const auto asked = std::chrono::steady_clock::now();
    const auto held = hold_singletons(context(), incarnation(), wanted);
    if (!held) {
      spdlog::warn("leases: singletons can't be held: {}", held.error().detail);
      return;
    }
    for (const auto& name : *held)
      ours.emplace(name, serve_until(asked));
  }
  set_singletons(std::move(ours));
}

void postgres_lease_keeper::set_singletons(std::map<std::string, steady_time> held) {
  std::vector<std::string> names;
  for (const auto& [name, until] : held)
    names.push_back(name);
  const bool changed =
    !std::ranges::equal(names, singletons_, {}, {}, [](const auto& one) { return one.first; });
  singletons_ = std::move(held);
  if (changed && events_.singletons)
    events_.singletons(names);
}

/// After everything else, and within what is left until the next renewal.
void postgres_lease_keeper::sweep() {
  const auto now = std::chrono::steady_clock::now();
  if (!singletons_.contains(retention) || now < sweep_at_ || db_->failed())
    return;
  const auto more = sweep_portion(*db_, options_.lease, query_deadline());
  if (!more)
    spdlog::warn("retention: a sweep failed: {}", more.error().detail);
  const bool soon = more && *more;
  sweep_at_ = now + (soon ? limits::retention_sweep_again : limits::retention_sweep_pause);
}

// -- orders -----------------------------------------------------------------------------------

void postgres_lease_keeper::obey_pins() {
  std::deque<pin_order> orders;
  {
    const std::scoped_lock lock{mutex_};
    orders.swap(pins_);
  }
  for (const auto& order : orders)
    order.done(pin_shards(context(), order.shards, order.node));
}

/// When there is no database to obey them in.
void postgres_lease_keeper::refuse_pins() {
  std::deque<pin_order> orders;
  {
    const std::scoped_lock lock{mutex_};
    orders.swap(pins_);
  }
  for (const auto& order : orders)
    order.done(make_error(errc::unavailable, "the database is out of reach"));
}

// -- looking ----------------------------------------------------------------------------------

/// All rows, each time: that costs less than renewing them, and nothing has to be known of what
/// may have changed.
void postgres_lease_keeper::look() {
  if (db_->failed())
    return;
  auto nodes = read_nodes(context());
  if (!nodes)
    return;
  // Before the look: what is acknowledged after it is no fault of the log's.
  const auto known = known_marks();
  auto leases = read_leases(context());
  if (!leases)
    return;
  judge_logs(*leases, known);
  cluster_view view{std::move(*nodes), std::move(*leases)};
  look_at_ = first_end_that_matters(view, std::chrono::steady_clock::now());
  {
    const std::scoped_lock lock{mutex_};
    view_ = view;
  }
  if (events_.seen)
    events_.seen(view);
}

std::map<shard_number, sequence_number> postgres_lease_keeper::known_marks() const {
  std::map<shard_number, sequence_number> known;
  for (const auto& [shard, lease] : held_)
    known.emplace(shard, options_.marks->known(shard));
  for (const auto shard : behind_)
    known.emplace(shard, options_.marks->known(shard));
  return known;
}

/// A server may lose what it had while a shard is held, or turn out to be another; and one that
/// seemed behind next to what a peer said of it may be followed by the right one.
void postgres_lease_keeper::judge_logs(const std::vector<lease_row>& leases,
                                       const std::map<shard_number, sequence_number>& known) {
  shard_epochs lost;
  std::vector<take_over_end::behind_shard> behind;
  for (const auto& row : leases) {
    const auto mark = known.find(row.shard);
    if (mark == known.end())
      continue;
    const auto lease = held_.find(row.shard);
    if (row.last_seq >= mark->second) {
      options_.marks->note_whole(row.shard);
      if (!options_.marks->is_behind(row.shard))
        behind_.erase(row.shard);
    } else if (lease != held_.end()) {
      lost.emplace(row.shard, lease->second.epoch);
      behind.push_back({row.shard, row.last_seq, mark->second});
    }
  }
  lose(lost);
  refuse_behind(behind, "is behind, and not served any more");
}

/// When the first lease on a shard that we want, or the first node, is due to be over; so a
/// fail-over takes as long as the lease, and not a round more. One that has ended since the
/// look before may have done so just after this round tried to take the shard: then there is
/// another round at once.
steady_time postgres_lease_keeper::first_end_that_matters(const cluster_view& view,
                                                          steady_time read) const {
  auto first = milliseconds::max();
  for (const auto& node : view.nodes)
    if (node.alive_for > milliseconds{0} && node.card.id != options_.owner)
      first = std::min(first, node.alive_for);
  const std::scoped_lock lock{mutex_};
  for (const auto shard : wanted_) {
    if (held_.contains(shard) || !options_.identity.range.contains(shard))
      continue;
    const auto index =
      static_cast<std::size_t>(shard.value - options_.identity.range.first.value);
    if (index >= view.leases.size())
      continue;
    const bool ran = index < view_.leases.size() && view_.leases[index].left > milliseconds{0};
    if (const auto left = view.leases[index].left; ran || left > milliseconds{0})
      first = std::min(first, std::max(left, milliseconds{0}));
  }
  return first == milliseconds::max() ? steady_time::max()
                                      : read + first + limits::lease_look_after_end;
}

} // namespace holdfast::storage
