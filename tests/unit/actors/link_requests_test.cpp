// What a link keeps in mind: the requests under way, each with one end, and what the other end
// knows already.
#include "actors/link/mark_changes.hpp"
#include "actors/link/request_table.hpp"
#include "messages/limits.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

using namespace holdfast;
using namespace holdfast::links;

namespace {

steady_time at(int ms) {
  return steady_time{} + milliseconds{ms};
}

/// A promise, and what it was told.
struct asked {
  std::shared_ptr<std::vector<peer_outcome>> heard =
    std::make_shared<std::vector<peer_outcome>>();
  ask_promise_ptr promise = std::make_shared<ask_promise>(
    [heard = heard](peer_outcome outcome) { heard->push_back(std::move(outcome)); });

  /// Of the one outcome that it must have had by now.
  errc code() const {
    BOOST_REQUIRE(heard->size() == 1U);
    BOOST_REQUIRE(heard->front().has_error());
    return heard->front().error().code;
  }
};

std::uint64_t add(request_table& table, const asked& who, std::size_t bytes = 100,
                  int until = 1'000) {
  const auto number = table.next();
  table.add(who.promise, bytes, at(until));
  return number;
}

} // namespace

BOOST_AUTO_TEST_SUITE(actors_link_requests)

BOOST_AUTO_TEST_CASE(a_dropped_promise_tells_whether_it_was_sent) {
  asked unsent;
  unsent.promise.reset();
  BOOST_TEST((unsent.code() == errc::unavailable));
  asked sent;
  sent.promise->mark_sent();
  sent.promise.reset();
  BOOST_TEST((sent.code() == errc::unknown_outcome));
}

BOOST_AUTO_TEST_CASE(a_promise_is_kept_once) {
  asked one;
  one.promise->deliver(answered(accepted{}));
  one.promise->give_up("too late");
  one.promise.reset();
  BOOST_REQUIRE(one.heard->size() == 1U);
  BOOST_TEST(one.heard->front().has_value());
}

BOOST_AUTO_TEST_CASE(nothing_is_sent_before_a_welcome) {
  const request_table table;
  BOOST_TEST(!table.has_room(1));
}

BOOST_AUTO_TEST_CASE(an_answer_finds_its_request_once) {
  request_table table;
  table.open(10);
  asked first;
  asked second;
  const auto one = add(table, first);
  const auto two = add(table, second);
  BOOST_TEST(one != two);
  BOOST_TEST((table.take(two) == second.promise));
  BOOST_TEST(!table.take(two));
  BOOST_TEST(!table.take(two + 1));
  BOOST_TEST(table.size() == 1U);
}

BOOST_AUTO_TEST_CASE(the_window_bounds_requests_and_bytes) {
  request_table table;
  table.open(2);
  asked one;
  asked two;
  const auto first = add(table, one);
  BOOST_TEST(table.has_room(1));
  add(table, two);
  BOOST_TEST(!table.has_room(1));
  static_cast<void>(table.take(first));
  BOOST_TEST(table.has_room(1));
  BOOST_TEST(!table.has_room(limits::link_window_bytes));
  static_cast<void>(table.take_all());
  // Alone, even the largest goes.
  BOOST_TEST(table.has_room(limits::link_window_bytes + 1));
}

BOOST_AUTO_TEST_CASE(overdue_requests_end_as_unknown_in_their_order) {
  request_table table;
  table.open(10);
  asked late;
  asked soon;
  asked in_time;
  add(table, late, 1, 300);
  add(table, soon, 1, 100);
  add(table, in_time, 1, 301);
  BOOST_TEST(table.take_overdue(at(99)).empty());
  const auto overdue = table.take_overdue(at(300));
  BOOST_REQUIRE(overdue.size() == 2U);
  BOOST_TEST((overdue[0] == soon.promise && overdue[1] == late.promise));
  for (const auto& promise : overdue)
    promise->give_up("no answer");
  BOOST_TEST((soon.code() == errc::unknown_outcome && late.code() == errc::unknown_outcome));
  BOOST_TEST(in_time.heard->empty());
  BOOST_TEST(table.size() == 1U);
}

BOOST_AUTO_TEST_CASE(those_after_the_last_that_was_taken_are_found) {
  request_table table;
  table.open(10);
  std::vector<asked> all(4);
  for (const auto& one : all)
    add(table, one);
  static_cast<void>(table.take(3));
  const auto after = table.take_after(1);
  BOOST_TEST(after.size() == 2U);
  for (const auto index : {1U, 3U})
    BOOST_TEST(std::ranges::count(after, all[index].promise) == 1);
  BOOST_TEST(table.size() == 1U);
  BOOST_TEST(table.take_after(1).empty());
}

BOOST_AUTO_TEST_CASE(a_broken_link_ends_all_and_counts_on) {
  request_table table;
  table.open(3);
  std::vector<asked> all(3);
  std::uint64_t last = 0;
  for (const auto& one : all)
    last = add(table, one);
  for (const auto& promise : table.take_all())
    promise->give_up("broken");
  for (const auto& one : all)
    BOOST_TEST((one.code() == errc::unknown_outcome));
  BOOST_TEST(table.size() == 0U);
  BOOST_TEST(table.take_overdue(at(1'000'000)).empty());
  // A late answer of before must not be taken for that of a new request.
  BOOST_TEST(table.next() > last);
  BOOST_TEST(table.has_room(limits::link_window_bytes));
}

BOOST_AUTO_TEST_CASE(marks_are_told_when_they_rise) {
  storage::sequence_marks marks{4};
  marks.note({1}, {10});
  marks.note({3}, {30});
  mark_changes told;
  const auto first = told.take(marks);
  BOOST_REQUIRE(first.size() == 2U);
  BOOST_TEST((first[0].shard == shard_number{1} && first[0].reached.value == 10));
  BOOST_TEST((first[1].shard == shard_number{3} && first[1].reached.value == 30));
  BOOST_TEST(told.take(marks).empty());
  marks.note({1}, {11});
  BOOST_REQUIRE(told.take(marks).size() == 1U);
}

BOOST_AUTO_TEST_CASE(what_the_other_end_says_itself_is_not_told_back) {
  storage::sequence_marks marks{2};
  mark_changes told;
  marks.note({0}, {5});
  told.heard({{0}, {5}});
  BOOST_TEST(told.take(marks).empty());
  marks.note({0}, {6});
  BOOST_TEST(told.take(marks).size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
