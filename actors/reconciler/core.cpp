#include "actors/reconciler/core.hpp"

#include "messages/assert.hpp"
#include "messages/payment.hpp"

#include <unordered_map>
#include <utility>

namespace holdfast::settlements {

namespace {

/// An item with what surrounds it.
struct open_item {
  const storage::batch_view* batch;
  const storage::batch_item_view* item;
  std::size_t batch_index;
  bool seen = false;
};

minor_units signed_amount(const storage::batch_item_view& item) {
  return item.kind == operation_kind::refund ? -item.amount : item.amount;
}

/// Legs of zero say nothing and the ledger refuses them.
void add_leg(posting& entry, account_kind kind, const std::string& owner, currency unit,
             minor_units amount) {
  if (amount != minor_units{})
    entry.legs.push_back({account{kind, owner, unit}, amount});
}

storage::new_exception exception_of(std::string kind, const open_item& open) {
  storage::new_exception made;
  made.kind = std::move(kind);
  made.merchant = open.batch->merchant;
  made.payment = open.item->payment;
  made.operation = open.item->operation;
  made.batch = open.batch->id;
  made.unit = open.batch->unit;
  made.expected_amount = signed_amount(*open.item);
  return made;
}

class matcher {
public:
  matcher(const file_id& file, const std::vector<storage::batch_content>& batches)
    : file_(file),
      batches_(batches) {
    for (std::size_t index = 0; index < batches.size(); ++index) {
      const auto& [batch, items, fee_bps] = batches[index];
      out_.batches.push_back({batch.id, batch.merchant, {}, {}, {}, {}, 0, 0});
      for (const auto& item : items)
        open_[operation_reference(item.payment, item.kind, item.ordinal)] = {&batch, &item,
                                                                             index};
    }
  }

  matched_report match(const report& reported) {
    for (const auto& line : reported.lines)
      take(line);
    for (const auto& content : batches_)
      for (const auto& item : content.items)
        note_if_missing(open_.at(operation_reference(item.payment, item.kind, item.ordinal)));
    for (std::size_t index = 0; index < batches_.size(); ++index)
      close(batches_[index].batch, out_.batches[index]);
    return std::move(out_);
  }

private:
  void take(const report_line& line) {
    auto found = open_.find(line.operation_reference);
    if (found == open_.end())
      return unknown_line(line);
    auto& open = found->second;
    if (open.seen)
      return mismatch("duplicate_line", "The acquirer reports this item twice.", line, open);
    open.seen = true;
    const auto& item = *open.item;
    if (line.unit != open.batch->unit || line.merchant != open.batch->merchant.text()
        || line.kind != to_string(item.kind)
        || line.gateway_reference != item.gateway_reference)
      return mismatch(
        "reference_mismatch",
        "The line's merchant, kind, currency or gateway reference is not the item's.", line,
        open);
    if (line.amount != item.amount)
      return mismatch("amount_mismatch", "The acquirer settled another amount.", line, open);
    settle(line, open);
  }

  void settle(const report_line& line, const open_item& open) {
    auto& totals = out_.batches[open.batch_index];
    totals.gross += signed_amount(*open.item);
    totals.acquirer_fees += line.fee;
    if (open.item->kind == operation_kind::capture)
      totals.platform_fees +=
        platform_fee(open.item->amount, batches_[open.batch_index].fee_bps);
    ++totals.settled;
    out_.settled.push_back({open.item->operation, line.fee, line.number});
  }

  void mismatch(const char* kind, const char* why, const report_line& line,
                const open_item& open) {
    auto made = exception_of(kind, open);
    made.reported_amount = line.kind == "refund" ? -line.amount : line.amount;
    made.raw_line = line.raw;
    made.detail = why;
    out_.exceptions.push_back(std::move(made));
    ++out_.batches[open.batch_index].exceptions;
    post_unexplained(line, open.batch->acquirer);
  }

  void unknown_line(const report_line& line) {
    storage::new_exception made;
    made.kind = "unknown_line";
    if (auto merchant = merchant_id::parse(line.merchant))
      made.merchant = *merchant;
    made.unit = line.unit;
    made.reported_amount = line.kind == "refund" ? -line.amount : line.amount;
    made.raw_line = line.raw;
    made.detail = "The acquirer reports an item that is not in the file.";
    out_.exceptions.push_back(std::move(made));
    post_unexplained(line, batches_.empty() ? std::string{} : batches_.front().batch.acquirer);
  }

