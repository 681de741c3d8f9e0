// A simulated shard actor around the real key table and timer wheel: it admits requests, seats
// payments, wakes them, lets them go and rebuilds them. Mirrors actors/shard.
#pragma once

#include "actors/shard/key_table.hpp"
#include "actors/shard/timer_wheel.hpp"
#include "runtime/simulation/agenda.hpp"
#include "runtime/simulation/journal.hpp"
#include "runtime/simulation/payment.hpp"
#include "runtime/simulation/types.hpp"

#include <memory>
#include <optional>
#include <queue>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace holdfast::simulation {

class world;

/// One owner's activation of a shard. It ends with its node, its lease or its own death; tasks
/// hold it weakly.
class shard_actor : public std::enable_shared_from_this<shard_actor> {
public:
  shard_actor(world& of, node_number node, shard_number number, epoch_number epoch);

  void start();
  void submit(const request& what);
  void kill_some_payment();
  void drain();

  [[nodiscard]] node_number node() const noexcept { return node_; }
  [[nodiscard]] shard_number number() const noexcept { return number_; }
  [[nodiscard]] epoch_number epoch() const noexcept { return epoch_; }
  [[nodiscard]] bool serves() const noexcept { return serving_ && !draining_; }
  [[nodiscard]] journal_writer& writer() const;

  // from its payments
  void settled(const key_name& key, payment_ref payment, const answer_ptr& answer);
  void pending(const key_name& key, payment_ref payment, answer_ptr answer);
  void key_taken(const key_name& key, payment_ref payment, bool never_existed);
  void dropped(const key_name& key, payment_ref payment, bool never_existed);
  void idle(payment_ref payment);
  void item_ready(const merchant_id& merchant);
  void wake_at(payment_ref payment, std::optional<timestamp> at);

private:
  struct waiting_request : shards::timer {
    waiting_request(const request& asked, payment_ref about) : what(asked), payment(about) {}

    request what;
    payment_ref payment;
    bool overdue = false;
    bool describe_only = false;
    answer_ptr settled_meanwhile = nullptr; ///< of a cold key, by the payment it stands for
  };

  struct wake_timer : shards::timer {};
  struct idle_timer : shards::timer {};

  struct slot : wake_timer, idle_timer {
    enum class stage : std::uint8_t { loading, live, passivating, rebuilding };
    stage at = stage::loading;
    std::shared_ptr<payment_actor> who;
    std::vector<key_name> requests;
    std::size_t open_requests = 0;
  };

  struct due_payment {
    timestamp at;
    payment_ref payment;
    friend bool operator>(const due_payment& one, const due_payment& other) noexcept {
      return one.at != other.at ? one.at > other.at : one.payment > other.payment;
    }
  };

  /// A task of this activation: nothing happens once it has ended.
  template <class Work>
  void later(microseconds delay, Work work);

  void load();
  void admit(const key_name& name, const request& what, payment_ref payment);
  waiting_request& await(const key_name& name, const request& what, payment_ref payment);
  void hand_over(const key_name& name);
  void dispatch(const key_name& name, slot& seat);
  void answer(const key_name& name, answer_kind kind, const answer_ptr& what);
  void forget(const key_name& name, answer_kind kind);
  void reply_to(const request& what, answer_kind kind, const answer_ptr& answer,
                payment_ref payment);
  void close_request(payment_ref payment);
  void overdue(waiting_request& waits);
  [[nodiscard]] bool take_back(const key_name& name);
  [[nodiscard]] payments::command command_of(const request& what, payment_ref payment);

  void begin_load(payment_ref payment);
  void loaded(payment_ref payment);
  void load_failed(payment_ref payment);
  void seat(payment_ref payment, state_ptr state);
  void no_such_payment(payment_ref payment);
  void look_for_key(const key_name& name, payment_ref payment);
  void rebuild(payment_ref payment);
  void passivate(payment_ref payment);
  void retire(payment_ref payment);

  void need_tick(timestamp at);
  void tick();
  void need_sweep(timestamp at);
  void sweep();
  void remember_due(payment_ref payment, const holdfast::payment& state);

  world& world_;
  node_number node_;
  shard_number number_;
  epoch_number epoch_;
  bool serving_ = false;
  bool draining_ = false;
  shards::key_table keys_;
  shards::timer_wheel<slot, wake_timer> wakes_;
  shards::timer_wheel<slot, idle_timer> idle_;
  shards::timer_wheel<waiting_request> deadlines_;
  std::unordered_map<key_name, waiting_request, key_name_hash> waiting_;
  std::unordered_map<payment_ref, slot> payments_;
  std::unordered_set<std::int64_t> ticks_; ///< under way, by their time
  std::optional<timestamp> sweep_at_;
  /// Payments without an actor here that will be due; may name some that no longer are.
  std::priority_queue<due_payment, std::vector<due_payment>, std::greater<>> due_;
};

} // namespace holdfast::simulation
