// A simulated payment actor around the real core: one command at a time, one write in flight,
// calls and answers only after the commit. Mirrors actors/payment/actor.cpp.
#pragma once

#include "actors/payment/core.hpp"
#include "runtime/simulation/database.hpp"
#include "runtime/simulation/types.hpp"

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::simulation {

class shard_actor;
class world;

/// Belongs to a shard actor, which it must not outlive in any scheduled task: those hold it
/// weakly.
class payment_actor : public std::enable_shared_from_this<payment_actor> {
public:
  /// With a state: rebuilt from the database, to go on where it was left.
  payment_actor(world& of, shard_actor& shard, payment_ref payment, state_ptr state);

  /// Works on what was put in before it could refer to itself.
  void begin() { step(); }
  void accept(const request& what, payments::command command);
  void gateway_answered(const payments::call_target& target, gateway_answer answer);
  void wake();
  void written(write_outcome outcome);
  void describe(const key_name& key);
  /// Whether it may go: nothing is under way.
  [[nodiscard]] bool is_idle() const;
  [[nodiscard]] bool exists() const noexcept { return !state_->id.is_nil(); }
  [[nodiscard]] const payment& state() const noexcept { return *state_; }
  [[nodiscard]] payment_ref ref() const noexcept { return ref_; }
  [[nodiscard]] shard_actor& shard() const noexcept { return shard_; }

private:
  struct waiting_command {
    payments::command what;
    std::optional<request> origin;
  };

  struct pending_write {
    state_ptr next;
    std::vector<payments::call_target> calls;
    std::optional<request> origin;
    std::optional<key_answer> answer;
    bool item_is_ready = false;
  };

  void enqueue(waiting_command command);
  void step();
  void start(waiting_command command);
  [[nodiscard]] payments::context make_context() const;
  void write_refusal(const payments::refusal& refused, const request& origin);
  void write_events(payments::decision decision, std::optional<request> origin);
  [[nodiscard]] std::unique_ptr<payment_write> new_write(const std::optional<request>& origin);
  void submit(std::unique_ptr<payment_write> write, pending_write pending);
  void committed(pending_write pending);
  void rejected(const pending_write& pending);
  void call_gateway(const payments::call_target& target);
  [[nodiscard]] answer_ptr answer_of(const payments::settled_request& settled,
                                     const payment& after) const;

  world& world_;
  shard_actor& shard_;
  payment_ref ref_;
  state_ptr state_; ///< as the journal has it
  bool card_at_hand_ = false;
  std::deque<waiting_command> waiting_;
  std::optional<pending_write> in_flight_;
  std::vector<key_name> descriptions_due_;
  bool has_quit_ = false;
};

} // namespace holdfast::simulation
