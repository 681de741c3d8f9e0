#include "runtime/routes/table.hpp"

#include "messages/digest.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <tuple>

namespace holdfast::routes {

namespace {

using config::route_settings;
using words = std::vector<std::string>;

/// What a route may ask for, in the order in which reasons name it.
constexpr std::array<words route_settings::*, 4> fields{
  &route_settings::merchant, &route_settings::currency, &route_settings::region,
  &route_settings::brand};
constexpr std::array<std::string_view, 4> field_names{"merchant", "currency", "region",
                                                      "brand"};

/// An empty pattern is "*".
bool fits(const words& pattern, std::string_view value) {
  return pattern.empty() || std::ranges::find(pattern, value) != pattern.end();
}

bool covers(const words& wide, const words& narrow) {
  if (wide.empty() || narrow.empty())
    return wide.empty();
  return std::ranges::all_of(narrow, [&](const auto& word) { return fits(wide, word); });
}

bool overlap(const words& one, const words& other) {
  return one.empty() || other.empty()
         || std::ranges::any_of(one, [&](const auto& word) { return fits(other, word); });
}

/// Whether the test holds for each of the four.
template <class Test>
bool for_all_fields(const route_settings& one, const route_settings& other, Test test) {
  return std::ranges::all_of(fields,
                             [&](auto field) { return test(one.*field, other.*field); });
}

bool leads_the_same_way(const route_settings& one, const route_settings& other) {
  return std::tie(one.gateways, one.weights, one.acquirer)
         == std::tie(other.gateways, other.weights, other.acquirer);
}

/// "currency EUR, brand visa": what the route asked for, as the payment has it.
std::string match_text(const route_settings& route,
                       const std::array<std::string_view, 4>& values) {
  std::string text;
  for (std::size_t at = 0; at < fields.size(); ++at) {
    if ((route.*fields[at]).empty())
      continue;
    text += (text.empty() ? "" : ", ") + std::string{field_names[at]} + ' ';
    text += values[at];
  }
  return text.empty() ? "any payment" : text;
}

/// A number below `total` that depends on merchant and key alone.
std::uint32_t lot(std::string_view merchant, std::string_view key, std::uint32_t total) {
  const auto digest = sha256(std::string{merchant} + '\n' + std::string{key});
  std::uint64_t value = 0;
  for (std::size_t byte = 0; byte < sizeof value; ++byte)
    value = value << 8 | digest[byte];
  return static_cast<std::uint32_t>(value % total);
}

/// The position of the gateway whose share of the weights the lot falls into.
std::size_t drawn(const std::vector<std::uint32_t>& weights, std::uint32_t lot) {
  std::size_t at = 0;
  while (at + 1 < weights.size() && lot >= weights[at])
    lot -= weights[at++];
  return at;
}

/// Moves the gateways that are shut behind the others, unless all are.
void put_shut_ones_last(route& path, const table::is_shut& shut) {
  route open;
  route behind;
  for (std::size_t at = 0; at < path.gateways.size(); ++at) {
    auto& to = shut(path.gateways[at]) ? behind : open;
    to.gateways.push_back(path.gateways[at]);
    to.reasons.push_back(path.reasons[at]);
  }
  if (open.gateways.empty())
    return;
  for (auto& reason : behind.reasons)
    reason += ", moved behind: its breaker is open";
  if (open.gateways.front() != path.gateways.front())
    open.reasons.front() += ", before " + path.gateways.front() + ", whose breaker is open";
  std::ranges::move(behind.gateways, std::back_inserter(open.gateways));
  std::ranges::move(behind.reasons, std::back_inserter(open.reasons));
  path.gateways = std::move(open.gateways);
  path.reasons = std::move(open.reasons);
}

} // namespace

int specificity(const route_settings& route) noexcept {
  return static_cast<int>(
    std::ranges::count_if(fields, [&](auto field) { return !(route.*field).empty(); }));
}

table::table(std::vector<route_settings> routes)
  : routes_(std::move(routes)),
    precedence_(routes_.size()) {
  std::iota(precedence_.begin(), precedence_.end(), std::size_t{0});
  std::ranges::stable_sort(precedence_, {}, [this](std::size_t at) {
    return std::tuple{routes_[at].priority, -specificity(routes_[at])};
  });
}

const route_settings* table::find(const question& about) const {
  const auto merchant = about.merchant.text();
  const std::array<std::string_view, 4> values{merchant, about.unit.code(), about.region,
                                               about.brand};
  for (const auto position : precedence_) {
    const auto& route = routes_[position];
    bool all = true;
    for (std::size_t at = 0; at < fields.size() && all; ++at)
      all = fits(route.*fields[at], values[at]);
    if (all)
      return &route;
  }
  return nullptr;
}

std::optional<route> table::choose(const question& about, const is_shut& shut) const {
  const auto* rule = find(about);
  if (rule == nullptr)
    return std::nullopt;
  const auto merchant = about.merchant.text();
  const auto number = "route " + std::to_string(rule - routes_.data() + 1);
  auto why = number + " ("
             + match_text(*rule, {merchant, about.unit.code(), about.region, about.brand})
             + "): ";
  std::size_t first = 0;
  if (rule->weights.empty()) {
    why += rule->gateways.size() == 1 ? "its only gateway" : "first of its gateways";
  } else {
    const auto total = std::accumulate(rule->weights.begin(), rule->weights.end(), 0U);
    first = drawn(rule->weights, lot(merchant, about.key, total));
    why += "weight " + std::to_string(rule->weights[first]) + " of " + std::to_string(total);
  }
  route path{{rule->gateways[first]}, rule->acquirer, {std::move(why)}};
  for (std::size_t at = 0; at < rule->gateways.size(); ++at) {
    if (at == first)
      continue;
    path.reasons.push_back(number + ": fall-back " + std::to_string(path.gateways.size()));
    path.gateways.push_back(rule->gateways[at]);
  }
  if (shut)
    put_shut_ones_last(path, shut);
  return path;
}

std::vector<std::string> table::doubts(const std::string& file) const {
  std::vector<std::string> found;
  const auto name = [&](std::size_t at) {
    return "route " + std::to_string(at + 1) + " (line " + std::to_string(routes_[at].line)
           + ')';
  };
  const auto doubt_of = [&](std::size_t rank) -> std::string {
    const auto& route = routes_[precedence_[rank]];
    for (std::size_t above = 0; above < rank; ++above) {
      const auto& other = routes_[precedence_[above]];
      if (for_all_fields(other, route, covers))
        return "is never taken: " + name(precedence_[above]) + " takes all of its payments";
    }
    for (std::size_t above = 0; above < rank; ++above) {
      const auto& other = routes_[precedence_[above]];
      const bool equal =
        other.priority == route.priority && specificity(other) == specificity(route);
      if (equal && for_all_fields(other, route, overlap) && !leads_the_same_way(other, route))
        return "is ambiguous: " + name(precedence_[above])
               + " fits some of its payments as well and is taken for them because it comes "
                 "first; give one of them another priority";
    }
    return {};
  };
  for (std::size_t rank = 0; rank < precedence_.size(); ++rank) {
    const auto position = precedence_[rank];
    if (auto doubt = doubt_of(rank); !doubt.empty())
      found.push_back(file + ':' + std::to_string(routes_[position].line)
                      + ": [[routes]] route " + std::to_string(position + 1) + ' ' + doubt);
  }
  return found;
}

} // namespace holdfast::routes
