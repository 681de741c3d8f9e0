// What a bench is asked for: offers, and what tells installations apart.
#include "runtime/bench/bench.hpp"
#include "runtime/bench/sync_time.hpp"
#include "tests/support/process.hpp"

#include <boost/test/unit_test.hpp>

namespace holdfast::bench {

BOOST_AUTO_TEST_SUITE(bench_settings)

BOOST_AUTO_TEST_CASE(an_offer_is_a_rate_or_a_share_of_the_peak) {
  BOOST_TEST((parse_offer("2000").value() == offer{2'000, false}));
  BOOST_TEST((parse_offer("0.5").value() == offer{0.5, false}));
  BOOST_TEST((parse_offer("70%").value() == offer{0.7, true}));
  BOOST_TEST((parse_offer("200%").value() == offer{2, true}));
}

BOOST_AUTO_TEST_CASE(nothing_else_is_an_offer) {
  for (const auto* text : {"", "%", "0", "0%", "-1", "x", "1x", "70 %", "nan", "inf", "1e7"})
    BOOST_TEST(parse_offer(text).has_error(), text);
  BOOST_TEST(parse_offer("7O%").error().detail.find("\"7O%\"") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_setting_says_what_is_not_as_usual) {
  BOOST_TEST(to_text({}) == "100 merchants");
  BOOST_TEST(to_text({1'000, 2, 8, 50'000})
             == "1000 merchants, skew 2, 8 stripes, 50000 payments stored");
}

BOOST_AUTO_TEST_CASE(a_sync_is_timed_and_leaves_nothing) {
  const test::temp_folder folder;
  BOOST_TEST(median_sync(folder.path()).value().count() >= 0);
  BOOST_TEST(std::filesystem::is_empty(folder.path()));
  BOOST_TEST(median_sync(folder.path() / "missing").has_error());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::bench
