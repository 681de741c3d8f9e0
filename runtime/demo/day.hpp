// A sandbox day from the first payment to the proof: what `holdfast demo` does once everything
// runs.
#pragma once

#include "messages/expected.hpp"
#include "runtime/demo/audit.hpp"
#include "runtime/demo/driver.hpp"

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

namespace holdfast::demo {

struct day_options {
  std::vector<std::string> http_urls; ///< of all nodes
  std::string admin_url;
  std::string sandbox_url;
  std::size_t payments = 2'000;
  std::uint64_t seed = 1;
  std::size_t connections = 128;
};

/// Payments of one status and currency.
struct outcome_row {
  std::string status;
  std::string currency;
  std::uint64_t payments = 0;
  std::int64_t amount = 0; ///< minor units
};

/// What a merchant's batches come to in one currency, in minor units.
struct merchant_row {
  std::string merchant;
  std::string name;
  std::string currency;
  std::uint64_t items = 0;
  std::int64_t gross = 0;
  std::int64_t acquirer_fees = 0;
  std::int64_t platform_fees = 0;
  std::int64_t net = 0;
};

struct exception_row {
  std::string kind;
  std::uint64_t count = 0;
  std::uint64_t explained = 0; ///< by an amount that asked for it
};

struct ledger_row {
  std::string promise; ///< "debits equal credits"
  bool holds = false;
};

struct ledger_figures {
  bool holds = false;
  std::vector<ledger_row> promises;
  std::uint64_t entries = 0;
  std::uint64_t events = 0;
  std::uint64_t accounts = 0;
  std::vector<std::string> findings;
};

struct phase {
  std::string name;
  std::uint64_t count = 0;
  std::string unit; ///< of `count`: "payments"
  double seconds = 0;
};

struct day_result {
  std::uint64_t payments = 0;
  std::uint64_t seed = 0;
  std::vector<outcome_row> outcomes;
  std::vector<merchant_row> merchants;
  std::vector<exception_row> exceptions;
  ledger_figures ledger;
  audit_result audit;
  drive_result drive;
  std::uint32_t cutoffs = 0;
  /// What is not as it must be and belongs to none of the above.
  std::vector<std::string> complaints;
  std::vector<phase> phases;

  /// Every promise was kept.
  [[nodiscard]] bool holds() const noexcept;
};

/// Blocking; shows its progress on stderr. Errors: unavailable (a part can't be reached,
/// something does not end in time, stopped): then there is no result to show.
[[nodiscard]] expected<day_result> run_day(const day_options& options, std::stop_token stop);

} // namespace holdfast::demo
