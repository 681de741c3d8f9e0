#include "runtime/console/view.hpp"

#include "messages/money.hpp"
#include "runtime/client/json_members.hpp"
#include "runtime/console/table.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace holdfast::console {

namespace json = boost::json;
using client::member_at;
using client::string_at;

namespace {

constexpr std::string_view absent = "-";

std::string time_text(std::string_view rfc3339) {
  // 2026-11-23T01:27:00.123456Z, of which a person wants the first 19 characters.
  auto text = std::string{rfc3339.substr(0, 19)};
  std::ranges::replace(text, 'T', ' ');
  return text;
}

std::string plain_text(const json::value& value) {
  if (value.is_string())
    return std::string{value.as_string()};
  if (value.is_array()) {
    std::string joined;
    for (const auto& each : value.as_array())
      joined += (joined.empty() ? "" : ", ") + plain_text(each);
    return joined;
  }
  if (value.is_object()) {
    std::string joined;
    for (const auto& [name, member] : value.as_object()) {
      const auto text = plain_text(member);
      if (!text.empty())
        joined += (joined.empty() ? "" : " ") + std::string{name} + '=' + text;
    }
    return joined;
  }
  return json::serialize(value);
}

std::string cell_text(const json::object& row, const view& column) {
  const auto* value = member_at(row, column.path);
  if (!value || value->is_null())
    return std::string{absent};
  switch (column.kind) {
    case cell::money:
      if (value->is_int64()) {
        const auto unit = string_at(row, "currency");
        return amount_text(value->as_int64(), unit) + (unit.empty() ? "" : ' ' + unit);
      }
      break;
    case cell::time:
      if (value->is_string())
        return time_text(value->as_string());
      break;
    case cell::flag:
      if (value->is_bool())
        return value->as_bool() ? "yes" : "no";
      break;
    case cell::text:
    case cell::number: break;
  }
  auto text = plain_text(*value);
  return text.empty() ? std::string{absent} : text;
}

} // namespace

std::string amount_text(std::int64_t minor_units, std::string_view currency) {
  const auto unit = holdfast::currency::parse(currency);
  const auto exponent = static_cast<std::size_t>(unit ? unit->exponent() : 0);
  const bool negative = minor_units < 0;
  const auto magnitude = negative ? 0 - static_cast<std::uint64_t>(minor_units)
                                  : static_cast<std::uint64_t>(minor_units);
  std::uint64_t scale = 1;
  for (std::size_t i = 0; i < exponent; ++i)
    scale *= 10;
  auto text = (negative ? "-" : "") + grouped(magnitude / scale);
  if (exponent > 0) {
    const auto decimals = std::to_string(magnitude % scale);
    text += '.' + std::string(exponent - decimals.size(), '0') + decimals;
  }
  return text;
}

std::string rows_text(const json::array& rows, std::span<const view> columns,
                      const terminal& out, std::size_t indent) {
  std::vector<column> titles;
  for (const auto& each : columns) {
    const bool right = each.kind == cell::number || each.kind == cell::money;
    titles.push_back({std::string{each.title}, right ? align::right : align::left});
  }
  table shown{std::move(titles)};
  for (const auto& row : rows) {
    if (!row.is_object())
      continue;
    std::vector<std::string> cells;
    for (const auto& each : columns)
      cells.push_back(cell_text(row.as_object(), each));
    shown.add(std::move(cells));
  }
  if (shown.empty())
    return std::string(indent, ' ') + "none\n";
  return shown.text(out, indent);
}

std::string object_text(const json::object& object, std::span<const view> lines) {
  std::size_t width = 0;
  for (const auto& line : lines)
    width = std::max(width, display_width(line.title));
  std::string text;
  for (const auto& line : lines) {
    const auto* value = member_at(object, line.path);
    if (!value || value->is_null())
      continue;
    text += std::string{line.title} + std::string(width - display_width(line.title) + 2, ' ')
            + cell_text(object, line) + '\n';
  }
  return text;
}

} // namespace holdfast::console
