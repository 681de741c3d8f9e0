// The bytes of the settlement file, and which reports are taken and which are refused.
#include "actors/reconciler/file_format.hpp"

#include "messages/limits.hpp"
#include "tests/unit/actors/fixtures.hpp"
#include "tests/unit/actors/settlement_fixtures.hpp"

#include <boost/test/unit_test.hpp>

namespace holdfast::settlements {

namespace {

using tests::noon;
using tests::test_batches;
using tests::test_file;

// The ids are of one moment, 2026-11-23T12:00Z or 0x01a20846fe00 ms, and of shard 7. Acquirers
// read this format: a change of these bytes is a new version of it.
const char* const golden_file =
  R"(H,holdfast-settlement,1,fil_01a20846fe0080008007000000000009,acquirer-one,2026-11-23T12:00:00.000000Z
I,1,bat_01a20846fe0080008007000000000001,mer_01a20846fe008000800700000000012d,cap_01a20846fe0080008007000000000065,capture,alpha,gw-1,pay_01a20846fe00800080070000000000c9.c1,1000,EUR
I,2,bat_01a20846fe0080008007000000000001,mer_01a20846fe008000800700000000012d,cap_01a20846fe0080008007000000000066,capture,alpha,gw-2,pay_01a20846fe00800080070000000000ca.c2,2550,EUR
I,3,bat_01a20846fe0080008007000000000001,mer_01a20846fe008000800700000000012d,ref_01a20846fe0080008007000000000067,refund,alpha,gw-3,pay_01a20846fe00800080070000000000cb.r1,400,EUR
I,4,bat_01a20846fe0080008007000000000002,mer_01a20846fe008000800700000000012e,cap_01a20846fe0080008007000000000068,capture,alpha,gw-4,pay_01a20846fe00800080070000000000cc.c1,300,JPY
T,4,2,3850,400
)";

const std::string good_report =
    "H,holdfast-report,1," + test_file().text()
    + ",acquirer-one,2026-11-24T06:00:00Z\n"
      "S,1,gw-1,pay_1.c1,mer_1,capture,1000,30,970,EUR\n"
      "S,2,gw-2,pay_2.r1,mer_1,refund,400,5,-405,EUR\n"
      "S,3,gw-3,pay_3.c1,mer_2,capture,300,-2,302,JPY\n"
      "P,EUR,600,35,565\n"
      "P,JPY,300,-2,302\n"
      "T,3\n";

/// The good report with one thing changed.
std::string but(const std::string& from, const std::string& to) {
  auto text = good_report;
  const auto found = text.find(from);
  BOOST_TEST_REQUIRE(found != std::string::npos, from);
  text.replace(found, from.size(), to);
  return text;
}

struct refused_report {
  std::string text;
  std::string why; ///< part of the error
};

void check_refused(const std::vector<refused_report>& reports) {
  for (const auto& [text, why] : reports) {
    BOOST_TEST_CONTEXT(text) {
      const auto parsed = parse_report(text, test_file());
      BOOST_TEST_REQUIRE(!parsed);
      BOOST_CHECK(parsed.error().code == errc::corrupt);
      BOOST_TEST(parsed.error().detail.find(why) != std::string::npos, parsed.error().detail);
    }
  }
}

} // namespace

BOOST_AUTO_TEST_SUITE(settlement_files)

BOOST_AUTO_TEST_CASE(the_file_is_what_its_documentation_says) {
  BOOST_TEST(write_file(test_file(), "acquirer-one", noon(), test_batches()) == golden_file);
}

BOOST_AUTO_TEST_CASE(a_file_of_nothing_is_a_header_and_a_trailer) {
  BOOST_TEST(write_file(test_file(), "acquirer-one", noon(), {})
             == "H,holdfast-settlement,1," + test_file().text()
                  + ",acquirer-one,2026-11-23T12:00:00.000000Z\nT,0,0,0,0\n");
}

BOOST_AUTO_TEST_CASE(the_same_items_give_the_same_bytes) {
  BOOST_TEST(write_file(test_file(), "a", noon(), test_batches())
             == write_file(test_file(), "a", noon(), test_batches()));
}

