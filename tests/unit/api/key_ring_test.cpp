#include "runtime/api/key_ring.hpp"

#include "messages/limits.hpp"
#include "tests/unit/api/fakes.hpp"

#include <boost/test/unit_test.hpp>

#include <sstream>
#include <utility>
#include <vector>

namespace holdfast::api {

namespace {

struct fixture {
  fake_store store;
  std::vector<std::function<void()>> due; ///< that the ring has asked to be run after its pause
  key_ring ring{store, secret{test_pepper},
                [this](milliseconds, std::function<void()> run) { due.push_back(run); },
                two_databases};
  timestamp now = test_now;
  std::optional<expected<void>> learnt;

  void pass_pause() {
    now += milliseconds{limits::key_refresh_pause_ms};
    for (const auto& run : std::exchange(due, {}))
      run();
  }
  /// After the ring's pause, if that is what it takes.
  expected<std::optional<caller>> find(std::string_view key) {
    std::optional<expected<std::optional<caller>>> answer;
    ring.find(key, now, [&](expected<std::optional<caller>> found) { answer = found; });
    if (!answer)
      pass_pause();
    BOOST_REQUIRE(answer.has_value());
    return *answer;
  }
  void refresh() {
    for (const auto& database : two_databases.ranges())
      ring.refresh(database.first, now, [](const expected<void>&) {});
  }
  void learn(const storage::api_key_row& written, std::uint64_t heard) {
    learnt.reset();
    ring.learn({written, 4}, heard, now, [this](expected<void> done) { learnt = done; });
  }
};

/// Of the second database.
merchant_id neighbour_merchant() {
  return merchant_id::make(test_now, shard_number{20}, 2);
}

bool is_unavailable(const expected<std::optional<caller>>& found) {
  return found.has_error() && found.error().code == errc::unavailable;
}

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
  BOOST_TEST(store.key_looks == 2); // one a database
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
  key_ring other{store, secret{"another pepper of thirty-two bytes!"}, run_at_once,
                 one_database};
  other.refresh({0}, now, [](const expected<void>&) {});
  bool answered = false;
  other.find(key, now, [&answered](const expected<std::optional<caller>>& found) {
    BOOST_TEST((found.has_value() && !found->has_value()));
    answered = true;
  });
  BOOST_TEST(answered);
}

BOOST_AUTO_TEST_CASE(looks_again_for_an_unknown_key_but_not_too_often) {
  refresh();
  const auto key = add_merchant(store, ring, test_merchant(1));
  std::vector<bool> found;
  const auto note = [&found](const expected<std::optional<caller>>& who) {
    found.push_back(who.has_value() && who->has_value());
  };
  for (const std::string_view asked :
       {std::string_view{key}, std::string_view{"hf_test_nonsense"}, std::string_view{}})
    ring.find(asked, now, note);
  // Nobody is denied before the ring has looked again, once for all.
  BOOST_TEST(found.empty());
  BOOST_TEST(store.key_looks == 2);
  pass_pause();
  BOOST_TEST((found == std::vector{true, false, false}));
  BOOST_TEST(store.key_looks == 4);
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

BOOST_AUTO_TEST_CASE(does_not_serve_a_revoked_key_after_an_idle_while) {
  const auto key = add_merchant(store, ring, test_merchant(1));
  refresh();
  store.keys.front().revoked_at = now;
  now += milliseconds{2 * limits::key_age_ms_max};
  store.hold_looks = true;
  std::optional<expected<std::optional<caller>>> answer;
  ring.find(key, now, [&](expected<std::optional<caller>> found) { answer = found; });
  BOOST_TEST(!answer.has_value());
  store.answer_looks();
  BOOST_REQUIRE(answer.has_value());
  BOOST_TEST(!answer->value().has_value());
}

BOOST_AUTO_TEST_CASE(looks_anew_for_a_key_that_came_during_a_look) {
  store.hold_looks = true;
  refresh();
  // Made on another node after this look has read the keys.
  const auto key = add_merchant(store, ring, test_merchant(1));
  std::optional<expected<std::optional<caller>>> answer;
  ring.find(key, now, [&](expected<std::optional<caller>> found) { answer = found; });
  store.answer_looks();
  BOOST_TEST(!answer.has_value());
  pass_pause();
  store.answer_looks();
  BOOST_REQUIRE(answer.has_value());
  BOOST_TEST(answer->value().has_value());
}

BOOST_AUTO_TEST_CASE(bounds_those_who_wait_for_the_next_look) {
  store.hold_looks = true;
  refresh();
  std::size_t refused = 0;
  std::size_t answered = 0;
  const auto note = [&](const expected<std::optional<caller>>& found) {
    ++answered;
    refused += found.has_error() && found.error().code == errc::overloaded ? 1U : 0U;
  };
  for (std::size_t i = 0; i < limits::key_waiting_max; ++i)
    ring.find("hf_test_nonsense", now, note);
  BOOST_TEST(answered == 0U);
  ring.find("hf_test_nonsense", now, note);
  BOOST_TEST(refused == 1U);
  store.answer_looks();
  pass_pause();
  store.answer_looks();
  BOOST_TEST(answered == limits::key_waiting_max + 1);
  BOOST_TEST(refused == 1U);
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

BOOST_AUTO_TEST_CASE(a_key_is_unavailable_when_its_database_was_not_read_for_long) {
  const auto mine = add_merchant(store, ring, test_merchant(1));
  storage::merchant_row neighbour;
  neighbour.id = neighbour_merchant();
  const auto theirs = ring.issue(neighbour.id, false, now, 8).value();
  store.other_part = known_callers{{neighbour}, {theirs.row}};
  refresh();
  store.down = true;
  now += milliseconds{limits::key_stale_ms_max - 1};
  BOOST_TEST(find(mine)->has_value());
  now += milliseconds{1};
  BOOST_TEST(is_unavailable(find(mine)));
  BOOST_TEST(is_unavailable(find(mine)));
  BOOST_TEST(find(theirs.text.reveal())->has_value());
  store.down = false;
  now += milliseconds{limits::key_refresh_pause_ms};
  BOOST_TEST(find(mine)->has_value());
}

BOOST_AUTO_TEST_CASE(a_database_that_does_not_answer_holds_up_nobody_else) {
  const auto mine = add_merchant(store, ring, test_merchant(1));
  store.other_part = known_callers{};
  refresh();
  now += milliseconds{2 * limits::key_age_ms_max};
  store.hold_looks = true;
  ring.refresh({16}, now, [](const expected<void>&) {});
  store.hold_looks = false;
  BOOST_TEST(find(mine)->has_value());
  const auto new_here = add_merchant(store, ring, test_merchant(3));
  now += milliseconds{limits::key_refresh_pause_ms};
  BOOST_TEST(find(new_here)->has_value());
  bool is_refreshed = false;
  ring.refresh({3}, now, [&](const expected<void>& done) { is_refreshed = done.has_value(); });
  BOOST_TEST(is_refreshed);
  BOOST_TEST(store.held_looks.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_database_that_is_down_takes_nothing_from_the_others) {
  const auto mine = add_merchant(store, ring, test_merchant(1));
  storage::merchant_row neighbour;
  neighbour.id = neighbour_merchant();
  const auto theirs = ring.issue(neighbour.id, false, now, 8).value();
  store.other_part = known_callers{{neighbour}, {theirs.row}};
  refresh();
  BOOST_TEST(find(mine)->has_value());
  BOOST_TEST(find(theirs.text.reveal())->has_value());

  store.other_part = make_error(errc::unavailable, "down for the test");
  const auto new_here = add_merchant(store, ring, test_merchant(3));
  now += milliseconds{2 * limits::key_age_ms_max};
  BOOST_TEST(find(new_here)->has_value());
  BOOST_TEST(find(theirs.text.reveal())->has_value());
  // Whether there is such a key, nobody can tell: neither now nor after the look.
  const auto unknown = find("hf_test_nonsense");
  BOOST_TEST(is_unavailable(unknown));
  now += milliseconds{limits::key_refresh_pause_ms};
  BOOST_TEST(find("hf_test_nonsense").has_error());

  store.other_part = known_callers{{neighbour}, {}};
  now += milliseconds{limits::key_refresh_pause_ms};
  BOOST_TEST(!find("hf_test_nonsense")->has_value());
  BOOST_TEST(!find(theirs.text.reveal())->has_value());
}

BOOST_AUTO_TEST_CASE(a_look_adds_what_has_changed_to_what_is_known) {
  const auto one = add_merchant(store, ring, test_merchant(1));
  const auto other = add_merchant(store, ring, test_merchant(2));
  refresh();
  BOOST_TEST(store.last_position.transaction == 0U);
  auto revoked = store.keys.front();
  revoked.revoked_at = now;
  const auto new_here = add_merchant(store, ring, test_merchant(3));
  store.changed = std::vector{revoked, store.keys.back()};
  refresh();
  // Behind what the first look has seen, of two keys.
  BOOST_TEST(store.last_position.transaction == 2U);
  BOOST_TEST(!find(one)->has_value());
  BOOST_TEST(find(other)->has_value());
  BOOST_TEST(find(new_here)->has_value());
  // One that tells of all takes away what it doesn't tell of.
  store.changed.reset();
  store.keys.erase(store.keys.begin() + 1);
  refresh();
  BOOST_TEST(!find(other)->has_value());
  BOOST_TEST(find(new_here)->has_value());
}

BOOST_AUTO_TEST_CASE(learns_what_this_node_writes_without_a_look) {
  refresh();
  const auto looks = store.key_looks;
  const auto key = add_merchant(store, ring, test_merchant(1));
  auto& row = store.keys.back();
  learn(row, ring.heard(row.id.shard()));
  BOOST_TEST(learnt.value().has_value());
  BOOST_TEST(find(key).value().value().stripes == 4);
  row.revoked_at = now;
  learn(row, ring.heard(row.id.shard()));
  BOOST_TEST(learnt.value().has_value());
  BOOST_TEST(!ring.opens(row));
  BOOST_TEST(store.key_looks == looks);
}

BOOST_AUTO_TEST_CASE(a_look_that_was_under_way_does_not_bring_a_revoked_key_back) {
  const auto key = add_merchant(store, ring, test_merchant(1));
  refresh();
  auto& row = store.keys.back();
  store.hold_looks = true;
  refresh(); // has read the row as it was
  row.revoked_at = now;
  learn(row, ring.heard(row.id.shard()));
  BOOST_TEST(!ring.opens(row));
  BOOST_TEST(!learnt.has_value());
  store.answer_looks();
  BOOST_TEST(!learnt.has_value());
  store.answer_looks();
  BOOST_TEST(learnt.value().has_value());
  BOOST_TEST(!ring.opens(row));
}

BOOST_AUTO_TEST_CASE(a_key_that_was_revoked_elsewhere_is_not_learnt_as_new) {
  refresh();
  const auto heard = ring.heard(test_merchant(1).shard());
  const auto key = add_merchant(store, ring, test_merchant(1));
  const auto made = store.keys.back();
  // Before its maker is told that it was written, another node revokes it, and a look hears so.
  store.keys.back().revoked_at = now;
  refresh();
  learn(made, heard);
  BOOST_TEST(learnt.value().has_value());
  BOOST_TEST(!ring.opens(made));
  BOOST_TEST(!find(key)->has_value());
}

BOOST_AUTO_TEST_CASE(a_revoked_key_is_told_to_be_closed_once_it_is) {
  const auto key = add_merchant(store, ring, test_merchant(1));
  const auto row = store.keys.front();
  refresh();
  BOOST_TEST(ring.opens(row));
  store.keys.front().revoked_at = now;
  store.other_part = make_error(errc::unavailable, "down for the test");
  refresh();
  BOOST_TEST(!ring.opens(row));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::api
