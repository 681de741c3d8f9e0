// One simulated world: everything that one seed makes happen, in one thread, on a virtual
// clock. The same seed, payments and plant make the same run to the last bit.
#pragma once

#include "actors/gateway/admission.hpp"
#include "runtime/simulation/agenda.hpp"
#include "runtime/simulation/checker.hpp"
#include "runtime/simulation/clients.hpp"
#include "runtime/simulation/cluster.hpp"
#include "runtime/simulation/database.hpp"
#include "runtime/simulation/gateway.hpp"
#include "runtime/simulation/plants.hpp"
#include "runtime/simulation/settlement.hpp"
#include "runtime/simulation/shard.hpp"
#include "runtime/simulation/trace.hpp"
#include "runtime/simulation/weather.hpp"

#include <deque>
#include <string>
#include <vector>

namespace holdfast::simulation {

struct world_options {
  std::uint64_t seed = 1;
  std::size_t payments = 1'000;
  simulation::plant plant = plant::none;
  /// Whose steps are kept, as text. It changes nothing of the run.
  std::optional<payment_ref> trace_of;
};

/// How outcomes that nobody knew were resolved.
struct resolutions {
  std::uint64_t unknown = 0; ///< attempts whose outcome became unknown
  std::uint64_t approved = 0;
  std::uint64_t declined = 0;
  std::uint64_t reversed = 0;
  std::uint64_t escalated = 0; ///< a person was asked besides
};

struct world_outcome {
  std::uint64_t seed = 0;
  std::uint64_t hash = 0; ///< over all steps
  std::uint64_t steps = 0;
  std::uint64_t payments = 0; ///< durable ones
  microseconds virtual_time{0};
  fault_counts faults{};
  resolutions unknowns;
  std::optional<violation> violated;
  std::string violated_payment;   ///< its id, if it has one
  std::vector<std::string> trace; ///< the last steps, if they were asked for
};

class world {
public:
  explicit world(const world_options& options);

  [[nodiscard]] world_outcome run();

  // -- time and chance
  [[nodiscard]] timestamp now() const noexcept { return agenda_.now(); }
  [[nodiscard]] std::uint64_t steps() const noexcept { return agenda_.steps(); }
  [[nodiscard]] random& chance() noexcept { return random_; }
  [[nodiscard]] bool strikes(fault which) noexcept { return weather_.strikes(which); }
  [[nodiscard]] bool is_stormy() const noexcept { return weather_.is_stormy(); }
  [[nodiscard]] simulation::plant planted() const noexcept { return options_.plant; }

  /// A task of nobody's life.
  template <class Work>
  void in_world(microseconds delay, Work work) {
    agenda_.after(delay, std::move(work));
  }

  /// Something between the parties; the world is not quiet before it has arrived.
  template <class Work>
  void in_network(microseconds delay, Work work) {
    ++in_network_;
    agenda_.after(delay, [this, work = std::move(work)]() mutable {
      --in_network_;
      work();
    });
  }

  /// A task of the node's process: waits while it is stopped, is lost when it crashes.
  template <class Work>
  void on_node(node_number number, microseconds delay, Work work) {
    agenda_.after(delay, node_task<Work>{this, number, node(number).life, std::move(work)});
  }

  /// In the database, on behalf of a node's process: not held up when that is stopped.
  template <class Work>
  void in_database(node_number number, microseconds delay, Work work) {
    agenda_.after(delay,
                  [this, number, life = node(number).life, work = std::move(work)]() mutable {
                    if (node(number).life == life)
                      work();
                  });
  }

  // -- who there is
  [[nodiscard]] database& db() noexcept { return database_; }
  [[nodiscard]] checker& check() noexcept { return checker_; }
  [[nodiscard]] settlement& settle() noexcept { return settlement_; }
  [[nodiscard]] simulation::node& node(node_number number) { return cluster_.at(number); }
  [[nodiscard]] const std::vector<shard_number>& all_shards() const noexcept {
    return cluster_.shards();
  }
  [[nodiscard]] std::size_t gateways() const noexcept { return gateway_count_; }
  [[nodiscard]] simulation::gateway& gateway(gateway_number number) {
    return gateways_[number];
  }
  [[nodiscard]] simulation::gateway& gateway_named(const std::string& name);
  [[nodiscard]] bool is_out(gateway_number number);
  void shard_lost(node_number node, shard_number shard, epoch_number epoch) {
    cluster_.shard_lost(node, shard, epoch);
  }
  void released(const shard_actor& shard) { cluster_.released(shard); }

