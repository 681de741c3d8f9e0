// The shard actor's class, shared by the files that define its parts: requests (actor.cpp),
// gateways' notices (webhooks.cpp), what is read and rebuilt (recovery.cpp), keys beyond memory
// (keys.cpp), settlement (settlement.cpp), what waits for people (exceptions.cpp), and its end
// (leaving.cpp). Internal to actors/shard.
#pragma once

#include "actors/environment.hpp"
#include "actors/protocol.hpp"
#include "actors/shard/key_table.hpp"
#include "actors/shard/timer_wheel.hpp"

#include <caf/event_based_actor.hpp>

#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace holdfast::actors {

class shard_actor : public caf::event_based_actor {
public:
  shard_actor(caf::actor_config& cfg, environment_ptr env, shard_number number,
              epoch_number epoch);

  caf::behavior make_behavior() override;
  const char* name() const override { return "shard"; }
  void on_exit() override;

private:
  using key_name = shards::key_name;

  /// A request that its client still waits for. It keeps the command, because the payment's
  /// actor may die before the intent is durable; then it is given to the next one. Its timer is
  /// its deadline.
  struct waiting_request : shards::timer {
    /// Takes what it needs out of the message.
    waiting_request(submit& message, const payment_id& id, timestamp now)
      : command(std::move(message.command)),
        promise(std::move(message.promise)),
        payment(id),
        since(now) {}

    merchant_command command;
    promise_ptr promise;
    payment_id payment;
    timestamp since;            ///< from when on its client waits here
    bool overdue = false;       ///< its deadline came; the payment was asked how it stands
    bool describe_only = false; ///< a repeat of a request from before this owner's time
    std::optional<storage::stored_answer> settled_meanwhile{}; ///< see on_settled
  };

  struct wake_timer : shards::timer {};
  struct idle_timer : shards::timer {};

  /// What the shard knows of a payment that has an actor, or is about to.
  struct slot : wake_timer, idle_timer {
    enum class stage : std::uint8_t { loading, live, passivating, rebuilding };
    stage at = stage::loading;
    bool stirring = false;                ///< woken, and not heard of since
    caf::actor who;                       ///< null while it is loaded or rebuilt
    merchant_id merchant;                 ///< nil until loaded
    std::vector<key_name> requests;       ///< to hand over once it is live
    std::vector<deliver_webhook> notices; ///< likewise; dropped, their gateways send them again
    std::uint32_t open_requests = 0; ///< that wait for an answer; never passivated under them
    std::uint32_t deaths = 0;
  };

  /// Their nodes stay where they are: requests and slots have timers.
  using request_map = std::unordered_map<key_name, waiting_request, shards::key_name_hash>;
  using slot_map = std::unordered_map<payment_id, slot>;

  // -- requests (actor.cpp)
  // -----------------------------------------------------------------------
  void on_submit(submit& message);
  void admit(const key_name& name, submit& message, const payment_id& id);
  void repeat_of_restored(const key_name& name, submit& message);
  void hand_over(const key_name& name, const waiting_request& request);
  void dispatch(const key_name& name, slot& seat);
  void dispatch(const key_name& name, const waiting_request& request, slot& seat);
  void on_settled(request_settled& message);
  void settle(const key_name& name, slot_map::iterator seat, request_settled& message);
  void on_pending(request_pending& message);
  void on_taken(key_was_taken& message);
  void remember(const key_name& name, const storage::stored_key& row);
  void answer_taken(const key_name& name, const storage::stored_key& row);
  void on_dropped(request_dropped& message);
  waiting_request& await(const key_name& name, submit& message, const payment_id& id);
  void on_overdue(waiting_request& request);
  void ask_how_it_stands(const key_name& name, const waiting_request& request);
  [[nodiscard]] bool take_back(const key_name& name, const waiting_request& request);
  void answer(const key_name& name, api_reply reply);
  void answer(request_map::iterator asked, slot_map::iterator seat, api_reply reply);
  void forget(const key_name& name, api_reply reply);
  [[nodiscard]] key_name name_of(const payment_id& id, std::string key) const;

  // -- gateways' notices (webhooks.cpp)
  // -----------------------------------------------------------
  void on_webhook(deliver_webhook& message);
  static void hand_back(deliver_webhook message);
  void hand_over_notices(slot& seat);
  void record_unmatched(deliver_webhook message);

