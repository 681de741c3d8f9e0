#include "actors/reconciler/file_format.hpp"

#include "messages/limits.hpp"
#include "messages/payment.hpp"

#include <charconv>
#include <map>
#include <utility>

namespace holdfast::settlements {

namespace {

class line_writer {
public:
  explicit line_writer(std::string& out, std::string_view kind) : out_(out) { out_ += kind; }
  line_writer(const line_writer&) = delete;
  line_writer& operator=(const line_writer&) = delete;
  ~line_writer() { out_ += '\n'; }

  line_writer& field(std::string_view text) {
    out_ += ',';
    out_ += text;
    return *this;
  }
  line_writer& field(std::int64_t number) { return field(std::to_string(number)); }

private:
  std::string& out_;
};

void split(std::string_view line, std::vector<std::string_view>& fields) {
  fields.clear();
  for (std::size_t begin = 0;;) {
    const auto end = line.find(',', begin);
    fields.push_back(line.substr(begin, end - begin));
    if (end == std::string_view::npos)
      return;
    begin = end + 1;
  }
}

bool parse_number(std::string_view text, std::int64_t& value) {
  const auto* end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, value);
  return failure == std::errc{} && rest == end;
}

bool parse_amount(std::string_view text, minor_units& value) {
  std::int64_t number = 0;
  if (!parse_number(text, number))
    return false;
  value = minor_units{number};
  return true;
}

/// One line's amount, small enough that sums of lines can't overflow.
bool parse_line_amount(std::string_view text, minor_units& value) {
  return parse_amount(text, value) && value <= minor_units{limits::amount_minor_max}
         && value >= minor_units{-limits::amount_minor_max};
}

/// Reads a report line by line; `failure` holds the first thing that is wrong.
class report_reader {
public:
  explicit report_reader(const file_id& file) : file_(file.text()) {}

  expected<report> read(std::string_view text) {
    if (text.empty() || text.back() != '\n')
      return make_error(errc::corrupt, "the report is cut off: it doesn't end with a newline");
    while (!text.empty()) {
      const auto end = text.find('\n');
      const auto raw = text.substr(0, end);
      text.remove_prefix(end + 1);
      ++line_;
      if (!take(raw))
        return make_error(errc::corrupt,
                          "report line " + std::to_string(line_) + ": " + failure_);
    }
    if (!ended_)
      return make_error(errc::corrupt, "the report has no trailer");
    if (auto wrong = check_payouts(); !wrong.empty())
      return make_error(errc::corrupt, std::move(wrong));
    return std::move(out_);
  }

private:
  bool fail(const char* what) {
    failure_ = what;
    return false;
  }

  bool take(std::string_view raw) {
    split(raw, fields_);
    const auto& fields = fields_;
    if (ended_)
      return fail("there is something after the trailer");
    if (line_ == 1)
      return take_header(fields);
    if (fields.front() == "S")
      return take_settlement(fields, raw);
    if (fields.front() == "P")
      return take_payout(fields);
    if (fields.front() == "T")
      return take_trailer(fields);
    return fail("expected S, P or T");
  }

  bool take_header(const std::vector<std::string_view>& fields) {
    if (fields.size() != 6 || fields[0] != "H" || fields[1] != "holdfast-report"
        || fields[2] != "1")
      return fail("expected the header of a version 1 report");
    if (fields[3] != file_)
      return fail("the report is of another file");
    return true;
  }

