// The wire to an acquirer of kind "sandbox" (docs/sandbox.md), over HTTP.
#pragma once

#include "actors/acquirer/client.hpp"
#include "messages/expected.hpp"

#include <memory>
#include <string>

namespace boost::asio {
class io_context;
}

namespace holdfast::acquirers {

/// `url` is of the acquirer itself: http://host:port/acquirer/NAME. Errors: invalid_argument.
[[nodiscard]] expected<std::shared_ptr<client>> make_sandbox_acquirer(
  boost::asio::io_context& io, std::string url);

} // namespace holdfast::acquirers
