// What this node makes of what the databases show: who lives and owns what, what it should own
// itself, and whom it has to tell. It stands between the lease keeper, placement, the routing
// table, the supervisor and the links; it decides nothing that safety hangs on.
#pragma once

#include "actors/environment.hpp"
#include "actors/link/port.hpp"
#include "runtime/cluster/heirs.hpp"
#include "runtime/cluster/routing_table.hpp"
#include "storage/database.hpp"

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace holdfast::cluster {

/// Since the start.
struct ownership_figures {
  std::uint64_t leases_lost = 0;
  std::uint64_t handed_over = 0; ///< shards
  std::size_t held = 0;          ///< now
  std::size_t wanted = 0;        ///< now
  std::size_t behind = 0;        ///< shards whose database lacks acknowledged events
  std::size_t without_owner = 0; ///< of all shards, as far as this node knows
};

struct ownership_plan {
  actors::environment_ptr env;
  std::shared_ptr<routing_table> table;
  std::string node; ///< the id of this one
  /// Without others it wants every shard at once, whatever the database shows.
  bool is_alone = true;
  /// Another process has this node's name: this one must end. On the keeper's thread.
  std::function<void(const std::string& why)> superseded;
  /// A shard was handed over: from the order to the lease's release. May be empty.
  std::function<void(milliseconds)> observe_hand_over;
};

/// Thread-safe. Begun once; the supervisor and the links must outlive it, or its `end`; what
/// the environment runs later must be over before it goes.
class ownership {
public:
  explicit ownership(ownership_plan plan);
  ~ownership(); ///< Ends, if that has not been done.

  /// Starts the keeper, which introduces this node so. `others` is null for a node without a
  /// cluster port. With one it wants no shard before it is admitted.
  void begin(storage::database& from, caf::actor supervisor, links::port* others,
             storage::node_card self);
  /// Wants nothing any more: others take the shards as they are let go.
  void begin_to_drain();
  /// Blocks until every shard has been handed over, at most so long. True: they have.
  bool await_handed_over(milliseconds at_most);
  /// Sets every lease free and says that this node is dead; it wants nothing after that.
  /// Blocks, bounded.
  void release_all();
  /// Ends the keeper's thread.
  void end();

  // -- for the supervisor
  void released(shard_number shard, epoch_number epoch);
  void reacquire(shard_number shard);

  // -- for the others, and for operators
  void look_again();
  void pin(shard_range shards, const std::string& node,
           std::function<void(expected<void>)> done);

  /// What was read last.
  [[nodiscard]] storage::cluster_view view() const;
  /// Those besides this node that live.
  [[nodiscard]] std::vector<storage::node_card> others() const;
  /// Whether somebody else could take over what this node has.
  [[nodiscard]] bool has_heirs() const;
  [[nodiscard]] bool is_draining() const;
  /// Whether this node has had a link to one of the others, or was the only one that lived,
  /// since it began. What a node owns that the others refuse, nobody could ask for.
  [[nodiscard]] bool is_admitted() const;
  /// Whether anything has been read yet in which this node lives.
  [[nodiscard]] bool has_seen() const;
  /// What is wanted and could be served: in a database that is read, and not behind.
  [[nodiscard]] std::vector<shard_number> servable() const;
  /// Not served, since their database lacks acknowledged events.
  [[nodiscard]] std::vector<shard_number> behind() const;
  /// The shards of databases that this node can't read.
  [[nodiscard]] std::vector<shard_range> out_of_reach() const;
  [[nodiscard]] ownership_figures figures() const;

private:
  struct leaving_shard {
    epoch_number epoch;
    timestamp since;
    bool is_free = false; ///< it was let go, and the database is to show it
  };

  [[nodiscard]] storage::lease_events events();
  void on_acquired(storage::acquired_shard got);
  void on_lost(shard_number shard, epoch_number epoch);
  void on_give_up(shard_number shard, epoch_number epoch);
  void on_seen(const storage::cluster_view& seen);
  void on_behind(shard_number shard, sequence_number has, sequence_number known);
  const std::vector<std::string>& place_shards();
  void want(std::vector<shard_number> shards);
  void forget(shard_number shard);
  void look_soon();
  void admit();
  [[nodiscard]] bool shows_us(const storage::cluster_view& seen) const;
  [[nodiscard]] bool reaches_any(const std::vector<storage::node_card>& nodes) const;
  [[nodiscard]] storage::node_card card() const;
  [[nodiscard]] std::vector<shard_number> take_freed();
  [[nodiscard]] bool take_announcement();
  void tell_others(const std::vector<shard_number>& freed) const;
  [[nodiscard]] std::vector<storage::node_card> living_others() const;

  ownership_plan plan_;
  storage::node_card self_;
  caf::actor supervisor_;
  links::port* others_ = nullptr;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::unique_ptr<storage::lease_keeper> keeper_;
  storage::cluster_view view_;
  bool has_seen_ = false;
  bool admitted_ = false;
  bool draining_ = false;
  bool released_all_ = false; ///< and wants nothing, whatever is read
  bool announced_ = false;    ///< the others have been told to look at our draining
  heir_finder heirs_;
  std::optional<std::vector<shard_number>> wanted_;
  timestamp impatient_until_; ///< for shards that are wanted since lately
  bool looks_soon_ = false;
  std::map<shard_number, epoch_number> held_;
  std::map<shard_number, leaving_shard> leaving_;
  std::set<shard_number> behind_;
  std::uint64_t leases_lost_ = 0;
  std::uint64_t handed_over_ = 0;
};

} // namespace holdfast::cluster
