#include "runtime/simulation/ledger.hpp"

namespace holdfast::simulation {

std::size_t account_hash::operator()(const account& where) const noexcept {
  return std::hash<std::string>{}(where.owner) * 31 + static_cast<std::size_t>(where.kind);
}

const char* ledger::post(const posting& entry) {
  if (!is_balanced(entry))
    return "a posting's debits are not its credits";
  if (!posted_.insert({entry.kind, entry.subject, entry.ordinal}).second)
    return "the same thing was posted twice";
  for (const auto& leg : entry.legs) {
    balances_[leg.where] += leg.amount.value();
    sums_[static_cast<std::size_t>(leg.where.kind)] += leg.amount.value();
  }
  return nullptr;
}

std::int64_t ledger::balance(const account& where) const {
  const auto found = balances_.find(where);
  return found == balances_.end() ? 0 : found->second;
}

} // namespace holdfast::simulation
