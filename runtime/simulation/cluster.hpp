// The nodes of a simulated world, their leases, and what befalls them: crashes, pauses longer
// than a lease, a cut from the database, take-overs and orderly moves.
#pragma once

#include "runtime/simulation/agenda.hpp"
#include "runtime/simulation/journal.hpp"
#include "runtime/simulation/shard.hpp"
#include "runtime/simulation/wire.hpp"

#include <deque>
#include <map>
#include <memory>
#include <vector>

namespace holdfast::simulation {

class world;

struct node {
  node(world& of, node_number its_number) : number(its_number), writer(of, its_number) {}

  node_number number;
  /// Rises with each crash; tasks of a life before are not done.
  std::uint32_t life = 0;
  bool up = true;
  timestamp paused_until; ///< stopped: whatever comes waits
  timestamp cut_until;    ///< from the database
  journal_writer writer;
  std::deque<gateway_actor> gateways; ///< by gateway_number
  std::map<shard_number, std::shared_ptr<shard_actor>> shards;

  [[nodiscard]] bool is_paused(timestamp now) const noexcept { return now < paused_until; }
  [[nodiscard]] bool is_cut(timestamp now) const noexcept { return now < cut_until; }
  [[nodiscard]] gateway_actor& gateway(const std::string& name);
};

class cluster {
public:
  cluster(world& of, std::size_t nodes, std::size_t shards);

  /// Every shard gets an owner; from then on leases are looked after until all is calm.
  void begin();
  [[nodiscard]] simulation::node& at(node_number number) { return nodes_[number]; }
  [[nodiscard]] node_number owner_of(shard_number shard, bool the_one_before) const;
  [[nodiscard]] const std::vector<shard_number>& shards() const noexcept { return shards_; }
  /// Every node is well and every shard has an owner that serves.
  [[nodiscard]] bool is_calm();

  /// From a journal: fenced off, or given up.
  void shard_lost(node_number node, shard_number shard, epoch_number epoch);
  /// From a shard that was asked to drain.
  void released(const shard_actor& shard);

private:
  void look();
  void befall(simulation::node& one);
  void look_after(shard_number shard);
  void notice_lost_leases(simulation::node& one);
  void take_over(shard_number shard, node_number by);
  void reacquire(shard_number shard, node_number by);
  void crash(simulation::node& one);
  void restart(node_number number);
  void pause(simulation::node& one);
  [[nodiscard]] std::vector<node_number> able();

  world& world_;
  std::vector<shard_number> shards_;
  std::deque<simulation::node> nodes_;
  std::vector<node_number> owner_before_;
};

} // namespace holdfast::simulation
