// Settlement in a simulated world: the real cut-off clock, file format and reconciler core, and
// around them what merchants' and reconcilers' actors do and what storage's units of work keep.
// Mirrors actors/merchant, actors/reconciler and storage/settlement*.
#pragma once

#include "actors/merchant/cutoff.hpp"
#include "runtime/simulation/acquirer.hpp"
#include "runtime/simulation/agenda.hpp"
#include "runtime/simulation/database.hpp"
#include "storage/settlement.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::simulation {

class shard_actor;

class settlement {
public:
  explicit settlement(world& of);

  // from the database, with the commit of a capture or refund
  void note(shard_number shard, payment_ref payment, const payments::recorded_event& what);

  // from shards
  void shard_started(shard_actor& shard);
  void item_ready(shard_actor& shard, const merchant_id& merchant);

  /// Nothing moves but what waits for a cut-off, or for an acquirer that is days late.
  [[nodiscard]] bool is_quiet() const;
  /// At the very end: nothing waits at all, but for a person.
  [[nodiscard]] bool is_done() const;
  /// What contradicts the acquirer's record or the ledger; empty: nothing.
  [[nodiscard]] std::string disagreement() const;

private:
  static constexpr std::size_t none = static_cast<std::size_t>(-1);

  struct item {
    shard_number shard;
    merchant_id merchant;
    storage::batch_item_view view;
    timestamp succeeded_at;
    std::size_t batch = none;
    bool before_a_person = false; ///< it has an exception
  };

  struct batch {
    shard_number shard;
    storage::batch_view view;
    std::vector<std::size_t> items;
    std::size_t file = none;
  };

  struct merchant_clock {
    epoch_number epoch;
    bool is_set = false;
    std::uint32_t gathered = 0;
  };

  struct reconciler {
    epoch_number epoch;
    bool is_busy = false;
    bool again = false;
    std::optional<timestamp> look_at;
  };

  // the merchant's actor
  void schedule(shard_actor& shard, const merchant_id& merchant);
  void close(shard_actor& shard, const merchant_id& merchant, timestamp before);
  void close_now(shard_number shard, const merchant_id& merchant, timestamp before);

  // the reconciler's actor
  void drive(shard_actor& shard);
  void round(shard_actor& shard);
  void rest(shard_actor& shard);
  void store_file(shard_actor& shard, std::vector<std::size_t> batches);
  void ask(shard_actor& shard, std::size_t file);
  void on_answer(shard_actor& shard, std::size_t file, acquirers::acquirer_answer answer);
  void try_later(shard_actor& shard, std::size_t file);
  void apply_results(shard_actor& shard, std::size_t file,
                     const acquirers::acquirer_answer& answer);
  void apply_report(shard_actor& shard, std::size_t file,
                    const acquirers::acquirer_answer& answer);
  void resubmit_later(std::size_t file);
  /// A unit of work, and then the next round.
  void write(shard_actor& shard, std::function<void()> what);
  void look_again(shard_actor& shard, timestamp at);

  [[nodiscard]] std::vector<storage::batch_content> content_of(std::size_t file) const;
  [[nodiscard]] bool has_ready_items(shard_number shard, const merchant_id& merchant) const;
  void move(const uuid& operation, settlement_status to);

  world& world_;
  acquirer acquirer_;
  merchants::settlement_terms terms_;
  std::vector<item> items_;
  std::unordered_map<uuid, std::size_t> item_of_;
  std::map<merchant_id, std::vector<std::size_t>> ready_;
  std::vector<batch> batches_;
  std::vector<storage::settlement_file> files_;
  std::map<merchant_id, merchant_clock> clocks_;
  std::map<shard_number, reconciler> reconcilers_;
};

} // namespace holdfast::simulation
