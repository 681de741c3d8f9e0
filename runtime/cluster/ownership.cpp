#include "runtime/cluster/ownership.hpp"

#include "actors/caf.hpp"
#include "actors/protocol.hpp"
#include "actors/supervisor/actor.hpp"
#include "messages/limits.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::cluster {

namespace {

/// The keeper's own name for what it sweeps itself while it holds it.
constexpr const char* retention_singleton = "retention";

bool lives(const storage::node_row& node) {
  return node.alive_for > milliseconds{0};
}

std::vector<shard_number> all_shards(std::uint16_t count) {
  std::vector<shard_number> all;
  for (std::uint16_t shard = 0; shard < count; ++shard)
    all.push_back({shard});
  return all;
}

} // namespace

ownership::ownership(ownership_plan plan) : plan_(std::move(plan)), heirs_(plan_.env->layout) {}

ownership::~ownership() {
  end();
}

void ownership::begin(storage::database& from, caf::actor supervisor, links::port* others,
                      storage::node_card self) {
  supervisor_ = std::move(supervisor);
  others_ = others;
  self_ = std::move(self);
  auto keeper = from.keep_leases(events());
  const std::lock_guard guard{mutex_};
  keeper_ = std::move(keeper);
  if (!plan_.is_alone)
    return keeper_->introduce(card());
  admit();
  want(self_.serves_shards ? all_shards(plan_.env->layout.count())
                           : std::vector<shard_number>{});
}

/// From now on the others count on this node.
void ownership::admit() {
  admitted_ = true;
  keeper_->introduce(card());
  if (self_.serves_shards)
    keeper_->want_singletons({actors::orphans_singleton, retention_singleton});
}

/// As the others should see this node now.
storage::node_card ownership::card() const {
  auto card = self_;
  card.serves_shards = self_.serves_shards && admitted_;
  card.draining = draining_;
  return card;
}

storage::lease_events ownership::events() {
  storage::lease_events heard;
  heard.acquired = [this](storage::acquired_shard got) { on_acquired(std::move(got)); };
  heard.lost = [this](shard_number shard, epoch_number epoch) { on_lost(shard, epoch); };
  heard.give_up = [this](shard_number shard, epoch_number epoch) { on_give_up(shard, epoch); };
  heard.seen = [this](const storage::cluster_view& seen) { on_seen(seen); };
  heard.singletons = [to = supervisor_](const std::vector<std::string>& names) {
    actors::tell(to, actors::singletons_held{names});
  };
  heard.superseded = [this](const std::string& other) {
    plan_.superseded("another process runs as node \"" + plan_.node + "\" (" + other
                     + ") and is younger; each node needs a name of its own");
  };
  heard.behind = [this](shard_number shard, sequence_number has, sequence_number known) {
    on_behind(shard, has, known);
  };
  return heard;
}

// -- our own shards
// -----------------------------------------------------------------------------------

void ownership::on_acquired(storage::acquired_shard got) {
  const auto shard = got.shard;
  const auto epoch = got.epoch;
  {
    const std::lock_guard guard{mutex_};
    held_[shard] = epoch;
    behind_.erase(shard); // Its database has what it lacked.
    leaving_.erase(shard);
  }
  actors::tell(supervisor_, actors::shard_acquired{std::move(got)});
  plan_.table->learn(shard, plan_.node, epoch);
}

void ownership::on_lost(shard_number shard, epoch_number epoch) {
  {
    const std::lock_guard guard{mutex_};
    ++leases_lost_;
    held_.erase(shard);
    leaving_.erase(shard);
    changed_.notify_all();
  }
  actors::tell(supervisor_,
               actors::shard_lost{shard, epoch, "its lease or its writer is gone"});
}

void ownership::on_give_up(shard_number shard, epoch_number epoch) {
  {
    const std::lock_guard guard{mutex_};
    leaving_[shard] = {epoch, plan_.env->now()};
  }
  actors::tell(supervisor_, actors::give_up_shard{shard, epoch});
}

void ownership::released(shard_number shard, epoch_number epoch) {
  const std::lock_guard guard{mutex_};
  if (const auto leaves = leaving_.find(shard);
      leaves != leaving_.end() && leaves->second.epoch == epoch)
    leaves->second.is_free = true;
  if (keeper_)
    keeper_->released(shard, epoch);
}

/// The keeper lets go of it, and tells us if it has taken it again.
void ownership::reacquire(shard_number shard) {
  const std::lock_guard guard{mutex_};
  forget(shard);
  if (keeper_)
    keeper_->reacquire(shard);
}

