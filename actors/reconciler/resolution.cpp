#include "actors/reconciler/resolution.hpp"

#include "messages/assert.hpp"
#include "messages/limits.hpp"

#include <algorithm>
#include <array>
#include <map>

namespace holdfast::settlements {

namespace {

using storage::exception_case;
using storage::item_change;
using storage::resolve_exception_request;

constexpr std::string_view platform = "platform";

// In the order in which they are offered.
constexpr std::array of_rejected{std::string_view{"retry"}, std::string_view{"write_off"},
                                 std::string_view{"mark_known"}};
constexpr std::array of_missing{std::string_view{"retry"}, std::string_view{"adjust"},
                                std::string_view{"write_off"}};
constexpr std::array of_suspense{std::string_view{"adjust"}, std::string_view{"write_off"}};
constexpr std::array of_refused_file{std::string_view{"retry"}};
constexpr std::array of_doubt{std::string_view{"retry"}, std::string_view{"mark_known"}};
constexpr std::array of_orphan_hold{std::string_view{"reverse"}, std::string_view{"retry"},
                                    std::string_view{"mark_known"}};
constexpr std::array of_others{std::string_view{"mark_known"}};

struct class_rule {
  std::string_view kind;
  std::span<const std::string_view> allowed;
};

// What is unresolved is asked on without being told to: a retry would close the exception and
// change nothing.
constexpr std::array class_rules{
  class_rule{"rejected_item", of_rejected},        class_rule{"deferred_item", of_rejected},
  class_rule{"missing_in_report", of_missing},     class_rule{"amount_mismatch", of_suspense},
  class_rule{"reference_mismatch", of_suspense},   class_rule{"duplicate_line", of_suspense},
  class_rule{"unknown_line", of_suspense},         class_rule{"file_refused", of_refused_file},
  class_rule{"acquirer_silent", of_doubt},         class_rule{"report_malformed", of_doubt},
  class_rule{"orphan_at_gateway", of_orphan_hold}, class_rule{"orphan_at_us", of_doubt},
  class_rule{unresolved_authorization, of_others}, class_rule{unresolved_operation, of_others},
};

/// Builds a posting leg by leg; legs of one account become one, and those of nothing vanish.
class leg_book {
public:
  void add(account_kind kind, std::string_view owner, currency unit, minor_units amount) {
    sums_[account{kind, std::string{owner}, unit}] += amount;
  }

  [[nodiscard]] std::vector<posting> as(posting_kind kind, const exception_case& of) const {
    posting entry;
    entry.kind = kind;
    entry.subject = of.seen.id.value;
    entry.ordinal = 1; // Nothing is resolved twice with money.
    entry.external_ref = of.seen.file ? of.seen.file->text() : of.seen.external_ref;
    for (const auto& [where, amount] : sums_)
      if (amount != minor_units{})
        entry.legs.push_back({where, amount});
    if (entry.legs.empty())
      return {};
    HF_ASSERT(is_balanced(entry));
    return {std::move(entry)};
  }

private:
  std::map<account, minor_units> sums_;
};

class resolver {
public:
  resolver(const exception_case& subject, const resolution_wish& wish)
    : subject_(subject),
      wish_(wish) {}

  expected<resolve_exception_request> decide(timestamp now) {
    if (auto refused = check(); !refused)
      return refused.error();
    const auto& seen = subject_.seen;
    out_.exception = seen.id;
    out_.kind = seen.kind;
    out_.merchant = seen.merchant;
    out_.resolution = wish_.resolution;
    out_.note = wish_.note;
    out_.resolved_by = wish_.by;
    out_.now = now;
    if (auto done = decide_by_class(); !done)
      return done.error();
    return std::move(out_);
  }

private:
  bool is(std::string_view kind) const { return subject_.seen.kind == kind; }
  bool wants(std::string_view resolution) const { return wish_.resolution == resolution; }

  expected<void> check() const {
    if (subject_.seen.status != "open")
      return make_error(errc::invalid_state,
                        "It was resolved already: " + subject_.seen.resolution + ".");
    const auto allowed = allowed_resolutions(subject_.seen.kind);
    if (std::ranges::find(allowed, wish_.resolution) == allowed.end()) {
      std::string text =
        "An exception of the class " + subject_.seen.kind + " can be resolved by ";
      for (const auto& one : allowed)
        text += std::string{&one == allowed.data() ? "" : ", "} + std::string{one};
      return make_error(errc::invalid_argument, text + '.');
    }
    if (wish_.amount && !(is("missing_in_report") && wants("adjust")))
      return make_error(
        errc::invalid_argument,
        "Only `adjust` of the class missing_in_report takes an amount; here the "
        "exception itself tells it.");
    return {};
  }

  expected<void> decide_by_class() {
    if (is("rejected_item") || is("deferred_item"))
      return rejected();
    if (is("missing_in_report"))
      return missing();
    if (is("amount_mismatch") || is("reference_mismatch"))
      return mismatched();
    if (is("duplicate_line") || is("unknown_line"))
      return unexpected();
    if (is("file_refused"))
      out_.resubmit_file = subject_.seen.file;
    else if (wants("retry") && (is("acquirer_silent") || is("report_malformed")))
      out_.ask_again = subject_.seen.file;
    return {};
  }

