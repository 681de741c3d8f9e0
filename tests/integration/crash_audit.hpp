// What must be true of an installation after any crash: what merchants were told, what the
// database says and what the gateways did are one story.
#pragma once

#include "messages/ids.hpp"
#include "tests/integration/crash_load.hpp"
#include "tests/support/site.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::test {

/// Keeps everything that merchants of one site were ever told. Its checks return what is wrong,
/// for a person; they need a node that serves and loads that have ended.
class crash_audit {
public:
  explicit crash_audit(const site& of) : site_(of) {}

  /// A merchant of somebody else's on this site: its payments are in none of our books, and yet
  /// must agree with the gateways' records.
  void admit(merchant_id stranger, std::string api_key);
  /// New merchants for the next load, so that a check need only look at what is new.
  [[nodiscard]] std::vector<std::string> open_accounts();
  /// The load against its merchants' payments and the sandbox's new records, and the totals of
  /// all loads so far against the database.
  [[nodiscard]] std::vector<std::string> check(const crash_load& load);
  /// Everything that was ever told against everything there is.
  [[nodiscard]] std::vector<std::string> check_all();
  /// Debits equal credits, balances are the sums of their entries, the hash chain holds.
  [[nodiscard]] std::vector<std::string> prove_ledger();

  [[nodiscard]] std::size_t payments() const noexcept { return books_.size(); }
  [[nodiscard]] std::size_t answers() const noexcept { return answers_.size(); }

private:
  std::vector<std::string> compare(const std::vector<demo::acknowledged>& answers,
                                   const std::vector<std::string>& api_keys,
                                   const std::vector<expected_payment>& books,
                                   std::int64_t records_after);
  [[nodiscard]] std::vector<demo::payment_seen> read_payments(
    const std::vector<std::string>& api_keys) const;
  void check_totals(std::vector<std::string>& differences) const;

  const site& site_;
  std::vector<std::string> api_keys_;     ///< of all merchants
  std::vector<std::string> new_api_keys_; ///< of the next load's
  std::vector<std::string> strange_api_keys_;
  std::string strangers_; ///< their ids, as SQL lists them
  std::vector<demo::acknowledged> answers_;
  std::vector<expected_payment> books_;
  std::int64_t records_seen_ = 0;
};

} // namespace holdfast::test
