// The routing table: which gateways may authorize a payment, in which order and why, and which
// acquirer settles it. Pure.
#pragma once

#include "messages/commands.hpp"
#include "runtime/config/config.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::routes {

/// What a choice depends on.
struct question {
  merchant_id merchant;
  currency unit;
  std::string_view region; ///< empty: the merchant named none
  std::string_view brand;  ///< empty: a token, whose card we don't know
  /// The idempotency key: the same one gets the same weighted choice, however often it is sent.
  std::string_view key;
};

/// Immutable, hence thread-safe.
class table {
public:
  /// Whether a gateway takes no new charges at the moment.
  using is_shut = std::function<bool(const std::string& gateway)>;

  explicit table(std::vector<config::route_settings> routes);

  /// Of the routes that fit, the one with the lowest priority number; among those, the one that
  /// asks for most of merchant, currency, region and brand; among those, the first. A gateway
  /// that is shut stays in the route, behind those that are not. None: no route fits.
  [[nodiscard]] std::optional<route> choose(const question& about,
                                            const is_shut& shut = {}) const;

  /// In the order of the configuration.
  [[nodiscard]] const std::vector<config::route_settings>& routes() const noexcept {
    return routes_;
  }

  /// "file:line: what is doubtful", a line each: routes that no payment can ever take, and
  /// those that only their place in the file sets apart.
  [[nodiscard]] std::vector<std::string> doubts(const std::string& file) const;

private:
  [[nodiscard]] const config::route_settings* find(const question& about) const;

  std::vector<config::route_settings> routes_;
  std::vector<std::size_t> precedence_; ///< positions in `routes_`
};

/// How many of the four a route asks for.
[[nodiscard]] int specificity(const config::route_settings& route) noexcept;

} // namespace holdfast::routes
