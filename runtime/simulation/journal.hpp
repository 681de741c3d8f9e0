// A node's journal writer: it gathers while a transaction is in flight, hears of the commit
// later or not at all, finds out what became of a transaction whose COMMIT got no answer, and
// gives up at last.
#pragma once

#include "runtime/simulation/agenda.hpp"
#include "runtime/simulation/database.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <vector>

namespace holdfast::simulation {

class payment_actor;

/// Set-based work of settlement, fenced like any write. `perform` runs in the transaction; then
/// `finish` hears whether it was committed.
struct unit_of_work {
  std::function<void()> perform;
  std::function<void(bool committed)> finish;
};

class journal_writer {
public:
  journal_writer(world& of, node_number node) : world_(of), node_(node) {}

  void open_shard(shard_number shard, epoch_number epoch, sequence_number last_seq);
  void submit(std::unique_ptr<payment_write> write, std::weak_ptr<payment_actor> from);
  void run(shard_number shard, epoch_number epoch, unit_of_work work);
  /// `done` runs once all that was submitted before is decided.
  void barrier(std::function<void()> done);
  /// The process is gone; what was on its way to the database may have arrived.
  void crash();

private:
  struct item {
    std::unique_ptr<payment_write> write; ///< or, if null:
    std::weak_ptr<payment_actor> from;
    shard_number shard;
    epoch_number epoch;
    unit_of_work work;
    std::function<void()> barrier;
    write_outcome outcome = write_outcome::lost;
  };
  using batch = std::vector<item>;

  /// Where the writer believes a shard's log to end.
  struct line {
    epoch_number epoch;
    sequence_number last_seq;
  };

  void gather();
  void send(microseconds pause);
  void on_commit();
  void apply(item& one);
  void hear(microseconds delay);
  void finish();
  void give_up();

  world& world_;
  node_number node_;
  std::map<shard_number, line> lines_;
  std::deque<item> queue_;
  batch in_flight_;
  bool is_sent_ = false;
};

} // namespace holdfast::simulation
