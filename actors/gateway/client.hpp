// What a gateway's actor needs of the wire: one asynchronous call. The runtime implements it
// per kind of gateway; tests at the network's edge may too.
#pragma once

#include "messages/gateway_types.hpp"
#include "messages/time.hpp"

#include <functional>

namespace holdfast::gateways {

/// Thread-safe. `done` runs exactly once, on any thread, with the verdict that the rules of
/// gateway_types.hpp allow: whatever is not certain is `unknown`.
class client {
public:
  virtual ~client() = default;
  virtual void send(gateway_request request, milliseconds timeout,
                    std::function<void(gateway_answer)> done) = 0;
};

} // namespace holdfast::gateways
