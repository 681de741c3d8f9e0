// The wire to a gateway of kind "sandbox" (docs/sandbox.md), over HTTP.
#pragma once

#include "actors/gateway/client.hpp"
#include "messages/expected.hpp"

#include <memory>
#include <string>

namespace boost::asio {
class io_context;
}

namespace holdfast::gateways {

struct sandbox_gateway_options {
  std::string url; ///< of the gateway itself: http://host:port/gateway/NAME
  std::size_t connections_max = 256;
};

/// Only a definitive, well-formed answer for our own reference, amount and currency decides
/// anything; whatever else comes back, or doesn't, is `unknown`. Errors: invalid_argument (the
/// URL).
[[nodiscard]] expected<std::shared_ptr<client>> make_sandbox_gateway(
  boost::asio::io_context& io, sandbox_gateway_options options);

} // namespace holdfast::gateways
