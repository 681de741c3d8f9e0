#include "messages/ledger.hpp"

#include <algorithm>
#include <map>

namespace holdfast {

std::string_view to_string(account_kind kind) noexcept {
  switch (kind) {
    case account_kind::hold: return "hold";
    case account_kind::hold_contra: return "hold_contra";
    case account_kind::acquirer_receivable: return "acquirer_receivable";
    case account_kind::acquirer_cash: return "acquirer_cash";
    case account_kind::merchant_pending: return "merchant_pending";
    case account_kind::merchant_available: return "merchant_available";
    case account_kind::merchant_reserve: return "merchant_reserve";
    case account_kind::platform_fees: return "platform_fees";
    case account_kind::suspense: return "suspense";
  }
  return "unknown";
}

std::string_view to_string(posting_kind kind) noexcept {
  switch (kind) {
    case posting_kind::authorization: return "authorization";
    case posting_kind::release: return "release";
    case posting_kind::capture: return "capture";
    case posting_kind::refund: return "refund";
    case posting_kind::settlement: return "settlement";
    case posting_kind::rejection: return "rejection";
    case posting_kind::unexplained: return "unexplained";
    case posting_kind::dispute_reserve: return "dispute_reserve";
    case posting_kind::dispute_release: return "dispute_release";
    case posting_kind::dispute_loss: return "dispute_loss";
    case posting_kind::adjustment: return "adjustment";
    case posting_kind::write_off: return "write_off";
  }
  return "unknown";
}

bool is_balanced(const posting& entry) noexcept {
  // Addition asserts on overflow, so no sum of legs can wrap around to zero.
  std::map<currency, minor_units> sums;
  for (const auto& leg : entry.legs) {
    if (leg.amount == minor_units{})
      return false;
    sums[leg.where.unit] += leg.amount;
  }
  return !sums.empty() && std::ranges::all_of(sums, [](const auto& currency_sum) {
    return currency_sum.second == minor_units{};
  });
}

} // namespace holdfast
