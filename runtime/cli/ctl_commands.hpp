// What each `holdfast ctl` command does: asks the admin port, shows the answer.
#pragma once

#include "messages/expected.hpp"
#include "runtime/client/json_client.hpp"
#include "runtime/console/terminal.hpp"

#include <string>

namespace holdfast::cli::ctl {

/// Where to ask and how to show it.
struct context {
  client::json_client admin;
  bool as_json = false;
  console::terminal out;
};

// Each prints on stdout. Errors: those of json_client.

[[nodiscard]] expected<void> list_merchants(const context& how);
struct new_merchant {
  std::string name;
  std::string currency = "EUR";
  int stripes = 1;
};
[[nodiscard]] expected<void> create_merchant(const context& how, const new_merchant& wanted);

[[nodiscard]] expected<void> list_keys(const context& how, const std::string& merchant);
[[nodiscard]] expected<void> create_key(const context& how, const std::string& merchant,
                                        bool live);
[[nodiscard]] expected<void> revoke_key(const context& how, const std::string& key);

[[nodiscard]] expected<void> show_payment(const context& how, const std::string& payment);
[[nodiscard]] expected<void> show_timeline(const context& how, const std::string& payment);

[[nodiscard]] expected<void> list_batches(const context& how, const std::string& merchant);
[[nodiscard]] expected<void> show_batch(const context& how, const std::string& batch);

/// Of one node or, where that is empty, of all. What only a shard's owner knows of it is asked
/// of each node that can be reached.
[[nodiscard]] expected<void> list_shards(const context& how, const std::string& node);
struct shard_order {
  std::string range; ///< "3" or "0-7"
  std::string to;    ///< a node's id, or "anywhere"
};
[[nodiscard]] expected<void> move_shards(const context& how, const shard_order& order);
[[nodiscard]] expected<void> list_nodes(const context& how);

[[nodiscard]] expected<void> list_gateways(const context& how);
struct breaker_order {
  std::string gateway;
  std::string duration; ///< of a trip, such as "10m"; empty: until it is reset
  std::string note;
};
[[nodiscard]] expected<void> trip_gateway(const context& how, const breaker_order& order);
[[nodiscard]] expected<void> reset_gateway(const context& how, const breaker_order& order);

[[nodiscard]] expected<void> list_routes(const context& how);
/// Errors besides: invalid_argument, with the line of the file that is wrong.
[[nodiscard]] expected<void> reload_routes(const context& how);

/// Errors besides: corrupt, when the ledger does not hold.
[[nodiscard]] expected<void> verify_ledger(const context& how);
[[nodiscard]] expected<void> list_balances(const context& how);
struct ledger_export {
  std::string merchant;          ///< empty: every account and entry
  std::string format = "ndjson"; ///< or "csv"
  std::string file;              ///< empty: stdout
};
/// Page by page, with its progress on stderr.
[[nodiscard]] expected<void> export_ledger(const context& how, const ledger_export& wanted);

/// Errors besides: unavailable, when the time is up before it is complete.
[[nodiscard]] expected<void> cut_off(const context& how, const std::string& merchant,
                                     bool settle);

} // namespace holdfast::cli::ctl
