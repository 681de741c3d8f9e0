// What simulated worlds are made of: the clock, the chance, the ledger and the names.
#include "runtime/simulation/agenda.hpp"
#include "runtime/simulation/ledger.hpp"
#include "runtime/simulation/random.hpp"
#include "runtime/simulation/types.hpp"

#include <boost/test/unit_test.hpp>

#include <memory>
#include <vector>

namespace holdfast::simulation {

namespace {

using namespace std::chrono_literals;

posting hold_of(std::int64_t debit, std::int64_t credit, std::uint32_t ordinal = 1) {
  const auto unit = currency::parse("EUR");
  posting entry;
  entry.ordinal = ordinal;
  entry.legs = {{{account_kind::hold, "alpha", *unit}, minor_units{debit}},
                {{account_kind::hold_contra, "merchant", *unit}, minor_units{credit}}};
  return entry;
}

} // namespace

BOOST_AUTO_TEST_SUITE(simulation_parts)

BOOST_AUTO_TEST_CASE(tasks_run_by_their_time_and_then_by_their_order) {
  agenda tasks{timestamp{}};
  std::vector<int> ran;
  tasks.after(2ms, [&] { ran.push_back(3); });
  tasks.after(1ms, [&] {
    ran.push_back(1);
    tasks.after(0us, [&] { ran.push_back(2); });
  });
  tasks.after(2ms, [&] { ran.push_back(4); });
  while (tasks.run_next()) {}
  BOOST_TEST(ran == (std::vector<int>{1, 2, 3, 4}), boost::test_tools::per_element());
  BOOST_CHECK(tasks.now() == timestamp{2ms});
  BOOST_TEST(tasks.steps() == 4u);
}

BOOST_AUTO_TEST_CASE(an_agenda_that_goes_drops_what_it_has_not_done) {
  const auto held = std::make_shared<int>(1);
  {
    agenda tasks{timestamp{}};
    tasks.after(1ms, [held] {});
    tasks.after(2ms, [held] {});
    tasks.run_next();
    BOOST_TEST(held.use_count() == 2);
  }
  BOOST_TEST(held.use_count() == 1);
}

BOOST_AUTO_TEST_CASE(chance_is_the_same_for_the_same_seed) {
  simulation::random one{7};
  simulation::random same{7};
  simulation::random other{8};
  bool differs = false;
  for (int i = 0; i < 100; ++i) {
    const auto drawn = one.next();
    BOOST_TEST(drawn == same.next());
    differs = differs || drawn != other.next();
  }
  BOOST_TEST(differs);
}

BOOST_AUTO_TEST_CASE(chance_keeps_within_its_bounds) {
  simulation::random source{1};
  int hits = 0;
  for (int i = 0; i < 10'000; ++i) {
    const auto drawn = source.between(-3, 4);
    BOOST_REQUIRE(drawn >= -3 && drawn <= 4);
    hits += source.chance(250'000) ? 1 : 0;
  }
  BOOST_TEST(hits > 2'200);
  BOOST_TEST(hits < 2'800);
  BOOST_TEST(!source.chance(0));
  BOOST_TEST(source.chance(1'000'000));
}

BOOST_AUTO_TEST_CASE(the_ledger_takes_nothing_that_does_not_balance_and_nothing_twice) {
  ledger books;
  BOOST_TEST(books.post(hold_of(100, -100)) == nullptr);
  BOOST_TEST(books.post(hold_of(100, -99, 2)) != nullptr);
  BOOST_TEST(books.post(hold_of(100, -100)) != nullptr);
  BOOST_TEST(books.balance(hold_of(1, -1).legs.front().where) == 100);
}

BOOST_AUTO_TEST_CASE(a_reference_leads_back_to_its_payment) {
  const auto id = make_payment_id(timestamp{1s}, shard_number{3}, 0xfedcba9876543210U, 4'711);
  BOOST_TEST(ref_of(id.value) == 4'711u);
  BOOST_TEST(id.shard().value == 3);
  const auto name = parse_attempt(attempt_reference(id, 12));
  BOOST_TEST(name.payment == 4'711u);
  BOOST_TEST(name.attempt == 12u);
  BOOST_TEST(parse_attempt("pay_1.1").payment == no_payment);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::simulation
