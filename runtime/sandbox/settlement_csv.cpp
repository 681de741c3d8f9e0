#include "runtime/sandbox/settlement_csv.hpp"

#include "messages/limits.hpp"
#include "runtime/http/text.hpp"
#include "runtime/sandbox/outcomes.hpp"

#include <array>
#include <charconv>
#include <optional>
#include <span>
#include <unordered_set>

namespace holdfast::sandbox {

namespace {

constexpr std::size_t columns_max = 12;

error refused(std::size_t line, std::string_view why) {
  return make_error(errc::invalid_argument,
                    "line " + std::to_string(line) + ": " + std::string{why});
}

/// The fields of one line.
class csv_line {
public:
  explicit csv_line(std::string_view line) {
    while (count_ < columns_max) {
      const auto comma = line.find(',');
      fields_[count_++] = line.substr(0, comma);
      if (comma == std::string_view::npos)
        return;
      line.remove_prefix(comma + 1);
    }
    count_ = 0; // too many: a shape that nothing has
  }

  [[nodiscard]] bool has_shape(std::string_view tag, std::size_t count) const noexcept {
    return count_ == count && fields_[0] == tag;
  }
  [[nodiscard]] std::string_view operator[](std::size_t column) const noexcept {
    return fields_[column];
  }
  [[nodiscard]] std::optional<std::int64_t> number(std::size_t column) const noexcept {
    const auto text = fields_[column];
    std::int64_t value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || !http::is_digit(text.front()) || failure != std::errc{}
        || end != text.data() + text.size())
      return std::nullopt;
    return value;
  }

private:
  std::array<std::string_view, columns_max> fields_;
  std::size_t count_ = 0;
};

bool is_currency(std::string_view text) noexcept {
  return text.size() == 3 && text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") == text.npos;
}

bool are_names(std::span<const std::string_view> fields) noexcept {
  for (const auto field : fields) {
    if (!http::is_plain_name(field, limits::sandbox_name_bytes_max))
      return false;
  }
  return true;
}

std::optional<fact_kind> parse_kind(std::string_view text) noexcept {
  if (text == "capture")
    return fact_kind::capture;
  if (text == "refund")
    return fact_kind::refund;
  return std::nullopt;
}

expected<file_item> parse_item(const csv_line& fields, std::size_t line,
                               std::size_t item_number) {
  if (!fields.has_shape("I", 11))
    return refused(line, "expected I and ten more fields");
  if (fields.number(1) != static_cast<std::int64_t>(item_number))
    return refused(line, "items must be numbered 1, 2, 3 …");
  const auto kind = parse_kind(fields[5]);
  const auto amount = fields.number(9);
  if (!kind || !amount || *amount == 0 || *amount > limits::amount_minor_max
      || !is_currency(fields[10]))
    return refused(line, "the kind, amount or currency is wrong");
  file_item item;
  item.batch = fields[2];
  item.merchant = fields[3];
  item.operation = fields[4];
  item.kind = *kind;
  item.gateway = fields[6];
  item.gateway_reference = fields[7];
  item.operation_reference = fields[8];
  item.amount_minor = *amount;
  item.currency = fields[10];
  const std::array names{item.batch,   item.merchant,          item.operation,
                         item.gateway, item.gateway_reference, item.operation_reference};
  if (!are_names(names))
    return refused(line, "an id or reference is empty or has a character that is not allowed");
  return item;
}

/// What the trailer must agree with.
struct totals {
  std::unordered_set<std::string_view> batches;
  std::int64_t captures_minor = 0;
  std::int64_t refunds_minor = 0;
};

expected<void> check_trailer(const csv_line& fields, std::size_t line, std::size_t items,
                             const totals& counted) {
  if (!fields.has_shape("T", 5))
    return refused(line, "expected T and four more fields");
  if (fields.number(1) != static_cast<std::int64_t>(items))
    return refused(line, "the number of items is wrong");
  if (fields.number(2) != static_cast<std::int64_t>(counted.batches.size()))
    return refused(line, "the number of batches is wrong");
  if (fields.number(3) != counted.captures_minor || fields.number(4) != counted.refunds_minor)
    return refused(line, "the sum of captures or refunds is wrong");
  return {};
}

void append_fields(std::string& out, std::initializer_list<std::string_view> fields) {
  for (const auto field : fields)
    out.append(field).push_back(',');
  out.back() = '\n';
}

} // namespace

expected<std::vector<file_item>> parse_file(std::string_view bytes, std::string_view acquirer,
                                            std::string_view file) {
  std::vector<file_item> items;
  totals counted;
  std::size_t line = 0;
  while (!bytes.empty()) {
    ++line;
    const auto end = bytes.find('\n');
    if (end == std::string_view::npos)
      return refused(line, "the line has no end");
    const csv_line fields{bytes.substr(0, end)};
    bytes.remove_prefix(end + 1);
    if (line == 1) {
      if (!fields.has_shape("H", 6) || fields[1] != "holdfast-settlement" || fields[2] != "1"
          || fields[3] != file || fields[4] != acquirer || !parse_rfc3339(fields[5]))
        return refused(line, "the header is not that of this file");
    } else if (fields[0] == "T") {
      auto checked = check_trailer(fields, line, items.size(), counted);
      if (!checked)
        return checked.error();
      if (!bytes.empty())
        return refused(line + 1, "nothing may follow the trailer");
      return items;
    } else {
      const auto item = parse_item(fields, line, items.size() + 1);
      if (!item)
        return item.error();
      counted.batches.insert(item->batch);
      (item->kind == fact_kind::capture ? counted.captures_minor : counted.refunds_minor) +=
        item->amount_minor;
      items.push_back(*item);
    }
  }
  return refused(line + 1, "the trailer is missing");
}

report_writer::report_writer(std::string_view acquirer, std::string_view file,
                             timestamp created) {
  append_fields(text_, {"H", "holdfast-report", "1", file, acquirer, to_rfc3339(created)});
}

void report_writer::add(const file_item& item, std::int64_t amount_minor) {
  const bool is_capture = item.kind == fact_kind::capture;
  const auto fee = is_capture ? capture_fee(amount_minor) : 0;
  const auto gross = is_capture ? amount_minor : -amount_minor;
  append_fields(
    text_, {"S", std::to_string(++lines_), item.gateway_reference, item.operation_reference,
            item.merchant, to_string(item.kind), std::to_string(amount_minor),
            std::to_string(fee), std::to_string(gross - fee), item.currency});
  const auto found = by_currency_.try_emplace(std::string{item.currency}).first;
  found->second.gross_minor += gross;
  found->second.fees_minor += fee;
}

std::string report_writer::finish() {
  for (const auto& [currency, sum] : by_currency_)
    append_fields(
      text_, {"P", currency, std::to_string(sum.gross_minor), std::to_string(sum.fees_minor),
              std::to_string(sum.gross_minor - sum.fees_minor)});
  append_fields(text_, {"T", std::to_string(lines_)});
  return std::move(text_);
}

} // namespace holdfast::sandbox
