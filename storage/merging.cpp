#include "storage/merging.hpp"

#include "messages/limits.hpp"

#include <map>
#include <string>
#include <tuple>

namespace holdfast::storage {

std::vector<status_count> merge_counts(const std::vector<status_count>& counts) {
  std::map<std::pair<std::string, currency>, status_count> merged;
  for (const auto& count : counts) {
    auto& sum = merged[{count.status, count.unit}];
    sum.status = count.status;
    sum.unit = count.unit;
    sum.payments += count.payments;
    sum.amount += count.amount;
  }
  std::vector<status_count> all;
  for (auto& [key, count] : merged)
    all.push_back(std::move(count));
  return all;
}

std::vector<balance_view> merge_balances(const std::vector<balance_view>& parts) {
  std::map<account, minor_units> sums;
  for (const auto& [where, balance] : parts)
    sums[where] += balance;
  std::vector<balance_view> all;
  for (const auto& [where, balance] : sums)
    all.push_back({where, balance});
  return all;
}

statement merge_statements(std::vector<statement> parts) {
  statement whole;
  std::map<std::string, std::uint64_t> classes;
  for (auto& part : parts) {
    std::ranges::move(part.by_status, std::back_inserter(whole.by_status));
    std::ranges::move(part.by_merchant, std::back_inserter(whole.by_merchant));
    for (const auto& [name, count] : part.exceptions_by_class)
      classes[name] += count;
  }
  whole.by_status = merge_counts(whole.by_status);
  // All that a merchant has is in one database.
  std::ranges::sort(whole.by_merchant, {}, [](const statement_row& row) {
    return std::tie(row.merchant_name, row.merchant, row.unit);
  });
  whole.exceptions_by_class.assign(classes.begin(), classes.end());
  return whole;
}

ledger_proof merge_proofs(const std::vector<shard_range>& ranges,
                          const std::vector<ledger_proof>& parts) {
  ledger_proof whole;
  const auto all = [&parts](bool ledger_proof::*claim) {
    return std::ranges::all_of(parts, [claim](const auto& part) { return part.*claim; });
  };
  for (const auto claim :
       {&ledger_proof::debits_equal_credits, &ledger_proof::balances_equal_fold,
        &ledger_proof::running_balances_hold, &ledger_proof::postings_balance,
        &ledger_proof::sequences_have_no_gap, &ledger_proof::chain_holds,
        &ledger_proof::payments_match_events})
    whole.*claim = all(claim);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    whole.entries += parts[i].entries;
    whole.events += parts[i].events;
    whole.accounts += parts[i].accounts;
    const auto where = "shards " + text_of(ranges[i]) + ": ";
    for (const auto& finding : parts[i].findings)
      if (whole.findings.size() < limits::proof_findings_max)
        whole.findings.push_back(where + finding);
  }
  return whole;
}

namespace {

/// What two databases say of one id.
node_row merge_nodes(node_row one, node_row other) {
  const bool same = one.card.incarnation == other.card.incarnation;
  const bool other_counts =
    same ? other.alive_for > one.alive_for : other.started_at > one.started_at;
  // Where only its last process has been seen, this one is about to be: shards are leased to
  // the id.
  auto alive_in = one.alive_in;
  std::ranges::copy(other.alive_in, std::back_inserter(alive_in));
  if (other_counts)
    std::swap(one, other);
  if (same)
    one.card.draining = one.card.draining || other.card.draining;
  one.alive_in = std::move(alive_in);
  return one;
}

bool anybody_lives_in(const dated_view& part) {
  return std::ranges::any_of(part.view.nodes,
                             [&part](const auto& row) { return row.alive_for > part.age; });
}

} // namespace

cluster_view merge_views(const std::vector<dated_view>& parts) {
  std::map<std::string, node_row> nodes;
  cluster_view whole;
  for (const auto& part : parts) {
    const auto& [range, view, age] = part;
    if (!anybody_lives_in(part))
      whole.out_of_reach.push_back(range);
    for (auto row : view.nodes) {
      if (row.alive_for > milliseconds{0})
        row.alive_in = {range};
      row.alive_for -= age;
      const auto [known, is_new] = nodes.emplace(row.card.id, row);
      if (!is_new)
        known->second = merge_nodes(std::move(known->second), std::move(row));
    }
    for (auto lease : view.leases) {
      const bool ran = lease.left > milliseconds{0};
      lease.left -= age;
      if (ran && lease.left <= milliseconds{0})
        lease.owner.clear();
      whole.leases.push_back(std::move(lease));
    }
  }
  for (auto& [id, row] : nodes)
    whole.nodes.push_back(std::move(row));
  std::ranges::sort(whole.leases, {}, &lease_row::shard);
  return whole;
}

} // namespace holdfast::storage
