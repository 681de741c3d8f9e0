#include "runtime/simulation/journal.hpp"

#include "runtime/simulation/payment.hpp"
#include "runtime/simulation/world.hpp"

namespace holdfast::simulation {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t batch_writes_max = 64;

} // namespace

void journal_writer::open_shard(shard_number shard, epoch_number epoch,
                                sequence_number last_seq) {
  lines_[shard] = {epoch, last_seq};
}

void journal_writer::submit(std::unique_ptr<payment_write> write,
                            std::weak_ptr<payment_actor> from) {
  auto& made = queue_.emplace_back();
  made.shard = write->shard;
  made.epoch = write->epoch;
  made.write = std::move(write);
  made.from = std::move(from);
  gather();
}

void journal_writer::run(shard_number shard, epoch_number epoch, unit_of_work work) {
  auto& made = queue_.emplace_back();
  made.shard = shard;
  made.epoch = epoch;
  made.work = std::move(work);
  gather();
}

void journal_writer::barrier(std::function<void()> done) {
  queue_.emplace_back().barrier = std::move(done);
  gather();
}

/// The next transaction is all that has gathered meanwhile.
void journal_writer::gather() {
  if (!in_flight_.empty() || queue_.empty())
    return;
  while (!queue_.empty() && in_flight_.size() < batch_writes_max) {
    in_flight_.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  send(0us);
}

void journal_writer::send(microseconds pause) {
  is_sent_ = true;
  pause += world_.chance().span(100us, 4'000us);
  if (world_.strikes(fault::disk_stall))
    pause += world_.chance().span(1s, 12s);
  world_.in_database(node_, pause, [this] { on_commit(); });
}

/// The moment of COMMIT in the database. The node may be stopped or cut off by now: either its
/// COMMIT was on its way, or the connection broke before.
void journal_writer::on_commit() {
  auto& chance = world_.chance();
  const auto& node = world_.node(node_);
  const bool disturbed = node.is_paused(world_.now()) || node.is_cut(world_.now());
  if (world_.strikes(fault::journal_gives_up)) {
    if (chance.one_in(2))
      for (auto& one : in_flight_)
        apply(one);
    is_sent_ = false;
    return world_.on_node(node_, 10s, [this] { give_up(); });
  }
  const bool never_arrived = disturbed && chance.one_in(2);
  if (never_arrived || world_.strikes(fault::commit_lost)) {
    const auto back_at = std::max({node.paused_until, node.cut_until, world_.now()});
    return send(back_at - world_.now() + chance.span(20ms, 1s));
  }
  for (auto& one : in_flight_)
    apply(one);
  is_sent_ = false;
  if (!disturbed && !world_.strikes(fault::commit_unheard))
    return hear(chance.span(20us, 500us));
  // Connected again, it reads how far the shard's log goes: that tells what was committed.
  if (world_.planted() == plant::double_apply)
    for (auto& one : in_flight_)
      apply(one);
  const auto back_at = std::max({node.paused_until, node.cut_until, world_.now()});
  hear(back_at - world_.now() + chance.span(20ms, 1s));
}

void journal_writer::apply(item& one) {
  if (one.barrier)
    return;
  auto& database = world_.db();
  if (!one.write) {
    const bool ours = database.owns(one.shard, one.epoch);
    one.outcome = ours ? write_outcome::committed : write_outcome::not_owner;
    if (ours)
      one.work.perform();
    return;
  }
  const auto open = lines_.find(one.shard);
  if (open == lines_.end()) {
    one.outcome = write_outcome::not_owner; // Given up, and not opened since.
    return;
  }
  auto& end = open->second;
  // A write of an epoch before this writer's line can't be numbered by it, nor can it pass.
  const auto first = sequence_number{end.last_seq.value + 1};
  const auto events = static_cast<std::int64_t>(one.write->events.size());
  one.outcome = database.commit(*one.write, first);
  if (one.outcome == write_outcome::committed && end.epoch == one.epoch)
    end.last_seq.value += events;
}

void journal_writer::hear(microseconds delay) {
  world_.on_node(node_, delay, [this] { finish(); });
}

void journal_writer::finish() {
  auto done = std::exchange(in_flight_, {});
  gather();
  for (auto& one : done) {
    if (one.barrier)
      one.barrier();
    else if (!one.write)
      one.work.finish(one.outcome == write_outcome::committed);
    else if (auto actor = one.from.lock())
      actor->written(one.outcome);
    if (one.outcome == write_outcome::not_owner)
      world_.shard_lost(node_, one.shard, one.epoch);
  }
}

/// The database was out of reach for too long: nobody knows what is durable, so the shards go
/// down and are rebuilt.
void journal_writer::give_up() {
  is_sent_ = false;
  auto all = std::exchange(in_flight_, {});
  for (auto& one : std::exchange(queue_, {}))
    all.push_back(std::move(one));
  lines_.clear();
  for (auto& one : all) {
    if (one.barrier)
      one.barrier();
    else if (!one.write)
      one.work.finish(false);
    else if (auto actor = one.from.lock())
      actor->written(write_outcome::lost);
    if (!one.barrier)
      world_.shard_lost(node_, one.shard, one.epoch);
  }
}

void journal_writer::crash() {
  if (is_sent_ && world_.chance().one_in(2))
    for (auto& one : in_flight_)
      apply(one);
  is_sent_ = false;
  in_flight_.clear();
  queue_.clear();
  lines_.clear();
}

} // namespace holdfast::simulation
