// What a gateway lists and what we know, pair by pair: who is an orphan and who is not.
#include "actors/orphans/core.hpp"
#include "messages/limits.hpp"
#include "tests/unit/actors/fixtures.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <set>

namespace holdfast::orphans {

namespace {

using gateways::listed_authorization;
using gateways::listed_status;
using tests::noon;

payment_id test_id() {
  return payment_id::make(noon(), shard_number{7}, 1);
}

payment payment_with(payment_status status, attempt_status first) {
  payment subject;
  subject.id = test_id();
  subject.merchant = merchant_id::make(noon(), shard_number{7}, 2);
  subject.status = status;
  subject.unit = tests::unit_of("EUR");
  subject.amount = minor_units{500};
  attempt one;
  one.number = 1;
  one.gateway = "alpha";
  one.status = first;
  subject.attempts = {one};
  return subject;
}

listed_authorization listed_as(listed_status status, std::uint32_t attempt = 1) {
  listed_authorization listed;
  listed.reference = attempt_reference(test_id(), attempt);
  listed.gateway_reference = "gw-1";
  listed.status = status;
  listed.amount = minor_units{500};
  listed.unit = tests::unit_of("EUR");
  listed.raw = "{}";
  return listed;
}

struct pair_row {
  payment_status status;
  attempt_status attempt;
  listed_status listed;
  const char* kind; ///< empty: both sides agree, or will by themselves
};

constexpr pair_row pairs[] = {
  {payment_status::authorized, attempt_status::approved, listed_status::approved, ""},
  {payment_status::captured, attempt_status::approved, listed_status::approved, ""},
  {payment_status::declined, attempt_status::declined, listed_status::declined, ""},
  {payment_status::voided, attempt_status::approved, listed_status::reversed, ""},
  {payment_status::failed, attempt_status::reversed, listed_status::reversed, ""},
  {payment_status::pending_gateway, attempt_status::unknown, listed_status::approved, ""},
  {payment_status::pending_gateway, attempt_status::reversing, listed_status::approved, ""},
  {payment_status::processing, attempt_status::started, listed_status::approved, ""},
  {payment_status::declined, attempt_status::declined, listed_status::approved,
   "orphan_at_gateway"},
  {payment_status::failed, attempt_status::reversed, listed_status::approved,
   "orphan_at_gateway"},
  {payment_status::failed, attempt_status::not_sent, listed_status::approved,
   "orphan_at_gateway"},
  {payment_status::voided, attempt_status::approved, listed_status::approved,
   "orphan_at_gateway"},
  {payment_status::authorized, attempt_status::approved, listed_status::reversed,
   "orphan_at_us"},
  {payment_status::captured, attempt_status::approved, listed_status::declined, "orphan_at_us"},
};

/// As the search does: the list first, then what we hold.
std::string judge(const payment& ours, const listed_authorization& listed) {
  if (const auto found = judge_listed("alpha", listed, &ours))
    return found->kind;
  if (const auto found = judge_held("alpha", ours, &listed))
    return found->kind;
  return {};
}

} // namespace

BOOST_AUTO_TEST_SUITE(orphan_judgement)

BOOST_AUTO_TEST_CASE(each_pair_of_states_is_judged_as_it_should) {
  for (const auto& row : pairs)
    BOOST_TEST(judge(payment_with(row.status, row.attempt), listed_as(row.listed)) == row.kind,
               to_string(row.status) << '/' << to_string(row.attempt) << ": " << row.kind);
}

BOOST_AUTO_TEST_CASE(a_hold_under_a_reference_of_nobody_is_an_orphan_at_the_gateway) {
  auto strange = listed_as(listed_status::approved);
  for (const auto* reference : {"somebody.1", "pay_1.1", "", "x"}) {
    strange.reference = reference;
    const auto found = judge_listed("alpha", strange, nullptr);
    BOOST_REQUIRE(found);
    BOOST_TEST(found->kind == "orphan_at_gateway");
    BOOST_TEST(!found->payment.has_value());
    BOOST_TEST(found->fingerprint == "orphan_at_gateway:alpha:" + std::string{reference});
  }
  BOOST_TEST(!judge_listed("alpha", listed_as(listed_status::declined), nullptr));
}

BOOST_AUTO_TEST_CASE(an_attempt_that_we_never_made_holds_nothing_of_ours) {
  const auto ours = payment_with(payment_status::authorized, attempt_status::approved);
  const auto found = judge_listed("alpha", listed_as(listed_status::approved, 2), &ours);
  BOOST_REQUIRE(found);
  BOOST_TEST((found->payment == ours.id));
  BOOST_TEST(proves_nothing_held(ours, 2));
  BOOST_TEST(!proves_nothing_held(ours, 1));
}

BOOST_AUTO_TEST_CASE(what_the_gateway_does_not_list_is_an_orphan_at_us) {
  const auto ours = payment_with(payment_status::authorized, attempt_status::approved);
  const auto found = judge_held("alpha", ours, nullptr);
  BOOST_REQUIRE(found);
  BOOST_TEST(found->kind == "orphan_at_us");
  BOOST_TEST(found->expected_amount.value() == 500);
  BOOST_TEST(!judge_held("beta", ours, nullptr));
  BOOST_TEST(!judge_held(
    "alpha", payment_with(payment_status::failed, attempt_status::reversed), nullptr));
}

BOOST_AUTO_TEST_CASE(a_void_under_way_is_not_judged) {
  auto ours = payment_with(payment_status::authorized, attempt_status::approved);
  operation release;
  release.kind = operation_kind::void_hold;
  release.status = operation_status::requested;
  ours.operations = {release};
  BOOST_TEST(!judge_held("alpha", ours, nullptr));
  BOOST_TEST(!proves_nothing_held(ours, 1));
}

BOOST_AUTO_TEST_CASE(whatever_a_gateway_lists_can_be_recorded) {
  using namespace std::string_literals;
  const auto is_ascii = [](const std::string& text) {
    return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
  };
  std::set<std::string> fingerprints;
  const auto check = [&](const std::string& reference) {
    auto listed = listed_as(listed_status::approved);
    listed.reference = reference;
    listed.raw = "{" + reference + "}";
    const auto found = judge_listed("alpha", listed, nullptr);
    BOOST_REQUIRE(found);
    BOOST_TEST(is_ascii(found->external_ref));
    BOOST_TEST(is_ascii(found->fingerprint));
    BOOST_TEST(is_ascii(found->raw_line));
    BOOST_TEST(found->external_ref.size() <= limits::reference_bytes_max);
    // Two that look the same are two orphans.
    BOOST_TEST(fingerprints.insert(found->fingerprint).second);
  };
  check("caf\xc3\xa9");
  check("caf\xc3\xa8");
  check("a\0b"s);
  const std::string longest(limits::reference_bytes_max, 'x');
  check(longest);
  check(longest + "\xc3\xa9");
  auto released = listed_as(listed_status::reversed);
  released.raw = "\0\xc3"s;
  const auto found = judge_held(
    "alpha", payment_with(payment_status::authorized, attempt_status::approved), &released);
  BOOST_REQUIRE(found);
  BOOST_TEST(is_ascii(found->raw_line));
}

BOOST_AUTO_TEST_CASE(references_are_read_as_they_are_made) {
  const auto name = parse_reference(attempt_reference(test_id(), 3));
  BOOST_REQUIRE(name);
  BOOST_TEST((name->payment == test_id()));
  BOOST_TEST(name->attempt == 3U);
  const auto id = test_id().text();
  for (const auto& text :
       {id, id + ".", id + ".c1", id + ".0", id + ".1x", id + ".-1", std::string{".1"}})
    BOOST_TEST(!parse_reference(text).has_value(), text);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::orphans
