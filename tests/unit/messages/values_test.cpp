// The small values: money, ids, time and the ledger's arithmetic.
#include "messages/ids.hpp"
#include "messages/ledger.hpp"
#include "messages/limits.hpp"
#include "messages/money.hpp"
#include "messages/payment.hpp"
#include "messages/shard.hpp"
#include "messages/time.hpp"

#include <boost/test/unit_test.hpp>

#include <limits>
#include <set>

using namespace holdfast;

namespace {

timestamp noon() {
  return *parse_rfc3339("2026-11-23T12:00:00Z");
}

} // namespace

BOOST_AUTO_TEST_SUITE(messages_values)

BOOST_AUTO_TEST_CASE(currencies_have_their_own_exponents) {
  BOOST_TEST(currency::parse("EUR")->exponent() == 2);
  BOOST_TEST(currency::parse("JPY")->exponent() == 0);
  BOOST_TEST(currency::parse("KWD")->exponent() == 3);
  BOOST_TEST(currency::parse("CLF")->exponent() == 4);
  BOOST_TEST(currency::parse("EUR")->code() == "EUR");
  BOOST_TEST(currency{}.code().empty());
  for (const auto* wrong : {"", "eur", "EU", "EURO", "XTS", "ZZZ", "DEM"})
    BOOST_TEST(!currency::parse(wrong));
}

