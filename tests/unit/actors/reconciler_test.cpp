// What an acquirer's answers and reports mean for our items: who settles, what is posted, and
// what a person must look at.
#include "actors/reconciler/core.hpp"
#include "messages/limits.hpp"
#include "tests/unit/actors/fixtures.hpp"
#include "tests/unit/actors/settlement_fixtures.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <limits>

namespace holdfast::settlements {

namespace {

using storage::item_verdict;
using tests::reference_of;
using tests::test_batches;
using tests::test_file;
using tests::unit_of;

std::vector<storage::item_result> results_of(const std::vector<storage::batch_content>& batches,
                                             std::array<item_verdict, 4> verdicts) {
  std::vector<storage::item_result> results;
  for (const auto& content : batches)
    for (const auto& item : content.items)
      results.push_back({item.operation, verdicts.at(results.size()), "expired_card"});
  return results;
}

constexpr std::array all_accepted{item_verdict::accepted, item_verdict::accepted,
                                  item_verdict::accepted, item_verdict::accepted};

/// A line that matches the item exactly, with a fee of 10.
report_line line_of(const storage::batch_view& batch, const storage::batch_item_view& item) {
  report_line line;
  line.gateway_reference = item.gateway_reference;
  line.operation_reference = reference_of(item);
  line.merchant = batch.merchant.text();
  line.kind = to_string(item.kind);
  line.amount = item.amount;
  line.fee = minor_units{10};
  line.net = (item.kind == operation_kind::refund ? -item.amount : item.amount) - line.fee;
  line.unit = batch.unit;
  return line;
}

/// A report that has every item once, as it is.
report exact_report(const std::vector<storage::batch_content>& batches) {
  report made;
  for (const auto& content : batches)
    for (const auto& item : content.items)
      made.lines.push_back(line_of(content.batch, item));
  return made;
}

/// Numbers the lines and gives them a raw text, as the parser would.
report numbered(report some) {
  std::uint32_t number = 0;
  for (auto& line : some.lines) {
    line.number = ++number;
    line.raw = "S," + std::to_string(number);
  }
  return some;
}

matched_report match(const std::vector<storage::batch_content>& batches, report reported) {
  auto matched = match_report(test_file(), batches, numbered(std::move(reported)));
  for (const auto& entry : matched.postings)
    BOOST_TEST(is_balanced(entry), to_string(entry.kind));
  return matched;
}

std::vector<std::string> kinds_of(const std::vector<storage::new_exception>& exceptions) {
  std::vector<std::string> kinds;
  for (const auto& one : exceptions)
    kinds.push_back(one.kind);
  return kinds;
}

/// "settlement 1: acquirer_cash 3120 acquirer-one, …" without zero legs.
std::string text_of(const posting& entry) {
  std::string text = std::string{to_string(entry.kind)} + ' ' + std::to_string(entry.ordinal);
  for (const auto& leg : entry.legs)
    text += std::string{&leg == &entry.legs.front() ? ": " : ", "}
            + std::string{to_string(leg.where.kind)} + ' ' + std::to_string(leg.amount.value());
  return text;
}

void check_postings(const std::vector<posting>& postings,
                    const std::vector<std::string>& expected) {
  std::vector<std::string> texts;
  for (const auto& entry : postings)
    texts.push_back(text_of(entry));
  BOOST_TEST(texts == expected, boost::test_tools::per_element());
}

const char* const second_batch_settles =
  "settlement 1: acquirer_cash 290, acquirer_receivable -300, merchant_pending 300, "
  "merchant_available -290";

} // namespace

// -- answers per item
// -----------------------------------------------------------------------------

BOOST_AUTO_TEST_SUITE(item_results)

BOOST_AUTO_TEST_CASE(accepted_and_deferred_items_move_no_money) {
  const auto batches = test_batches();
  const auto judged = judge_results(
    batches, results_of(batches, {item_verdict::accepted, item_verdict::deferred,
                                  item_verdict::accepted, item_verdict::deferred}));
  BOOST_REQUIRE(judged);
  BOOST_TEST(judged->accepted == 2u);
  BOOST_TEST(judged->deferred == 2u);
  BOOST_CHECK(
    (judged->waiting == std::vector{batches[0].batch.merchant, batches[1].batch.merchant}));
  BOOST_TEST(judged->rejected == 0u);
  BOOST_TEST(judged->postings.empty());
  BOOST_TEST(judged->exceptions.empty());
}

BOOST_AUTO_TEST_CASE(a_rejected_item_is_taken_back_and_shown_to_a_person) {
  const auto batches = test_batches();
  const auto judged = judge_results(
    batches, results_of(batches, {item_verdict::accepted, item_verdict::rejected,
                                  item_verdict::rejected, item_verdict::accepted}));
  BOOST_REQUIRE(judged);
  BOOST_TEST(judged->accepted == 2u);
  BOOST_TEST(judged->rejected == 2u);
  check_postings(judged->postings,
                 {"rejection 1: merchant_pending 2550, acquirer_receivable -2550",
                  "rejection 1: merchant_pending -400, acquirer_receivable 400"});
  BOOST_CHECK(judged->postings[0].subject == batches[0].items[1].operation);
  BOOST_TEST(judged->postings[0].external_ref == "gw-2");
  BOOST_REQUIRE_EQUAL(judged->exceptions.size(), 2u);
  const auto& refused = judged->exceptions[1];
  BOOST_TEST(refused.kind == "rejected_item");
  BOOST_CHECK(refused.merchant == batches[0].batch.merchant);
  BOOST_CHECK(refused.payment == batches[0].items[2].payment);
  BOOST_CHECK(refused.operation == batches[0].items[2].operation);
  BOOST_CHECK(refused.batch == batches[0].batch.id);
  BOOST_TEST(refused.expected_amount.value() == -400);
  BOOST_TEST(refused.detail.find("expired_card") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(results_may_come_in_any_order) {
  const auto batches = test_batches();
  auto results = results_of(batches, all_accepted);
  std::ranges::reverse(results);
  BOOST_TEST(judge_results(batches, results).value().accepted == 4u);
}

BOOST_AUTO_TEST_CASE(results_that_are_not_of_the_file_are_refused_whole) {
  const auto batches = test_batches();
  const auto good = results_of(batches, all_accepted);

  auto missing = good;
  missing.pop_back();
  auto contradicted = good;
  contradicted.push_back({good.front().operation, item_verdict::rejected, ""});
  auto twice_and_missing = good;
  twice_and_missing.back() = good.front();
  auto foreign = good;
  foreign.push_back(
    {make_uuid(tests::noon(), shard_number{7}, 999), item_verdict::accepted, ""});
  auto foreign_and_missing = foreign;
  foreign_and_missing.erase(foreign_and_missing.begin());

  for (const auto& results :
       {missing, contradicted, twice_and_missing, foreign, foreign_and_missing, {}}) {
    const auto judged = judge_results(batches, results);
    BOOST_TEST_REQUIRE(!judged);
    BOOST_CHECK(judged.error().code == errc::corrupt);
  }
}

BOOST_AUTO_TEST_CASE(the_same_answer_twice_is_one) {
  const auto batches = test_batches();
  auto results = results_of(batches, {item_verdict::accepted, item_verdict::rejected,
                                      item_verdict::deferred, item_verdict::accepted});
  const auto once = results;
  results.insert(results.end(), once.begin(), once.end());
  const auto judged = judge_results(batches, results);
  BOOST_REQUIRE(judged);
  BOOST_TEST(judged->accepted == 2u);
  BOOST_TEST(judged->rejected == 1u);
  BOOST_TEST(judged->deferred == 1u);
  BOOST_CHECK(judged->waiting == std::vector{batches[0].batch.merchant});
  BOOST_TEST(judged->results.size() == 4u);
  BOOST_TEST(judged->postings.size() == 1u);
  BOOST_TEST(judged->exceptions.size() == 1u);
}

BOOST_AUTO_TEST_CASE(an_item_that_is_put_off_too_often_goes_to_a_person) {
  auto batches = test_batches();
  batches[0].items[1].tries = limits::item_deferrals_max - 1;
  batches[0].items[2].tries = limits::item_deferrals_max - 2;
  const auto judged = judge_results(
    batches, results_of(batches, {item_verdict::accepted, item_verdict::deferred,
                                  item_verdict::deferred, item_verdict::accepted}));
  BOOST_REQUIRE(judged);
  BOOST_TEST(judged->deferred == 1u);
  BOOST_TEST(judged->rejected == 1u);
  BOOST_TEST((judged->results[1].verdict == item_verdict::rejected));
  BOOST_TEST((judged->results[2].verdict == item_verdict::deferred));
  BOOST_REQUIRE(judged->exceptions.size() == 1u);
  BOOST_TEST(judged->exceptions[0].kind == "deferred_item");
  check_postings(judged->postings,
                 {"rejection 5: merchant_pending 2550, acquirer_receivable -2550"});
}

BOOST_AUTO_TEST_CASE(every_refusal_of_an_item_is_booked_and_told_anew) {
  auto batches = test_batches();
  const auto verdicts = results_of(batches, {item_verdict::rejected, item_verdict::accepted,
                                             item_verdict::accepted, item_verdict::accepted});
  const auto first = judge_results(batches, verdicts).value();
  batches[0].items[0].tries = 5;
  const auto again = judge_results(batches, verdicts).value();
  BOOST_TEST(first.postings[0].ordinal == 1u);
  BOOST_TEST(again.postings[0].ordinal == 6u);
  BOOST_TEST(first.exceptions[0].fingerprint != again.exceptions[0].fingerprint);
}

BOOST_AUTO_TEST_CASE(a_file_of_nothing_is_answered_by_nothing) {
  BOOST_TEST(judge_results({}, {}).value().accepted == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

// -- the report
// -----------------------------------------------------------------------------------

BOOST_AUTO_TEST_SUITE(report_matching)

BOOST_AUTO_TEST_CASE(exact_lines_settle_their_items) {
  const auto batches = test_batches();
  const auto matched = match(batches, exact_report(batches));
  BOOST_TEST(matched.exceptions.empty());
  BOOST_REQUIRE_EQUAL(matched.settled.size(), 4u);
  BOOST_CHECK(matched.settled[2].operation == batches[0].items[2].operation);
  BOOST_TEST(matched.settled[2].fee.value() == 10);
  BOOST_TEST(matched.settled[2].report_line == 3u);

  BOOST_REQUIRE_EQUAL(matched.batches.size(), 2u);
  const auto& first = matched.batches[0];
  BOOST_CHECK(first.batch == batches[0].batch.id);
  BOOST_CHECK(first.merchant == batches[0].batch.merchant);
  BOOST_TEST(first.gross.value() == 1'000 + 2'550 - 400);
  BOOST_TEST(first.acquirer_fees.value() == 30);
  BOOST_TEST(first.platform_fees.value() == 0);
  BOOST_TEST(first.net.value() == 3'120);
  BOOST_TEST(first.settled == 3u);
  BOOST_TEST(first.exceptions == 0u);
  check_postings(matched.postings,
                 {"settlement 1: acquirer_cash 3120, acquirer_receivable -3150, "
                  "merchant_pending 3150, merchant_available -3120",
                  second_batch_settles});
  BOOST_CHECK(matched.postings[0].subject == batches[0].batch.id.value);
  BOOST_TEST(matched.postings[0].external_ref == test_file().text());
}

BOOST_AUTO_TEST_CASE(lines_may_come_in_any_order) {
  const auto batches = test_batches();
  auto reported = exact_report(batches);
  std::ranges::reverse(reported.lines);
  const auto matched = match(batches, reported);
  BOOST_TEST(matched.exceptions.empty());
  BOOST_TEST(matched.settled.size() == 4u);
}

BOOST_AUTO_TEST_CASE(the_platform_takes_each_merchants_fee_of_captures_only) {
  auto batches = test_batches();
  batches[0].fee_bps = 100;
  batches[1].fee_bps = 200;
  const auto matched = match(batches, exact_report(batches));
  // 1% of 1000 is 10, of 2550 is 25.5, which goes to the even 26; nothing comes back of the
  // refund.
  BOOST_TEST(matched.batches[0].platform_fees.value() == 36);
  BOOST_TEST(matched.batches[0].net.value() == 3'150 - 30 - 36);
  check_postings(matched.postings,
                 {"settlement 1: acquirer_cash 3120, acquirer_receivable -3150, "
                  "merchant_pending 3150, merchant_available -3084, platform_fees -36",
                  "settlement 1: acquirer_cash 290, acquirer_receivable -300, "
                  "merchant_pending 300, merchant_available -284, platform_fees -6"});
}

BOOST_AUTO_TEST_CASE(a_line_that_contradicts_its_item_settles_nothing) {
  const auto batches = test_batches();
  struct row {
    const char* what;
    void (*change)(report_line&);
    const char* kind;
  };
  for (const auto& [what, change, kind] :
       {row{"amount", [](report_line& line) { line.amount = minor_units{999}; },
            "amount_mismatch"},
        row{"merchant",
            [](report_line& line) { line.merchant = tests::test_merchant(2).text(); },
            "reference_mismatch"},
        row{"kind", [](report_line& line) { line.kind = "refund"; }, "reference_mismatch"},
        row{"currency", [](report_line& line) { line.unit = unit_of("USD"); },
            "reference_mismatch"},
        row{"gateway reference", [](report_line& line) { line.gateway_reference = "gw-other"; },
            "reference_mismatch"},
        row{"several things",
            [](report_line& line) {
              line.amount = minor_units{999};
              line.unit = unit_of("USD");
            },
            "reference_mismatch"}}) {
    BOOST_TEST_CONTEXT(what) {
      auto reported = exact_report(batches);
      change(reported.lines[0]);
      const auto matched = match(batches, reported);
      BOOST_TEST(kinds_of(matched.exceptions) == std::vector<std::string>{kind});
      BOOST_TEST(matched.settled.size() == 3u);
      BOOST_TEST(matched.batches[0].gross.value() == 2'550 - 400);
      BOOST_TEST(matched.batches[0].settled == 2u);
      BOOST_TEST(matched.batches[0].exceptions == 1u);
      BOOST_REQUIRE_EQUAL(matched.postings.size(), 3u);
      BOOST_TEST(text_of(matched.postings[0])
                 == "unexplained 1: acquirer_cash 990, suspense -990");
      BOOST_CHECK(matched.postings[0].legs[0].where.unit == reported.lines[0].unit);
    }
  }
}

BOOST_AUTO_TEST_CASE(an_exception_tells_what_was_expected_and_what_came) {
  const auto batches = test_batches();
  auto reported = exact_report(batches);
  reported.lines[2].amount = minor_units{500};
  const auto matched = match(batches, reported);
  BOOST_REQUIRE_EQUAL(matched.exceptions.size(), 1u);
  const auto& one = matched.exceptions[0];
  const auto& item = batches[0].items[2];
  BOOST_CHECK(one.merchant == batches[0].batch.merchant);
  BOOST_CHECK(one.payment == item.payment);
  BOOST_CHECK(one.operation == item.operation);
  BOOST_CHECK(one.batch == batches[0].batch.id);
  BOOST_CHECK(one.unit == unit_of("EUR"));
  BOOST_TEST(one.expected_amount.value() == -400);
  BOOST_TEST(one.reported_amount.value() == -500);
  BOOST_TEST(one.raw_line == "S,3");
  BOOST_TEST(one.detail.ends_with('.'));
}

BOOST_AUTO_TEST_CASE(a_second_line_of_an_item_is_a_duplicate) {
  const auto batches = test_batches();
  auto reported = exact_report(batches);
  reported.lines.push_back(reported.lines[0]);
  const auto matched = match(batches, reported);
  BOOST_TEST(kinds_of(matched.exceptions) == std::vector<std::string>{"duplicate_line"});
  BOOST_TEST(matched.settled.size() == 4u);
  BOOST_TEST(matched.batches[0].gross.value() == 3'150);
  BOOST_TEST(text_of(matched.postings[0]) == "unexplained 5: acquirer_cash 990, suspense -990");
}

BOOST_AUTO_TEST_CASE(a_line_of_no_item_goes_to_suspense) {
  const auto batches = test_batches();
  auto reported = exact_report(batches);
  auto foreign = reported.lines[3];
  foreign.operation_reference = "pay_nobody.c1";
  reported.lines.push_back(foreign);
  foreign.merchant = "somebody";
  foreign.kind = "refund";
  foreign.net = -foreign.amount;
  reported.lines.push_back(foreign);
  const auto matched = match(batches, reported);
  BOOST_TEST(kinds_of(matched.exceptions)
             == (std::vector<std::string>{"unknown_line", "unknown_line"}));
  BOOST_CHECK(matched.exceptions[0].merchant == tests::test_merchant(2));
  BOOST_TEST(matched.exceptions[0].reported_amount.value() == 300);
  BOOST_TEST(!matched.exceptions[0].payment);
  BOOST_TEST(!matched.exceptions[0].batch);
  BOOST_TEST(matched.exceptions[1].merchant.is_nil());
  BOOST_TEST(matched.exceptions[1].reported_amount.value() == -300);
  BOOST_TEST(matched.settled.size() == 4u);
  BOOST_TEST(text_of(matched.postings[0]) == "unexplained 5: acquirer_cash 290, suspense -290");
  BOOST_TEST(text_of(matched.postings[1]) == "unexplained 6: acquirer_cash -300, suspense 300");
  BOOST_CHECK(matched.postings[0].subject == test_file().value);
  BOOST_TEST(matched.postings[0].legs[0].where.owner == "acquirer-one");
}

BOOST_AUTO_TEST_CASE(an_item_without_a_line_stays_open_and_is_noted) {
  const auto batches = test_batches();
  auto reported = exact_report(batches);
  reported.lines.erase(reported.lines.begin() + 1);
  const auto matched = match(batches, reported);
  BOOST_TEST(kinds_of(matched.exceptions) == std::vector<std::string>{"missing_in_report"});
  BOOST_CHECK(matched.exceptions[0].operation == batches[0].items[1].operation);
  BOOST_TEST(matched.exceptions[0].expected_amount.value() == 2'550);
  BOOST_TEST(matched.exceptions[0].reported_amount.value() == 0);
  BOOST_TEST(matched.batches[0].settled == 2u);
  BOOST_TEST(matched.batches[0].exceptions == 1u);
  BOOST_TEST(matched.batches[0].gross.value() == 600);
}

BOOST_AUTO_TEST_CASE(an_empty_report_settles_nothing_and_posts_nothing) {
  const auto batches = test_batches();
  const auto matched = match(batches, {});
  BOOST_TEST(matched.exceptions.size() == 4u);
  BOOST_TEST(matched.settled.empty());
  BOOST_TEST(matched.postings.empty());
  BOOST_TEST(matched.batches[1].net.value() == 0);
}

BOOST_AUTO_TEST_CASE(captures_and_refunds_that_cancel_out_still_post_their_fees) {
  auto batches = test_batches();
  batches.pop_back();
  batches[0].items.pop_back();
  batches[0].items[1].kind = operation_kind::refund;
  batches[0].items[1].amount = minor_units{1'000};
  const auto matched = match(batches, exact_report(batches));
  BOOST_TEST(matched.batches[0].gross.value() == 0);
  check_postings(matched.postings, {"settlement 1: acquirer_cash -20, merchant_available 20"});
}

BOOST_AUTO_TEST_CASE(names_of_postings_are_unique_however_bad_the_report) {
  const auto batches = test_batches();
  auto reported = exact_report(batches);
  auto bad = reported.lines[0];
  for (int i = 0; i < 5; ++i)
    reported.lines.push_back(bad);
  bad.operation_reference = "pay_nobody.c1";
  for (int i = 0; i < 5; ++i)
    reported.lines.push_back(bad);
  const auto matched = match(batches, reported);
  std::vector<std::tuple<posting_kind, uuid, std::uint32_t>> names;
  for (const auto& entry : matched.postings)
    names.emplace_back(entry.kind, entry.subject, entry.ordinal);
  std::ranges::sort(names);
  BOOST_CHECK(std::ranges::adjacent_find(names) == names.end());
}

BOOST_AUTO_TEST_CASE(a_file_has_one_exception_however_its_reports_contradict_themselves) {
  const auto first = malformed_report(test_file(), "first", "made at 12:00\xc3\n",
                                      make_error(errc::corrupt, "the totals differ"));
  const auto later = malformed_report(test_file(), "first", "made at 18:00",
                                      make_error(errc::corrupt, "it has no end"));
  BOOST_TEST(first.kind == "report_malformed");
  BOOST_TEST(first.fingerprint == later.fingerprint);
  BOOST_TEST(first.external_ref == test_file().text());
  BOOST_TEST(first.raw_line == "made at 12:00??");
  BOOST_TEST(later.detail == "None of the report was applied: it has no end.");
}

BOOST_AUTO_TEST_CASE(what_we_write_and_they_echo_matches) {
  const auto batches = test_batches();
  auto text = "H,holdfast-report,1," + test_file().text() + ",acquirer-one,now\n";
  int number = 0;
  for (const auto& line : exact_report(batches).lines)
    text += "S," + std::to_string(++number) + ',' + line.gateway_reference + ','
            + line.operation_reference + ',' + line.merchant + ',' + line.kind + ','
            + std::to_string(line.amount.value()) + ",10," + std::to_string(line.net.value())
            + ',' + std::string{line.unit.code()} + '\n';
  text += "P,EUR,3150,30,3120\nP,JPY,300,10,290\nT,4\n";
  const auto parsed = parse_report(text, test_file());
  BOOST_TEST_REQUIRE(parsed.has_value());
  const auto matched = match_report(test_file(), batches, *parsed);
  BOOST_TEST(matched.exceptions.empty());
  BOOST_TEST(matched.settled.size() == 4u);
}

BOOST_AUTO_TEST_SUITE_END()

// -- the platform's fee
// -----------------------------------------------------------------------------

BOOST_AUTO_TEST_SUITE(platform_fees)

BOOST_AUTO_TEST_CASE(halves_go_to_the_even_side) {
  struct row {
    std::int64_t captured;
    std::uint32_t bps;
    std::int64_t fee;
  };
  for (const auto& [captured, bps, fee] :
       {row{0, 30, 0},
        row{1'000, 0, 0},
        row{1'000, 30, 3},
        row{10'000, 1, 1},
        row{50, 100, 0},
        row{150, 100, 2},
        row{250, 100, 2},
        row{350, 100, 4},
        row{49, 100, 0},
        row{51, 100, 1},
        row{149, 100, 1},
        row{5'000, 1, 0},
        row{15'000, 1, 2},
        row{25'000, 1, 2},
        row{25'001, 1, 3},
        row{24'999, 1, 2},
        row{1, 10'000, 1},
        row{12'345, 10'000, 12'345},
        row{1, 5'000, 0},
        row{3, 5'000, 2},
        row{limits::amount_minor_max, 25, 2'500'000'000},
        row{limits::amount_minor_max, 10'000, limits::amount_minor_max}})
    BOOST_TEST(platform_fee(minor_units{captured}, bps).value() == fee,
               captured << " at " << bps);
}

BOOST_AUTO_TEST_CASE(it_is_exact_for_all_amounts_and_rates) {
  payments::entropy random{1};
  for (int round = 0; round < 100'000; ++round) {
    const auto captured = static_cast<std::int64_t>(
      random.below(static_cast<std::uint64_t>(limits::amount_minor_max) + 1));
    const auto bps = static_cast<std::uint32_t>(random.below(2) == 0 ? random.below(500)
                                                                     : random.below(10'001));
    const auto fee = platform_fee(minor_units{captured}, bps).value();
    // Twice the distance from the exact fee, in ten-thousandths: exact in 64 bits.
    const auto off = 2 * (fee * 10'000 - captured * static_cast<std::int64_t>(bps));
    BOOST_TEST_REQUIRE((off >= -10'000 && off <= 10'000), captured << " at " << bps);
    if (off == 10'000 || off == -10'000)
      BOOST_TEST_REQUIRE(fee % 2 == 0, captured << " at " << bps);
  }
}

BOOST_AUTO_TEST_CASE(the_largest_rate_of_the_largest_amount_fits) {
  const auto fee = platform_fee(minor_units{limits::amount_minor_max},
                                std::numeric_limits<std::uint32_t>::max());
  BOOST_TEST(fee.value() == 429'496'729'499'570'503);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::settlements