  // -- the terms of this world
  [[nodiscard]] const payments::policy& rules() const noexcept { return rules_; }
  [[nodiscard]] gateways::gate_rules gate_rules() const noexcept { return gate_rules_; }
  [[nodiscard]] gateways::admission_rules admission_rules() const noexcept {
    return admission_rules_;
  }
  [[nodiscard]] std::size_t keys_in_memory() const noexcept { return keys_in_memory_; }
  [[nodiscard]] std::size_t in_flight_max() const noexcept { return in_flight_max_; }
  [[nodiscard]] std::size_t idle_max() const noexcept { return idle_max_; }
  [[nodiscard]] milliseconds keys_warm() const noexcept { return keys_warm_; }
  [[nodiscard]] currency unit() const noexcept { return unit_; }
  [[nodiscard]] const std::vector<merchant_id>& merchants() const noexcept {
    return merchants_;
  }

  // -- payments and their clients
  [[nodiscard]] payment_ref new_payment(const request& what, shard_number shard);
  [[nodiscard]] const payment_id& id_of(payment_ref payment) const {
    return subjects_[payment].id;
  }
  [[nodiscard]] client_ref client_of(payment_ref payment) const {
    return subjects_[payment].client;
  }
  [[nodiscard]] const state_ptr& no_state() const noexcept { return no_state_; }
  [[nodiscard]] const merchant_id& merchant_of(client_ref client) const {
    return merchants_[clients_.merchant_of(client)];
  }
  [[nodiscard]] key_name name_of(const request& what) const;
  [[nodiscard]] static fingerprint fingerprint_of(const request& what) noexcept;
  [[nodiscard]] create_payment order_of(const request& what) const {
    return clients_.order_of(what);
  }
  /// Empty, or the issuer's reason.
  [[nodiscard]] const char* issuer_declines(payment_ref payment, gateway_number at) const;
  [[nodiscard]] node_number owner_of(client_ref client, bool the_one_before) const;

  /// A request reaches a node's front; a shard's answer leaves it.
  void arrive(node_number to, const request& what);
  void reply(node_number from, const request& about, simulation::reply what);

  // -- what is told of it
  void note(payment_ref payment, step_kind kind, std::uint64_t a, std::uint64_t b) {
    trace_.step(now(), steps(), payment, kind, a, b);
  }
  void resolved(const payment& after, const payment_event& event);

private:
  struct subject {
    payment_id id;
    client_ref client = 0;
    bool is_unknown = false;
  };

  template <class Work>
  struct node_task {
    world* of;
    node_number number;
    std::uint32_t life;
    Work work;

    void operator()() {
      auto& node = of->node(number);
      if (node.life != life)
        return;
      if (node.is_paused(of->now()))
        of->agenda_.at(node.paused_until, std::move(*this));
      else
        work();
    }
  };

  void draw_terms();
  void look_at_gateways();
  [[nodiscard]] bool is_quiet();
  bool run_until_quiet(timestamp deadline);
  void run_on(timestamp horizon);
  void blame_what_is_open();

  world_options options_;
  random random_;
  simulation::weather weather_;
  simulation::agenda agenda_;
  std::uint64_t in_network_ = 0;
  currency unit_;
  payments::policy rules_;
  gateways::gate_rules gate_rules_;
  gateways::admission_rules admission_rules_;
  std::size_t keys_in_memory_ = 0;
  std::size_t in_flight_max_ = 0;
  std::size_t idle_max_ = 0;
  milliseconds keys_warm_{0};
  std::size_t gateway_count_ = 0;
  std::vector<merchant_id> merchants_;
  std::vector<subject> subjects_;
  state_ptr no_state_;
  std::deque<simulation::gateway> gateways_;
  std::vector<timestamp> out_until_;
  simulation::trace trace_;
  checker checker_;
  database database_;
  simulation::settlement settlement_;
  simulation::cluster cluster_;
  simulation::clients clients_;
  resolutions unknowns_;
};

/// Nothing happens once the activation has ended.
template <class Work>
void shard_actor::later(microseconds delay, Work work) {
  world_.on_node(node_, delay, [me = weak_from_this(), work = std::move(work)]() mutable {
    if (auto self = me.lock())
      work(*self);
  });
}

} // namespace holdfast::simulation
