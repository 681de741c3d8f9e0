#include "runtime/demo/statement.hpp"

#include "runtime/console/table.hpp"
#include "runtime/console/view.hpp"
#include "runtime/demo/plan.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <set>

namespace holdfast::demo {

namespace json = boost::json;
using console::align;
using console::amount_text;
using console::grouped;

namespace {

constexpr std::size_t indent = 2;
/// Differences and surprises that are spelled out; the JSON has all of them.
constexpr std::size_t lines_shown = 20;

/// A payment's life, in which order outcomes are listed.
constexpr std::array<std::string_view, 12> life{
  "settled",    "batched",  "captured",   "partially_captured",
  "authorized", "rejected", "declined",   "voided",
  "expired",    "failed",   "processing", "pending_gateway"};

std::string fixed(double value, int decimals) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  return text.data();
}

std::string words(std::string text) {
  std::ranges::replace(text, '_', ' ');
  return text;
}

std::string heading(const console::terminal& out, std::string_view title) {
  return '\n' + out.bold(title) + "\n\n";
}

std::string mark(const console::terminal& out, bool good) {
  if (out.utf8)
    return good ? out.good("✓") : out.bad("✗");
  return good ? out.good("ok  ") : out.bad("FAIL");
}

std::string outcomes_text(const day_result& day, const console::terminal& out) {
  std::set<std::string> currencies;
  std::map<std::string, std::map<std::string, const outcome_row*>> by_status;
  for (const auto& row : day.outcomes) {
    currencies.insert(row.currency);
    by_status[row.status][row.currency] = &row;
  }
  std::vector<console::column> columns{{"Outcome"}, {"Payments", align::right}};
  for (const auto& currency : currencies)
    columns.push_back({currency, align::right});
  console::table table{std::move(columns)};
  std::uint64_t total = 0;
  for (const auto status : life) {
    const auto found = by_status.find(std::string{status});
    if (found == by_status.end())
      continue;
    std::uint64_t payments = 0;
    std::vector<std::string> amounts;
    for (const auto& currency : currencies) {
      const auto row = found->second.find(currency);
      const bool none = row == found->second.end();
      payments += none ? 0 : row->second->payments;
      amounts.push_back(none ? "" : amount_text(row->second->amount, currency));
    }
    std::vector<std::string> cells{words(std::string{status}), grouped(payments)};
    cells.insert(cells.end(), amounts.begin(), amounts.end());
    table.add(std::move(cells));
    total += payments;
  }
  table.add_rule();
  table.add({"all", grouped(total)});
  return heading(out, "Payments by outcome") + table.text(out, indent);
}

std::string merchants_text(const day_result& day, const console::terminal& out) {
  console::table table{{{"Merchant"},
                        {"Currency"},
                        {"Items", align::right},
                        {"Gross", align::right},
                        {"Acquirer", align::right},
                        {"Platform", align::right},
                        {"Net", align::right}}};
  std::map<std::string, merchant_row> totals;
  const auto add = [&](const merchant_row& row) {
    table.add({row.name, row.currency, grouped(row.items), amount_text(row.gross, row.currency),
               amount_text(row.acquirer_fees, row.currency),
               amount_text(row.platform_fees, row.currency),
               amount_text(row.net, row.currency)});
  };
  for (const auto& row : day.merchants) {
    add(row);
    auto& total = totals[row.currency];
    total.name = "all";
    total.currency = row.currency;
    total.items += row.items;
    total.gross += row.gross;
    total.acquirer_fees += row.acquirer_fees;
    total.platform_fees += row.platform_fees;
    total.net += row.net;
  }
  table.add_rule();
  for (const auto& [currency, total] : totals)
    add(total);
  return heading(out, "Settlement: gross, fees and net") + table.text(out, indent);
}

std::string exceptions_text(const day_result& day, const console::terminal& out) {
  console::table table{{{"Class"}, {"Exceptions", align::right}, {"Explained", align::right}}};
  for (const auto& row : day.exceptions)
    table.add({words(row.kind), grouped(row.count), grouped(row.explained)});
  auto text = heading(out, "Reconciliation exceptions by class");
  return text + (table.empty() ? std::string(indent, ' ') + "none\n" : table.text(out, indent));
}

std::string ledger_text(const day_result& day, const console::terminal& out) {
  auto text = heading(out, "The ledger's proof");
  for (const auto& promise : day.ledger.promises)
    text += "  " + mark(out, promise.holds) + ' ' + promise.promise + '\n';
  text += "  " + grouped(day.ledger.entries) + " entries in " + grouped(day.ledger.accounts)
          + " accounts, " + grouped(day.ledger.events) + " events\n";
  for (const auto& finding : day.ledger.findings)
    text += "  " + out.bad(finding) + '\n';
  return text;
}

std::string spelled_out(const std::vector<std::string>& lines, const console::terminal& out) {
  std::string text;
  for (std::size_t i = 0; i < std::min(lines.size(), lines_shown); ++i)
    text += "    " + out.bad(lines[i]) + '\n';
  if (lines.size() > lines_shown)
    text += "    and " + grouped(lines.size() - lines_shown) + " more\n";
  return text;
}

std::string comparison_text(const day_result& day, const console::terminal& out) {
  const auto& audit = day.audit;
  std::vector<std::string> differences;
  for (const auto& [payment, what] : audit.differences)
    differences.push_back(payment + ' ' + what);
  return heading(out, "Clients, gateways and ledger, compared") + "  "
         + mark(out, differences.empty()) + ' ' + grouped(differences.size())
         + " unexplained differences between " + grouped(audit.answers)
         + " acknowledged answers, " + grouped(audit.records) + " sandbox records and "
         + grouped(audit.payments) + " payments\n" + spelled_out(differences, out) + "    "
         + grouped(audit.holds) + " holds, " + grouped(audit.captures) + " captures and "
         + grouped(audit.refunds) + " refunds at the gateways, each known here\n  "
         + mark(out, day.drive.surprises.empty())
         + " every answer was what the cards and amounts ask for\n"
         + spelled_out(day.drive.surprises, out) + "    " + grouped(day.drive.unknown)
         + " outcomes were unknown at first, " + grouped(day.drive.replays)
         + " answers were asked for twice and came back the same\n  "
         + mark(out, day.complaints.empty())
         + " everything captured was settled, and every exception was asked for\n"
         + spelled_out(day.complaints, out);
}

std::string phases_text(const day_result& day, const console::terminal& out) {
  console::table table{{{"Phase"},
                        {"What", align::right},
                        {"Seconds", align::right},
                        {"Per second", align::right}}};
  double total = 0;
  for (const auto& phase : day.phases) {
    const auto rate = phase.seconds > 0 ? static_cast<double>(phase.count) / phase.seconds : 0;
    table.add({phase.name, grouped(phase.count) + ' ' + phase.unit, fixed(phase.seconds, 2),
               grouped(static_cast<std::uint64_t>(rate))});
    total += phase.seconds;
  }
  table.add_rule();
  table.add({"all", "", fixed(total, 2)});
  return heading(out, "Time") + table.text(out, indent) + "\n  latency of a request: p50 "
         + fixed(day.drive.latency_p50_ms, 1) + " ms, p99 " + fixed(day.drive.latency_p99_ms, 1)
         + " ms\n";
}

json::array strings(const std::vector<std::string>& texts) {
  json::array array(texts.begin(), texts.end());
  return array;
}

json::array outcomes_json(const day_result& day) {
  json::array rows;
  for (const auto& row : day.outcomes)
    rows.push_back(json::object{{"status", row.status},
                                {"currency", row.currency},
                                {"payments", row.payments},
                                {"amount", row.amount}});
  return rows;
}

json::array merchants_json(const day_result& day) {
  json::array rows;
  for (const auto& row : day.merchants)
    rows.push_back(json::object{{"merchant", row.merchant},
                                {"name", row.name},
                                {"currency", row.currency},
                                {"items", row.items},
                                {"gross", row.gross},
                                {"acquirer_fees", row.acquirer_fees},
                                {"platform_fees", row.platform_fees},
                                {"net", row.net}});
  return rows;
}

json::array exceptions_json(const day_result& day) {
  json::array rows;
  for (const auto& row : day.exceptions)
    rows.push_back(
      json::object{{"class", row.kind}, {"count", row.count}, {"explained", row.explained}});
  return rows;
}

json::object ledger_json(const day_result& day) {
  json::object proof{{"holds", day.ledger.holds}};
  for (const auto& promise : day.ledger.promises)
    proof[promise.promise] = promise.holds;
  proof["entries"] = day.ledger.entries;
  proof["events"] = day.ledger.events;
  proof["accounts"] = day.ledger.accounts;
  proof["findings"] = strings(day.ledger.findings);
  return proof;
}

json::object comparison_json(const day_result& day) {
  json::array differences;
  for (const auto& [payment, what] : day.audit.differences)
    differences.push_back(json::object{{"payment", payment}, {"difference", what}});
  return {{"answers", day.audit.answers},         {"records", day.audit.records},
          {"payments", day.audit.payments},       {"holds", day.audit.holds},
          {"captures", day.audit.captures},       {"refunds", day.audit.refunds},
          {"differences", differences},           {"surprises", strings(day.drive.surprises)},
          {"complaints", strings(day.complaints)}};
}

} // namespace