  /// The money did arrive; what it is for is not known.
  void post_unexplained(const report_line& line, const std::string& acquirer) {
    posting entry;
    entry.kind = posting_kind::unexplained;
    entry.subject = file_.value;
    entry.ordinal = line.number;
    entry.external_ref = line.operation_reference;
    add_leg(entry, account_kind::acquirer_cash, acquirer, line.unit, line.net);
    add_leg(entry, account_kind::suspense, acquirer, line.unit, -line.net);
    if (!entry.legs.empty())
      out_.postings.push_back(std::move(entry));
  }

  void note_if_missing(const open_item& open) {
    if (open.seen)
      return;
    auto made = exception_of("missing_line", open);
    made.detail = "The acquirer accepted this item but its report doesn't have it.";
    out_.exceptions.push_back(std::move(made));
    ++out_.batches[open.batch_index].exceptions;
  }

  /// The acquirer has paid gross less its fees; the merchant gets gross less both fees.
  void close(const storage::batch_view& batch, storage::batch_outcome& totals) {
    const auto fees = totals.acquirer_fees + totals.platform_fees;
    totals.net = totals.gross - fees;
    const auto merchant = batch.merchant.text();
    posting entry;
    entry.kind = posting_kind::settlement;
    entry.subject = batch.id.value;
    entry.ordinal = 1;
    entry.external_ref = file_.text();
    add_leg(entry, account_kind::acquirer_cash, batch.acquirer, batch.unit,
            totals.gross - totals.acquirer_fees);
    add_leg(entry, account_kind::acquirer_receivable, batch.acquirer, batch.unit,
            -totals.gross);
    add_leg(entry, account_kind::merchant_pending, merchant, batch.unit, totals.gross);
    add_leg(entry, account_kind::merchant_available, merchant, batch.unit, -totals.net);
    add_leg(entry, account_kind::platform_fees, "platform", batch.unit, -totals.platform_fees);
    if (!entry.legs.empty())
      out_.postings.push_back(std::move(entry));
  }

  const file_id& file_;
  const std::vector<storage::batch_content>& batches_;
  std::unordered_map<std::string, open_item> open_;
  matched_report out_;
};

/// What was booked when the item succeeded is taken back: the acquirer will never pay it.
posting rejection_of(const storage::batch_view& batch, const storage::batch_item_view& item) {
  const auto amount = signed_amount(item);
  posting entry;
  entry.kind = posting_kind::rejection;
  entry.subject = item.operation;
  entry.ordinal = 1;
  entry.external_ref = item.gateway_reference;
  add_leg(entry, account_kind::merchant_pending, batch.merchant.text(), batch.unit, amount);
  add_leg(entry, account_kind::acquirer_receivable, batch.acquirer, batch.unit, -amount);
  return entry;
}

} // namespace

minor_units platform_fee(minor_units captured, std::uint32_t bps) noexcept {
  HF_ASSERT(captured >= minor_units{});
  // Split so that the product stays within 64 bits for the largest amount.
  const auto whole = captured.value() / 10'000 * bps;
  const auto rest = captured.value() % 10'000 * bps;
  auto rounded = rest / 10'000;
  const auto half = rest % 10'000;
  if (half > 5'000 || (half == 5'000 && (whole + rounded) % 2 != 0))
    ++rounded;
  return minor_units{whole + rounded};
}

expected<answered_items> judge_results(const std::vector<storage::batch_content>& batches,
                                       const std::vector<storage::item_result>& results) {
  std::unordered_map<uuid, const storage::item_result*> by_operation;
  for (const auto& result : results)
    if (!by_operation.emplace(result.operation, &result).second)
      return make_error(errc::corrupt, "the acquirer answers an item twice");
  answered_items out;
  std::size_t items_in_file = 0;
  for (const auto& [batch, items, fee_bps] : batches) {
    for (const auto& item : items) {
      ++items_in_file;
      const auto found = by_operation.find(item.operation);
      if (found == by_operation.end())
        return make_error(errc::corrupt, "the acquirer answers nothing for an item");
      switch (found->second->verdict) {
        case storage::item_verdict::accepted: ++out.accepted; break;
        case storage::item_verdict::deferred: ++out.deferred; break;
        case storage::item_verdict::rejected: {
          ++out.rejected;
          out.postings.push_back(rejection_of(batch, item));
          auto made = exception_of("rejected_item", {&batch, &item, 0});
          made.detail = "The acquirer rejected this item for good: " + found->second->code;
          out.exceptions.push_back(std::move(made));
          break;
        }
      }
    }
  }
  if (items_in_file != results.size())
    return make_error(errc::corrupt, "the acquirer answers items that are not in the file");
  return out;
}

matched_report match_report(const file_id& file,
                            const std::vector<storage::batch_content>& batches,
                            const report& reported) {
  return matcher{file, batches}.match(reported);
}

} // namespace holdfast::settlements
