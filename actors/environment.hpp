// What every actor of a node is given: the doors to storage, the clock, the rules, and where to
// find its peers. Shared and read-only, but for the directory, which the supervisor keeps
// current.
#pragma once

#include "actors/admission/control.hpp"
#include "actors/merchant/cutoff.hpp"
#include "actors/payment/core.hpp"
#include "storage/journal.hpp"
#include "storage/settlement.hpp"
#include "storage/store.hpp"

#include <caf/actor.hpp>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <unordered_map>

namespace holdfast::actors {

/// Who serves what at the moment. Thread-safe. A handle may be of an actor that has just died:
/// senders keep deadlines.
class directory {
public:
  void set_gateway(const std::string& name, caf::actor who);
  void set_acquirer(const std::string& name, caf::actor who);
  void set_shard(shard_number shard, caf::actor who);
  void remove_shard(shard_number shard);

  [[nodiscard]] caf::actor gateway(const std::string& name) const;
  [[nodiscard]] caf::actor acquirer(const std::string& name) const;
  [[nodiscard]] caf::actor shard(shard_number shard) const;
  [[nodiscard]] std::vector<std::pair<shard_number, caf::actor>> shards() const;

private:
  mutable std::shared_mutex mutex_;
  std::unordered_map<std::string, caf::actor> gateways_;
  std::unordered_map<std::string, caf::actor> acquirers_;
  std::map<shard_number, caf::actor> shards_;
};

/// What a shard says of itself for metrics and `ctl shards`. Written by its actor alone.
struct shard_gauges {
  std::atomic<bool> serving{false};
  std::atomic<std::size_t> in_flight{0};
  std::atomic<std::size_t> live_payments{0};
  std::atomic<std::int64_t> overdue_ms{0}; ///< how late the last look at its timers was
};

/// Where an actor writes a line for people. Levels as in syslog; thread-safe; no card data.
enum class severity : std::uint8_t { debug, info, warning, error };
using log_function = std::function<void(severity, const std::string&)>;

struct environment {
  storage::journal* journal = nullptr;
  storage::store* store = nullptr;
  storage::settlement_store* settlement = nullptr;
  std::function<timestamp()> now;
  std::function<std::uint64_t()> random; ///< thread-safe
  log_function log;
  /// Runs something after a pause, on a thread of the runtime's.
  std::function<void(milliseconds, std::function<void()>)> later;
  /// The rules for payments whose next gateway is this one.
  std::function<payments::policy(const std::string& gateway)> rules_of;
  /// Told by a shard's actor when it begins to serve; may be empty. Any thread.
  std::function<void(shard_number)> began_to_serve;
  merchants::settlement_terms terms;
  shard_layout layout;
  directory peers;
  std::vector<std::unique_ptr<shard_gauges>> gauges; ///< one a shard
  /// What this node lets in.
  std::shared_ptr<admission::control> intake =
    std::make_shared<admission::control>(std::chrono::steady_clock::now());

  [[nodiscard]] shard_gauges& gauge(shard_number shard) const { return *gauges[shard.value]; }
};

using environment_ptr = std::shared_ptr<environment>;

} // namespace holdfast::actors
