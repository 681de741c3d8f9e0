#include "storage/rows.hpp"

#include "messages/codec.hpp"
#include "messages/limits.hpp"

#include <algorithm>

namespace holdfast::storage {

expected<payment> read_payment(row& from) {
  payment subject;
  subject.id.value = from.id();
  subject.merchant.value = from.id();
  subject.status = from.number<payment_status>();
  subject.settlement = from.number<settlement_status>();
  subject.unit = from.unit();
  subject.amount = from.amount();
  subject.captured = from.amount();
  subject.refunded = from.amount();
  subject.disputed = from.amount();
  subject.mode = from.number<capture_mode>();
  subject.reference = from.text();
  subject.acquirer = from.text();
  subject.created_at = from.time();
  subject.updated_at = from.time();
  subject.next_action_at = from.optional_time();
  const auto id = subject.id;
  if (const auto decoded = decode_detail(from.bytes(), subject); !decoded)
    return decoded.error();
  if (!from.ok() || subject.id != id)
    return corrupt_row("payment");
  return subject;
}

stored_key read_stored_key(row& from) {
  stored_key key;
  const auto print = from.bytes();
  HF_ASSERT(print.size() == key.request.size()); // The schema says so.
  std::ranges::copy(print, key.request.begin());
  key.subject = from.id();
  key.last_used_at = from.time();
  if (from.skip_null())
    return key;
  stored_answer answer;
  answer.status = static_cast<std::uint16_t>(from.int2());
  answer.content_type = from.text();
  answer.body = from.bytes();
  answer.location = from.text();
  key.answer = std::move(answer);
  return key;
}

event_view read_event(row& from) {
  event_view event;
  event.shard = from.shard();
  event.seq.value = from.int8();
  event.type = from.number<event_type>();
  event.merchant.value = from.id();
  event.subject = from.id();
  event.at = from.time();
  event.payload = from.bytes();
  return event;
}

entry_view read_entry(row& from) {
  entry_view entry;
  entry.shard = from.shard();
  entry.seq.value = from.int8();
  entry.leg = static_cast<std::uint16_t>(from.int4());
  entry.kind = from.number<posting_kind>();
  entry.subject = from.id();
  entry.ordinal = static_cast<std::uint32_t>(from.int4());
  entry.where.kind = from.number<account_kind>();
  entry.where.owner = from.text();
  entry.where.unit = from.unit();
  entry.amount = from.amount();
  entry.balance_after = from.amount();
  entry.at = from.time();
  entry.external_ref = from.text();
  return entry;
}

batch_view read_batch(row& from) {
  static constexpr std::string_view statuses[] = {"closed", "submitted", "answered",
                                                  "reconciled"};
  batch_view batch;
  batch.id.value = from.id();
  batch.merchant.value = from.id();
  batch.acquirer = from.text();
  batch.unit = from.unit();
  batch.status = statuses[std::clamp<std::int16_t>(from.int2(), 1, 4) - 1];
  batch.items = static_cast<std::uint32_t>(from.int4());
  batch.gross = from.amount();
  batch.acquirer_fees = from.amount();
  batch.platform_fees = from.amount();
  batch.net = from.amount();
  batch.file = from.optional_id<file_id>();
  batch.closed_at = from.time();
  batch.reconciled_at = from.optional_time();
  return batch;
}

batch_item_view read_item(row& from) {
  batch_item_view item;
  item.operation = from.id();
  item.kind = from.number<operation_kind>();
  item.ordinal = static_cast<std::uint32_t>(from.int4());
  item.payment.value = from.id();
  item.amount = from.amount();
  item.gateway = from.text();
  item.gateway_reference = from.text();
  item.status = from.number<settlement_status>();
  item.fee = from.amount();
  if (const auto line = from.optional_int4())
    item.report_line = static_cast<std::uint32_t>(*line);
  item.batch = from.optional_id<batch_id>().value_or(batch_id{});
  item.file = from.optional_id<file_id>();
  item.tries = static_cast<std::uint32_t>(from.int4());
  return item;
}

exception_view read_exception(row& from) {
  exception_view exception;
  exception.id.value = from.id();
  exception.kind = from.text();
  exception.status = from.int2() == 1 ? "open" : "resolved";
  exception.merchant.value = from.id();
  exception.payment = from.optional_id<payment_id>();
  exception.batch = from.optional_id<batch_id>();
  exception.file = from.optional_id<file_id>();
  exception.unit = from.unit();
  exception.expected_amount = from.amount();
  exception.reported_amount = from.amount();
  exception.raw_line = from.text();
  exception.detail = from.text();
  exception.opened_at = from.time();
  exception.operation = from.optional<uuid>([](row& it) { return it.id(); });
  exception.source = from.text();
  exception.external_ref = from.text();
  exception.posted_unit = from.unit();
  exception.posted_amount = from.amount();
  exception.owner = from.text();
  exception.note = from.text();
  exception.resolution = from.text();
  exception.resolved_by = from.text();
  exception.resolved_at = from.optional_time();
  return exception;
}

dead_letter_view read_dead_letter(row& from) {
  dead_letter_view letter;
  letter.id.value = from.id();
  letter.kind = from.text();
  letter.subject = from.text();
  letter.reason = from.text();
  letter.payload = from.text();
  letter.count = static_cast<std::uint32_t>(from.int4());
  letter.status = from.int2() == 1 ? "waiting" : "replayed";
  letter.first_at = from.time();
  letter.last_at = from.time();
  letter.replayed_at = from.optional_time();
  return letter;
}

merchant_row read_merchant(row& from) {
  merchant_row merchant;
  merchant.id.value = from.id();
  merchant.name = from.text();
  merchant.unit = from.unit();
  merchant.stripes = static_cast<std::uint16_t>(from.int2());
  merchant.fee_bps = static_cast<std::uint32_t>(from.int4());
  merchant.created_at = from.time();
  return merchant;
}

settlement_file read_file(row& from) {
  settlement_file file;
  file.id.value = from.id();
  file.shard = from.shard();
  file.acquirer = from.text();
  file.status = from.number<file_status>();
  file.sha256 = from.text();
  file.tries = static_cast<std::uint32_t>(from.int4());
  file.next_try_at = from.time();
  file.created_at = from.time();
  file.status_since = from.time();
  file.content = from.bytes();
  return file;
}

error corrupt_row(std::string_view table) {
  return make_error(errc::corrupt, std::string{table} + " holds an impossible value");
}

std::uint32_t window_limit(const page& window) noexcept {
  return std::clamp(window.limit, 1U, limits::list_rows_max);
}

} // namespace holdfast::storage
