#include "runtime/api/field_reader.hpp"

#include "messages/card_number.hpp"
#include "messages/limits.hpp"
#include "runtime/api/strict_json.hpp"
#include "runtime/http/text.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <algorithm>

namespace holdfast::api {

namespace {

namespace json = boost::json;

constexpr std::string_view invalid_field = "invalid_field";
constexpr std::string_view card_data_in_text = "card_data_in_text";
constexpr std::string_view no_card_numbers =
  "A card number stands here; it belongs in payment_method.card alone.";

std::string_view view_of(const json::string& text) {
  return {text.data(), text.size()};
}
std::string_view view_of(json::string_view text) {
  return {text.data(), text.size()};
}

bool is_allowed(char c, text_form form) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  const bool break_or_tab = c == '\n' || c == '\r' || c == '\t';
  return (byte >= 0x20 && byte != 0x7F) || (break_or_tab && form == text_form::many_lines);
}

} // namespace

field_reader::field_reader(const json::object& fields, std::string path,
                           std::optional<refusal>& first_refusal)
  : fields_(fields),
    path_(std::move(path)),
    first_refusal_(first_refusal) {}

void field_reader::only(std::initializer_list<std::string_view> known) {
  for (const auto& field : fields_) {
    const auto name = view_of(field.key());
    if (std::find(known.begin(), known.end(), name) != known.end())
      continue;
    const std::string detail = "This member is not known here; nothing is ignored silently.";
    refuse(is_showable_name(name) ? name : std::string_view{}, "unknown_field", detail);
    return;
  }
}

bool field_reader::has(std::string_view name) const {
  return find(name) != nullptr;
}

const json::object* field_reader::object(std::string_view name) {
  const auto* content = require(name);
  if (content == nullptr)
    return nullptr;
  if (!content->is_object())
    refuse(name, invalid_field, "Expected an object.");
  return content->if_object();
}

std::string field_reader::path_of(std::string_view name) const {
  if (path_.empty() || name.empty())
    return path_ + std::string{name};
  return path_ + '.' + std::string{name};
}

std::string field_reader::text(std::string_view name, std::size_t bytes_max, text_form form) {
  const auto* content = find(name);
  return content != nullptr ? text_of(name, *content, bytes_max, form) : std::string{};
}

std::string field_reader::required_text(std::string_view name, std::size_t bytes_max) {
  const auto* content = require(name);
  if (content == nullptr)
    return {};
  auto text = text_of(name, *content, bytes_max, text_form::one_line);
  if (text.empty())
    refuse(name, invalid_field, "Must not be empty.");
  return text;
}

secret field_reader::required_digits(std::string_view name, std::size_t digits_min,
                                     std::size_t digits_max, std::string_view code) {
  const auto* content = require(name);
  if (content == nullptr)
    return {};
  const auto* text = content->if_string();
  const bool fits = text != nullptr && text->size() >= digits_min && text->size() <= digits_max
                    && std::all_of(text->begin(), text->end(), http::is_digit);
  if (!fits) {
    refuse(name, code,
           "Expected a string of " + std::to_string(digits_min) + " to "
             + std::to_string(digits_max) + " digits.");
    return {};
  }
  return secret{view_of(*text)};
}

std::int64_t field_reader::required_integer(std::string_view name, std::int64_t least,
                                            std::int64_t most) {
  const auto* content = require(name);
  return content != nullptr ? integer_of(name, *content, least, most, invalid_field) : least;
}

std::int64_t field_reader::integer(std::string_view name, std::int64_t least, std::int64_t most,
                                   std::int64_t otherwise) {
  const auto* content = find(name);
  return content != nullptr ? integer_of(name, *content, least, most, invalid_field)
                            : otherwise;
}

bool field_reader::flag(std::string_view name, bool otherwise) {
  const auto* content = find(name);
  if (content == nullptr)
    return otherwise;
  if (!content->is_bool()) {
    refuse(name, invalid_field, "Expected true or false.");
    return otherwise;
  }
  return content->get_bool();
}

minor_units field_reader::required_amount(std::string_view name) {
  if (require(name) == nullptr)
    return {};
  return amount(name).value_or(minor_units{});
}

