// What goes wrong in a world, and how often. Swarm testing: each seed draws which faults are on
// at all and how often each strikes, so that no fault hides behind another.
#pragma once

#include "runtime/simulation/random.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace holdfast::simulation {

enum class fault : std::uint8_t {
  // between a node and a gateway, per call
  request_lost,
  request_late, ///< arrives long after the caller has given up, or after a "not found"
  request_doubled,
  answer_lost,
  answer_late,
  answer_doubled, ///< comes again much later, as webhooks do
  http_500,       ///< the gateway did it, and answers 500
  http_500_idle,  ///< the gateway did nothing, and answers 500
  html,           ///< the gateway did it, and a proxy answers 200 with a page
  stale_status,   ///< an inquiry is answered from a copy that is behind
  reversal_refused,
  gateway_outage,
  gateway_actor_death,
  // inside our nodes and their database
  payment_actor_death,
  shard_actor_death,
  node_crash,
  node_pause,     ///< longer than its lease, often
  node_cut,       ///< from the database, while its clients stay connected
  shard_move,     ///< an orderly hand-over
  commit_lost,    ///< the connection broke before COMMIT
  commit_unheard, ///< the connection broke after COMMIT
  journal_gives_up,
  disk_stall,
  write_refused, ///< a constraint, or a full disk
  read_failed,
  // clients
  submission_lost,
  submission_doubled, ///< the same request twice, on two nodes
  reply_lost,
  stale_routing, ///< the request goes to the owner before this one
  client_leaves, ///< never asks for the answer
  other_body,    ///< the same key with another request
  // the acquirer
  file_refused,
  item_rejected,
  item_deferred,
  results_doubled,
  acquirer_silent,
  acquirer_days_late,
  line_missing,
  line_doubled,
  line_other_amount,
  line_unknown,
  report_garbled,
};

inline constexpr std::size_t fault_count = static_cast<std::size_t>(fault::report_garbled) + 1;

[[nodiscard]] std::string_view to_string(fault which) noexcept;

/// How often each fault has struck.
using fault_counts = std::array<std::uint64_t, fault_count>;

class weather {
public:
  /// Draws which faults are on and their rates.
  explicit weather(random& source);

  /// Whether the fault strikes here and now; counts it.
  [[nodiscard]] bool strikes(fault which) noexcept;
  void clear_up() noexcept { stormy_ = false; }
  [[nodiscard]] bool is_stormy() const noexcept { return stormy_; }
  /// Parts of a million, per call, write, request or item; for nodes, per look at them.
  [[nodiscard]] std::uint32_t rate(fault which) const noexcept {
    return rates_[static_cast<std::size_t>(which)];
  }
  [[nodiscard]] const fault_counts& counts() const noexcept { return counts_; }

private:
  random& random_;
  bool stormy_ = true;
  std::array<std::uint32_t, fault_count> rates_{};
  fault_counts counts_{};
};

} // namespace holdfast::simulation
