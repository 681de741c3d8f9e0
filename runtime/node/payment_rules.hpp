// What the configuration says of payments, in the words of their core.
#pragma once

#include "actors/payment/core.hpp"
#include "runtime/config/config.hpp"

#include <functional>
#include <string>

namespace holdfast::runtime {

/// The rules of payments whose last attempt is at the named gateway. The core's times follow
/// the gateway's own: an answer is overdue when its call must have ended. The result is
/// thread-safe.
[[nodiscard]] std::function<payments::policy(const std::string& gateway)> payment_rules(
  const config::node_config& settings);

} // namespace holdfast::runtime
