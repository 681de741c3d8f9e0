#include "runtime/sandbox/settlement_csv.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

namespace holdfast::sandbox {

namespace {

constexpr std::string_view header = "H,holdfast-settlement,1,fil_1,acme,2026-11-23T12:00:00Z\n";
constexpr std::string_view capture =
  "I,1,bat_1,mer_1,cap_1,capture,alpha,alpha_1,pay_1.c1,1000,EUR\n";
constexpr std::string_view refund =
  "I,2,bat_2,mer_1,ref_1,refund,beta,beta_1,pay_2.r1,300,EUR\n";

expected<std::vector<file_item>> parse(const std::string& bytes) {
  return parse_file(bytes, "acme", "fil_1");
}

std::string file_of(std::string_view items, std::string_view trailer) {
  return std::string{header}.append(items).append(trailer);
}

} // namespace

BOOST_AUTO_TEST_SUITE(sandbox_settlement_csv)

BOOST_AUTO_TEST_CASE(reads_a_file) {
  const auto bytes = file_of(std::string{capture}.append(refund), "T,2,2,1000,300\n");
  const auto items = parse(bytes);
  BOOST_REQUIRE(items);
  BOOST_REQUIRE(items->size() == 2u);
  const auto& first = items->at(0);
  BOOST_TEST(first.batch == "bat_1");
  BOOST_TEST(first.merchant == "mer_1");
  BOOST_TEST(first.operation == "cap_1");
  BOOST_TEST((first.kind == fact_kind::capture));
  BOOST_TEST(first.gateway == "alpha");
  BOOST_TEST(first.gateway_reference == "alpha_1");
  BOOST_TEST(first.operation_reference == "pay_1.c1");
  BOOST_TEST(first.amount_minor == 1'000);
  BOOST_TEST(first.currency == "EUR");
  BOOST_TEST((items->at(1).kind == fact_kind::refund));
}

BOOST_AUTO_TEST_CASE(reads_a_file_without_items) {
  const auto items = parse(file_of("", "T,0,0,0,0\n"));
  BOOST_REQUIRE(items);
  BOOST_TEST(items->empty());
}

BOOST_AUTO_TEST_CASE(refuses_totals_that_do_not_match) {
  for (const char* trailer :
       {"T,2,1,1000,0\n", "T,1,2,1000,0\n", "T,1,1,1001,0\n", "T,1,1,1000,1\n", "T,1,1,,0\n",
        "T,1,1,1000\n", "T,1,1,-1000,0\n", "T,1,1,1000,0,\n"})
    BOOST_TEST((parse(file_of(capture, trailer)).error().code == errc::invalid_argument),
               trailer);
}

BOOST_AUTO_TEST_CASE(refuses_lines_that_are_malformed) {
  for (const char* item :
       {"I,2,bat_1,mer_1,cap_1,capture,alpha,alpha_1,pay_1.c1,1000,EUR\n",
        "I,1,bat_1,mer_1,cap_1,void,alpha,alpha_1,pay_1.c1,1000,EUR\n",
        "I,1,bat_1,mer_1,cap_1,capture,alpha,alpha_1,pay_1.c1,0,EUR\n",
        "I,1,bat_1,mer_1,cap_1,capture,alpha,alpha_1,pay_1.c1,10.00,EUR\n",
        "I,1,bat_1,mer_1,cap_1,capture,alpha,alpha_1,pay_1.c1,1000,eur\n",
        "I,1,bat_1,mer_1,cap_1,capture,alpha,,pay_1.c1,1000,EUR\n",
        "I,1,\"bat_1\",mer_1,cap_1,capture,alpha,alpha_1,pay_1.c1,1000,EUR\n",
        "I,1,bat_1,mer_1,cap_1,capture,alpha,alpha_1,pay_1.c1,1000\n",
        "I,1,bat_1,mer_1,cap_1,capture,alpha,alpha_1,pay_1.c1,1000,EUR,\n",
        "I,1,bat_1,mer_1,cap_1,capture,alpha,alpha_1,pay_1.c1,1000,EUR\r\n", "\n", "X,1\n"})
    BOOST_TEST(!parse(file_of(item, "T,1,1,1000,0\n")), item);
}

BOOST_AUTO_TEST_CASE(refuses_a_file_that_is_cut_short_or_goes_on) {
  BOOST_TEST(!parse(""));
  BOOST_TEST(!parse(std::string{header}));
  BOOST_TEST(!parse(file_of(capture, "")));
  BOOST_TEST(!parse(file_of(capture, "T,1,1,1000,0")));
  BOOST_TEST(!parse(file_of(capture, "T,1,1,1000,0\nT,1,1,1000,0\n")));
}

BOOST_AUTO_TEST_CASE(refuses_the_header_of_another_file) {
  const auto bytes = file_of("", "T,0,0,0,0\n");
  BOOST_TEST(!parse_file(bytes, "other", "fil_1"));
  BOOST_TEST(!parse_file(bytes, "acme", "fil_2"));
  BOOST_TEST(parse_file("T,0,0,0,0\n", "acme", "fil_1").error().detail.starts_with("line 1"));
}

BOOST_AUTO_TEST_CASE(writes_a_report_whose_payouts_add_up) {
  const auto bytes = file_of(std::string{capture}.append(refund), "T,2,2,1000,300\n");
  const auto items = *parse(bytes);
  report_writer report{"acme", "fil_1", *parse_rfc3339("2026-11-24T00:00:00Z")};
  report.add(items[0], 1'000);
  report.add(items[1], 300);
  auto yen = items[0];
  yen.currency = "JPY";
  report.add(yen, 500);
  BOOST_TEST(report.finish()
             == "H,holdfast-report,1,fil_1,acme,2026-11-24T00:00:00.000000Z\n"
                "S,1,alpha_1,pay_1.c1,mer_1,capture,1000,17,983,EUR\n"
                "S,2,beta_1,pay_2.r1,mer_1,refund,300,0,-300,EUR\n"
                "S,3,alpha_1,pay_1.c1,mer_1,capture,500,11,489,JPY\n"
                "P,EUR,700,17,683\n"
                "P,JPY,500,11,489\n"
                "T,3\n");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::sandbox
