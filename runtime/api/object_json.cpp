#include "runtime/api/object_json.hpp"

#include "actors/reconciler/resolution.hpp"
#include "messages/entry_id.hpp"
#include "messages/item_id.hpp"
#include "messages/json_writer.hpp"

#include <algorithm>
#include <map>

namespace holdfast::api {

namespace {

void write_id_or_null(json_writer& json, std::string_view name, const auto& id) {
  json.member_or_null(name, id ? id->text() : std::string{});
}

/// What a posting is about follows from why it was made.
void write_subject(json_writer& json, const storage::entry_view& entry) {
  switch (entry.kind) {
    case posting_kind::settlement: json.member("batch", batch_id{entry.subject}.text()); return;
    case posting_kind::unexplained: json.member("file", file_id{entry.subject}.text()); return;
    case posting_kind::adjustment:
    case posting_kind::write_off:
      json.member("exception", exception_id{entry.subject}.text());
      return;
    case posting_kind::rejection: {
      // It takes back what its item booked: money that the merchant was owed means a capture.
      const bool merchant_side = entry.where.kind == account_kind::merchant_pending;
      const bool capture = merchant_side == (entry.amount > minor_units{});
      const auto kind = capture ? operation_kind::capture : operation_kind::refund;
      json.member("item", item_id{kind, entry.subject}.text());
      return;
    }
    default: json.member("payment", payment_id{entry.subject}.text());
  }
}

void write_batch_members(json_writer& json, const storage::batch_view& batch) {
  json.member("id", batch.id.text())
    .member("object", "batch")
    .member("merchant", batch.merchant.text())
    .member("acquirer", batch.acquirer)
    .member("currency", batch.unit.code())
    .member("status", batch.status)
    .member("items", batch.items)
    .member("gross", batch.gross.value())
    .member("acquirer_fees", batch.acquirer_fees.value())
    .member("platform_fees", batch.platform_fees.value())
    .member("net", batch.net.value());
  write_id_or_null(json, "file", batch.file);
  json.member("closed_at", to_rfc3339(batch.closed_at));
  json.member_or_null("reconciled_at",
                      batch.reconciled_at ? to_rfc3339(*batch.reconciled_at) : std::string{});
}

struct merchant_funds {
  minor_units pending;
  minor_units available;
  minor_units reserve;
  minor_units held;
};

} // namespace

std::string render_entry(const storage::entry_view& entry) {
  json_writer json;
  json.begin_object()
    .member("id", entry_id{entry.shard, entry.seq, entry.leg}.text())
    .member("object", "ledger_entry");
  write_subject(json, entry);
  json.member("event", event_id_text(entry.shard, entry.seq))
    .member("event_type", to_string(entry.kind))
    .member("ordinal", entry.ordinal)
    .member("account", to_string(entry.where.kind))
    .member("owner", entry.where.owner)
    .member("amount", entry.amount.value())
    .member("currency", entry.where.unit.code())
    .member("balance_after", entry.balance_after.value())
    .member("effective_at", to_rfc3339(entry.at))
    .member_or_null("external_ref", entry.external_ref)
    .end_object();
  return json.take();
}

std::string render_batch(const storage::batch_view& batch) {
  json_writer json;
  json.begin_object();
  write_batch_members(json, batch);
  return json.end_object().take();
}

std::string render_batch(const storage::batch_view& batch,
                         const storage::slice<storage::batch_item_view>& items,
                         std::string_view items_url) {
  json_writer json{512 + 320 * items.rows.size()};
  json.begin_object();
  write_batch_members(json, batch);
  json.key("items_data").raw(render_list(items_url, items, render_batch_item));
  return json.end_object().take();
}

std::string render_batch_item(const storage::batch_item_view& item) {
  json_writer json;
  json.begin_object()
    .member("id", item_id{item.kind, item.operation}.text())
    .member("object", "batch_item")
    .member("kind", to_string(item.kind))
    .member("payment", item.payment.text())
    .member("amount", item.amount.value())
    .member("status", to_string(item.status))
    .member("fee", item.fee.value())
    .member_or_null("gateway_reference", item.gateway_reference)
    .member("batch", item.batch.text());
  write_id_or_null(json, "file", item.file);
  if (item.report_line)
    json.member("report_line", *item.report_line);
  else
    json.key("report_line").null();
  return json.end_object().take();
}

namespace {

void write_exception_members(json_writer& json, const storage::exception_view& exception) {
  json.member("id", exception.id.text())
    .member("object", "exception")
    .member("kind", exception.kind)
    .member("status", exception.status)
    .member_or_null("merchant",
                    exception.merchant.is_nil() ? std::string{} : exception.merchant.text());
  write_id_or_null(json, "payment", exception.payment);
  write_id_or_null(json, "batch", exception.batch);
  write_id_or_null(json, "file", exception.file);
  json.member_or_null("currency", exception.unit.code())
    .member("expected_amount", exception.expected_amount.value())
    .member("reported_amount", exception.reported_amount.value())
    .member("raw_line", exception.raw_line)
    .member("detail", exception.detail)
    .member("opened_at", to_rfc3339(exception.opened_at));
}

void write_time_or_null(json_writer& json, std::string_view name,
                        const std::optional<timestamp>& at) {
  json.member_or_null(name, at ? to_rfc3339(*at) : std::string{});
}

} // namespace

std::string render_exception(const storage::exception_view& exception) {
  json_writer json;
  json.begin_object();
  write_exception_members(json, exception);
  return json.end_object().take();
}

std::string render_exception_case(const storage::exception_view& exception, timestamp now) {
  const auto until = exception.resolved_at.value_or(now);
  const auto age = std::chrono::floor<std::chrono::seconds>(until - exception.opened_at);
  json_writer json;
  json.begin_object();
  write_exception_members(json, exception);
  json.member("age_seconds", std::max<std::int64_t>(age.count(), 0))
    .member_or_null("source", exception.source)
    .member_or_null("external_ref", exception.external_ref)
    .member("suspense_amount", exception.posted_amount.value())
    .member_or_null("suspense_currency", exception.posted_unit.code())
    .member_or_null("owner", exception.owner)
    .member_or_null("note", exception.note)
    .member_or_null("resolution", exception.resolution)
    .member_or_null("resolved_by", exception.resolved_by);
  write_time_or_null(json, "resolved_at", exception.resolved_at);
  json.key("resolutions").begin_array();
  if (exception.status == "open")
    for (const auto resolution : settlements::allowed_resolutions(exception.kind))
      json.value(resolution);
  return json.end_array().end_object().take();
}

std::string render_dead_letter(const storage::dead_letter_view& letter) {
  json_writer json;
  json.begin_object()
    .member("id", letter.id.text())
    .member("object", "dead_letter")
    .member("kind", letter.kind)
    .member("subject", letter.subject)
    .member("status", letter.status)
    .member("count", letter.count)
    .member("reason", letter.reason)
    .member("payload", letter.payload)
    .member("first_at", to_rfc3339(letter.first_at))
    .member("last_at", to_rfc3339(letter.last_at));
  write_time_or_null(json, "replayed_at", letter.replayed_at);
  return json.end_object().take();
}

std::string render_account_balance(const storage::balance_view& balance) {
  json_writer json;
  json.begin_object()
    .member("object", "account_balance")
    .member("account", to_string(balance.where.kind))
    .member("owner", balance.where.owner)
    .member("currency", balance.where.unit.code())
    .member("balance", balance.balance.value())
    .end_object();
  return json.take();
}

std::vector<std::string> render_merchant_balances(
  const std::vector<storage::balance_view>& balances) {
  std::map<currency, merchant_funds> by_currency;
  for (const auto& [where, balance] : balances) {
    auto& funds = by_currency[where.unit];
    switch (where.kind) {
      case account_kind::merchant_pending: funds.pending -= balance; break;
      case account_kind::merchant_available: funds.available -= balance; break;
      case account_kind::merchant_reserve: funds.reserve -= balance; break;
      case account_kind::hold_contra: funds.held -= balance; break;
      default: break; // Accounts of gateways, acquirers and the platform.
    }
  }
  std::vector<std::string> objects;
  for (const auto& [unit, funds] : by_currency) {
    json_writer json;
    json.begin_object()
      .member("object", "balance")
      .member("currency", unit.code())
      .member("pending", funds.pending.value())
      .member("available", funds.available.value())
      .member("reserve", funds.reserve.value())
      .member("held", funds.held.value())
      .end_object();
    objects.push_back(json.take());
  }
  return objects;
}

std::string render_list(std::string_view url, const std::vector<std::string>& data,
                        bool has_more, std::optional<std::string_view> next) {
  std::size_t bytes = 128;
  for (const auto& object : data)
    bytes += object.size() + 1;
  json_writer json{bytes};
  json.begin_object().member("object", "list").key("data").begin_array();
  for (const auto& object : data)
    json.raw(object);
  json.end_array().member("has_more", has_more).member("url", url);
  if (next)
    json.member_or_null("next", *next);
  return json.end_object().take();
}

} // namespace holdfast::api
