// What a bench measures: a private installation in a folder of its own, its merchants, and two
// databases more in the same server for the baseline and the ceiling.
#pragma once

#include "messages/expected.hpp"
#include "runtime/bench/bench.hpp"
#include "runtime/bench/process_usage.hpp"
#include "runtime/bench/tally.hpp"
#include "runtime/bench/workload.hpp"
#include "runtime/client/json_client.hpp"
#include "runtime/embedded/installation.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace holdfast::bench {

struct site_options {
  std::filesystem::path data; ///< an empty folder
  setting as;
  bool has_baseline = true;
  bool has_ceiling = true;
  /// A gateway's troubles neither open its breaker nor hold back what is asked of it again.
  bool stubborn = false;
  std::function<void(const std::string&)> tell; ///< may be empty
  /// Waits for so long, or until a process has died; true once somebody asked us to stop.
  std::function<bool(milliseconds)> pause;
};

/// The processor time and memory of each process, and the machine's own, at one moment.
struct site_usage {
  usage node, database, sandbox, bench;
  machine_times machine;
};

/// To be used from the main thread alone.
class site {
public:
  /// Errors: unavailable.
  [[nodiscard]] static expected<std::unique_ptr<site>> open(site_options options);

  [[nodiscard]] const std::string& http() const { return node().http; }
  [[nodiscard]] const std::string& sandbox() const { return running_->where().sandbox; }
  [[nodiscard]] const std::string& database() const { return running_->where().database; }
  [[nodiscard]] client::json_client admin() const { return client::json_client{node().admin}; }
  [[nodiscard]] naming names(std::string run) const { return {merchants_, std::move(run)}; }
  /// Empty unless asked for.
  [[nodiscard]] const std::string& baseline_database() const { return baseline_; }
  [[nodiscard]] const std::string& ceiling_database() const { return ceiling_; }
  [[nodiscard]] const std::filesystem::path& folder() const { return running_->data(); }

  /// Payments that were laid down before the node started.
  [[nodiscard]] std::uint64_t stored() const noexcept { return options_.as.stored; }
  /// What the node holds in memory now.
  [[nodiscard]] std::uint64_t node_bytes() const { return resident_bytes(node().pid); }

  /// Whether to go on. Errors: unavailable (interrupted, a process has died).
  [[nodiscard]] expected<void> check();
  [[nodiscard]] site_usage usage_now() const;

  /// The faults of all gateways, as the sandbox's API takes them. Errors: unavailable.
  [[nodiscard]] expected<void> set_rate(const std::string& fault, double rate) const;
  [[nodiscard]] expected<void> end_faults() const;

  /// Payments of each public status, as the database itself has them. Errors: unavailable.
  [[nodiscard]] expected<std::vector<storage::status_count>> count_payments() const;
  /// Waits until no payment has one of these statuses any more. Errors: unavailable, also when
  /// that takes longer than `limit`.
  [[nodiscard]] expected<void> await_none(const std::vector<std::string>& statuses,
                                          milliseconds limit);
  /// Reads the database and the sandbox. Errors: unavailable.
  [[nodiscard]] expected<tally> compare(std::vector<payment_id> acknowledged,
                                        const expectation& wanted) const;

  /// SIGKILL to the node; returns once another one is ready to serve: how long that took, from
  /// the kill. Errors: unavailable.
  [[nodiscard]] expected<milliseconds> restart_node();

  void stop() { running_->stop(); }

private:
  site(site_options options, std::unique_ptr<embedded::installation> running)
    : options_(std::move(options)),
      running_(std::move(running)) {}

  [[nodiscard]] const embedded::node_place& node() const {
    return running_->where().nodes.front();
  }
  expected<void> check_after(milliseconds pause);
  expected<void> create_merchants();
  expected<void> create_databases();

  site_options options_;
  std::unique_ptr<embedded::installation> running_;
  std::shared_ptr<const merchants> merchants_;
  std::string baseline_;
  std::string ceiling_;
};

} // namespace holdfast::bench
