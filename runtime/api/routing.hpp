// The routing table: which gateways may authorize a payment, in which order, and which acquirer
// settles it.
#pragma once

#include "messages/commands.hpp"
#include "runtime/config/config.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace holdfast::api {

/// Immutable, hence thread-safe.
class routing {
public:
  explicit routing(std::vector<config::route_settings> rules) : rules_(std::move(rules)) {}

  /// The first rule, in the order of the configuration, that fits; a rule's "*" fits anything.
  [[nodiscard]] std::optional<route> resolve(merchant_id merchant, currency unit,
                                             std::string_view region) const;

private:
  std::vector<config::route_settings> rules_;
};

} // namespace holdfast::api
