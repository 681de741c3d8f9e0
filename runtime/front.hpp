// What the HTTP ports need of the node behind them, and nothing more: so that routes can be
// read, and tested, without actors.
#pragma once

#include "actors/gateway/gate.hpp"
#include "actors/link/port.hpp"
#include "messages/commands.hpp"
#include "messages/desk_order.hpp"
#include "messages/webhook.hpp"
#include "storage/leases.hpp"

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::runtime {

struct cutoff_request {
  std::optional<merchant_id> merchant;
  bool settle = false; ///< wait until the reports are reconciled
};

struct cutoff_result {
  bool complete = false; ///< false: the time was up; it goes on by itself
  std::uint32_t batches = 0;
  std::uint64_t items = 0;
  std::uint32_t files = 0;
  std::uint32_t reconciled = 0;
  std::uint32_t exceptions = 0;
  std::string detail; ///< what it still waits for
};

struct gateway_status {
  std::string name;
  gateways::gate_view gate;
  std::size_t in_flight = 0;
  std::size_t queued = 0;
  std::uint64_t calls = 0;
  std::uint64_t failures = 0;
  std::array<std::uint64_t, gateways::refusals> refused{}; ///< not sent, by reason
};

/// As the leases tell, and for the shards of this node what its actors say of themselves.
struct shard_status {
  storage::lease_row lease;
  bool is_here = false; ///< what follows is known of our own shards alone
  bool serving = false;
  std::size_t in_flight = 0;
  std::size_t live_payments = 0;
  milliseconds overdue{0}; ///< how late its most overdue timer is: its lag
};

struct node_status {
  storage::node_row row;
  bool is_self = false;
  std::uint32_t shards = 0;               ///< that it owns
  std::optional<links::link_status> link; ///< ours to it
};

/// A shard and the node that an operator wants it at; an empty name: wherever it falls.
struct shard_move {
  shard_number first;
  shard_number last; ///< inclusive
  std::string to;
};

/// Thread-safe; callbacks run once each, on any thread, and must be short.
class front {
public:
  virtual ~front() = default;

  /// Whether this node takes another merchant's command in; if not, it has counted it as turned
  /// away. Cheap: it is asked before anything is made of the request.
  [[nodiscard]] virtual bool takes_another() { return true; }
  /// Hands a checked command to the owner of its shard. Always answered: 503 when it can't be.
  virtual void submit(merchant_command command, std::function<void(api_reply)> done) = 0;
  /// Hands a gateway's notice, whose signature was right, to the owner of its payment's shard.
  /// 200 once it is durable; 503 when it can't be.
  virtual void notify(webhook_notice notice, std::string request_id,
                      std::function<void(api_reply)> done) = 0;
  /// Closes batches now; answered at the latest after `timeout`.
  virtual void cutoff(cutoff_request request, milliseconds timeout,
                      std::function<void(cutoff_result)> done) = 0;
  /// Hands an operator's order about an exception, a batch or a dead letter to the owner of its
  /// shard. Always answered, within limits::exception_order_ms_max and a little.
  virtual void order(desk_order what, desk_callback done) = 0;
  /// True once every shard that this node wants, and could serve, is owned and serves.
  [[nodiscard]] virtual bool ready() const = 0;
  /// What it still waits for, in a sentence for a person; empty once it is ready.
  [[nodiscard]] virtual std::string waiting_for() const {
    return ready() ? std::string{} : "Not all shards are owned and served yet.";
  }
  /// What isn't well in the cluster though this node may be ready, a sentence each.
  [[nodiscard]] virtual std::vector<std::string> warnings() const { return {}; }
  [[nodiscard]] virtual std::vector<gateway_status> gateways() const = 0;
  /// Opens a breaker until it is reset, or for `duration`. False: there is no such gateway.
  [[nodiscard]] virtual bool trip_gateway(const std::string& name,
                                          std::optional<milliseconds> duration,
                                          gateways::operator_order order) = 0;
  /// Closes it, whatever had opened it. False: there is no such gateway.
  [[nodiscard]] virtual bool reset_gateway(const std::string& name,
                                           gateways::operator_order order) = 0;
  [[nodiscard]] virtual std::vector<shard_status> shards() const = 0;
  /// All that are alive or were of late, by id.
  [[nodiscard]] virtual std::vector<node_status> nodes() const = 0;
  /// Pins the shards to a node; they move as soon as it is alive and their owner has finished
  /// what it writes. Errors: not_found (no such node), unavailable.
  virtual void move_shards(shard_move what, std::function<void(expected<void>)> done) = 0;
  /// Prometheus text of the actor system's own registry and the node's gauges.
  [[nodiscard]] virtual std::string metrics_text() const = 0;
};

} // namespace holdfast::runtime
