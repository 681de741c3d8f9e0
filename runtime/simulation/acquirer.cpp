#include "runtime/simulation/acquirer.hpp"

#include "messages/assert.hpp"
#include "runtime/simulation/world.hpp"

#include <charconv>

namespace holdfast::simulation {

using namespace std::chrono_literals;
using acquirers::acquirer_verb;
using acquirers::acquirer_verdict;

namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> fields;
  for (std::size_t begin = 0;;) {
    const auto end = text.find(separator, begin);
    fields.push_back(text.substr(begin, end - begin));
    if (end == std::string_view::npos)
      return fields;
    begin = end + 1;
  }
}

std::int64_t number_in(std::string_view text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// One percent and five, whatever the amount.
std::int64_t fee_of(std::int64_t amount, bool is_refund) {
  return is_refund ? 0 : amount / 100 + 5;
}

constexpr std::size_t item_fields = 11;

} // namespace

acquirers::acquirer_answer acquirer::handle(const acquirers::acquirer_request& asked) {
  if (world_.strikes(fault::acquirer_silent))
    return {};
  if (asked.verb == acquirer_verb::submit_file)
    return take(asked);
  const auto found = files_.find(asked.file);
  if (found == files_.end())
    return {};
  const auto& file = found->second;
  if (world_.now() < file.ready_at)
    return {acquirer_verdict::pending, {}, {}};
  acquirers::acquirer_answer answer;
  answer.verdict = acquirer_verdict::done;
  if (asked.verb == acquirer_verb::fetch_results) {
    answer.results = file.results;
    if (!answer.results.empty() && world_.strikes(fault::results_doubled)) {
      // The same item twice, and not always with the same result.
      answer.results.push_back(answer.results.front());
      if (world_.chance().one_in(2))
        answer.results.back().verdict = storage::item_verdict::rejected;
    }
    return answer;
  }
  answer.body = file.report;
  if (world_.strikes(fault::report_garbled))
    answer.body.resize(answer.body.size() / 2);
  return answer;
}

bool acquirer::is_late_with(const std::string& file) const {
  const auto found = files_.find(file);
  return found != files_.end() && world_.now() < found->second.ready_at;
}

std::int64_t acquirer::paid(const std::string& file) const {
  const auto found = files_.find(file);
  return found == files_.end() ? 0 : found->second.paid;
}

/// Idempotent on the file's id.
acquirers::acquirer_answer acquirer::take(const acquirers::acquirer_request& asked) {
  if (files_.contains(asked.file))
    return {acquirer_verdict::done, {}, {}};
  if (world_.strikes(fault::file_refused))
    return {acquirer_verdict::refused, "not today", {}};
  auto& file = files_[asked.file];
  file.ready_at = world_.now();
  if (world_.strikes(fault::acquirer_days_late))
    file.ready_at += world_.chance().span(std::chrono::hours{12}, std::chrono::hours{60});
  std::vector<line> lines;
  for (const auto raw : split(asked.content, '\n'))
    if (const auto fields = split(raw, ','); fields.size() == item_fields && fields[0] == "I")
      take_item(fields, file, lines);
  write_report(asked.file, lines, file);
  return {acquirer_verdict::done, {}, {}};
}

void acquirer::take_item(const std::vector<std::string_view>& fields, known_file& into,
                         std::vector<line>& lines) {
  const auto operation = parse_hex(fields[4].substr(4));
  HF_ASSERT(operation.has_value());
  const auto verdict = judge(fields);
  into.results.push_back({*operation, verdict, "by_weather"});
  if (verdict != storage::item_verdict::accepted || world_.strikes(fault::line_missing))
    return;
  report_line({std::string{fields[7]}, std::string{fields[8]}, std::string{fields[3]},
               std::string{fields[5]}, std::string{fields[10]}, number_in(fields[9])},
              lines);
}

/// Against the gateway's own record: nothing is settled that was not done, and nothing twice.
storage::item_verdict acquirer::judge(const std::vector<std::string_view>& fields) {
  const auto dot = fields[8].rfind('.');
  const auto payment = parse_attempt(fields[8]).payment;
  const auto kind =
    fields[8][dot + 1] == 'r' ? operation_kind::refund : operation_kind::capture;
  const auto ordinal = static_cast<std::uint32_t>(number_in(fields[8].substr(dot + 2)));
  auto& gateway = world_.gateway_named(std::string{fields[6]});
  for (std::uint32_t attempt = 1; attempt <= 8; ++attempt) {
    auto* hold = gateway.find(payment, attempt);
    if (hold == nullptr)
      continue;
    for (auto& known : hold->operations) {
      if (known.kind != kind || known.ordinal != ordinal || !known.succeeded || known.settled
          || known.amount.value() != number_in(fields[9]))
        continue;
      if (world_.strikes(fault::item_rejected))
        return storage::item_verdict::rejected;
      if (world_.strikes(fault::item_deferred))
        return storage::item_verdict::deferred;
      known.settled = true;
      return storage::item_verdict::accepted;
    }
  }
  return storage::item_verdict::rejected;
}

void acquirer::report_line(line made, std::vector<line>& lines) {
  if (world_.strikes(fault::line_other_amount))
    made.amount += 100;
  if (world_.strikes(fault::line_unknown)) {
    auto stranger = made;
    stranger.operation_reference.back() = 'x';
    lines.push_back(std::move(stranger));
  }
  lines.push_back(made);
  if (world_.strikes(fault::line_doubled))
    lines.push_back(std::move(made));
}

void acquirer::write_report(const std::string& file, const std::vector<line>& lines,
                            known_file& into) {
  auto& out = into.report;
  out = "H,holdfast-report,1," + file + ",acquirer," + to_rfc3339(world_.now()) + '\n';
  std::int64_t gross = 0;
  std::int64_t fees = 0;
  std::size_t number = 0;
  for (const auto& one : lines) {
    const bool is_refund = one.kind == "refund";
    const auto fee = fee_of(one.amount, is_refund);
    const auto moved = is_refund ? -one.amount : one.amount;
    gross += moved;
    fees += fee;
    out += "S," + std::to_string(++number) + ',' + one.gateway_reference + ','
           + one.operation_reference + ',' + one.merchant + ',' + one.kind + ','
           + std::to_string(one.amount) + ',' + std::to_string(fee) + ','
           + std::to_string(moved - fee) + ',' + one.unit + '\n';
  }
  into.paid = gross - fees;
  if (!lines.empty())
    out += "P," + lines.front().unit + ',' + std::to_string(gross) + ',' + std::to_string(fees)
           + ',' + std::to_string(into.paid) + '\n';
  out += "T," + std::to_string(number) + '\n';
}

} // namespace holdfast::simulation
