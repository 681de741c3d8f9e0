// The API that merchants speak to: /v1/… and /openapi.json.
#pragma once

#include "messages/secret.hpp"
#include "runtime/api/key_ring.hpp"
#include "runtime/api/routing.hpp"
#include "runtime/front.hpp"
#include "runtime/http/server.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace holdfast::api {

struct public_options {
  shard_layout layout{{shard_range{{0}, {31}}}};
  std::uint32_t requests_per_second = 0; ///< of one merchant; 0: no limit
  std::function<timestamp()> now = wall_clock_now;
  /// By gateway; those that have none don't send webhooks.
  std::map<std::string, secret, std::less<>> webhook_secrets = {};
};

/// Checks who asks and what, hands commands to the front and reads to the store, and turns what
/// they answer into HTTP. Thread-safe. Store, front, key ring and routing must outlive every
/// exchange; stop the server first.
class public_api {
public:
  public_api(storage::store& store, runtime::front& front, key_ring& keys,
             const routing& routes, public_options options);
  ~public_api();
  public_api(const public_api&) = delete;
  public_api& operator=(const public_api&) = delete;

  /// For http::server. Answers every request, each with its route's template in x-route.
  void handle(http::request request, http::responder respond);

private:
  struct state;
  std::shared_ptr<state> state_;
};

} // namespace holdfast::api
