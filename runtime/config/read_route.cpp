#include "runtime/config/read_route.hpp"

#include "messages/ids.hpp"
#include "messages/limits.hpp"
#include "messages/money.hpp"

#include <algorithm>
#include <array>
#include <numeric>

namespace holdfast::config {

namespace {

std::string check_merchant(std::string_view text) {
  return merchant_id::parse(text) ? std::string{} : "expected \"*\" or a merchant's id (mer_…)";
}

std::string check_currency(std::string_view text) {
  return currency::parse(text) ? std::string{}
                               : "expected \"*\" or an ISO 4217 code such as \"EUR\"";
}

std::string check_region(std::string_view text) {
  return text.empty() || text == "*" || text.size() > limits::region_bytes_max
           ? "expected \"*\" or a region"
           : std::string{};
}

std::string check_brand(std::string_view text) {
  static constexpr std::array<std::string_view, 5> brands{"visa", "mastercard", "amex",
                                                          "discover", "unknown"};
  return std::ranges::find(brands, text) != brands.end()
           ? std::string{}
           : R"(expected "*", "visa", "mastercard", "amex", "discover" or "unknown")";
}

void read_gateways(table_reader& in, const node_config& known, route_settings& route) {
  in.require("gateways");
  in.read("gateways", route.gateways, [&](std::string_view name) {
    const bool exists =
      std::ranges::find(known.gateways, name, &gateway_settings::name) != known.gateways.end();
    return exists ? std::string{} : "expected the name of a [[gateways]]";
  });
  if (in.has("gateways") && route.gateways.empty())
    in.complain("gateways", "expected at least one gateway");
  if (route.gateways.size() > limits::payment_attempts_max)
    in.complain("gateways", "expected at most " + std::to_string(limits::payment_attempts_max)
                              + " gateways: a payment is tried no more often");
}

void read_weights(table_reader& in, route_settings& route) {
  in.read("weights", route.weights, 0, limits::config_route_weight_max);
  if (!in.has("weights") || route.gateways.empty())
    return;
  if (route.weights.size() != route.gateways.size())
    in.complain("weights", "expected one for each of the "
                             + std::to_string(route.gateways.size()) + " gateways");
  else if (std::accumulate(route.weights.begin(), route.weights.end(), 0U) == 0)
    in.complain("weights", "expected at least one above 0");
}

} // namespace

void read_route(table_reader& in, node_config& out) {
  route_settings route;
  route.line = in.line();
  in.read_any_of("merchant", route.merchant, check_merchant);
  in.read_any_of("currency", route.currency, check_currency);
  in.read_any_of("region", route.region, check_region);
  in.read_any_of("brand", route.brand, check_brand);
  in.read("priority", route.priority, 0, limits::config_route_priority_max);
  read_gateways(in, out, route);
  read_weights(in, route);
  in.require("acquirer");
  in.read("acquirer", route.acquirer, [&](std::string_view name) {
    const bool known =
      std::ranges::find(out.acquirers, name, &acquirer_settings::name) != out.acquirers.end();
    return known ? std::string{} : "expected the name of an [[acquirers]]";
  });
  out.routes.push_back(std::move(route));
  if (out.routes.size() == limits::config_routes_max + 1)
    in.complain("gateways", "expected at most " + std::to_string(limits::config_routes_max)
                              + " [[routes]]");
}

} // namespace holdfast::config
