#include "runtime/bench/tally.hpp"

#include <boost/test/unit_test.hpp>

namespace holdfast::bench {

namespace {

const expectation authorized{"authorized", "authorize"};

payment_id number(std::uint64_t which) {
  return payment_id::make(timestamp{std::chrono::seconds{1'000'000}}, {}, which);
}

demo::sandbox_record fact(std::uint64_t which, bool effective = true) {
  demo::sandbox_record made;
  made.kind = "authorize";
  made.reference = attempt_reference(number(which), 1);
  made.effective = effective;
  return made;
}

storage::status_count in_database(std::string status, std::uint64_t payments) {
  storage::status_count row;
  row.status = std::move(status);
  row.payments = payments;
  return row;
}

evidence of_two() {
  return {{number(1), number(2)}, {in_database("authorized", 2)}, {fact(1), fact(2)}};
}

} // namespace

BOOST_AUTO_TEST_SUITE(bench_tally)

BOOST_AUTO_TEST_CASE(holds_when_all_three_tell_of_the_same_payments) {
  auto found = of_two();
  found.sandbox.push_back(fact(2, false)); // asked again, without effect
  const auto counted = count(std::move(found), authorized);
  BOOST_TEST(counted.holds());
  BOOST_TEST(counted.acknowledged == 2U);
  BOOST_TEST(counted.database == 2U);
  BOOST_TEST(counted.sandbox == 2U);
}

BOOST_AUTO_TEST_CASE(a_payment_that_the_database_has_not_makes_the_run_void) {
  auto found = of_two();
  found.database = {in_database("authorized", 1)};
  BOOST_TEST(!count(std::move(found), authorized).holds());
}

BOOST_AUTO_TEST_CASE(a_payment_that_ended_otherwise_makes_the_run_void) {
  auto found = of_two();
  found.database = {in_database("authorized", 2), in_database("failed", 1)};
  BOOST_TEST(!count(std::move(found), authorized).holds());
}

BOOST_AUTO_TEST_CASE(a_payment_that_the_sandbox_does_not_know_makes_the_run_void) {
  auto found = of_two();
  found.sandbox.pop_back();
  BOOST_TEST(!count(std::move(found), authorized).holds());
}

BOOST_AUTO_TEST_CASE(equal_numbers_of_other_payments_make_the_run_void) {
  auto found = of_two();
  found.sandbox.back() = fact(3);
  BOOST_TEST(count(std::move(found), authorized).differences.size() == 2U);
}

BOOST_AUTO_TEST_CASE(money_held_twice_makes_the_run_void) {
  auto found = of_two();
  found.sandbox.push_back(fact(2));
  BOOST_TEST(!count(std::move(found), authorized).holds());
}

BOOST_AUTO_TEST_CASE(two_answers_with_one_payment_make_the_run_void) {
  auto found = of_two();
  found.acknowledged.push_back(number(2));
  BOOST_TEST(!count(std::move(found), authorized).holds());
}

BOOST_AUTO_TEST_CASE(payments_that_were_stored_before_are_nobodys_acknowledgement) {
  auto found = of_two();
  found.database.front().payments += 100;
  auto with_stored = authorized;
  with_stored.stored = 100;
  BOOST_TEST(count(found, with_stored).holds());
  BOOST_TEST(count(found, with_stored).database == 2U);
  BOOST_TEST(!count(found, authorized).holds());
  with_stored.stored = 103;
  BOOST_TEST(!count(found, with_stored).holds());
}

BOOST_AUTO_TEST_CASE(what_several_installations_counted_is_summed) {
  auto all = count(of_two(), authorized);
  auto more = count(of_two(), authorized);
  more.differences = {"something"};
  add(all, more);
  BOOST_TEST(all.acknowledged == 4U);
  BOOST_TEST(all.sandbox == 4U);
  BOOST_TEST(!all.holds());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::bench
