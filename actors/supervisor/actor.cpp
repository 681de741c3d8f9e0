#include "actors/supervisor/actor.hpp"

#include "actors/acquirer/actor.hpp"
#include "actors/caf.hpp"
#include "actors/protocol.hpp"
#include "actors/shard/actor.hpp"
#include "messages/limits.hpp"

#include <caf/event_based_actor.hpp>

#include <algorithm>
#include <map>
#include <unordered_map>

namespace holdfast::actors {

namespace {

class supervisor_actor : public caf::event_based_actor {
public:
  supervisor_actor(caf::actor_config& cfg, supervisor_plan plan)
    : caf::event_based_actor(cfg),
      plan_(std::move(plan)) {
    set_down_handler([this](caf::down_msg& down) { on_down(down); });
  }

  caf::behavior make_behavior() override {
    for (std::size_t index = 0; index < plan_.gateways.size(); ++index)
      start_gateway(index);
    for (std::size_t index = 0; index < plan_.acquirers.size(); ++index)
      start_acquirer(index);
    return {
      [this](const shard_acquired& m) { on_acquired(m); },
      [this](const shard_lost& m) { on_lost(m); },
      [this](const give_up_shard& m) { on_give_up(m); },
      [this](const shard_drained& m) { on_drained(m); },
      [this](const singletons_held& m) { on_singletons(m); },
      [this](const restart_child& m) { on_restart(m); },
      [this](restart_orphan_search) { start_orphan_search(); },
      [this](const kill_one& m) { kill_some_child(m.choice); },
      [this](shut_down& m) { on_shut_down(m); },
    };
  }

  const char* name() const override { return "supervisor"; }

  void on_exit() override { search_ = nullptr; }

private:
  enum class child_kind : std::uint8_t { gateway, acquirer, orphan_search, shard };

  struct child {
    child_kind kind;
    std::size_t index; ///< into the plan, or the shard's number
  };

  struct owned_shard {
    caf::actor who;
    epoch_number epoch;
    bool is_leaving = false; ///< it was told to drain
  };

  environment& env() const { return *plan_.env; }

  // -- children
  // -------------------------------------------------------------------------------------

  void watch(const caf::actor& who, child what) {
    monitor(who);
    children_[who.address()] = what;
  }

  void start_gateway(std::size_t index) {
    const auto& seat = plan_.gateways[index];
    auto who = spawn_gateway(system(), seat);
    env().peers.set_gateway(seat.name, who);
    watch(who, {child_kind::gateway, index});
  }

  void start_acquirer(std::size_t index) {
    const auto& seat = plan_.acquirers[index];
    auto who = spawn_acquirer(system(), seat.wire, seat.timeout);
    env().peers.set_acquirer(seat.name, who);
    watch(who, {child_kind::acquirer, index});
  }

  void start_orphan_search() {
    if (stopping_ || search_ || !searches_ || plan_.orphans.gateways.empty())
      return;
    // While it waits for a gateway's list nobody else holds it.
    search_ = spawn_orphan_search(system(), plan_.orphans);
    watch(search_, {child_kind::orphan_search, 0});
  }

  void on_acquired(const shard_acquired& message) {
    const auto& got = message.shard;
    if (stopping_)
      return;
    auto& owned = shards_[got.shard];
    if (owned.who)
      dismiss(owned.who);
    owned.is_leaving = false;
    env().journal->open_shard(got.shard, got.epoch, got.last_seq, got.chain);
    owned.epoch = got.epoch;
    owned.who = spawn_shard(system(), plan_.env, got.shard, got.epoch);
    env().peers.set_shard(got.shard, owned.who);
    watch(owned.who, {child_kind::shard, got.shard.value});
  }

  void on_lost(const shard_lost& message) {
    auto found = shards_.find(message.shard);
    if (found == shards_.end() || found->second.epoch != message.epoch)
      return;
    // Storage has warned of it, in one line for all the shards that it lost together.
    env().log(severity::debug,
              "shard " + std::to_string(message.shard.value) + " is lost: " + message.reason);
    let_go(found->first, found->second.who);
    shards_.erase(found);
  }

  // -- hand-over
  // ------------------------------------------------------------------------------------

  /// No request finds it any more; it is ours until it has drained.
  void on_give_up(const give_up_shard& message) {
    auto found = shards_.find(message.shard);
    if (found == shards_.end())
      return close_and_release(message.shard, message.epoch);
    auto& owned = found->second;
    if (owned.epoch != message.epoch || std::exchange(owned.is_leaving, true))
      return;
    env().peers.remove_shard(message.shard);
    const auto me = caf::actor_cast<caf::actor>(this);
    tell(
      owned.who,
      drain{std::make_shared<const std::function<void()>>(
        [me, drained = shard_drained{message.shard, message.epoch}] { tell(me, drained); })});
  }

  /// Of a shard whose actor is dead.
  void close_and_release(shard_number shard, epoch_number epoch) {
    env().journal->close_shard(
      shard, [me = caf::actor_cast<caf::actor>(this), drained = shard_drained{shard, epoch}] {
        tell(me, drained);
      });
  }

