// How a request looks for the owner of its shard: in virtual time.
#include "runtime/cluster/forwarding.hpp"

#include "messages/limits.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <ostream>
#include <string>
#include <vector>

namespace holdfast::cluster {

using step_kind = next_step::kind;

static std::ostream& operator<<(std::ostream& out, step_kind what) {
  constexpr std::array<const char*, 4> words{"here", "there", "park", "give_up"};
  return out << words[static_cast<std::size_t>(what)];
}

namespace {

constexpr timestamp start{std::chrono::sys_days{std::chrono::year{2026} / 11 / 23}};
constexpr milliseconds pause{limits::look_again_ms};
constexpr milliseconds longest{limits::look_for_owner_ms_max};
constexpr milliseconds patience{10'000};

struct quest {
  search way{shard_number{3}, repeatable::yes, start, patience};
  outlook known;
  timestamp now = start;

  next_step next() { return way.next(known, now); }
  bool failed(const std::string& node, try_result how = try_result::refused) {
    return way.failed(node, known.place.epoch, how, now);
  }
  void owned_by(const std::string& node, std::int64_t epoch) {
    known.place.owner = node;
    known.place.epoch = {epoch};
    known.reaches_owner = true;
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(forwarding, quest)

BOOST_AUTO_TEST_CASE(the_shard_of_this_node_comes_first) {
  owned_by("b", 7);
  known.is_here = true;
  BOOST_TEST(next().what == step_kind::here);
}

BOOST_AUTO_TEST_CASE(another_owner_is_asked_over_its_link) {
  owned_by("b", 7);
  const auto step = next();
  BOOST_TEST(step.what == step_kind::there);
  BOOST_TEST(step.node == "b");
}

BOOST_AUTO_TEST_CASE(an_owner_that_refuses_is_not_asked_again_at_once) {
  owned_by("b", 7);
  BOOST_TEST(failed("b"));
  BOOST_TEST(next().what == step_kind::park);
  now += pause;
  BOOST_TEST(next().what == step_kind::there);
}

BOOST_AUTO_TEST_CASE(who_refuses_again_and_again_is_spared_for_longer_and_longer) {
  owned_by("b", 7);
  for (const std::int64_t spared : {50, 100, 200, 400, 400}) {
    BOOST_TEST(failed("b"));
    now += milliseconds{spared - 1};
    BOOST_TEST(next().what == step_kind::park);
    now += milliseconds{1};
    BOOST_TEST(next().what == step_kind::there);
  }
  // In a later epoch it begins anew.
  BOOST_TEST(failed("b"));
  owned_by("b", 8);
  BOOST_TEST(next().what == step_kind::there);
  BOOST_TEST(failed("b"));
  now += pause;
  BOOST_TEST(next().what == step_kind::there);
}

BOOST_AUTO_TEST_CASE(the_shard_of_this_node_is_given_it_as_soon_as_it_serves) {
  known.is_here = true;
  BOOST_TEST(failed(""));
  BOOST_TEST(failed(""));
  BOOST_TEST(next().what == step_kind::park);
  way.hear_news();
  BOOST_TEST(next().what == step_kind::here);
}

BOOST_AUTO_TEST_CASE(news_of_a_later_epoch_count_at_once) {
  owned_by("b", 7);
  BOOST_TEST(failed("b"));
  owned_by("c", 8);
  BOOST_TEST(next().node == "c");
  BOOST_TEST(failed("c"));
  // It was "b" that has taken it again.
  owned_by("b", 9);
  BOOST_TEST(next().node == "b");
}

BOOST_AUTO_TEST_CASE(whoever_should_have_it_is_asked_while_the_owner_is_out_of_reach) {
  owned_by("b", 7);
  known.reaches_owner = false;
  known.place.heir = "c";
  known.reaches_heir = true;
  BOOST_TEST(next().node == "c");
  BOOST_TEST(failed("c"));
  BOOST_TEST(next().what == step_kind::park);
}

BOOST_AUTO_TEST_CASE(a_shard_that_has_just_handed_it_back_is_given_it_a_little_later) {
  known.is_here = true;
  BOOST_TEST(failed(""));
  BOOST_TEST(next().what == step_kind::park);
  now += pause;
  BOOST_TEST(next().what == step_kind::here);
}

BOOST_AUTO_TEST_CASE(nobody_is_looked_for_longer_than_the_limit) {
  BOOST_TEST(next().what == step_kind::park);
  now += longest - milliseconds{1};
  BOOST_TEST(next().what == step_kind::park);
  now += milliseconds{1};
  BOOST_TEST(next().what == step_kind::give_up);
}

BOOST_AUTO_TEST_CASE(nor_longer_than_its_client_waits) {
  way = search{shard_number{3}, repeatable::yes, start, milliseconds{5'000}};
  now += milliseconds{400};
  BOOST_TEST(next().what == step_kind::park);
  now += milliseconds{4'600};
  BOOST_TEST(next().what == step_kind::give_up);
}

BOOST_AUTO_TEST_CASE(a_client_in_a_hurry_is_not_turned_away_while_a_shard_moves) {
  way = search{shard_number{3}, repeatable::yes, start, milliseconds{1'000}};
  BOOST_TEST(next().what == step_kind::park);
  now += milliseconds{limits::look_for_owner_ms_min - 1};
  BOOST_TEST(next().what == step_kind::park);
  BOOST_TEST(way.patience(now).count() == 0);
  now += milliseconds{1};
  BOOST_TEST(next().what == step_kind::give_up);
}

BOOST_AUTO_TEST_CASE(the_limit_counts_from_the_first_failure_not_from_the_first_try) {
  owned_by("b", 7);
  BOOST_TEST(next().what == step_kind::there);
  now += milliseconds{3'000};
  BOOST_TEST(failed("b", try_result::unknown));
  now += longest - milliseconds{1};
  BOOST_TEST(next().what == step_kind::there);
  now += milliseconds{1};
  BOOST_TEST(next().what == step_kind::give_up);
}

BOOST_AUTO_TEST_CASE(an_unknown_outcome_is_repeated_only_where_that_is_safe) {
  owned_by("b", 7);
  BOOST_TEST(failed("b", try_result::unknown));
  BOOST_TEST(way.is_in_doubt());
  way = search{shard_number{3}, repeatable::no, start, patience};
  BOOST_TEST(failed("b", try_result::refused));
  BOOST_TEST(!way.is_in_doubt());
  BOOST_TEST(!failed("b", try_result::unknown));
  BOOST_TEST(way.is_in_doubt());
}

BOOST_AUTO_TEST_CASE(what_the_client_still_waits_never_grows_and_ends_at_nothing) {
  BOOST_TEST(way.patience(start).count() == patience.count());
  BOOST_TEST(way.patience(start - milliseconds{500}).count() == patience.count());
  BOOST_TEST(way.patience(start + milliseconds{500}).count() == patience.count() - 500);
  BOOST_TEST(way.patience(start + milliseconds{99'000}).count() == 0);
}

BOOST_AUTO_TEST_CASE(a_clock_that_is_set_back_delays_no_try) {
  owned_by("b", 7);
  now += milliseconds{5'000};
  BOOST_TEST(failed("b"));
  now -= milliseconds{5'000};
  BOOST_TEST(next().what == step_kind::there);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(parking)

BOOST_AUTO_TEST_CASE(there_is_room_for_so_many_and_who_finds_none_keeps_what_he_has) {
  parking_lot<std::string> lot{2};
  std::string one = "one";
  std::string two = "two";
  std::string three = "three";
  BOOST_TEST(lot.park({1}, one));
  BOOST_TEST(lot.park({2}, two));
  BOOST_TEST(!lot.park({1}, three));
  BOOST_TEST(three == "three");
  BOOST_TEST(lot.size() == 2U);
}

BOOST_AUTO_TEST_CASE(those_of_a_shard_leave_in_the_order_in_which_they_came) {
  parking_lot<std::string> lot{8};
  for (const auto& [shard, name] : std::vector<std::pair<std::uint16_t, std::string>>{
         {1, "a"}, {2, "b"}, {1, "c"}, {3, "d"}, {1, "e"}}) {
    auto request = name;
    BOOST_TEST(lot.park({shard}, request));
  }
  const std::vector<std::string> of_one{"a", "c", "e"};
  BOOST_TEST(lot.take({{1}}) == of_one, boost::test_tools::per_element());
  BOOST_TEST(lot.take({{1}}).empty());
  const std::vector<std::string> rest{"b", "d"};
  BOOST_TEST(lot.take_all() == rest, boost::test_tools::per_element());
  BOOST_TEST(lot.size() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::cluster