std::string statement_text(const day_result& day, const console::terminal& out) {
  auto text = '\n' + out.bold("Holdfast: the statement of a sandbox day") + '\n'
              + grouped(day.payments) + " payments of " + std::to_string(merchants.size())
              + " merchants, seed " + std::to_string(day.seed) + ", "
              + std::to_string(day.cutoffs) + " cut-offs\n";
  text += outcomes_text(day, out) + merchants_text(day, out) + exceptions_text(day, out)
          + ledger_text(day, out) + comparison_text(day, out) + phases_text(day, out) + '\n';
  text += day.holds() ? out.good("Everything balances.") : out.bad("It does NOT balance.");
  return text + '\n';
}

std::string statement_json(const day_result& day) {
  json::array phases;
  for (const auto& phase : day.phases)
    phases.push_back(json::object{{"name", phase.name},
                                  {"count", phase.count},
                                  {"unit", phase.unit},
                                  {"seconds", phase.seconds}});
  return json::serialize(json::object{{"holds", day.holds()},
                                      {"payments", day.payments},
                                      {"seed", day.seed},
                                      {"cutoffs", day.cutoffs},
                                      {"outcomes", outcomes_json(day)},
                                      {"merchants", merchants_json(day)},
                                      {"exceptions", exceptions_json(day)},
                                      {"ledger", ledger_json(day)},
                                      {"comparison", comparison_json(day)},
                                      {"requests", day.drive.requests},
                                      {"asked_again", day.drive.asked_again},
                                      {"replays", day.drive.replays},
                                      {"unknown", day.drive.unknown},
                                      {"latency_p50_ms", day.drive.latency_p50_ms},
                                      {"latency_p99_ms", day.drive.latency_p99_ms},
                                      {"phases", phases}});
}

} // namespace holdfast::demo
