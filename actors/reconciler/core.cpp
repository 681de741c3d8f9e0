#include "actors/reconciler/core.hpp"

#include "messages/assert.hpp"
#include "messages/limits.hpp"
#include "messages/payment.hpp"
#include "messages/printable.hpp"

#include <algorithm>
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

/// The same item in the same file, or line of it, raises a class once.
std::string fingerprint_of(std::string_view kind, const file_id& file, std::string_view what) {
  return std::string{kind} + ':' + file.text() + ':' + std::string{what};
}

storage::new_exception exception_of(std::string kind, const open_item& open) {
  storage::new_exception made;
  made.source = open.batch->acquirer;
  made.kind = std::move(kind);
  made.merchant = open.batch->merchant;
  made.payment = open.item->payment;
  made.operation = open.item->operation;
  made.batch = open.batch->id;
  made.unit = open.batch->unit;
  made.expected_amount = signed_amount(*open.item);
  made.external_ref =
    operation_reference(open.item->payment, open.item->kind, open.item->ordinal);
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
      for (const auto& item : items) {
        place_of_.emplace(operation_reference(item.payment, item.kind, item.ordinal),
                          open_.size());
        open_.push_back({&batch, &item, index});
      }
    }
  }

  matched_report match(const report& reported) {
    out_.settled.reserve(reported.lines.size());
    for (const auto& line : reported.lines)
      take(line);
    for (const auto& open : open_)
      note_if_missing(open);
    for (std::size_t index = 0; index < batches_.size(); ++index)
      close(batches_[index].batch, out_.batches[index]);
    return std::move(out_);
  }

