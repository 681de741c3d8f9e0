#include "runtime/api/routing.hpp"

#include <algorithm>

namespace holdfast::api {

namespace {

bool fits(std::string_view pattern, std::string_view value) {
  return pattern == "*" || pattern == value;
}

} // namespace

std::optional<route> routing::resolve(merchant_id merchant, currency unit,
                                      std::string_view region) const {
  const auto merchant_text = merchant.text();
  const auto rule =
    std::find_if(rules_.begin(), rules_.end(), [&](const config::route_settings& candidate) {
      return fits(candidate.merchant, merchant_text) && fits(candidate.currency, unit.code())
             && fits(candidate.region, region);
    });
  if (rule == rules_.end())
    return std::nullopt;
  return route{rule->gateways, rule->acquirer};
}

} // namespace holdfast::api
