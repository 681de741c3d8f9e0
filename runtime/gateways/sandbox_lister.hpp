// The sandbox gateway's list of recent authorizations.
#pragma once

#include "actors/orphans/lister.hpp"

#include <boost/asio/io_context.hpp>

#include <memory>
#include <string>

namespace holdfast::gateways {

/// `url` is the gateway's own. Errors: invalid_argument.
[[nodiscard]] expected<std::shared_ptr<authorization_lister>> make_sandbox_lister(
  boost::asio::io_context& io, std::string url);

} // namespace holdfast::gateways
