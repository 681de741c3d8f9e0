#include "runtime/node/payment_rules.hpp"

#include "messages/limits.hpp"

#include <unordered_map>

namespace holdfast::runtime {

namespace {

payments::unknown_outcome outcome_named(const std::string& name) {
  return name == "resolve_then_failover" ? payments::unknown_outcome::resolve_then_failover
                                         : payments::unknown_outcome::resolve_then_fail;
}

payments::policy common_rules(const config::payment_settings& settings) {
  payments::policy rules;
  rules.lifetime = settings.expiry;
  rules.resolve_within = settings.resolve_within;
  rules.after_reversal = outcome_named(settings.unknown_outcome);
  auto tables = std::make_shared<payments::policy_tables>();
  tables->retryable_declines.insert(settings.retryable_declines.begin(),
                                    settings.retryable_declines.end());
  tables->lifetimes.insert(settings.expiry_by_brand.begin(), settings.expiry_by_brand.end());
  rules.tables = std::move(tables);
  return rules;
}

} // namespace

std::function<payments::policy(const std::string&)> payment_rules(
  const config::node_config& settings) {
  const auto common = common_rules(settings.payments);
  std::unordered_map<std::string, payments::policy> table;
  for (const auto& gateway : settings.gateways) {
    auto rules = common;
    rules.answer_due = gateway.timeout + milliseconds{limits::answer_margin_ms};
    rules.settle_time = gateway.settle_time;
    if (!gateway.unknown_outcome.empty())
      rules.after_reversal = outcome_named(gateway.unknown_outcome);
    table.emplace(gateway.name, std::move(rules));
  }
  return [table = std::move(table), common](const std::string& gateway) {
    const auto found = table.find(gateway);
    return found == table.end() ? common : found->second;
  };
}

} // namespace holdfast::runtime