/// The keeper doesn't hold it now, and has no reason to say so.
void ownership::forget(shard_number shard) {
  held_.erase(shard);
  changed_.notify_all();
}

void ownership::on_behind(shard_number shard, sequence_number has, sequence_number known) {
  {
    const std::lock_guard guard{mutex_};
    behind_.insert(shard);
    forget(shard);
  }
  plan_.env->log(actors::severity::error,
                 "shard " + std::to_string(shard.value)
                   + " is not served: its database ends at " + std::to_string(has.value)
                   + ", and events up to " + std::to_string(known.value)
                   + " were acknowledged; docs/cluster.md says what to do");
}

// -- the view
// -----------------------------------------------------------------------------------------

/// In the order in which it matters: where everything is, what we want, then whom it concerns.
void ownership::on_seen(const storage::cluster_view& seen) {
  std::vector<shard_number> freed;
  bool announce = false;
  std::vector<std::string> addresses;
  std::vector<std::string> heirs;
  {
    const std::lock_guard guard{mutex_};
    view_ = seen;
    has_seen_ = has_seen_ || shows_us(seen);
    if (!admitted_ && !draining_ && keeper_ && reaches_any(living_others()))
      admit();
    if (has_seen_ && keeper_ && !plan_.is_alone)
      heirs = place_shards();
    freed = take_freed();
    announce = take_announcement();
    look_soon();
    for (const auto& node : living_others())
      addresses.push_back(node.advertise);
  }
  plan_.table->see(seen.leases);
  plan_.table->expect(heirs);
  if (others_ == nullptr)
    return;
  others_->know(std::move(addresses));
  if (announce || !freed.empty())
    tell_others(freed);
}

/// Until then nothing that is read tells what this node should have.
bool ownership::shows_us(const storage::cluster_view& seen) const {
  return std::ranges::any_of(seen.nodes, [this](const auto& node) {
    return lives(node) && node.card.id == plan_.node
           && node.card.incarnation == self_.incarnation;
  });
}

/// Also when there is nobody to be reached.
bool ownership::reaches_any(const std::vector<storage::node_card>& nodes) const {
  return nodes.empty() || std::ranges::any_of(nodes, [this](const auto& node) {
           return others_->reaches(node.id);
         });
}

/// Answers the heir of each shard.
const std::vector<std::string>& ownership::place_shards() {
  const auto& heirs =
    heirs_.find(view_, {plan_.node, self_.serves_shards && admitted_, draining_});
  std::vector<shard_number> ours;
  for (std::uint16_t shard = 0; shard < heirs.size(); ++shard)
    if (heirs[shard] == plan_.node)
      ours.push_back({shard});
  want(std::move(ours));
  return heirs;
}

void ownership::want(std::vector<shard_number> shards) {
  if (!keeper_ || released_all_ || wanted_ == shards)
    return;
  wanted_ = shards;
  impatient_until_ = plan_.env->now() + milliseconds{limits::hand_over_ms_max};
  keeper_->want(std::move(shards));
}

/// While others let go what we want. They tell us when they have; but to a node that has just
/// come they may have no link yet.
void ownership::look_soon() {
  const bool is_missing_some = wanted_ && std::ranges::any_of(*wanted_, [this](auto shard) {
                                 return !held_.contains(shard) && !behind_.contains(shard);
                               });
  if (plan_.is_alone || !is_missing_some || plan_.env->now() >= impatient_until_
      || std::exchange(looks_soon_, true))
    return;
  plan_.env->later(milliseconds{limits::look_again_ms}, [this] {
    const std::lock_guard guard{mutex_};
    looks_soon_ = false;
    if (keeper_)
      keeper_->look_again();
  });
}

/// Those that were let go, as the database shows by now: others can take them.
std::vector<shard_number> ownership::take_freed() {
  std::vector<shard_number> freed;
  for (const auto& lease : view_.leases) {
    const auto leaves = leaving_.find(lease.shard);
    if (leaves == leaving_.end() || !leaves->second.is_free)
      continue;
    if (lease.epoch == leaves->second.epoch && lease.owner == plan_.node)
      continue;
    ++handed_over_;
    if (plan_.observe_hand_over)
      plan_.observe_hand_over(
        std::chrono::floor<milliseconds>(plan_.env->now() - leaves->second.since));
    held_.erase(lease.shard);
    leaving_.erase(leaves);
    freed.push_back(lease.shard);
  }
  if (!freed.empty())
    changed_.notify_all();
  return freed;
}