  // -- time (actor.cpp)
  // ---------------------------------------------------------------------------
  void on_tick();
  void on_wake_me(const wake_me& message);
  void go_on(slot& seat, const wake_me& then);
  void wake_next();
  void settle_down(slot& seat);
  void tick_later();
  void look_at_database(timestamp now);
  void note_lag(timestamp now);
  void on_idle(const payment_idle& message);
  void note_idle(slot& seat);
  void passivate_idle(slot& seat);
  void on_declined(const passivation_declined& message);
  void retire(const payment_id& id);
  void vacate(slot_map::iterator seat);
  void close_request(slot_map::iterator seat);
  void update_gauges();

  // -- what is read and rebuilt (recovery.cpp)
  // ------------------------------------------------------
  void start();
  void on_loaded(shard_loaded& message);
  [[nodiscard]] caf::actor spawn_child(const payment_id& id, const merchant_id& merchant,
                                       std::optional<payment> state);
  void begin_load(const payment_id& id);
  void on_payment_loaded(payment_loaded& message);
  void seat_payment(const payment_id& id, slot& seat, payment state);
  void no_such_payment(const payment_id& id);
  void sweep_due();
  void on_due(due_loaded& message);
  void on_child_down(const caf::actor_addr& who);
  void on_ended(const payment_ended& message);
  void on_passivated(slot_map::iterator left);
  void rebuild(const payment_id& id, slot& seat);
  void on_quiet(const payment_quiet& message);
  void leave_alone(const payment_id& id);
  void look_for_key(const payment_id& id, const key_name& name);
  void on_key_loaded(key_loaded& message);
  void kill_some_child(std::uint64_t choice);

  // -- the end (leaving.cpp)
  // -----------------------------------------------------------------------
  void on_drain(drain& message);
  void go_on_draining();
  void close_journal();
  void on_journal_closed();
  void leave();
  void hand_back_requests();
  void hand_back_notices();
  void dismiss_children();
  [[nodiscard]] caf::behavior farewell();

  // -- keys and the database (keys.cpp)
  // ---------------------------------------------------------------------
  void look_before_refusing(const key_name& name, submit& message, const payment_id& id);
  void on_key_looked_up(key_looked_up& message);
  void retain_keys();
  void on_keys_retained(keys_retained& message);

  // -- settlement (settlement.cpp)
  // ------------------------------------------------------------------
  void on_close(close_batches_now& message);
  void on_closed(batches_closed& message);
  void on_item_ready(const item_ready& message);
  void look_at_cutoff();
  void remind_later(const merchant_id& merchant);
  void ensure_merchant(const merchant_id& merchant);
  void ensure_reconciler();

  // -- what waits for people (exceptions.cpp)
  // -------------------------------------------------------
  void on_desk_call(desk_call& message);
  void on_exceptions_found(exceptions_found& message);
  void on_dead_letter(dead_letter_found& message);
  void on_revived(const payment_revived& message);
  void park(const payment_id& id);

  environment_ptr env_;
  shard_number number_;
  epoch_number epoch_;
  bool serving_ = false;
  bool draining_ = false;
  bool described_ = false; ///< draining: those who still waited were told how it stands
  bool closing_ = false;   ///< draining: nothing more is written
  timestamp drain_until_;  ///< draining: when the next step is due
  std::shared_ptr<const std::function<void()>> drained_;
  bool sweeping_ = false;
  timestamp next_sweep_;
  bool retaining_ = false;
  timestamp next_retention_;
  timestamp next_key_sweep_;
  timestamp next_tick_;
  timestamp next_look_;   ///< at the cut-off
  timestamp last_cutoff_; ///< that the merchants know of
  shards::key_table keys_;
  shards::timer_wheel<slot, wake_timer> wakes_; ///< who is due waits there for its turn
  std::size_t stirring_ = 0;                    ///< slots that are
  shards::timer_wheel<slot, idle_timer> idle_;
  shards::timer_wheel<waiting_request> deadlines_;
  request_map waiting_;
  slot_map payments_;
  std::unordered_map<merchant_id, caf::actor> merchants_;
  std::unordered_set<merchant_id> to_remind_; ///< whose order to close has failed
  caf::actor reconciler_;
  std::unordered_set<payment_id> parked_; ///< dead letters: nothing wakes them by itself
};

} // namespace holdfast::actors
