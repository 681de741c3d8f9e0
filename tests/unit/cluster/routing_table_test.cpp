// Who is said to own a shard: the latest epoch wins, whoever says so.
#include "runtime/cluster/routing_table.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace holdfast::cluster {

namespace {

storage::lease_row lease(std::uint16_t shard, std::string owner, std::int64_t epoch) {
  storage::lease_row row;
  row.shard = {shard};
  row.owner = std::move(owner);
  row.epoch = {epoch};
  return row;
}

struct watched_table {
  watched_table() {
    table.on_change([this](const std::vector<shard_number>& changed) {
      for (const auto shard : changed)
        news.push_back(shard.value);
    });
  }

  std::vector<std::uint16_t> take_news() { return std::exchange(news, {}); }

  routing_table table{4};
  std::vector<std::uint16_t> news;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(routing_tables, watched_table)

BOOST_AUTO_TEST_CASE(nothing_is_known_at_first) {
  BOOST_TEST(table.find({0}).owner.empty());
  BOOST_TEST(table.find({99}).owner.empty());
  BOOST_TEST(table.all().size() == 4U);
}

BOOST_AUTO_TEST_CASE(what_a_database_shows_is_told_once) {
  table.see({lease(1, "a", 3), lease(2, "b", 1)});
  BOOST_TEST(take_news() == (std::vector<std::uint16_t>{1, 2}),
             boost::test_tools::per_element());
  table.see({lease(1, "a", 3), lease(2, "b", 1)});
  BOOST_TEST(take_news().empty());
  BOOST_TEST(table.find({1}).owner == "a");
  BOOST_TEST(table.find({1}).epoch.value == 3);
}

BOOST_AUTO_TEST_CASE(the_higher_epoch_wins_whoever_tells_it) {
  table.see({lease(1, "a", 3)});
  table.learn({1}, "b", {4});
  BOOST_TEST(table.find({1}).owner == "b");
  table.see({lease(1, "a", 3)});
  BOOST_TEST(table.find({1}).owner == "b");
  table.learn({1}, "a", {3});
  table.learn({1}, "c", {4});
  BOOST_TEST(table.find({1}).owner == "b");
  table.see({lease(1, "c", 5)});
  BOOST_TEST(table.find({1}).owner == "c");
}

BOOST_AUTO_TEST_CASE(a_database_may_say_that_the_owner_has_let_go) {
  table.learn({1}, "a", {3});
  static_cast<void>(take_news());
  table.see({lease(1, "", 3)});
  BOOST_TEST(table.find({1}).owner.empty());
  BOOST_TEST(take_news().size() == 1U);
  // An old answer does not bring it back.
  table.learn({1}, "a", {3});
  BOOST_TEST(table.find({1}).owner.empty());
}

BOOST_AUTO_TEST_CASE(a_new_heir_is_news) {
  table.expect({"a", "b", "a", "b"});
  BOOST_TEST(take_news().size() == 4U);
  table.expect({"a", "b", "a", "c"});
  BOOST_TEST(take_news() == std::vector<std::uint16_t>{3}, boost::test_tools::per_element());
  BOOST_TEST(table.find({3}).heir == "c");
}

BOOST_AUTO_TEST_CASE(shards_that_do_not_exist_are_nobodys) {
  table.see({lease(9, "a", 1)});
  table.learn({9}, "a", {1});
  table.expect({"a", "a", "a", "a", "a", "a"});
  BOOST_TEST(table.find({9}).owner.empty());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::cluster