BOOST_AUTO_TEST_CASE(money_reads_as_people_write_it) {
  const auto text = [](std::int64_t amount, const char* unit) {
    return to_text({minor_units{amount}, *currency::parse(unit)});
  };
  BOOST_TEST(text(123'450, "EUR") == "1234.50 EUR");
  BOOST_TEST(text(5, "EUR") == "0.05 EUR");
  BOOST_TEST(text(0, "EUR") == "0.00 EUR");
  BOOST_TEST(text(-7, "USD") == "-0.07 USD");
  BOOST_TEST(text(1'500, "JPY") == "1500 JPY");
  BOOST_TEST(text(1, "BHD") == "0.001 BHD");
  BOOST_TEST(text(std::numeric_limits<std::int64_t>::min(), "JPY")
             == "-9223372036854775808 JPY");
}

BOOST_AUTO_TEST_CASE(an_id_carries_its_time_and_shard) {
  const auto id = payment_id::make(noon(), shard_number{9'999}, 0x123456789abcdef0);
  BOOST_TEST(id.shard().value == 9'999);
  BOOST_TEST(id.text().size() == 36U);
  BOOST_TEST(id.text().starts_with("pay_"));
  const auto back = payment_id::parse(id.text());
  BOOST_REQUIRE(back);
  BOOST_TEST((*back == id));
  // Version 8, variant 2 (RFC 9562).
  BOOST_TEST((id.value.bytes[6] >> 4) == 8);
  BOOST_TEST((id.value.bytes[8] >> 6) == 2);
  const auto later = payment_id::make(noon() + milliseconds{1}, shard_number{0}, 0);
  BOOST_TEST((id < later));
  BOOST_TEST((payment_id::make(noon(), shard_number{1}, 1)
              != payment_id::make(noon(), shard_number{1}, 2)));
}

/// A shard looks its payments up by id, and those of a busy moment differ in a few bits only.
BOOST_AUTO_TEST_CASE(ids_of_one_moment_and_shard_spread_over_a_tables_buckets) {
  constexpr std::size_t ids = 4'096;
  std::set<std::size_t> buckets;
  for (std::uint64_t number = 0; number < ids; ++number)
    buckets.insert(std::hash<payment_id>{}(payment_id::make(noon(), shard_number{7}, number))
                   % ids);
  // A good hash hits about 63 of a hundred.
  BOOST_TEST(buckets.size() > ids / 2);
}

BOOST_AUTO_TEST_CASE(an_id_of_another_kind_is_refused) {
  const auto text = payment_id::make(noon(), shard_number{1}, 1).text();
  BOOST_TEST(!refund_id::parse(text));
  BOOST_TEST(!payment_id::parse(""));
  BOOST_TEST(!payment_id::parse("pay_"));
  BOOST_TEST(!payment_id::parse(text + "0"));
  BOOST_TEST(!payment_id::parse("pay_" + std::string(32, 'G')));
  BOOST_TEST(!payment_id::parse("pay_" + std::string(32, 'A')));
}

BOOST_AUTO_TEST_CASE(an_event_id_carries_its_position) {
  const auto text = event_id_text(shard_number{31}, sequence_number{1'000'000});
  BOOST_TEST(text == "evt_001f00000000000f4240");
  const auto back = parse_event_id(text);
  BOOST_REQUIRE(back);
  BOOST_TEST(back->shard.value == 31);
  BOOST_TEST(back->seq.value == 1'000'000);
  for (const auto* wrong : {"", "evt_", "evt_001f00000000000f424", "pay_001f00000000000f4240",
                            "evt_001F00000000000F4240", "evt_001fffffffffffffffff",
                            "evt_ffff0000000000000001", "evt_001f-0000000000f4240"})
    BOOST_TEST(!parse_event_id(wrong));
}

BOOST_AUTO_TEST_CASE(a_keys_shard_never_changes) {
  const shard_number home{30};
  const shard_range all{{0}, {31}};
  BOOST_TEST(shard_of_key(home, 1, all, "any").value == 30);
  std::set<std::uint16_t> used;
  for (int i = 0; i < 1'000; ++i)
    used.insert(shard_of_key(home, 8, all, "key-" + std::to_string(i)).value);
  BOOST_TEST(used.size() == 8U);
  // Stored payments lie where this function put them.
  BOOST_TEST(shard_of_key(home, 8, all, "key-1").value == 1);
}

BOOST_AUTO_TEST_CASE(the_stripes_of_a_merchant_stay_in_the_database_of_its_home) {
  const shard_layout layout{{{{0}, {9}}, {{10}, {15}}, {{16}, {31}}}};
  BOOST_TEST(layout.count() == 32);
  BOOST_TEST(layout.database_of({9}) == 0U);
  BOOST_TEST(layout.database_of({10}) == 1U);
  BOOST_TEST(layout.database_of({31}) == 2U);
  for (const auto home : {shard_number{10}, shard_number{15}}) {
    const auto range = layout.range_of(home);
    std::set<shard_number> used;
    for (int i = 0; i < 1'000; ++i)
      used.insert(shard_of_key(home, 8, range, "key-" + std::to_string(i)));
    BOOST_TEST(used.size() == 6U);
    BOOST_TEST(used.begin()->value == 10);
    BOOST_TEST(used.rbegin()->value == 15);
    const auto all = shards_of_merchant(home, 8, range);
    BOOST_TEST((std::set<shard_number>{all.begin(), all.end()} == used));
  }
}

BOOST_AUTO_TEST_CASE(times_come_back_and_offsets_are_understood) {
  const auto same = [](const char* text) { return to_rfc3339(*parse_rfc3339(text)); };
  BOOST_TEST(same("2026-11-23T01:27:00.123456Z") == "2026-11-23T01:27:00.123456Z");
  BOOST_TEST(same("2026-11-23T01:27:00Z") == "2026-11-23T01:27:00.000000Z");
  BOOST_TEST(same("2026-11-23T01:27:00.1234567890Z") == "2026-11-23T01:27:00.123456Z");
  BOOST_TEST(same("2026-11-23T01:27:00.5+02:00") == "2026-11-22T23:27:00.500000Z");
  BOOST_TEST(same("2024-02-29t23:59:59z") == "2024-02-29T23:59:59.000000Z");
  BOOST_TEST(same("1969-12-31T23:59:59.5-00:30") == "1970-01-01T00:29:59.500000Z");
  for (const auto* wrong :
       {"", "2026-11-23", "2026-11-23T01:27:00", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z",
        "2026-11-23T24:00:00Z", "2026-11-23T01:27:00.Z", "2026-11-23T01:27:00Zx",
        "2026-11-23 01:27:00Z", "2026-11-23T01:27:00+0200"})
    BOOST_TEST(!parse_rfc3339(wrong));
}

BOOST_AUTO_TEST_CASE(a_posting_balances_per_currency) {
  const auto leg = [](std::int64_t amount, const char* unit) {
    return ledger_leg{{account_kind::suspense, "a", *currency::parse(unit)},
                      minor_units{amount}};
  };
  posting entry;
  BOOST_TEST(!is_balanced(entry));
  entry.legs = {leg(5, "EUR"), leg(-5, "EUR")};
  BOOST_TEST(is_balanced(entry));
  entry.legs = {leg(5, "EUR"), leg(-5, "USD")};
  BOOST_TEST(!is_balanced(entry));
  entry.legs = {leg(5, "EUR"), leg(-5, "EUR"), leg(0, "EUR")};
  BOOST_TEST(!is_balanced(entry));
  entry.legs = {leg(5, "EUR"), leg(-5, "EUR"), leg(7, "USD"), leg(-7, "USD")};
  BOOST_TEST(is_balanced(entry));
}

BOOST_AUTO_TEST_CASE(the_public_status_is_settlements_once_all_is_captured) {
  BOOST_TEST(public_status(payment_status::captured, settlement_status::none) == "captured");
  BOOST_TEST(public_status(payment_status::captured, settlement_status::settled) == "settled");
  BOOST_TEST(public_status(payment_status::partially_captured, settlement_status::batched)
             == "partially_captured");
  BOOST_TEST(public_status(payment_status::declined, settlement_status::none) == "declined");
}

BOOST_AUTO_TEST_CASE(references_tell_the_attempt_and_the_operation) {
  const auto id = payment_id::make(noon(), shard_number{1}, 1);
  BOOST_TEST(attempt_reference(id, 2) == id.text() + ".2");
  BOOST_TEST(operation_reference(id, operation_kind::capture, 1) == id.text() + ".c1");
  BOOST_TEST(operation_reference(id, operation_kind::refund, 3) == id.text() + ".r3");
  BOOST_TEST(operation_reference(id, operation_kind::void_hold, 1) == id.text() + ".v1");
}

BOOST_AUTO_TEST_SUITE_END()
