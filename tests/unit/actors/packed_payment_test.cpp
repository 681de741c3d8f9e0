// A payment at rest comes back as it was, in whatever state it went to rest.
#include "messages/packed_payment.hpp"

#include "messages/codec.hpp"
#include "tests/unit/actors/payment_scenes.hpp"

#include <boost/test/unit_test.hpp>

namespace holdfast::tests {

namespace {

void check_columns(const payment& after, const payment& before) {
  BOOST_CHECK(after.id == before.id);
  BOOST_CHECK(after.merchant == before.merchant);
  BOOST_CHECK(after.status == before.status);
  BOOST_CHECK(after.settlement == before.settlement);
  BOOST_CHECK(after.unit == before.unit);
  BOOST_CHECK(after.amount == before.amount);
  BOOST_CHECK(after.captured == before.captured);
  BOOST_CHECK(after.refunded == before.refunded);
  BOOST_CHECK(after.disputed == before.disputed);
  BOOST_CHECK(after.mode == before.mode);
  BOOST_CHECK(after.reference == before.reference);
  BOOST_CHECK(after.next_action_at == before.next_action_at);
  BOOST_CHECK(after.expires_at == before.expires_at);
  BOOST_CHECK(after.created_at == before.created_at);
  BOOST_CHECK(after.updated_at == before.updated_at);
}

} // namespace

BOOST_AUTO_TEST_SUITE(packed_payments)

BOOST_AUTO_TEST_CASE(a_payment_of_every_state_comes_back_as_it_was) {
  for (const auto& [name, scene] : scenes()) {
    BOOST_TEST_CONTEXT(name) {
      const auto& before = scene.state();
      const auto after = packed_payment{before}.unpack();
      BOOST_TEST(encode_detail(after) == encode_detail(before));
      check_columns(after, before);
    }
  }
}

BOOST_AUTO_TEST_CASE(texts_of_any_length_come_back) {
  payment before;
  for (const std::size_t length : {0, 1, 254, 255, 256, 1'000}) {
    before.description = std::string(length, 'x');
    before.metadata.emplace_back(before.description, std::to_string(length));
    const auto after = packed_payment{before}.unpack();
    BOOST_TEST(after.description == before.description);
    BOOST_CHECK(after.metadata == before.metadata);
  }
}

BOOST_AUTO_TEST_CASE(a_packed_payment_takes_less_than_half_a_kibibyte) {
  BOOST_TEST(packed_payment{scenes().at("authorized").state()}.size() < 512u);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::tests