  bool take_settlement(const std::vector<std::string_view>& fields, std::string_view raw) {
    report_line line;
    std::int64_t number = 0;
    if (fields.size() != 10)
      return fail("expected ten fields");
    if (!parse_number(fields[1], number)
        || number != static_cast<std::int64_t>(out_.lines.size()) + 1)
      return fail("the lines are not numbered in order");
    if (fields[5] != "capture" && fields[5] != "refund")
      return fail("expected capture or refund");
    const auto unit = currency::parse(fields[9]);
    if (!unit || !parse_line_amount(fields[6], line.amount) || line.amount < minor_units{}
        || !parse_line_amount(fields[7], line.fee) || !parse_amount(fields[8], line.net))
      return fail("a bad amount or currency");
    const auto gross = fields[5] == "capture" ? line.amount : -line.amount;
    if (line.net != gross - line.fee)
      return fail("net is not amount less fee");
    line.number = static_cast<std::uint32_t>(number);
    line.gateway_reference = fields[2];
    line.operation_reference = fields[3];
    line.merchant = fields[4];
    line.kind = fields[5];
    line.unit = *unit;
    line.raw = raw;
    auto& sum = sums_[*unit];
    sum.gross += gross;
    sum.fees += line.fee;
    sum.net += line.net;
    out_.lines.push_back(std::move(line));
    return true;
  }

  bool take_payout(const std::vector<std::string_view>& fields) {
    payout_line payout;
    const auto unit = fields.size() == 5 ? currency::parse(fields[1])
                                         : expected<currency>{make_error(errc::corrupt, "")};
    if (!unit || !parse_amount(fields[2], payout.gross) || !parse_amount(fields[3], payout.fees)
        || !parse_amount(fields[4], payout.net))
      return fail("a bad payout line");
    payout.unit = *unit;
    out_.payouts.push_back(payout);
    return true;
  }

  bool take_trailer(const std::vector<std::string_view>& fields) {
    std::int64_t count = 0;
    if (fields.size() != 2 || !parse_number(fields[1], count)
        || count != static_cast<std::int64_t>(out_.lines.size()))
      return fail("the trailer's count is not the number of lines");
    ended_ = true;
    return true;
  }

  /// Each currency has one payout, and that is the sum of its lines.
  std::string check_payouts() {
    if (out_.payouts.size() != sums_.size())
      return "the report's payouts don't match its currencies";
    for (const auto& payout : out_.payouts) {
      const auto sum = sums_.extract(payout.unit);
      if (sum.empty() || sum.mapped().gross != payout.gross || sum.mapped().fees != payout.fees
          || sum.mapped().net != payout.net)
        return "the report's payout in " + std::string{payout.unit.code()}
               + " is not the sum of its lines";
    }
    return {};
  }

  std::string file_;
  std::size_t line_ = 0;
  std::vector<std::string_view> fields_; ///< of the line, kept for the memory
  bool ended_ = false;
  std::string failure_;
  report out_;
  std::map<currency, payout_line> sums_;
};

} // namespace

std::string operation_text(const storage::batch_item_view& item) {
  return item.kind == operation_kind::refund ? refund_id{item.operation}.text()
                                             : capture_id{item.operation}.text();
}

std::string write_file(const file_id& file, std::string_view acquirer, timestamp created,
                       const std::vector<storage::batch_content>& batches) {
  std::string out;
  line_writer{out, "H"}
    .field("holdfast-settlement")
    .field(1)
    .field(file.text())
    .field(acquirer)
    .field(to_rfc3339(created));
  std::int64_t line = 0;
  minor_units captures;
  minor_units refunds;
  for (const auto& [batch, items, fee_bps] : batches) {
    const auto batch_text = batch.id.text();
    const auto merchant_text = batch.merchant.text();
    for (const auto& item : items) {
      (item.kind == operation_kind::refund ? refunds : captures) += item.amount;
      line_writer{out, "I"}
        .field(++line)
        .field(batch_text)
        .field(merchant_text)
        .field(operation_text(item))
        .field(to_string(item.kind))
        .field(item.gateway)
        .field(item.gateway_reference)
        .field(operation_reference(item.payment, item.kind, item.ordinal))
        .field(item.amount.value())
        .field(batch.unit.code());
    }
  }
  line_writer{out, "T"}
    .field(line)
    .field(static_cast<std::int64_t>(batches.size()))
    .field(captures.value())
    .field(refunds.value());
  return out;
}

expected<report> parse_report(std::string_view text, const file_id& file) {
  return report_reader{file}.read(text);
}

} // namespace holdfast::settlements
