// A running node: actors, storage, HTTP and admin ports, wired together.
#pragma once

#include "messages/expected.hpp"
#include "runtime/config/config.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace holdfast::runtime {

/// Starts serving as soon as it is made; `readyz` turns true once its shards are owned. All
/// public calls belong to the thread that made it.
class node {
public:
  /// Blocks until the ports are bound and the databases reached (bounded).
  /// Errors: invalid_argument (configuration), unavailable (a port, a database).
  /// `must_end` is called, once and on any thread, when the node can't go on; see `failure`.
  [[nodiscard]] static expected<std::unique_ptr<node>> start(
    config::node_config settings, std::function<void()> must_end = {});
  /// Stops as `stop` does, if that has not been done.
  virtual ~node() = default;

  /// "http://127.0.0.1:8080", with the port that was really bound; `http_url` is empty for a
  /// node that takes no requests.
  [[nodiscard]] virtual std::string http_url() const = 0;
  [[nodiscard]] virtual std::string admin_url() const = 0;
  /// Reads routes and breaker rules anew from the file of the configuration, without disturbing
  /// any payment. From any thread. Errors: invalid_argument ("file:line: …"); then everything
  /// stays as it was.
  [[nodiscard]] virtual expected<void> reload_routes() = 0;
  /// Why it must be stopped, when it can't go on: another process runs under its name.
  [[nodiscard]] virtual std::optional<std::string> failure() const = 0;
  /// In good order: where there are other nodes, its shards are handed over while it still
  /// takes requests, and hands them on; then no new requests, writes finished, leases given up.
  /// Bounded by limits::hand_over_ms_max, limits::last_answers_ms_max and
  /// limits::node_stop_ms_max.
  virtual void stop() = 0;
};

} // namespace holdfast::runtime
