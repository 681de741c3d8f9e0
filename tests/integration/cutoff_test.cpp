// The cut-off by clock and by count, with a clock that tests set: a batch closes by itself,
// with exactly what succeeded before the cut-off, whoever dies over it.
#include "tests/support/postgres.hpp"
#include "tests/support/stage.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>

namespace {

using namespace holdfast;
using test::door;
using test::stage;

/// A merchant that sells for 10.00 a time.
class shop {
public:
  explicit shop(merchants::settlement_terms terms)
    : on(test::shared_postgres().create_database(), {.terms = std::move(terms)}) {}

  payment_id sell() {
    const auto reply = on.insist("sale-" + std::to_string(++sales_),
                                 on.authorize(1'000, capture_mode::automatic));
    BOOST_REQUIRE_EQUAL(reply.status, 201);
    return test::id_in(reply);
  }

  /// Waits until there are so many batches, all reconciled; the oldest first.
  std::vector<storage::batch_view> wait_for_batches(std::size_t count) {
    std::vector<storage::batch_view> found;
    test::wait_until("the batches are reconciled", [&] {
      found = on.batches();
      return found.size() >= count && std::ranges::all_of(found, [](const auto& batch) {
               return batch.status == "reconciled";
             });
    });
    BOOST_TEST(found.size() == count);
    std::ranges::reverse(found);
    return found;
  }

  [[nodiscard]] batch_id batch_of(const payment_id& sale) {
    const auto items = on.timeline(sale).items;
    return items.empty() ? batch_id{} : items.front().batch;
  }

  void check_books() {
    const auto proof = on.prove();
    BOOST_TEST(proof.holds());
    BOOST_TEST(on.acquirer().taken().value() == sales_ * 1'000);
    BOOST_TEST(on.balance(account_kind::merchant_pending).value() == 0);
    BOOST_TEST(on.errors().empty());
  }

  stage on;

private:
  std::int64_t sales_ = 0;
};

/// Sells, lets the cut-off pass, sells once more while the order to close is held up, and does
/// something to the actors before it goes on.
template <class Mishap>
void pass_two_cutoffs(Mishap mishap) {
  shop here{test::distant_cutoff("Europe/Berlin")};
  const auto first = here.sell();
  const auto second = here.sell();
  here.on.storage_gate().shut({door::unit});
  here.on.pass_cutoff();
  const auto late = here.sell();
  test::wait_until("the batch is being closed",
                   [&] { return here.on.storage_gate().kept() > 0; });
  mishap(here.on);
  here.on.storage_gate().open();

  const auto batch = here.wait_for_batches(1).front();
  BOOST_TEST(batch.items == 2U);
  BOOST_TEST(batch.gross.value() == 2'000);
  BOOST_TEST(here.batch_of(first).text() == batch.id.text());
  BOOST_TEST(here.batch_of(second).text() == batch.id.text());
  BOOST_TEST(here.batch_of(late).is_nil());
  BOOST_TEST(to_string(here.on.stored(late)->settlement) == to_string(settlement_status::none));

  here.on.pass_cutoff();
  const auto next = here.wait_for_batches(2).back();
  BOOST_TEST(next.items == 1U);
  BOOST_TEST(here.batch_of(late).text() == next.id.text());
  here.check_books();
}

} // namespace

BOOST_AUTO_TEST_SUITE(cutoffs)

BOOST_AUTO_TEST_CASE(the_clock_closes_a_batch_of_exactly_what_came_before) {
  pass_two_cutoffs([](stage&) {});
}

BOOST_AUTO_TEST_CASE(a_merchant_actor_that_dies_over_its_cutoff_neither_misses_nor_doubles_it) {
  pass_two_cutoffs([](stage& on) { on.kill_merchant(); });
}

BOOST_AUTO_TEST_CASE(a_shard_actor_that_dies_over_a_cutoff_neither_misses_nor_doubles_it) {
  pass_two_cutoffs([](stage& on) { on.kill_shard(); });
}

BOOST_AUTO_TEST_CASE(a_cutoff_that_passes_while_nobody_is_there_is_made_up_for) {
  shop here{test::distant_cutoff()};
  here.sell();
  here.on.pass_cutoff();
  here.on.kill_shard();
  BOOST_TEST(here.wait_for_batches(1).front().items == 1U);
  here.check_books();
}

BOOST_AUTO_TEST_CASE(an_order_to_close_that_fails_is_given_again) {
  shop here{test::distant_cutoff()};
  here.sell();
  here.on.wait_for_look();
  here.on.refuse_next_unit();
  here.on.pass_cutoff();
  BOOST_TEST(here.wait_for_batches(1).front().items == 1U);
  here.check_books();
}

BOOST_AUTO_TEST_CASE(a_full_batch_closes_before_the_clock) {
  auto terms = test::distant_cutoff();
  terms.items_max = 3;
  shop here{terms};
  const auto opened = here.on.now();
  here.sell();
  // An item that comes while the actor begins may count twice, and close the batch early.
  here.on.wait_for_look();
  here.sell();
  here.sell();
  BOOST_TEST(here.wait_for_batches(1).front().items == 3U);
  BOOST_TEST((here.on.now() - opened < std::chrono::hours{11}));
  here.check_books();
}

BOOST_AUTO_TEST_CASE(what_has_gathered_is_not_forgotten_when_the_actor_dies) {
  auto terms = test::distant_cutoff();
  terms.items_max = 3;
  for (const bool is_shard : {false, true}) {
    shop here{terms};
    here.sell();
    here.sell();
    is_shard ? here.on.kill_shard() : here.on.kill_merchant();
    here.sell();
    BOOST_TEST(here.wait_for_batches(1).front().items == 3U);
    here.check_books();
  }
}

BOOST_AUTO_TEST_SUITE_END()