  /// It had been taken back when the acquirer refused it.
  expected<void> rejected() {
    if (wants("mark_known"))
      return {};
    if (auto found = take_item(settlement_status::rejected); !found)
      return found;
    if (wants("retry")) {
      legs_.add(account_kind::acquirer_receivable, subject_.acquirer, unit(), amount_);
      legs_.add(account_kind::merchant_pending, merchant(), unit(), -amount_);
      out_.postings = legs_.as(posting_kind::adjustment, subject_);
      return again();
    }
    legs_.add(account_kind::platform_fees, platform, unit(), amount_);
    legs_.add(account_kind::merchant_available, merchant(), unit(), -amount_);
    out_.postings = legs_.as(posting_kind::write_off, subject_);
    return settled(amount_);
  }

  expected<void> missing() {
    if (auto found = take_item(settlement_status::batched); !found)
      return found;
    if (wants("retry"))
      return again();
    clear_item();
    if (wants("write_off")) {
      legs_.add(account_kind::platform_fees, platform, unit(), amount_);
      legs_.add(account_kind::merchant_available, merchant(), unit(), -amount_);
      out_.postings = legs_.as(posting_kind::write_off, subject_);
      return settled(amount_);
    }
    // What was paid outside of the report: all of it, unless the operator knows better.
    auto paid = wish_.amount.value_or(amount_);
    if (wish_.amount && subject_.subject->kind == operation_kind::refund)
      paid = -paid;
    legs_.add(account_kind::acquirer_cash, subject_.acquirer, unit(), paid);
    legs_.add(account_kind::merchant_available, merchant(), unit(), -paid);
    out_.postings = legs_.as(posting_kind::adjustment, subject_);
    return settled(paid);
  }

  /// The item is settled by what did arrive. The line may be in another currency than the item.
  expected<void> mismatched() {
    if (auto found = take_item(settlement_status::batched); !found)
      return found;
    const auto& seen = subject_.seen;
    clear_item();
    legs_.add(account_kind::suspense, subject_.acquirer, seen.posted_unit, seen.posted_amount);
    if (wants("write_off")) {
      legs_.add(account_kind::platform_fees, platform, seen.posted_unit, -seen.posted_amount);
      legs_.add(account_kind::platform_fees, platform, unit(), amount_);
      legs_.add(account_kind::merchant_available, merchant(), unit(), -amount_);
      out_.postings = legs_.as(posting_kind::write_off, subject_);
      return settled(amount_);
    }
    legs_.add(account_kind::merchant_available, merchant(), seen.posted_unit,
              -seen.posted_amount);
    out_.postings = legs_.as(posting_kind::adjustment, subject_);
    // A batch has one currency: money in another one is none of its net.
    return settled(seen.posted_unit == unit() ? seen.posted_amount : minor_units{});
  }

  /// Money for nothing of ours goes back to the acquirer, or stays with the platform.
  expected<void> unexpected() {
    const auto& seen = subject_.seen;
    legs_.add(account_kind::suspense, subject_.acquirer, seen.posted_unit, seen.posted_amount);
    if (wants("write_off")) {
      legs_.add(account_kind::platform_fees, platform, seen.posted_unit, -seen.posted_amount);
      out_.postings = legs_.as(posting_kind::write_off, subject_);
    } else {
      legs_.add(account_kind::acquirer_cash, subject_.acquirer, seen.posted_unit,
                -seen.posted_amount);
      out_.postings = legs_.as(posting_kind::adjustment, subject_);
    }
    return {};
  }

  expected<void> take_item(settlement_status must_be) {
    const auto& item = subject_.subject;
    if (!item || !subject_.seen.operation)
      return make_error(errc::corrupt, "The exception's item is not there.");
    if (item->status != must_be)
      return make_error(errc::invalid_state,
                        "Its item is not " + std::string{to_string(must_be)} + " any more, but "
                          + std::string{to_string(item->status)} + ".");
    amount_ = item->kind == operation_kind::refund ? -item->amount : item->amount;
    out_.operation = subject_.seen.operation;
    out_.item_must_be = must_be;
    return {};
  }

  /// What was booked when the item succeeded is at its end.
  void clear_item() {
    legs_.add(account_kind::acquirer_receivable, subject_.acquirer, unit(), -amount_);
    legs_.add(account_kind::merchant_pending, merchant(), unit(), amount_);
  }

  expected<void> again() {
    out_.change = item_change::ready_again;
    out_.item_tries = next_round(subject_.subject->tries);
    return {};
  }

  expected<void> settled(minor_units net) {
    out_.change = item_change::settled;
    out_.gross = amount_;
    out_.net = net;
    return {};
  }

  currency unit() const { return subject_.seen.unit; }
  std::string merchant() const { return subject_.seen.merchant.text(); }

  const exception_case& subject_;
  const resolution_wish& wish_;
  minor_units amount_; ///< the item's, negative of a refund
  leg_book legs_;
  resolve_exception_request out_;
};

} // namespace

std::span<const std::string_view> allowed_resolutions(std::string_view kind) {
  const auto rule = std::ranges::find(class_rules, kind, &class_rule::kind);
  return rule != class_rules.end() ? rule->allowed
                                   : std::span<const std::string_view>{of_others};
}

expected<storage::resolve_exception_request> decide_resolution(
  const storage::exception_case& subject, const resolution_wish& wish, timestamp now) {
  return resolver{subject, wish}.decide(now);
}

std::uint32_t next_round(std::uint32_t tries) noexcept {
  return (tries / limits::item_deferrals_max + 1) * limits::item_deferrals_max;
}

} // namespace holdfast::settlements
