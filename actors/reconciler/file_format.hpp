// The settlement file that acquirers get and the report that they send back: CSV, LF lines, no
// quoting (no field can hold a comma). Pure.
//
//   H,holdfast-settlement,1,<file>,<acquirer>,<created RFC 3339>
//   I,<line>,<batch>,<merchant>,<operation>,capture|refund,<gateway>,<gateway reference>,
//     <operation reference>,<amount>,<currency>
//   T,<items>,<batches>,<sum of captures>,<sum of refunds>
//     (hash totals: amounts are added as plain numbers, whatever their currency)
//
//   H,holdfast-report,1,<file>,<acquirer>,<created>
//   S,<line>,<gateway reference>,<operation
//   reference>,<merchant>,capture|refund,<amount>,<fee>,
//     <net>,<currency>
//   P,<currency>,<gross>,<fees>,<net>
//   T,<settlement lines>
#pragma once

#include "messages/expected.hpp"
#include "storage/settlement.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace holdfast::settlements {

/// The id that files show for an item: `cap_…` or `ref_…`.
[[nodiscard]] std::string operation_text(const storage::batch_item_view& item);

/// Writes the file. Deterministic: the same arguments give the same bytes.
[[nodiscard]] std::string write_file(const file_id& file, std::string_view acquirer,
                                     timestamp created,
                                     const std::vector<storage::batch_content>& batches);

struct report_line {
  std::uint32_t number = 0;
  std::string gateway_reference;
  std::string operation_reference;
  std::string merchant;
  std::string kind; ///< "capture" or "refund"
  minor_units amount;
  minor_units fee;
  minor_units net;
  currency unit;
  std::string raw;
};

struct payout_line {
  currency unit;
  minor_units gross;
  minor_units fees;
  minor_units net;
};

struct report {
  std::vector<report_line> lines;
  std::vector<payout_line> payouts;
};

/// Parses and checks the report's own arithmetic: numbering, net = amount - fee (refunds count
/// negative), payouts = sums of the lines, the trailer's count. Errors: corrupt, naming the
/// line.
[[nodiscard]] expected<report> parse_report(std::string_view text, const file_id& file);

} // namespace holdfast::settlements
