#include "runtime/simulation/cluster.hpp"

#include "messages/assert.hpp"
#include "runtime/simulation/world.hpp"

namespace holdfast::simulation {

using namespace std::chrono_literals;

namespace {

constexpr microseconds lease_length = 3s;
constexpr microseconds look_pause = 500ms;

} // namespace

gateway_actor& node::gateway(const std::string& name) {
  // Their names are in the order of the alphabet: alpha, bravo, charlie.
  const auto index = static_cast<std::size_t>(name.front() - 'a');
  HF_ASSERT(index < gateways.size());
  return gateways[index];
}

cluster::cluster(world& of, std::size_t nodes, std::size_t shards)
  : world_(of),
    owner_before_(shards) {
  for (std::size_t i = 0; i < shards; ++i)
    shards_.push_back({static_cast<std::uint16_t>(i)});
  for (std::size_t i = 0; i < nodes; ++i) {
    const auto number = static_cast<node_number>(i);
    auto& made = nodes_.emplace_back(of, number);
    for (gateway_number gateway = 0; gateway < of.gateways(); ++gateway)
      made.gateways.emplace_back(of, number, gateway);
  }
}

void cluster::begin() {
  for (const auto shard : shards_)
    take_over(shard, static_cast<node_number>(shard.value % nodes_.size()));
  world_.in_world(look_pause, [this] { look(); });
}

node_number cluster::owner_of(shard_number shard, bool the_one_before) const {
  return the_one_before ? owner_before_[shard.value] : world_.db().shard(shard).owner;
}

bool cluster::is_calm() {
  const auto now = world_.now();
  for (const auto& one : nodes_)
    if (!one.up || one.is_paused(now) || one.is_cut(now))
      return false;
  for (const auto shard : shards_) {
    const auto& row = world_.db().shard(shard);
    const auto& its = nodes_[row.owner].shards;
    const auto found = its.find(shard);
    if (!row.has_owner || found == its.end() || found->second->epoch() != row.epoch
        || !found->second->serves())
      return false;
  }
  return true;
}

/// Renewals, take-overs and mishaps. Once all is calm, leases are taken for renewed for ever.
void cluster::look() {
  for (auto& one : nodes_) {
    if (one.up && world_.is_stormy())
      befall(one);
    notice_lost_leases(one);
  }
  for (const auto shard : shards_)
    look_after(shard);
  if (world_.is_stormy() || !is_calm())
    world_.in_world(look_pause, [this] { look(); });
}

void cluster::befall(simulation::node& one) {
  auto& chance = world_.chance();
  const auto now = world_.now();
  if (world_.strikes(fault::node_crash))
    return crash(one);
  if (world_.strikes(fault::node_pause))
    return pause(one);
  if (world_.strikes(fault::node_cut)) {
    one.cut_until = now + chance.span(500ms, 15s);
    world_.note(no_payment, step_kind::node_cut, one.number, 0);
  }
  std::vector<std::shared_ptr<shard_actor>> here;
  for (const auto& [number, shard] : one.shards)
    here.push_back(shard);
  for (const auto& shard : here) {
    if (world_.strikes(fault::payment_actor_death))
      shard->kill_some_payment();
    if (world_.strikes(fault::shard_actor_death)) {
      one.shards.erase(shard->number());
      reacquire(shard->number(), one.number);
    } else if (world_.strikes(fault::shard_move)) {
      shard->drain();
    }
  }
}

void cluster::look_after(shard_number number) {
  auto& row = world_.db().shard(number);
  const auto now = world_.now();
  auto& owner = nodes_[row.owner];
  const bool renews = row.has_owner && owner.up && !owner.is_paused(now) && !owner.is_cut(now)
                      && row.lease_until > now && owner.shards.contains(number)
                      && owner.shards.at(number)->epoch() == row.epoch;
  if (renews) {
    row.lease_until = now + lease_length;
    return;
  }
  if (row.has_owner && row.lease_until > now)
    return;
  const auto candidates = able();
  if (!candidates.empty())
    take_over(number, candidates[world_.chance().below(candidates.size())]);
}

/// A node that can't renew stops serving before its lease ends. One that was stopped meanwhile
/// can't know; it finds out a little after it goes on.
void cluster::notice_lost_leases(simulation::node& one) {
  const auto now = world_.now();
  if (!one.up || one.is_paused(now))
    return;
  for (auto entry = one.shards.begin(); entry != one.shards.end();) {
    const auto& row = world_.db().shard(entry->first);
    const bool ours = row.has_owner && row.epoch == entry->second->epoch()
                      && row.lease_until > now + look_pause;
    const bool keeps = ours || (row.epoch == entry->second->epoch() && !one.is_cut(now));
    entry = keeps || world_.chance().one_in(2) ? std::next(entry) : one.shards.erase(entry);
  }
}

std::vector<node_number> cluster::able() {
  std::vector<node_number> found;
  const auto now = world_.now();
  for (const auto& one : nodes_)
    if (one.up && !one.is_paused(now) && !one.is_cut(now))
      found.push_back(one.number);
  return found;
}

void cluster::take_over(shard_number number, node_number by) {
  auto& row = world_.db().shard(number);
  owner_before_[number.value] = row.owner;
  row.has_owner = true;
  row.owner = by;
  ++row.epoch.value;
  row.lease_until = world_.now() + lease_length;
  world_.note(no_payment, step_kind::take_over, number.value,
              static_cast<std::uint64_t>(row.epoch.value));
  auto& owner = nodes_[by];
  owner.writer.open_shard(number, row.epoch, row.last_seq);
  auto made = std::make_shared<shard_actor>(world_, by, number, row.epoch);
  owner.shards[number] = made;
  made->start();
}

/// The same node takes it again at once, with a higher epoch: after its actor died.
void cluster::reacquire(shard_number shard, node_number by) {
  world_.on_node(by, world_.chance().span(10ms, 300ms), [this, shard, by] {
    const auto& row = world_.db().shard(shard);
    if (row.has_owner && row.owner == by && !nodes_[by].shards.contains(shard)
        && !nodes_[by].is_cut(world_.now()))
      take_over(shard, by);
  });
}

void cluster::shard_lost(node_number node, shard_number shard, epoch_number epoch) {
  auto& its = nodes_[node].shards;
  const auto found = its.find(shard);
  if (found == its.end() || found->second->epoch() != epoch)
    return;
  // Its payments may be in the midst of hearing this.
  world_.in_world(0us, [ended = found->second] {});
  its.erase(found);
  reacquire(shard, node);
}

void cluster::released(const shard_actor& shard) {
  auto& its = nodes_[shard.node()].shards;
  const auto found = its.find(shard.number());
  if (found == its.end() || found->second.get() != &shard)
    return;
  world_.in_world(0us, [ended = found->second] {});
  its.erase(found);
  auto& row = world_.db().shard(shard.number());
  if (row.epoch == shard.epoch())
    row.lease_until = world_.now();
}

void cluster::crash(simulation::node& one) {
  world_.note(no_payment, step_kind::node_crash, one.number, 0);
  one.writer.crash();
  ++one.life;
  one.up = false;
  one.shards.clear();
  for (auto& gateway : one.gateways)
    gateway.die();
  world_.in_world(world_.chance().span(300ms, 8s),
                  [this, number = one.number] { restart(number); });
}

/// What it owned by name and nobody has taken, it takes again without waiting.
void cluster::restart(node_number number) {
  nodes_[number].up = true;
  for (const auto shard : shards_)
    if (const auto& row = world_.db().shard(shard); row.has_owner && row.owner == number)
      take_over(shard, number);
}

void cluster::pause(simulation::node& one) {
  one.paused_until = world_.now() + world_.chance().span(200ms, 12s);
  world_.note(no_payment, step_kind::node_pause, one.number, 0);
}

} // namespace holdfast::simulation
