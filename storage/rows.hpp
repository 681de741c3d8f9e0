// From rows to the structs of store.hpp. Each column list stands next to the reader that takes
// the columns in the same order.
#pragma once

#include "storage/connection.hpp"
#include "storage/settlement.hpp"
#include "storage/store.hpp"

namespace holdfast::storage {

/// Of several succeeded captures `o`: rejected if one is, or else the least advanced.
#define HF_LEAST_SETTLED \
  "(case when bool_or(o.settlement_status = 3) then 3 else min(o.settlement_status) end)::int2"
/// Of `payment p`. It is read from the captures: kept with the payment, it would have to be
/// written twice for each, and all that settlement touches would be twice as much.
#define HF_SETTLEMENT_STATUS                                 \
  "(case when p.captured > 0 then (select " HF_LEAST_SETTLED \
  " from payment_operation o"                                \
  " where o.payment_id = p.id and o.kind = 1 and o.status = 2) else 0 end)::int2"

/// Of `payment p`.
#define HF_PAYMENT_COLUMNS                                               \
  "p.id, p.merchant_id, p.status, " HF_SETTLEMENT_STATUS                 \
  ", p.currency, p.amount, p.captured, p.refunded, p.disputed, p.mode, " \
  "p.reference, p.acquirer, p.created_at, p.updated_at, p.next_action_at, p.detail"
/// Errors: corrupt.
[[nodiscard]] expected<payment> read_payment(row& from);

/// Of `idempotency_key k`.
#define HF_KEY_COLUMNS \
  "k.fingerprint, k.subject, k.last_used_at, k.status, k.content_type, k.body, k.location"
[[nodiscard]] stored_key read_stored_key(row& from);

/// Of `event e`.
#define HF_EVENT_COLUMNS "e.shard_id, e.seq, e.type, e.merchant_id, e.subject, e.at, e.payload"
[[nodiscard]] event_view read_event(row& from);

/// Of `ledger_entry l` and `account a`.
#define HF_ENTRY_COLUMNS                                                                  \
  "l.shard_id, l.seq, l.leg, l.kind, l.subject, l.ordinal, a.kind, a.owner, a.currency, " \
  "l.amount, l.balance_after, l.created_at, l.external_ref"
[[nodiscard]] entry_view read_entry(row& from);

/// Of `batch b`.
#define HF_BATCH_COLUMNS                                                                       \
  "b.id, b.merchant_id, b.acquirer, b.currency, b.status, b.items, b.gross, b.acquirer_fees, " \
  "b.platform_fees, b.net, b.file_id, b.closed_at, b.reconciled_at"
[[nodiscard]] batch_view read_batch(row& from);

/// Of `payment_operation o`, `payment p` and `batch b`.
#define HF_ITEM_COLUMNS                                                               \
  "o.id, o.kind, o.ordinal, o.payment_id, o.amount, p.gateway, p.gateway_reference, " \
  "o.settlement_status, o.fee, o.report_line, o.batch_id, b.file_id, o.settle_tries"
[[nodiscard]] batch_item_view read_item(row& from);

/// Of `recon_exception x`.
#define HF_EXCEPTION_COLUMNS                                                                  \
  "x.id, x.kind, x.status, x.merchant_id, x.payment_id, x.batch_id, x.file_id, x.currency, "  \
  "x.expected_amount, x.reported_amount, x.raw_line, x.detail, x.opened_at, x.operation_id, " \
  "x.source, x.external_ref, x.posted_currency, x.posted_amount, x.owner, x.note, "           \
  "x.resolution, x.resolved_by, x.resolved_at"
[[nodiscard]] exception_view read_exception(row& from);

/// Of `dead_letter d`.
#define HF_DEAD_LETTER_COLUMNS                                                               \
  "d.id, d.kind, d.subject, d.reason, d.payload, d.count, d.status, d.first_at, d.last_at, " \
  "d.replayed_at"
[[nodiscard]] dead_letter_view read_dead_letter(row& from);

/// Of `merchant m`.
#define HF_MERCHANT_COLUMNS "m.id, m.name, m.currency, m.stripes, m.fee_bps, m.created_at"
[[nodiscard]] merchant_row read_merchant(row& from);

/// Of `settlement_file f`; its content, or none, follows them.
#define HF_FILE_COLUMNS                                                        \
  "f.id, f.shard_id, f.acquirer, f.status, f.sha256, f.tries, f.next_try_at, " \
  "f.created_at, f.status_since"
[[nodiscard]] settlement_file read_file(row& from);

[[nodiscard]] error corrupt_row(std::string_view table);

/// All rows by a reader. Errors: corrupt.
template <class T, class Read>
[[nodiscard]] expected<std::vector<T>> read_all(const result& from, Read read) {
  std::vector<T> all;
  all.reserve(static_cast<std::size_t>(from.rows()));
  for (int i = 0; i < from.rows(); ++i) {
    row one{from, i};
    auto value = read(one);
    if (!one.ok())
      return corrupt_row("a row");
    if constexpr (std::is_same_v<decltype(value), expected<T>>) {
      if (!value)
        return value.error();
      all.push_back(std::move(*value));
    } else {
      all.push_back(std::move(value));
    }
  }
  return all;
}

/// The first row by a reader, or none. Errors: the query's, corrupt.
template <class T, class Read>
[[nodiscard]] expected<std::optional<T>> read_first(const expected<result>& found, Read read) {
  if (!found)
    return found.error();
  auto rows = read_all<T>(*found, read);
  if (!rows)
    return rows.error();
  if (rows->empty())
    return std::optional<T>{};
  return std::optional<T>{std::move(rows->front())};
}

/// Cuts the row beyond the window off, which was asked for only to know that there is more.
template <class T>
[[nodiscard]] expected<slice<T>> to_slice(expected<std::vector<T>> rows, std::uint32_t limit) {
  if (!rows)
    return rows.error();
  slice<T> window{std::move(*rows), false};
  if (window.rows.size() > limit) {
    window.rows.resize(limit);
    window.has_more = true;
  }
  return window;
}

/// The window's size within the limits.
[[nodiscard]] std::uint32_t window_limit(const page& window) noexcept;

/// Where a list goes on: nil for its beginning. Errors: invalid_argument for an id of another
/// kind.
template <class Id>
[[nodiscard]] expected<std::optional<uuid>> window_start(const page& window) {
  if (window.starting_after.empty())
    return std::optional<uuid>{};
  const auto parsed = Id::parse(window.starting_after);
  if (!parsed)
    return parsed.error();
  return std::optional<uuid>{parsed->value};
}

} // namespace holdfast::storage
