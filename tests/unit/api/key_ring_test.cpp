#include "runtime/api/key_ring.hpp"

#include "messages/limits.hpp"
#include "tests/unit/api/fakes.hpp"

#include <boost/test/unit_test.hpp>

#include <sstream>

namespace holdfast::api {

namespace {

struct fixture {
  fake_store store;
  key_ring ring{store, secret{test_pepper}};
  timestamp now = test_now;

  expected<std::optional<caller>> find(std::string_view key) {
    std::optional<expected<std::optional<caller>>> answer;
    ring.find(key, now, [&](expected<std::optional<caller>> found) { answer = found; });
    BOOST_REQUIRE(answer.has_value());
    return *answer;
  }
  void refresh() {
    ring.refresh(now, [](const expected<void>&) {});
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(api_key_ring, fixture)

BOOST_AUTO_TEST_CASE(finds_who_a_key_stands_for) {
  const auto key = add_merchant(store, ring, test_merchant(1));
  refresh();
  const auto found = find(key);
  BOOST_REQUIRE((found.has_value() && found->has_value()));
  BOOST_TEST(((*found)->merchant == test_merchant(1)));
  BOOST_TEST((*found)->stripes == 4);
  BOOST_TEST(!(*found)->live);
  BOOST_TEST(store.key_looks == 1);
}

BOOST_AUTO_TEST_CASE(issues_keys_that_differ_and_are_not_stored) {
  const auto one = ring.issue(test_merchant(1), true, now, 1).value();
  const auto other = ring.issue(test_merchant(1), true, now, 2).value();
  BOOST_TEST(one.text.reveal().size() == 8 + 64U);
  BOOST_TEST(one.text.reveal().starts_with("hf_live_"));
  BOOST_TEST((one.text.reveal() != other.text.reveal()));
  BOOST_TEST((one.row.hash != other.row.hash));
  std::ostringstream shown;
  shown << one.text;
  BOOST_TEST(shown.str().find("hf_live_") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(hashes_under_the_pepper) {
  const auto key = add_merchant(store, ring, test_merchant(1));
  key_ring other{store, secret{"another pepper of thirty-two bytes!"}};
  other.refresh(now, [](const expected<void>&) {});
  other.find(key, now, [](const expected<std::optional<caller>>& found) {
    BOOST_TEST((found.has_value() && !found->has_value()));
  });
}

BOOST_AUTO_TEST_CASE(looks_again_for_an_unknown_key_but_not_too_often) {
  refresh();
  const auto key = add_merchant(store, ring, test_merchant(1));
  BOOST_TEST(!find(key)->has_value());
  BOOST_TEST(!find("hf_test_nonsense")->has_value());
  BOOST_TEST(!find("")->has_value());
  BOOST_TEST(store.key_looks == 1);
  now += milliseconds{limits::key_refresh_pause_ms};
  BOOST_TEST(find(key)->has_value());
  BOOST_TEST(store.key_looks == 2);
}

BOOST_AUTO_TEST_CASE(forgets_a_revoked_key) {
  const auto key = add_merchant(store, ring, test_merchant(1));
  refresh();
  store.keys.front().revoked_at = now;
  BOOST_TEST(find(key)->has_value());
  now += milliseconds{limits::key_age_ms_max};
  // The one that finds the ring too old is answered by what it knew; the next is not.
  BOOST_TEST(find(key)->has_value());
  BOOST_TEST(!find(key)->has_value());
}

BOOST_AUTO_TEST_CASE(does_not_take_a_failed_look_for_an_unknown_key) {
  const auto key = add_merchant(store, ring, test_merchant(1));
  store.down = true;
  const auto found = find(key);
  BOOST_REQUIRE(found.has_error());
  BOOST_TEST((found.error().code == errc::unavailable));
}

BOOST_AUTO_TEST_CASE(keeps_serving_known_keys_without_the_database) {
  const auto key = add_merchant(store, ring, test_merchant(1));
  refresh();
  store.down = true;
  now += milliseconds{2 * limits::key_age_ms_max};
  BOOST_TEST(find(key)->has_value());
  BOOST_TEST(find(key)->has_value());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::api
