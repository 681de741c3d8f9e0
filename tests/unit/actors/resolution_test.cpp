// Every class of exception, every resolution: what it posts, what becomes of the item, and what
// is refused.
#include "actors/reconciler/resolution.hpp"

#include "messages/limits.hpp"
#include "tests/unit/actors/fixtures.hpp"
#include "tests/unit/actors/settlement_fixtures.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <ostream>

namespace holdfast::settlements {

namespace {

using storage::item_change;
using tests::unit_of;

struct wanted_outcome {
  const char* kind;
  const char* resolution;
  settlement_status item; ///< none: the class has no item
  const char* posting;    ///< empty: no money
  item_change change;
  std::int64_t net; ///< of a settled item

  friend std::ostream& operator<<(std::ostream& out, const wanted_outcome& row) {
    return out << row.kind << " as " << row.resolution;
  }
};

// An item of 1000, in suspense 985 of its line (for 1100, or a second time).
constexpr auto batched = settlement_status::batched;
constexpr auto rejected = settlement_status::rejected;
constexpr auto no_item = settlement_status::none;

const wanted_outcome outcomes[] = {
  {"rejected_item", "retry", rejected,
   "adjustment: acquirer_receivable 1000, merchant_pending -1000", item_change::ready_again, 0},
  {"rejected_item", "write_off", rejected,
   "write_off: merchant_available -1000, platform_fees 1000", item_change::settled, 1'000},
  {"rejected_item", "mark_known", rejected, "", item_change::none, 0},
  {"deferred_item", "retry", rejected,
   "adjustment: acquirer_receivable 1000, merchant_pending -1000", item_change::ready_again, 0},
  {"missing_in_report", "retry", batched, "", item_change::ready_again, 0},
  {"missing_in_report", "adjust", batched,
   "adjustment: acquirer_receivable -1000, acquirer_cash 1000, merchant_pending 1000, "
   "merchant_available -1000",
   item_change::settled, 1'000},
  {"missing_in_report", "write_off", batched,
   "write_off: acquirer_receivable -1000, merchant_pending 1000, merchant_available -1000, "
   "platform_fees 1000",
   item_change::settled, 1'000},
  {"amount_mismatch", "adjust", batched,
   "adjustment: acquirer_receivable -1000, merchant_pending 1000, merchant_available -985, "
   "suspense 985",
   item_change::settled, 985},
  {"amount_mismatch", "write_off", batched,
   "write_off: acquirer_receivable -1000, merchant_pending 1000, merchant_available -1000, "
   "platform_fees 15, suspense 985",
   item_change::settled, 1'000},
  {"reference_mismatch", "adjust", batched,
   "adjustment: acquirer_receivable -1000, merchant_pending 1000, merchant_available -985, "
   "suspense 985",
   item_change::settled, 985},
  {"duplicate_line", "adjust", no_item, "adjustment: acquirer_cash -985, suspense 985",
   item_change::none, 0},
  {"duplicate_line", "write_off", no_item, "write_off: platform_fees -985, suspense 985",
   item_change::none, 0},
  {"unknown_line", "adjust", no_item, "adjustment: acquirer_cash -985, suspense 985",
   item_change::none, 0},
  {"unknown_line", "write_off", no_item, "write_off: platform_fees -985, suspense 985",
   item_change::none, 0},
  {"file_refused", "retry", no_item, "", item_change::none, 0},
  {"acquirer_silent", "retry", no_item, "", item_change::none, 0},
  {"acquirer_silent", "mark_known", no_item, "", item_change::none, 0},
  {"report_malformed", "retry", no_item, "", item_change::none, 0},
  {"orphan_at_gateway", "reverse", no_item, "", item_change::none, 0},
  {"orphan_at_gateway", "mark_known", no_item, "", item_change::none, 0},
  {"orphan_at_us", "retry", no_item, "", item_change::none, 0},
  {"unresolved_authorization", "mark_known", no_item, "", item_change::none, 0},
  {"dispute_exceeds_captured", "mark_known", no_item, "", item_change::none, 0},
};

storage::exception_case case_of(const std::string& kind, settlement_status item) {
  storage::exception_case subject;
  auto& seen = subject.seen;
  seen.id = exception_id::make(tests::noon(), shard_number{7}, 1);
  seen.kind = kind;
  seen.status = "open";
  seen.merchant = tests::test_merchant(1);
  seen.unit = unit_of("EUR");
  seen.file = tests::test_file();
  subject.acquirer = "acquirer-one";
  if (item != no_item) {
    seen.operation = make_uuid(tests::noon(), shard_number{7}, 101);
    subject.subject =
      storage::exception_case::item{operation_kind::capture, minor_units{1'000}, item, 2};
  }
  if (kind.ends_with("_mismatch") || kind.ends_with("_line")) {
    seen.posted_unit = unit_of("EUR");
    seen.posted_amount = minor_units{985};
  }
  return subject;
}

/// "adjustment: acquirer_cash 10, …"; empty when nothing is posted.
std::string text_of(const std::vector<posting>& postings) {
  std::string text;
  for (const auto& entry : postings) {
    BOOST_TEST(is_balanced(entry));
    text += std::string{to_string(entry.kind)} + ':';
    for (const auto& leg : entry.legs)
      text += std::string{&leg == &entry.legs.front() ? " " : ", "}
              + std::string{to_string(leg.where.kind)} + ' '
              + std::to_string(leg.amount.value());
  }
  return text;
}

expected<storage::resolve_exception_request> decide(const storage::exception_case& subject,
                                                    std::string resolution,
                                                    std::optional<minor_units> amount = {}) {
  return decide_resolution(subject, {std::move(resolution), "why", "ada", amount},
                           tests::noon());
}

} // namespace

BOOST_AUTO_TEST_SUITE(exception_resolution)

BOOST_DATA_TEST_CASE(each_class_ends_as_its_resolution_says,
                     boost::unit_test::data::make(outcomes), row) {
  const auto subject = case_of(row.kind, row.item);
  const auto decided = decide(subject, row.resolution);
  BOOST_REQUIRE_MESSAGE(decided, (decided ? std::string{} : decided.error().detail));
  BOOST_TEST(text_of(decided->postings) == row.posting);
  BOOST_TEST((decided->change == row.change));
  BOOST_TEST(decided->net.value() == row.net);
  BOOST_TEST(decided->gross.value() == (row.change == item_change::settled ? 1'000 : 0));
  BOOST_TEST(decided->resolved_by == "ada");
  for (const auto& entry : decided->postings) {
    BOOST_TEST((entry.subject == subject.seen.id.value));
    BOOST_TEST(entry.ordinal == 1U);
  }
}

BOOST_AUTO_TEST_CASE(every_class_allows_what_the_table_says_and_names_it_otherwise) {
  for (const auto& row : outcomes) {
    const auto allowed = allowed_resolutions(row.kind);
    BOOST_TEST((std::ranges::find(allowed, row.resolution) != allowed.end()), row);
    for (const auto* other : {"retry", "adjust", "write_off", "mark_known", "reverse", "x"}) {
      if (std::ranges::find(allowed, other) != allowed.end())
        continue;
      const auto decided = decide(case_of(row.kind, row.item), other);
      BOOST_REQUIRE(!decided);
      BOOST_TEST((decided.error().code == errc::invalid_argument));
      BOOST_TEST(decided.error().detail.find(std::string{allowed.front()})
                 != std::string::npos);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_refund_moves_the_other_way) {
  auto subject = case_of("missing_in_report", batched);
  subject.subject->kind = operation_kind::refund;
  const auto decided = decide(subject, "adjust", minor_units{900});
  BOOST_REQUIRE(decided);
  BOOST_TEST(text_of(decided->postings)
             == "adjustment: acquirer_receivable 1000, acquirer_cash -900, merchant_pending "
                "-1000, merchant_available 900");
  BOOST_TEST(decided->gross.value() == -1'000);
  BOOST_TEST(decided->net.value() == -900);
}

BOOST_AUTO_TEST_CASE(a_line_in_another_currency_balances_in_both) {
  auto subject = case_of("reference_mismatch", batched);
  subject.seen.posted_unit = unit_of("USD");
  const auto adjusted = decide(subject, "adjust");
  BOOST_REQUIRE(adjusted);
  BOOST_TEST(text_of(adjusted->postings)
             == "adjustment: acquirer_receivable -1000, merchant_pending 1000, "
                "merchant_available -985, suspense 985");
  BOOST_TEST(adjusted->net.value() == 0);
  const auto written_off = decide(subject, "write_off");
  BOOST_REQUIRE(written_off);
  BOOST_TEST(text_of(written_off->postings)
             == "write_off: acquirer_receivable -1000, merchant_pending 1000, "
                "merchant_available -1000, platform_fees 1000, platform_fees -985, suspense "
                "985");
}

BOOST_AUTO_TEST_CASE(an_amount_belongs_to_what_was_paid_outside_the_report_only) {
  const auto nothing = decide(case_of("missing_in_report", batched), "adjust", minor_units{});
  BOOST_REQUIRE(nothing);
  BOOST_TEST(text_of(nothing->postings)
             == "adjustment: acquirer_receivable -1000, merchant_pending 1000");
  BOOST_TEST(!decide(case_of("missing_in_report", batched), "write_off", minor_units{1}));
  BOOST_TEST(!decide(case_of("duplicate_line", no_item), "adjust", minor_units{1}));
}

BOOST_AUTO_TEST_CASE(what_is_resolved_or_has_moved_on_stays_as_it_is) {
  auto resolved = case_of("duplicate_line", no_item);
  resolved.seen.status = "resolved";
  BOOST_TEST((decide(resolved, "adjust").error().code == errc::invalid_state));
  const auto moved = case_of("amount_mismatch", settlement_status::settled);
  BOOST_TEST((decide(moved, "adjust").error().code == errc::invalid_state));
}

BOOST_AUTO_TEST_CASE(files_are_resubmitted_or_asked_about_again) {
  const auto refused = decide(case_of("file_refused", no_item), "retry");
  BOOST_TEST((refused->resubmit_file == tests::test_file()));
  const auto silent = decide(case_of("acquirer_silent", no_item), "retry");
  BOOST_TEST((silent->ask_again == tests::test_file()));
  BOOST_TEST(!decide(case_of("acquirer_silent", no_item), "mark_known")->ask_again);
}

BOOST_AUTO_TEST_CASE(a_persons_word_gives_an_item_all_its_tries_again) {
  BOOST_TEST(next_round(0) == limits::item_deferrals_max);
  BOOST_TEST(next_round(limits::item_deferrals_max - 1) == limits::item_deferrals_max);
  BOOST_TEST(next_round(limits::item_deferrals_max) == 2 * limits::item_deferrals_max);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::settlements