BOOST_AUTO_TEST_CASE(items_are_named_by_their_kind) {
  const auto batches = test_batches();
  BOOST_TEST(operation_text(batches[0].items[0]).starts_with("cap_"));
  BOOST_TEST(operation_text(batches[0].items[2]).starts_with("ref_"));
}

BOOST_AUTO_TEST_CASE(a_report_is_read_whole) {
  const auto parsed = parse_report(good_report, test_file());
  BOOST_REQUIRE(parsed);
  BOOST_REQUIRE_EQUAL(parsed->lines.size(), 3u);
  const auto& refund = parsed->lines[1];
  BOOST_TEST(refund.number == 2u);
  BOOST_TEST(refund.gateway_reference == "gw-2");
  BOOST_TEST(refund.operation_reference == "pay_2.r1");
  BOOST_TEST(refund.merchant == "mer_1");
  BOOST_TEST(refund.kind == "refund");
  BOOST_TEST(refund.amount.value() == 400);
  BOOST_TEST(refund.fee.value() == 5);
  BOOST_TEST(refund.net.value() == -405);
  BOOST_TEST(refund.unit.code() == "EUR");
  BOOST_TEST(refund.raw == "S,2,gw-2,pay_2.r1,mer_1,refund,400,5,-405,EUR");
  BOOST_REQUIRE_EQUAL(parsed->payouts.size(), 2u);
  BOOST_TEST(parsed->payouts[0].gross.value() == 600);
  BOOST_TEST(parsed->payouts[0].fees.value() == 35);
  BOOST_TEST(parsed->payouts[0].net.value() == 565);
}

BOOST_AUTO_TEST_CASE(a_report_of_nothing_is_one) {
  const auto parsed =
    parse_report("H,holdfast-report,1," + test_file().text() + ",a,b\nT,0\n", test_file());
  BOOST_REQUIRE(parsed);
  BOOST_TEST(parsed->lines.empty());
}

BOOST_AUTO_TEST_CASE(the_largest_amount_is_read) {
  const auto largest = std::to_string(limits::amount_minor_max);
  const auto parsed = parse_report("H,holdfast-report,1," + test_file().text()
                                     + ",a,b\nS,1,g,o,m,capture," + largest + ",0," + largest
                                     + ",EUR\nP,EUR," + largest + ",0," + largest + "\nT,1\n",
                                   test_file());
  BOOST_REQUIRE(parsed);
  BOOST_TEST(parsed->lines[0].amount.value() == limits::amount_minor_max);
}

BOOST_AUTO_TEST_CASE(a_report_that_is_cut_off_is_refused) {
  for (std::size_t length = 0; length < good_report.size(); ++length)
    BOOST_TEST(!parse_report(std::string_view{good_report}.substr(0, length), test_file()),
               length);
}

BOOST_AUTO_TEST_CASE(a_report_with_a_wrong_frame_is_refused) {
  check_refused({
    {"", "cut off"},
    {good_report.substr(0, good_report.size() - 1), "cut off"},
    {"\n", "line 1: expected the header"},
    {good_report.substr(good_report.find('\n') + 1), "line 1: expected the header"},
    {but("holdfast-report", "holdfast-settlement"), "line 1: expected the header"},
    {but(",1,fil_", ",2,fil_"), "line 1: expected the header"},
    {but(",2026-11-24T06:00:00Z", ""), "line 1: expected the header"},
    {but("06:00:00Z", "06:00:00Z,more"), "line 1: expected the header"},
    {but(test_file().text(), file_id::make(noon(), shard_number{7}, 10).text()),
     "of another file"},
    {but("T,3\n", ""), "no trailer"},
    {but("T,3", "T,2"), "line 7: the trailer's count"},
    {but("T,3", "T,three"), "line 7: the trailer's count"},
    {but("T,3", "T"), "line 7: the trailer's count"},
    {but("T,3", "T,3,0"), "line 7: the trailer's count"},
    {good_report + "T,3\n", "line 8: there is something after"},
    {good_report + "\n", "line 8: there is something after"},
    {but("P,JPY", "X,JPY"), "line 6: expected S, P or T"},
    {but("P,EUR", "\nP,EUR"), "line 5: expected S, P or T"},
    {but("P,EUR", "H,EUR"), "line 5: expected S, P or T"},
    {but("T,3\n", "T,3\r\n"), "line 7: the trailer's count"},
  });
}

