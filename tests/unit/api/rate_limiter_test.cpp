#include "runtime/api/rate_limiter.hpp"

#include "tests/unit/api/fakes.hpp"

#include <boost/test/unit_test.hpp>

namespace holdfast::api {

BOOST_AUTO_TEST_SUITE(api_rate_limiter)

BOOST_AUTO_TEST_CASE(admits_so_many_a_second) {
  rate_limiter limiter{10};
  auto now = test_now;
  for (int i = 0; i < 10; ++i)
    BOOST_TEST(!limiter.refuse(test_merchant(1), now).has_value());
  BOOST_TEST(limiter.refuse(test_merchant(1), now).value_or(0) == 1U);
  now += milliseconds{100};
  BOOST_TEST(!limiter.refuse(test_merchant(1), now).has_value());
  BOOST_TEST(limiter.refuse(test_merchant(1), now).has_value());

  int admitted = 0;
  for (int ms = 0; ms < 10'000; ++ms) {
    now += milliseconds{1};
    admitted += limiter.refuse(test_merchant(1), now) ? 0 : 1;
  }
  BOOST_TEST(admitted == 100);
}

BOOST_AUTO_TEST_CASE(saves_up_no_more_than_a_second) {
  rate_limiter limiter{5};
  BOOST_TEST(!limiter.refuse(test_merchant(1), test_now).has_value());
  const auto later = test_now + std::chrono::hours{24};
  int admitted = 0;
  for (int i = 0; i < 100; ++i)
    admitted += limiter.refuse(test_merchant(1), later) ? 0 : 1;
  BOOST_TEST(admitted == 5);
}

BOOST_AUTO_TEST_CASE(keeps_merchants_apart) {
  rate_limiter limiter{1};
  BOOST_TEST(!limiter.refuse(test_merchant(1), test_now).has_value());
  BOOST_TEST(limiter.refuse(test_merchant(1), test_now).has_value());
  BOOST_TEST(!limiter.refuse(test_merchant(2), test_now).has_value());
}

BOOST_AUTO_TEST_CASE(survives_a_clock_that_jumps_back) {
  rate_limiter limiter{1};
  BOOST_TEST(!limiter.refuse(test_merchant(1), test_now).has_value());
  const auto earlier = test_now - std::chrono::hours{1};
  BOOST_TEST(limiter.refuse(test_merchant(1), earlier).has_value());
  BOOST_TEST(!limiter.refuse(test_merchant(1), earlier + std::chrono::seconds{1}).has_value());
}

BOOST_AUTO_TEST_CASE(limits_nothing_unless_told) {
  rate_limiter limiter{0};
  for (int i = 0; i < 10'000; ++i)
    BOOST_REQUIRE(!limiter.refuse(test_merchant(1), test_now).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::api