/// Once the database shows that we drain, the others need not find out by themselves.
bool ownership::take_announcement() {
  if (!draining_ || announced_)
    return false;
  const auto us = std::ranges::find_if(
    view_.nodes, [this](const auto& node) { return node.card.id == plan_.node; });
  announced_ = us != view_.nodes.end() && us->card.draining;
  return announced_;
}

void ownership::tell_others(const std::vector<shard_number>& freed) const {
  for (const auto& node : others())
    others_->ask(node.id, links::shards_released{freed},
                 milliseconds{limits::peer_answer_ms_max}, [](const links::peer_outcome&) {
                   // Whoever is not told looks by itself, a third of a lease later at most.
                 });
}

std::vector<storage::node_card> ownership::living_others() const {
  std::vector<storage::node_card> found;
  for (const auto& node : view_.nodes)
    if (lives(node) && node.card.id != plan_.node && !node.card.advertise.empty())
      found.push_back(node.card);
  return found;
}

// -- the end
// ------------------------------------------------------------------------------------------

void ownership::begin_to_drain() {
  const std::lock_guard guard{mutex_};
  draining_ = true;
  if (!keeper_)
    return;
  keeper_->introduce(card());
  keeper_->want_singletons({});
  // What is still ours goes when the others know; so they know where it should go.
  if (has_seen_ && !plan_.is_alone)
    static_cast<void>(place_shards());
}

bool ownership::await_handed_over(milliseconds at_most) {
  std::unique_lock guard{mutex_};
  return changed_.wait_for(guard, at_most, [this] { return held_.empty(); });
}

void ownership::release_all() {
  storage::lease_keeper* keeper = nullptr;
  {
    const std::lock_guard guard{mutex_};
    released_all_ = true;
    keeper = keeper_.get();
  }
  if (keeper != nullptr)
    keeper->release_all();
}

/// Its thread may be about to call us: it is not waited for under our lock.
void ownership::end() {
  std::unique_ptr<storage::lease_keeper> ended;
  {
    const std::lock_guard guard{mutex_};
    ended = std::move(keeper_);
  }
  ended.reset();
  supervisor_ = nullptr;
}

// -- for the others, and for operators
// ------------------------------------------------------------------

void ownership::look_again() {
  const std::lock_guard guard{mutex_};
  if (keeper_)
    keeper_->look_again();
}

void ownership::pin(shard_range shards, const std::string& node,
                    std::function<void(expected<void>)> done) {
  storage::lease_keeper* keeper = nullptr;
  {
    const std::lock_guard guard{mutex_};
    keeper = keeper_.get();
  }
  if (keeper == nullptr)
    return done(make_error(errc::unavailable, "the node starts or stops"));
  keeper->pin(shards, node, std::move(done));
}

storage::cluster_view ownership::view() const {
  const std::lock_guard guard{mutex_};
  return view_;
}

std::vector<storage::node_card> ownership::others() const {
  const std::lock_guard guard{mutex_};
  return living_others();
}

bool ownership::has_heirs() const {
  if (plan_.is_alone)
    return false;
  return std::ranges::any_of(
    others(), [](const auto& node) { return node.serves_shards && !node.draining; });
}

bool ownership::is_draining() const {
  const std::lock_guard guard{mutex_};
  return draining_;
}

bool ownership::is_admitted() const {
  const std::lock_guard guard{mutex_};
  return admitted_;
}

bool ownership::has_seen() const {
  const std::lock_guard guard{mutex_};
  return has_seen_;
}

std::vector<shard_number> ownership::servable() const {
  const std::lock_guard guard{mutex_};
  auto shards = wanted_.value_or(std::vector<shard_number>{});
  std::erase_if(shards, [this](auto shard) {
    return behind_.contains(shard)
           || std::ranges::any_of(view_.out_of_reach,
                                  [shard](const auto& range) { return range.contains(shard); });
  });
  return shards;
}

std::vector<shard_number> ownership::behind() const {
  const std::lock_guard guard{mutex_};
  return {behind_.begin(), behind_.end()};
}

std::vector<shard_range> ownership::out_of_reach() const {
  const std::lock_guard guard{mutex_};
  return view_.out_of_reach;
}

ownership_figures ownership::figures() const {
  const auto unowned = static_cast<std::size_t>(std::ranges::count_if(
    plan_.table->all(), [](const auto& place) { return place.owner.empty(); }));
  const std::lock_guard guard{mutex_};
  return {leases_lost_,   handed_over_, held_.size(), wanted_ ? wanted_->size() : 0,
          behind_.size(), unowned};
}

} // namespace holdfast::cluster
