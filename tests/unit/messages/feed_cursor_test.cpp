// What a merchant's events are read by: its shards, and the cursor over them.
#include "messages/feed_cursor.hpp"

#include <boost/test/unit_test.hpp>

#include <set>

using namespace holdfast;

namespace {

std::vector<shard_number> shards_from(std::initializer_list<std::uint16_t> numbers) {
  std::vector<shard_number> shards;
  for (const auto number : numbers)
    shards.push_back({number});
  return shards;
}

} // namespace

BOOST_AUTO_TEST_SUITE(messages_feed_cursor)

BOOST_AUTO_TEST_CASE(a_merchants_shards_are_those_of_its_keys) {
  for (const auto stripes : std::initializer_list<std::uint16_t>{1, 2, 8, 32, 64}) {
    const shard_number home{30};
    const shard_range range{{0}, {31}};
    std::set<shard_number> of_keys;
    for (int i = 0; i < 5'000; ++i)
      of_keys.insert(shard_of_key(home, stripes, range, "key-" + std::to_string(i)));
    const auto shards = shards_of_merchant(home, stripes, range);
    BOOST_TEST((std::set<shard_number>{shards.begin(), shards.end()} == of_keys));
    BOOST_TEST(shards.size() == of_keys.size());
    BOOST_TEST((shards.front() == home));
  }
}

BOOST_AUTO_TEST_CASE(shards_are_told_by_their_ranges) {
  BOOST_TEST(ranges_text({}).empty());
  BOOST_TEST(ranges_text(shards_from({7})) == "7");
  BOOST_TEST(ranges_text(shards_from({0, 1, 2, 5, 7, 8})) == "0-2, 5, 7-8");
}

BOOST_AUTO_TEST_CASE(in_one_shard_the_cursor_is_the_last_events_id) {
  const auto shards = shards_from({31});
  auto cursor = feed_cursor::at_start(shards);
  cursor.pass(shards[0], sequence_number{1'000'000});
  BOOST_TEST(cursor.text() == event_id_text(shards[0], sequence_number{1'000'000}));
  const auto back = feed_cursor::parse(cursor.text(), shards);
  BOOST_REQUIRE(back);
  BOOST_TEST(back->positions().at(0).seq.value == 1'000'000);
}

BOOST_AUTO_TEST_CASE(in_several_shards_it_holds_a_position_of_each) {
  const auto shards = shards_from({31, 0, 1});
  auto cursor = feed_cursor::at_start(shards);
  cursor.pass(shards[1], sequence_number{7});
  cursor.pass(shards[1], sequence_number{8});
  cursor.pass(shards[2], sequence_number{9});
  const auto back = feed_cursor::parse(cursor.text(), shards);
  BOOST_REQUIRE(back);
  BOOST_TEST(back->positions().at(0).seq.value == 0);
  BOOST_TEST(back->positions().at(1).seq.value == 8);
  BOOST_TEST(back->positions().at(2).seq.value == 9);
  BOOST_TEST(back->text() == cursor.text());
}

BOOST_AUTO_TEST_CASE(a_cursor_of_other_shards_is_refused) {
  const auto shards = shards_from({3, 4});
  const auto good = feed_cursor::at_start(shards).text();
  BOOST_TEST(feed_cursor::parse(good, shards).has_value());
  const auto event = event_id_text(shards[0], sequence_number{1});
  for (const auto& wrong : {std::string{}, std::string{"7"}, std::string{"cur_"}, event,
                            good + '0', good.substr(0, good.size() - 1), "CUR" + good.substr(3),
                            feed_cursor::at_start(shards_from({4, 3})).text(),
                            feed_cursor::at_start(shards_from({3, 4, 5})).text(),
                            good.substr(0, good.size() - 1) + 'G'})
    BOOST_TEST(!feed_cursor::parse(wrong, shards), wrong);
  BOOST_TEST(!feed_cursor::parse(good, shards_from({3})));
  BOOST_TEST(!feed_cursor::parse(event, shards_from({4})));
}

BOOST_AUTO_TEST_SUITE_END()