BOOST_AUTO_TEST_CASE(a_report_with_a_wrong_line_is_refused) {
  check_refused({
    {but("970,EUR", "970"), "line 2: expected ten fields"},
    {but("970,EUR", "970,EUR,more"), "line 2: expected ten fields"},
    {but("S,1,", "S,2,"), "line 2: the lines are not numbered"},
    {but("S,2,", "S,1,"), "line 3: the lines are not numbered"},
    {but("S,2,", "S,two,"), "line 3: the lines are not numbered"},
    {but("S,2,", "S,,"), "line 3: the lines are not numbered"},
    {but(",capture,1000", ",void,1000"), "line 2: expected capture or refund"},
    {but(",capture,1000", ",Capture,1000"), "line 2: expected capture or refund"},
    {but("capture,1000,", "capture,ten,"), "line 2: a bad amount"},
    {but("capture,1000,", "capture,10.00,"), "line 2: a bad amount"},
    {but("capture,1000,", "capture,,"), "line 2: a bad amount"},
    {but("capture,1000,", "capture,+1000,"), "line 2: a bad amount"},
    {but("capture,1000,", "capture, 1000,"), "line 2: a bad amount"},
    {but("capture,1000,30,970", "capture,-1000,30,-1030"), "line 2: a bad amount"},
    {but("refund,400,5,-405", "refund,-400,5,395"), "line 3: a bad amount"},
    {but("30,970", "x,970"), "line 2: a bad amount"},
    {but("30,970", "30,x"), "line 2: a bad amount"},
    {but("970,EUR", "970,eur"), "line 2: a bad amount or currency"},
    {but("970,EUR", "970,EURO"), "line 2: a bad amount or currency"},
    {but("970,EUR", "970,"), "line 2: a bad amount or currency"},
    {but("30,970", "30,971"), "line 2: net is not amount less fee"},
    {but("5,-405", "5,-395"), "line 3: net is not amount less fee"},
  });
}

BOOST_AUTO_TEST_CASE(amounts_that_no_sum_could_hold_are_refused) {
  check_refused({
    {but("capture,1000,", "capture,1000000000000,"), "a bad amount"},
    {but("capture,1000,", "capture,9223372036854775807,"), "a bad amount"},
    {but("capture,1000,", "capture,9223372036854775808,"), "a bad amount"},
    {but("refund,400,", "refund,-9223372036854775808,"), "a bad amount"},
    {but(",30,970", ",-9223372036854775808,970"), "a bad amount"},
    {but(",30,970", ",1000000000000,970"), "a bad amount"},
    {but(",30,970", ",30,-9223372036854775808"), "net is not"},
    {but("P,EUR,600", "P,EUR,9223372036854775807"), "payout in EUR"},
  });
}

BOOST_AUTO_TEST_CASE(a_report_whose_payouts_are_not_its_lines_is_refused) {
  check_refused({
    {but("P,EUR,600", "P,EUR,601"), "payout in EUR is not the sum"},
    {but("600,35,565", "600,34,565"), "payout in EUR is not the sum"},
    {but("600,35,565", "600,35,566"), "payout in EUR is not the sum"},
    {but("P,JPY,300,-2,302\n", ""), "payouts don't match its currencies"},
    {but("P,JPY,300,-2,302\n", "P,USD,300,-2,302\n"), "payout in USD is not the sum"},
    {but("P,EUR", "P,USD,0,0,0\nP,EUR"), "payouts don't match its currencies"},
    {but("P,JPY,300,-2,302", "P,EUR,600,35,565"), "payout in EUR is not the sum"},
    {but("600,35,565", "600,35"), "line 5: a bad payout line"},
    {but("600,35,565", "600,35,565,0"), "line 5: a bad payout line"},
    {but("P,EUR", "P,eur"), "line 5: a bad payout line"},
    {but("P,EUR,600", "P,EUR,6.00"), "line 5: a bad payout line"},
  });
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::settlements
