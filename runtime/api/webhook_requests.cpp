#include "runtime/api/webhook_requests.hpp"

#include "messages/limits.hpp"
#include "runtime/api/field_reader.hpp"
#include "runtime/api/strict_json.hpp"

#include <boost/json/object.hpp>

namespace holdfast::api {

namespace {

namespace json = boost::json;

constexpr auto id_bytes_max = limits::webhook_id_bytes_max;

webhook_type read_type(field_reader& fields) {
  const auto word = fields.required_text("type", 64);
  const auto type = parse_webhook_type(word);
  if (!type)
    fields.refuse("type", "invalid_field",
                  "Expected authorization.approved, .declined, .captured, .refunded or "
                  ".reversed, or dispute.opened, .won or .lost.");
  return type.value_or(webhook_type::approved);
}

timestamp read_time(field_reader& fields) {
  const auto at = parse_rfc3339(fields.required_text("created_at", 64));
  if (!at)
    fields.refuse("created_at", "invalid_field", "Expected a time of RFC 3339.");
  return at ? *at : timestamp{};
}

void read_reference(field_reader& fields, std::uint16_t shards, webhook_notice& notice) {
  notice.reference = fields.required_text("reference", id_bytes_max);
  const auto parts = parse_reference(notice.reference);
  if (!parts || parts->payment.shard().value >= shards)
    return fields.refuse("reference", "invalid_reference",
                         "Expected the reference that we gave the authorization (pay_….1), or "
                         "one of its operations (pay_….c1, .r1, .v1).");
  notice.about = *parts;
}

/// An amount and its currency, or neither. Disputes need both.
void read_claim(field_reader& fields, webhook_notice& notice) {
  const bool wanted = is_dispute(notice.type) || fields.has("amount") || fields.has("currency");
  if (!wanted)
    return;
  const auto amount = fields.required_amount("amount");
  notice.claimed = money{amount, fields.required_currency("currency")};
}

void read_dispute(field_reader& outer, std::optional<refusal>& refused,
                  webhook_notice& notice) {
  if (is_dispute(notice.type) != outer.has("dispute"))
    return outer.refuse("dispute", "invalid_field",
                        "Expected with the types dispute.…, and only there.");
  if (!is_dispute(notice.type))
    return;
  const auto* content = outer.object("dispute");
  if (content == nullptr)
    return;
  field_reader fields{*content, outer.path_of("dispute"), refused};
  fields.only({"id", "reason", "fee"});
  webhook_dispute dispute;
  dispute.id = fields.required_text("id", id_bytes_max);
  dispute.reason = fields.text("reason", limits::reason_bytes_max);
  dispute.fee = minor_units{fields.integer("fee", 0, limits::amount_minor_max, 0)};
  notice.dispute = std::move(dispute);
}

} // namespace

checked<webhook_notice> read_webhook(std::string_view body, std::string_view gateway,
                                     std::uint16_t shards) {
  const auto document = parse_object(body);
  if (!document)
    return document.error();
  std::optional<refusal> refused;
  field_reader fields{*document, {}, refused};
  fields.only({"id", "type", "created_at", "data"});
  webhook_notice notice;
  notice.gateway = gateway;
  notice.event_id = fields.required_text("id", id_bytes_max);
  notice.type = read_type(fields);
  notice.sent_at = read_time(fields);
  if (const auto* content = fields.object("data"); content != nullptr) {
    field_reader data{*content, "data", refused};
    data.only({"reference", "gateway_reference", "amount", "currency", "dispute"});
    read_reference(data, shards, notice);
    notice.gateway_reference = data.text("gateway_reference", id_bytes_max);
    read_claim(data, notice);
    read_dispute(data, refused, notice);
  }
  if (refused)
    return *refused;
  return notice;
}

} // namespace holdfast::api
