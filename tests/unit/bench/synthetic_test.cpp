#include "runtime/bench/synthetic.hpp"

#include "messages/ledger.hpp"

#include <boost/test/unit_test.hpp>

namespace holdfast::bench {

namespace {

const timestamp now{std::chrono::seconds{1'700'000'000}};
const synthetic_shard where{{3}, {9}, merchant_id::make(now, {3}, 77)};
const payment_id some = payment_id::make(now, {3}, 5);

} // namespace

BOOST_AUTO_TEST_SUITE(bench_synthetic)

BOOST_AUTO_TEST_CASE(the_intent_is_what_the_core_makes_of_a_new_payment) {
  const auto write = synthetic_payments{now}.intent(where, some, 1);
  BOOST_REQUIRE_EQUAL(write.events.size(), 2U);
  BOOST_TEST((write.events[0].type == event_type::payment_created));
  BOOST_TEST((write.events[1].type == event_type::attempt_started));
  BOOST_TEST((write.snapshot->status == payment_status::processing));
  BOOST_TEST(write.claim.has_value());
  BOOST_TEST(!write.answer.has_value());
}

BOOST_AUTO_TEST_CASE(the_approval_posts_the_hold_and_answers_the_key) {
  const synthetic_payments models{now};
  const auto write = models.approval(where, some, 1);
  BOOST_REQUIRE_EQUAL(write.events.size(), 1U);
  BOOST_REQUIRE_EQUAL(write.events.front().postings.size(), 1U);
  BOOST_TEST(write.events.front().postings.front().legs.size() == 2U);
  BOOST_TEST(is_balanced(write.events.front().postings.front()));
  BOOST_TEST((write.snapshot->status == payment_status::authorized));
  BOOST_TEST(write.answer->answer.status == 201);
  BOOST_TEST(write.answer->key == models.intent(where, some, 1).claim->key);
}

BOOST_AUTO_TEST_CASE(each_copy_is_about_its_own_payment_shard_and_merchant) {
  const synthetic_payments models{now};
  for (const auto& write : {models.intent(where, some, 1), models.approval(where, some, 1)}) {
    BOOST_TEST((write.shard == where.number));
    BOOST_TEST((write.epoch == where.epoch));
    BOOST_TEST((write.snapshot->id == some));
    BOOST_TEST((write.snapshot->merchant == where.merchant));
    for (const auto& event : write.events) {
      BOOST_TEST((event.subject == some.value));
      BOOST_TEST((event.merchant == where.merchant));
      for (const auto& entry : event.postings)
        BOOST_TEST((entry.subject == some.value));
    }
  }
  BOOST_TEST(models.intent(where, some, 1).claim->key
             != models.intent(where, some, 2).claim->key);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::bench