  /// Its actor goes by itself, as soon as it has handed back what still reaches it.
  void on_drained(const shard_drained& message) {
    auto found = shards_.find(message.shard);
    if (found != shards_.end()) {
      if (found->second.epoch != message.epoch)
        return;
      children_.erase(found->second.who.address());
      shards_.erase(found);
    }
    if (plan_.released)
      plan_.released(message.shard, message.epoch);
    if (stopping_)
      finish_when_empty();
  }

  // -- what runs once in the cluster
  // ----------------------------------------------------------------

  void on_singletons(const singletons_held& message) {
    searches_ = std::ranges::count(message.names, orphans_singleton) > 0;
    if (searches_)
      return start_orphan_search();
    if (auto search = std::exchange(search_, nullptr))
      dismiss(search);
  }

  void let_go(shard_number shard, const caf::actor& who) {
    env().peers.remove_shard(shard);
    env().gauge(shard).serving.store(false, std::memory_order_relaxed);
    dismiss(who);
  }

  /// Its end is wanted: no restart follows.
  void dismiss(const caf::actor& who) {
    children_.erase(who.address());
    caf::anon_send_exit(who, caf::exit_reason::kill);
  }

  // -- deaths
  // ---------------------------------------------------------------------------------------

  void on_down(const caf::down_msg& down) {
    auto found = children_.find(down.source);
    if (found == children_.end())
      return;
    const auto what = found->second;
    children_.erase(found);
    if (what.kind == child_kind::shard) {
      const shard_number number{static_cast<std::uint16_t>(what.index)};
      return on_shard_down(number);
    }
    if (stopping_)
      return;
    if (what.kind == child_kind::orphan_search) {
      search_ = nullptr;
      env().log(severity::warning, "the search for orphans died and is started again");
      return tell_self_later(this, milliseconds{limits::child_restart_ms},
                             restart_orphan_search{});
    }
    env().log(severity::warning,
              std::string{"the actor of "} + name_of(what) + " died and is started again");
    const restart_child again{what.kind == child_kind::gateway, what.index};
    // At once, so that hardly a call is lost; but an actor that can't live must not take the
    // whole processor.
    const auto now = env().now();
    const milliseconds pause{limits::child_restart_ms};
    if (now - std::exchange(last_restart_, now) > pause)
      on_restart(again);
    else
      tell_self_later(this, pause, again);
  }

  void on_shard_down(shard_number number) {
    env().peers.remove_shard(number);
    env().gauge(number).serving.store(false, std::memory_order_relaxed);
    const auto owned = shards_.at(number);
    shards_.erase(number);
    if (owned.is_leaving)
      return close_and_release(number, owned.epoch);
    if (stopping_)
      return finish_when_empty();
    env().log(severity::warning,
              "the actor of shard " + std::to_string(number.value) + " died; taking it anew");
    plan_.reacquire(number);
  }

  const std::string& name_of(const child& what) const {
    return what.kind == child_kind::gateway ? plan_.gateways[what.index].name
                                            : plan_.acquirers[what.index].name;
  }

  void on_restart(const restart_child& message) {
    if (stopping_)
      return;
    if (message.is_gateway)
      start_gateway(message.index);
    else
      start_acquirer(message.index);
  }

  /// For chaos tests: a gateway, an acquirer, a shard, or something inside a shard.
  void kill_some_child(std::uint64_t choice) {
    std::vector<caf::actor_addr> victims;
    for (const auto& [who, what] : children_)
      victims.push_back(who);
    if (victims.empty())
      return;
    const auto& who = victims[choice % victims.size()];
    const bool inside = children_.at(who).kind == child_kind::shard && choice % 4 != 0;
    auto handle = caf::actor_cast<caf::actor>(who);
    if (inside)
      tell(handle, kill_one{choice / 4});
    else if (handle)
      caf::anon_send_exit(handle, caf::exit_reason::kill);
  }

  // -- the end
  // --------------------------------------------------------------------------------------

  void on_shut_down(shut_down& message) {
    stopping_ = true;
    stopped_ = std::move(message.done);
    for (const auto& [number, owned] : shards_) {
      env().peers.remove_shard(number);
      if (!owned.is_leaving)
        tell(owned.who, drain{});
    }
    finish_when_empty();
  }

  void finish_when_empty() {
    if (!shards_.empty())
      return;
    for (const auto& [who, what] : std::exchange(children_, {}))
      caf::anon_send_exit(caf::actor_cast<caf::actor>(who), caf::exit_reason::user_shutdown);
    if (auto tell_caller = std::exchange(stopped_, nullptr))
      (*tell_caller)();
    quit();
  }

  supervisor_plan plan_;
  bool stopping_ = false;
  bool searches_ = false; ///< for orphans, on this node
  timestamp last_restart_;
  caf::actor search_; ///< for orphans
  std::shared_ptr<std::function<void()>> stopped_;
  std::unordered_map<caf::actor_addr, child> children_;
  std::map<shard_number, owned_shard> shards_;
};

} // namespace

caf::actor spawn_supervisor(caf::actor_system& system, supervisor_plan plan) {
  return system.spawn<supervisor_actor>(std::move(plan));
}

} // namespace holdfast::actors
