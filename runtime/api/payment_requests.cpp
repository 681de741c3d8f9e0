#include "runtime/api/payment_requests.hpp"

#include "messages/limits.hpp"
#include "runtime/api/card_check.hpp"
#include "runtime/api/field_reader.hpp"
#include "runtime/api/strict_json.hpp"
#include "runtime/http/text.hpp"

#include <boost/json/object.hpp>

#include <algorithm>

namespace holdfast::api {

namespace {

namespace json = boost::json;

checked<json::object> parse_optional_object(std::string_view body) {
  if (body.empty())
    return json::object{};
  return parse_object(body);
}

capture_mode read_capture_mode(field_reader& fields) {
  const auto word = fields.required_text("capture", 16);
  if (word == "automatic")
    return capture_mode::automatic;
  if (word != "manual")
    fields.refuse("capture", "invalid_field", R"(Expected "manual" or "automatic".)");
  return capture_mode::manual;
}

void read_card(const json::object& content, const field_reader& outer,
               std::optional<refusal>& refused, create_payment& order) {
  field_reader fields{content, outer.path_of("card"), refused};
  fields.only({"number", "exp_month", "exp_year", "cvc"});
  auto& card = order.card;
  card.number =
    fields.required_digits("number", card_digits_min, card_digits_max, "incorrect_number");
  const auto digits = card.number.reveal();
  if (!passes_luhn(digits))
    fields.refuse("number", "incorrect_number", "The card number's check digit is wrong.");
  card.exp_month = static_cast<std::uint8_t>(fields.required_integer("exp_month", 1, 12));
  card.exp_year = static_cast<std::uint16_t>(fields.required_integer("exp_year", 2000, 2099));
  card.cvc = fields.required_digits("cvc", 3, 4, "invalid_cvc");
  if (refused)
    return;
  order.summary.brand = card_brand(digits);
  order.summary.last4 = digits.substr(digits.size() - 4);
  order.summary.exp_month = card.exp_month;
  order.summary.exp_year = card.exp_year;
}

void read_token(field_reader& fields, create_payment& order) {
  order.token = fields.required_text("token", limits::token_bytes_max);
  const bool visible = std::all_of(order.token.begin(), order.token.end(),
                                   [](char c) { return c > 0x20 && c < 0x7F; });
  if (!visible)
    fields.refuse("token", "invalid_field", "Expected visible ASCII characters.");
  // Tokens are stored and shown; a card number sent as one must not get that far.
  if (is_card_number(order.token))
    fields.refuse("token", "invalid_field", "Expected a gateway's token, not a card number.");
}

void read_payment_method(field_reader& outer, std::optional<refusal>& refused,
                         create_payment& order) {
  const auto* content = outer.object("payment_method");
  if (content == nullptr)
    return;
  field_reader fields{*content, "payment_method", refused};
  fields.only({"token", "card"});
  if (fields.has("token") == fields.has("card")) {
    fields.refuse({}, "invalid_field", "Expected either a token or a card.");
  } else if (fields.has("token")) {
    read_token(fields, order);
  } else if (const auto* card = fields.object("card"); card != nullptr) {
    read_card(*card, fields, refused, order);
  }
}

std::string read_region(field_reader& fields) {
  auto region = fields.text("region", limits::region_bytes_max);
  if (!region.empty() && !http::is_plain_name(region, limits::region_bytes_max))
    fields.refuse("region", "invalid_field", "Expected letters, digits, dots, - and _ only.");
  return region;
}

} // namespace

checked<create_payment> read_create_payment(std::string_view body) {
  const auto document = parse_object(body);
  if (!document)
    return document.error();
  std::optional<refusal> refused;
  field_reader fields{*document, {}, refused};
  fields.only({"amount", "currency", "capture", "payment_method", "reference", "description",
               "region", "metadata"});
  create_payment order;
  order.total.amount = fields.required_amount("amount");
  order.total.unit = fields.required_currency("currency");
  order.mode = read_capture_mode(fields);
  read_payment_method(fields, refused, order);
  order.reference = fields.text("reference", limits::reference_bytes_max);
  order.description =
    fields.text("description", limits::description_bytes_max, text_form::many_lines);
  order.region = read_region(fields);
  order.metadata = fields.metadata("metadata");
  if (refused)
    return *refused;
  return order;
}

checked<note_evidence> read_note_evidence(std::string_view body, dispute_id subject) {
  const auto document = parse_object(body);
  if (!document)
    return document.error();
  std::optional<refusal> refused;
  field_reader fields{*document, {}, refused};
  fields.only({"note"});
  note_evidence order{.payment = {}, .dispute = subject, .note = {}};
  order.note = fields.text("note", limits::dispute_note_bytes_max, text_form::many_lines);
  if (!refused && order.note.empty())
    fields.refuse("note", "invalid_field", "Expected a text that is not empty.");
  if (refused)
    return *refused;
  return order;
}

std::optional<refusal> refuse_expired_card(const create_payment& order, timestamp now) {
  const auto& card = order.card;
  if (!order.token.empty() || !has_expired(card.exp_month, card.exp_year, now))
    return std::nullopt;
  return refusal{.status = 400,
                 .code = "invalid_expiry",
                 .detail = "The card has expired.",
                 .param = "payment_method.card.exp_year"};
}

checked<capture_payment> read_capture_payment(std::string_view body, payment_id subject) {
  const auto document = parse_optional_object(body);
  if (!document)
    return document.error();
  std::optional<refusal> refused;
  field_reader fields{*document, {}, refused};
  fields.only({"amount", "final"});
  capture_payment order{.payment = subject, .amount = {}};
  order.amount = fields.amount("amount");
  order.final = fields.flag("final", false);
  if (refused)
    return *refused;
  return order;
}

checked<void_payment> read_void_payment(std::string_view body, payment_id subject) {
  const auto document = parse_optional_object(body);
  if (!document)
    return document.error();
  std::optional<refusal> refused;
  field_reader{*document, {}, refused}.only({});
  if (refused)
    return *refused;
  return void_payment{subject};
}

checked<refund_payment> read_refund_payment(std::string_view body, payment_id subject) {
  const auto document = parse_optional_object(body);
  if (!document)
    return document.error();
  std::optional<refusal> refused;
  field_reader fields{*document, {}, refused};
  fields.only({"amount", "reason"});
  refund_payment order{.payment = subject, .amount = {}, .reason = {}};
  order.amount = fields.amount("amount");
  order.reason = fields.text("reason", limits::reason_bytes_max, text_form::many_lines);
  if (refused)
    return *refused;
  return order;
}

} // namespace holdfast::api
