// The operators' API on the admin port: health, metrics, merchants and keys, what the node
// does, the ledger's proof. It asks for no key; the port must not be reachable for merchants.
#pragma once

#include "runtime/api/key_ring.hpp"
#include "runtime/api/routing.hpp"
#include "runtime/front.hpp"
#include "runtime/http/server.hpp"
#include "runtime/telemetry/metrics.hpp"

#include <functional>
#include <memory>

namespace holdfast::api {

struct admin_options {
  std::string node{}; ///< the id of this one
  shard_layout layout{{shard_range{{0}, {31}}}};
  std::uint32_t fee_bps_default = 30; ///< of merchants made without one
  /// A cut-off is answered after this, complete or not; less than the server's handler timeout.
  milliseconds cutoff_timeout{55'000};
  std::function<timestamp()> now = wall_clock_now;
  /// Picks home shards and fills ids; seeded from the system in production.
  std::function<std::uint64_t()> random;
  /// Replays a payment's events, for the ledger's proof.
  storage::store::payment_fold fold;
  /// The routes that are shown; must outlive every exchange. Null: none are.
  const routing* routes = nullptr;
  /// Reads them anew. Errors: invalid_argument, with file and line.
  std::function<expected<void>()> reload_routes;
};

/// Thread-safe. What it is given must outlive every exchange; stop the server first. Its server
/// needs a handler timeout that a proof of the whole ledger fits into.
class admin_api {
public:
  admin_api(storage::store& store, runtime::front& front, key_ring& keys,
            telemetry::registry& metrics, admin_options options);
  ~admin_api();
  admin_api(const admin_api&) = delete;
  admin_api& operator=(const admin_api&) = delete;

  /// For http::server. Answers every request, each with its route's template in x-route.
  void handle(http::request request, http::responder respond);

private:
  struct state;
  std::shared_ptr<state> state_;
};

} // namespace holdfast::api
