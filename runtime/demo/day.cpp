#include "runtime/demo/day.hpp"

#include "messages/limits.hpp"
#include "runtime/client/json_client.hpp"
#include "runtime/client/json_members.hpp"
#include "runtime/console/terminal.hpp"
#include "runtime/demo/plan.hpp"
#include "runtime/demo/reading.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <unordered_map>
#include <utility>

namespace holdfast::demo {

namespace json = boost::json;
using client::flag_at;
using client::integer_at;
using client::string_at;
using steady = std::chrono::steady_clock;

namespace {

constexpr milliseconds cutoff_call_limit{120'000};
constexpr milliseconds verify_limit{30 * 60 * 1'000};
/// One for what is ready, one for what the acquirer has deferred, and some to spare.
constexpr std::uint32_t cutoffs_max = 4;

/// The class of exception that an amount's ending asks the sandbox for; empty for none.
std::string_view exception_asked_for(int ending) {
  switch (ending) {
    case 61: return "rejected_item";
    case 63: return "missing_in_report";
    case 64: return "amount_mismatch";
    case 65: return "duplicate_line";
    default: return {};
  }
}

class stopwatch {
public:
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(steady::now() - began_).count();
  }

private:
  steady::time_point began_ = steady::now();
};

struct account {
  std::string id;
  std::string api_key;
};

class day {
public:
  day(const day_options& options, std::stop_token stop)
    : options_(options),
      stop_(std::move(stop)),
      admin_(options.admin_url),
      plan_(make_plan(options.payments, options.seed)) {
    result_.payments = plan_.size();
    result_.seed = options.seed;
  }

  expected<day_result> run() {
    for (const auto step : {&day::open_accounts, &day::take_payments, &day::settle,
                            &day::read_books, &day::prove_ledger, &day::compare}) {
      if (stop_.stop_requested())
        return make_error(errc::unavailable, "interrupted");
      if (auto done = (this->*step)(); !done)
        return done.error();
    }
    return std::move(result_);
  }

private:
  expected<void> open_accounts() {
    // What earlier days on this sandbox left is not this day's to explain.
    auto earlier = read_records(options_.sandbox_url);
    if (!earlier)
      return earlier.error();
    if (!earlier->empty())
      first_record_ = earlier->back().seq;
    for (const auto& record : *earlier)
      earlier_payments_.emplace(payment_of(record.reference));
    for (const auto& merchant : merchants) {
      const auto made =
        admin_.post("/admin/v1/merchants",
                    json::object{{"name", merchant.name}, {"currency", merchant.currency}});
      if (!made)
        return made.error();
      accounts_.push_back(
        {string_at(made->as_object(), "id"), string_at(made->as_object(), "api_key")});
    }
    return {};
  }

  expected<void> take_payments() {
    drive_options options;
    options.http_urls = options_.http_urls;
    options.connections = options_.connections;
    options.run = "demo-" + std::to_string(options_.seed);
    for (const auto& account : accounts_)
      options.api_keys.push_back(account.api_key);
    const auto total = plan_.size();
    auto taking = std::make_unique<console::progress>("Taking payments", total);
    std::unique_ptr<console::progress> waiting;
    std::uint64_t unknown = 0;
    options.progress = [&](std::uint64_t answered, std::uint64_t open) {
      if (taking)
        taking->advance_to(answered);
      if (answered < total)
        return;
      if (taking) {
        taking.reset();
        unknown = open;
        if (unknown > 0)
          waiting =
            std::make_unique<console::progress>("Finding out unknown outcomes", unknown);
      }
      if (waiting)
        waiting->advance_to(unknown - std::min(open, unknown));
    };
    auto driven = drive(plan_, options, stop_);
    if (!driven)
      return driven.error();
    result_.drive = std::move(*driven);
    const auto& drive = result_.drive;
    const auto lost = std::ranges::count(plan_, story::unknown, &planned_payment::which);
    result_.phases.push_back({"taking payments", total - static_cast<std::uint64_t>(lost),
                              "payments", drive.answers_s});
    result_.phases.push_back({"finding out unknown outcomes", static_cast<std::uint64_t>(lost),
                              "payments", drive.all_answers_s - drive.answers_s});
    for (std::size_t i = 0; i < plan_.size(); ++i) {
      if (!drive.ids[i].empty())
        planned_.emplace(drive.ids[i], &plan_[i]);
    }
    return {};
  }

  /// Cut-offs until nothing is left to settle: what was deferred comes with the next.
  expected<void> settle() {
    const stopwatch watch;
    console::progress shown{"Settling", cutoffs_max};
    std::uint64_t items = 0;
    for (result_.cutoffs = 0; result_.cutoffs < cutoffs_max;) {
      const auto closed = cut_off_and_wait();
      if (!closed)
        return closed.error();
      ++result_.cutoffs;
      items += *closed;
      shown.advance_to(result_.cutoffs, console::grouped(items) + " items");
      if (*closed == 0)
        break;
    }
    shown.advance_to(cutoffs_max, console::grouped(items) + " items");
    result_.phases.push_back({"settling and reconciling", items, "items", watch.seconds()});
    return {};
  }

  /// The items that were settled. Calls again while the node needs longer than a call may last.
  expected<std::uint64_t> cut_off_and_wait() {
    const auto deadline = steady::now() + milliseconds{limits::demo_settlement_ms_max};
    std::uint64_t items = 0;
    for (;;) {
      const auto answer =
        admin_.post("/admin/v1/cutoff", json::object{{"settle", true}}, cutoff_call_limit);
      if (!answer)
        return make_error(answer.error().code, "cut-off: " + answer.error().detail);
      const auto& result = answer->as_object();
      items += static_cast<std::uint64_t>(integer_at(result, "items"));
      if (flag_at(result, "complete"))
        return items;
      if (stop_.stop_requested() || steady::now() > deadline)
        return make_error(errc::unavailable,
                          "settlement does not end: " + string_at(result, "detail"));
    }
  }

  expected<void> read_books() {
    const stopwatch watch;
    for (std::size_t i = 0; i < accounts_.size(); ++i) {
      auto payments = read_payments(options_.http_urls.front(), accounts_[i].api_key);
      if (!payments)
        return payments.error();
      for (auto& payment : *payments)
        payments_.push_back(std::move(payment));
      if (auto done = read_batches(i); !done)
        return done;
    }
    count_outcomes();
    if (auto done = read_exceptions(); !done)
      return done;
    check_settled();
    result_.phases.push_back(
      {"reading the books", payments_.size(), "payments", watch.seconds()});
    return {};
  }

  void count_outcomes() {
    std::map<std::pair<std::string, std::string>, outcome_row> rows;
    for (const auto& payment : payments_) {
      auto& row = rows[{payment.status, payment.currency}];
      row.status = payment.status;
      row.currency = payment.currency;
      ++row.payments;
      row.amount += payment.amount;
    }
    for (auto& [key, row] : rows)
      result_.outcomes.push_back(std::move(row));
  }

  expected<void> read_batches(std::size_t index) {
    const auto rows = admin_.all_pages("/admin/v1/batches?merchant=" + accounts_[index].id,
                                       limits::ctl_rows_max);
    if (!rows)
      return rows.error();
    std::map<std::string, merchant_row> by_currency;
    for (const auto& each : *rows) {
      const auto& batch = each.as_object();
      auto& row = by_currency[string_at(batch, "currency")];
      row.items += static_cast<std::uint64_t>(integer_at(batch, "items"));
      row.gross += integer_at(batch, "gross");
      row.acquirer_fees += integer_at(batch, "acquirer_fees");
      row.platform_fees += integer_at(batch, "platform_fees");
      row.net += integer_at(batch, "net");
      if (const auto status = string_at(batch, "status"); status != "reconciled")
        result_.complaints.push_back("batch " + string_at(batch, "id") + " is still " + status);
    }
    for (auto& [currency, row] : by_currency) {
      row.merchant = accounts_[index].id;
      row.name = merchants[index].name;
      row.currency = currency;
      result_.merchants.push_back(std::move(row));
    }
    return {};
  }

  /// Every exception must have been asked for by its payment's amount, and every amount that
  /// asks for one must have it.
  expected<void> read_exceptions() {
    const auto rows = admin_.all_pages("/admin/v1/exceptions", limits::ctl_rows_max);
    if (!rows)
      return rows.error();
    std::map<std::string, exception_row> kinds;
    std::set<std::string> explained;
    for (const auto& each : *rows) {
      const auto& exception = each.as_object();
      const auto merchant = string_at(exception, "merchant");
      if (std::ranges::find(accounts_, merchant, &account::id) == accounts_.end())
        continue;
      auto& row = kinds[string_at(exception, "kind")];
      row.kind = string_at(exception, "kind");
      ++row.count;
      const auto payment = planned_.find(string_at(exception, "payment"));
      if (payment != planned_.end()
          && exception_asked_for(payment->second->ending()) == row.kind) {
        ++row.explained;
        explained.insert(payment->first);
      } else {
        result_.complaints.push_back("exception " + string_at(exception, "id") + " (" + row.kind
                                     + ") is not explained");
      }
    }
    for (auto& [kind, row] : kinds)
      result_.exceptions.push_back(std::move(row));
    for (const auto& [id, planned] : planned_) {
      if (!exception_asked_for(planned->ending()).empty() && !explained.contains(id))
        result_.complaints.push_back(id + " should have raised an exception of the class "
                                     + std::string{exception_asked_for(planned->ending())});
    }
    return {};
  }

  /// What was captured must have been settled, unless its amount asked for something else.
  void check_settled() {
    for (const auto& payment : payments_) {
      const auto planned = planned_.find(payment.id);
      if (planned == planned_.end()) {
        result_.complaints.push_back(payment.id + " is not of this day");
        continue;
      }
      const bool odd = !exception_asked_for(planned->second->ending()).empty();
      if (!odd && (payment.status == "captured" || payment.status == "batched"))
        result_.complaints.push_back(payment.id + " is " + payment.status + ", not settled");
    }
  }

  expected<void> prove_ledger() {
    const stopwatch watch;
    const auto answer = admin_.get("/admin/v1/ledger/verify", verify_limit);
    if (!answer)
      return make_error(answer.error().code, "ledger verify: " + answer.error().detail);
    const auto& proof = answer->as_object();
    auto& ledger = result_.ledger;
    ledger.holds = flag_at(proof, "holds");
    for (const auto& [name, value] : proof) {
      if (!value.is_bool() || name == "holds")
        continue;
      std::string words{name};
      std::ranges::replace(words, '_', ' ');
      ledger.promises.push_back({std::move(words), value.as_bool()});
    }
    ledger.entries = static_cast<std::uint64_t>(integer_at(proof, "entries"));
    ledger.events = static_cast<std::uint64_t>(integer_at(proof, "events"));
    ledger.accounts = static_cast<std::uint64_t>(integer_at(proof, "accounts"));
    if (const auto* findings = proof.if_contains("findings");
        findings && findings->is_array()) {
      for (const auto& finding : findings->as_array())
        ledger.findings.emplace_back(finding.is_string() ? finding.as_string() : "");
    }
    result_.phases.push_back(
      {"proving the ledger", ledger.entries, "entries", watch.seconds()});
    return {};
  }

  expected<void> compare() {
    const stopwatch watch;
    auto records = read_records(options_.sandbox_url, first_record_);
    if (!records)
      return records.error();
    std::erase_if(*records, [&](const sandbox_record& record) {
      return earlier_payments_.contains(std::string{payment_of(record.reference)});
    });
    audit_input input;
    input.answers = std::move(result_.drive.answers);
    input.payments = std::move(payments_);
    input.records = std::move(*records);
    result_.audit = audit(input);
    result_.phases.push_back(
      {"comparing with the sandbox", result_.audit.records, "records", watch.seconds()});
    return {};
  }

  const day_options& options_;
  std::stop_token stop_;
  client::json_client admin_;
  std::vector<planned_payment> plan_;
  std::vector<account> accounts_;
  std::vector<payment_seen> payments_;
  std::unordered_map<std::string, const planned_payment*> planned_;
  std::int64_t first_record_ = 0;
  std::set<std::string> earlier_payments_;
  day_result result_;
};

} // namespace

bool day_result::holds() const noexcept {
  return ledger.holds && audit.differences.empty() && drive.surprises.empty()
         && complaints.empty();
}

expected<day_result> run_day(const day_options& options, std::stop_token stop) {
  return day{options, std::move(stop)}.run();
}

} // namespace holdfast::demo