private:
  void take(const report_line& line) {
    const auto found = place_of_.find(line.operation_reference);
    if (found == place_of_.end())
      return unknown_line(line);
    auto& open = open_[found->second];
    if (open.seen)
      return mismatch("duplicate_line", "The acquirer reports this item twice.", line, open);
    open.seen = true;
    const auto& item = *open.item;
    if (line.unit != open.batch->unit || line.merchant != merchant_of(open)
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

  /// Items of one batch come in a row, mostly.
  const std::string& merchant_of(const open_item& open) {
    if (open.batch->merchant != merchant_ || merchant_text_.empty()) {
      merchant_ = open.batch->merchant;
      merchant_text_ = merchant_.text();
    }
    return merchant_text_;
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
    made.detail = why;
    ++out_.batches[open.batch_index].exceptions;
    raise(line, std::move(made));
  }

  void unknown_line(const report_line& line) {
    storage::new_exception made;
    made.kind = "unknown_line";
    if (auto merchant = merchant_id::parse(line.merchant))
      made.merchant = *merchant;
    made.unit = line.unit;
    made.source = batches_.empty() ? std::string{} : batches_.front().batch.acquirer;
    made.external_ref = printable(line.operation_reference, limits::reference_bytes_max);
    made.detail = "The acquirer reports an item that is not in the file.";
    raise(line, std::move(made));
  }

  /// Its money did arrive; until a person has explained it, it is in suspense.
  void raise(const report_line& line, storage::new_exception made) {
    made.reported_amount = line.kind == "refund" ? -line.amount : line.amount;
    made.posted_amount = line.net;
    made.posted_unit = line.unit;
    made.raw_line = printable(line.raw, limits::exception_raw_bytes_max);
    made.fingerprint = fingerprint_of(made.kind, file_, std::to_string(line.number));
    post_unexplained(line, made.source);
    out_.exceptions.push_back(std::move(made));
  }

  /// The money did arrive; what it is for is not known.
  void post_unexplained(const report_line& line, const std::string& acquirer) {
    posting entry;
    entry.kind = posting_kind::unexplained;
    entry.subject = file_.value;
    entry.ordinal = line.number;
    entry.external_ref = printable(line.operation_reference, limits::reference_bytes_max);
    add_leg(entry, account_kind::acquirer_cash, acquirer, line.unit, line.net);
    add_leg(entry, account_kind::suspense, acquirer, line.unit, -line.net);
    if (!entry.legs.empty())
      out_.postings.push_back(std::move(entry));
  }

  void note_if_missing(const open_item& open) {
    if (open.seen)
      return;
    auto made = exception_of("missing_in_report", open);
    made.detail = "The acquirer accepted this item but its report doesn't have it.";
    made.fingerprint = fingerprint_of(made.kind, file_, to_hex(open.item->operation));
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
  std::vector<open_item> open_;
  std::unordered_map<std::string, std::size_t> place_of_; ///< by the operation's reference
  merchant_id merchant_;
  std::string merchant_text_;
  matched_report out_;
};

/// What was booked when the item succeeded is taken back: the acquirer will never pay it.
posting rejection_of(const storage::batch_view& batch, const storage::batch_item_view& item) {
  const auto amount = signed_amount(item);
  posting entry;
  entry.kind = posting_kind::rejection;
  entry.subject = item.operation;
  // A person may have it submitted again, and it may be refused again.
  entry.ordinal = item.tries + 1;
  entry.external_ref = item.gateway_reference;
  add_leg(entry, account_kind::merchant_pending, batch.merchant.text(), batch.unit, amount);
  add_leg(entry, account_kind::acquirer_receivable, batch.acquirer, batch.unit, -amount);
  return entry;
}

void reject(const storage::batch_view& batch, const storage::batch_item_view& item,
            const std::string& kind, std::string why, answered_items& out) {
  ++out.rejected;
  auto made = exception_of(kind, {&batch, &item, 0});
  made.detail = std::move(why);
  made.fingerprint = kind + ':' + to_hex(item.operation) + ':' + std::to_string(item.tries);
  out.postings.push_back(rejection_of(batch, item));
  out.exceptions.push_back(std::move(made));
}

/// The item's result, once; one that was put off too often ends with a person.
void take_result(const storage::batch_view& batch, const storage::batch_item_view& item,
                 storage::item_result result, answered_items& out) {
  const auto code = [&] { return printable(result.code, limits::reference_bytes_max); };
  switch (result.verdict) {
    case storage::item_verdict::accepted: ++out.accepted; break;
    case storage::item_verdict::deferred:
      if ((item.tries + 1) % limits::item_deferrals_max != 0) {
        ++out.deferred;
        break;
      }
      result.verdict = storage::item_verdict::rejected;
      reject(batch, item, "deferred_item",
             "The acquirer has put this item off " + std::to_string(limits::item_deferrals_max)
               + " times: " + code(),
             out);
      break;
    case storage::item_verdict::rejected:
      reject(batch, item, "rejected_item",
             "The acquirer rejected this item for good: " + code(), out);
      break;
  }
  out.results.push_back(std::move(result));
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
  by_operation.reserve(results.size());
  for (const auto& result : results) {
    const auto [known, is_new] = by_operation.emplace(result.operation, &result);
    if (!is_new && known->second->verdict != result.verdict)
      return make_error(errc::corrupt, "the acquirer answers an item in two ways");
  }
  answered_items out;
  std::size_t items_in_file = 0;
  for (const auto& [batch, items, fee_bps] : batches) {
    const auto deferred_before = out.deferred;
    for (const auto& item : items) {
      ++items_in_file;
      const auto found = by_operation.find(item.operation);
      if (found == by_operation.end())
        return make_error(errc::corrupt, "the acquirer answers nothing for an item");
      take_result(batch, item, *found->second, out);
    }
    if (out.deferred > deferred_before)
      out.waiting.push_back(batch.merchant);
  }
  if (items_in_file != by_operation.size())
    return make_error(errc::corrupt, "the acquirer answers items that are not in the file");
  return out;
}

matched_report match_report(const file_id& file,
                            const std::vector<storage::batch_content>& batches,
                            const report& reported) {
  return matcher{file, batches}.match(reported);
}

storage::new_exception malformed_report(const file_id& file, const std::string& acquirer,
                                        std::string_view body, const error& failure) {
  storage::new_exception made;
  made.kind = "report_malformed";
  made.fingerprint = made.kind + ':' + file.text();
  made.source = acquirer;
  made.external_ref = file.text();
  made.detail = "None of the report was applied: " + failure.detail + '.';
  made.raw_line = printable(body, limits::exception_raw_bytes_max);
  return made;
}

} // namespace holdfast::settlements