std::optional<minor_units> field_reader::amount(std::string_view name) {
  const auto* content = find(name);
  if (content == nullptr)
    return std::nullopt;
  return minor_units{integer_of(name, *content, 1, limits::amount_minor_max, "invalid_amount")};
}

currency field_reader::required_currency(std::string_view name) {
  const auto* content = require(name);
  if (content == nullptr)
    return {};
  const auto* text = content->if_string();
  const auto unit = text != nullptr
                      ? currency::parse(view_of(*text))
                      : expected<currency>{make_error(errc::invalid_argument, {})};
  if (!unit) {
    refuse(name, "unknown_currency", "Expected an ISO 4217 code in capitals, such as EUR.");
    return {};
  }
  return *unit;
}

std::vector<std::pair<std::string, std::string>> field_reader::metadata(std::string_view name) {
  std::vector<std::pair<std::string, std::string>> pairs;
  if (!has(name))
    return pairs;
  const auto* members = object(name);
  if (members == nullptr)
    return pairs;
  if (members->size() > limits::metadata_pairs_max) {
    refuse(name, invalid_field,
           "At most " + std::to_string(limits::metadata_pairs_max) + " pairs are kept.");
    return pairs;
  }
  field_reader inner{*members, path_of(name), first_refusal_};
  for (const auto& member : *members) {
    const auto key = view_of(member.key());
    const auto shown = is_showable_name(key) ? key : std::string_view{};
    const bool key_fits = !key.empty() && key.size() <= limits::metadata_key_bytes_max
                          && std::all_of(key.begin(), key.end(), [](char c) {
                               return is_allowed(c, text_form::one_line);
                             });
    if (!key_fits)
      inner.refuse(shown, invalid_field,
                   "A key has 1 to " + std::to_string(limits::metadata_key_bytes_max)
                     + " bytes on one line.");
    if (contains_card_number(key))
      inner.refuse({}, card_data_in_text, std::string{no_card_numbers});
    pairs.emplace_back(key,
                       inner.text_of(shown, member.value(), limits::metadata_value_bytes_max,
                                     text_form::many_lines));
  }
  return pairs;
}

void field_reader::refuse(std::string_view name, std::string_view code, std::string detail) {
  if (!first_refusal_)
    first_refusal_ =
      refusal{.status = 400, .code = code, .detail = std::move(detail), .param = path_of(name)};
}

const json::value* field_reader::find(std::string_view name) const {
  return fields_.if_contains({name.data(), name.size()});
}

const json::value* field_reader::require(std::string_view name) {
  const auto* content = find(name);
  if (content == nullptr)
    refuse(name, "missing_field", "This member is required.");
  return content;
}

std::int64_t field_reader::integer_of(std::string_view name, const json::value& content,
                                      std::int64_t least, std::int64_t most,
                                      std::string_view code) {
  // Boost.JSON reads what is written with a point or an exponent as a double, and what exceeds
  // 64 bits too: both are refused by being no int64.
  const auto* number = content.if_int64();
  if (number == nullptr || *number < least || *number > most) {
    refuse(name, code,
           "Expected an integer from " + std::to_string(least) + " to " + std::to_string(most)
             + ", written without point, exponent or quotes.");
    return least;
  }
  return *number;
}

std::string field_reader::text_of(std::string_view name, const json::value& content,
                                  std::size_t bytes_max, text_form form) {
  const auto* text = content.if_string();
  if (text == nullptr) {
    refuse(name, invalid_field, "Expected a string.");
    return {};
  }
  if (text->size() > bytes_max) {
    refuse(name, invalid_field, "At most " + std::to_string(bytes_max) + " bytes are kept.");
    return {};
  }
  if (!std::all_of(text->begin(), text->end(),
                   [form](char c) { return is_allowed(c, form); })) {
    refuse(name, invalid_field, "Control characters are not accepted.");
    return {};
  }
  // Texts are kept and shown as they are, so a number pasted into the wrong field ends here.
  if (contains_card_number(view_of(*text))) {
    refuse(name, card_data_in_text, std::string{no_card_numbers});
    return {};
  }
  return std::string{view_of(*text)};
}

} // namespace holdfast::api
