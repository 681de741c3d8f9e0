// Who should own which shard: even, the same for all who compute it, and no more moves than a
// change of nodes asks for.
#include "actors/placement/core.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace holdfast::placement {

namespace {

std::vector<candidate> nodes(std::initializer_list<const char*> ids) {
  std::vector<candidate> all;
  for (const char* id : ids) {
    candidate one;
    one.id = id;
    all.push_back(std::move(one));
  }
  return all;
}

std::vector<candidate> numbered(int first, int count) {
  std::vector<candidate> all;
  for (int number = first; number < first + count; ++number) {
    candidate one;
    one.id = "node-" + std::to_string(number);
    all.push_back(std::move(one));
  }
  return all;
}

/// Of as many shards from 0 on.
std::vector<std::string> place(std::vector<candidate> among, const std::vector<pin>& pins,
                               std::uint16_t shards) {
  return placement::place(std::move(among), pins,
                          shard_range{{0}, {static_cast<std::uint16_t>(shards - 1)}});
}

std::map<std::string, std::size_t> loads(const std::vector<std::string>& owners) {
  std::map<std::string, std::size_t> counts;
  for (const auto& owner : owners)
    ++counts[owner];
  return counts;
}

std::size_t moved(const std::vector<std::string>& before,
                  const std::vector<std::string>& after) {
  std::size_t count = 0;
  for (std::size_t shard = 0; shard < before.size(); ++shard)
    count += before[shard] != after[shard] ? 1U : 0U;
  return count;
}

} // namespace

BOOST_AUTO_TEST_SUITE(placements)

BOOST_AUTO_TEST_CASE(thirty_two_shards_on_three_nodes_are_ten_or_eleven_each) {
  for (int first = 1; first < 50; ++first)
    for (const auto& [node, load] : loads(place(numbered(first, 3), {}, 32))) {
      BOOST_TEST(!node.empty());
      BOOST_TEST((load == 10 || load == 11));
    }
}

BOOST_AUTO_TEST_CASE(no_node_has_more_than_its_share_rounded_up) {
  for (int count = 1; count <= 12; ++count) {
    const auto owners = place(numbered(1, count), {}, 100);
    const auto share = (100U + static_cast<unsigned>(count) - 1) / static_cast<unsigned>(count);
    BOOST_TEST(loads(owners).size() == static_cast<std::size_t>(count));
    for (const auto& [node, load] : loads(owners))
      BOOST_TEST(load <= share);
  }
}

BOOST_AUTO_TEST_CASE(whoever_asks_and_in_whatever_order_hears_the_same) {
  const std::vector<pin> pins{{{3}, "c"}, {{9}, "a"}};
  const auto owners = place(nodes({"a", "b", "c", "d"}), pins, 64);
  BOOST_TEST(place(nodes({"d", "b", "a", "c"}), {pins[1], pins[0]}, 64) == owners);
  BOOST_TEST(place(nodes({"a", "a", "b", "c", "d"}), pins, 64) == owners);
}

BOOST_AUTO_TEST_CASE(the_weights_are_the_same_in_every_build) {
  const auto owners = place(nodes({"node-1", "node-2", "node-3"}), {}, 8);
  const std::vector<std::string> pinned_down{"node-2", "node-2", "node-3", "node-1",
                                             "node-3", "node-2", "node-1", "node-3"};
  BOOST_TEST(owners == pinned_down, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_node_that_comes_takes_its_share_and_little_else_moves) {
  for (int count = 1; count <= 5; ++count) {
    const auto before = place(numbered(1, count), {}, 32);
    const auto after = place(numbered(1, count + 1), {}, 32);
    const auto must = loads(after)["node-" + std::to_string(count + 1)];
    BOOST_TEST(moved(before, after) <= must + 4,
               count << " nodes: " << moved(before, after) << " moved, " << must << " had to");
  }
}

BOOST_AUTO_TEST_CASE(a_node_that_goes_leaves_the_others_nearly_all_they_had) {
  for (int gone = 1; gone <= 3; ++gone) {
    auto all = numbered(1, 3);
    const auto before = place(all, {}, 32);
    all.erase(all.begin() + gone - 1);
    const auto after = place(all, {}, 32);
    const auto must = loads(before)["node-" + std::to_string(gone)];
    BOOST_TEST(moved(before, after) <= must + 4, "node-" << gone << ": " << moved(before, after)
                                                         << " moved, " << must << " had to");
  }
}

BOOST_AUTO_TEST_CASE(a_draining_node_and_one_without_shards_get_none) {
  auto all = nodes({"a", "b", "c"});
  all[0].draining = true;
  all[1].serves_shards = false;
  BOOST_TEST(loads(place(all, {}, 32))["c"] == 32U);
}

BOOST_AUTO_TEST_CASE(a_pinned_shard_goes_where_it_is_wanted_and_counts_there) {
  std::vector<pin> pins;
  for (std::uint16_t shard = 0; shard < 16; ++shard)
    pins.push_back({{shard}, "a"});
  const auto owners = place(nodes({"a", "b", "c"}), pins, 32);
  for (std::uint16_t shard = 0; shard < 16; ++shard)
    BOOST_TEST(owners[shard] == "a");
  auto counts = loads(owners);
  BOOST_TEST(counts["a"] == 16U);
  BOOST_TEST(counts["b"] <= 11U);
  BOOST_TEST(counts["c"] <= 11U);
}

BOOST_AUTO_TEST_CASE(a_pin_to_a_node_that_is_not_there_or_goes_is_ignored) {
  const auto plain = place(nodes({"a", "b"}), {}, 32);
  BOOST_TEST(place(nodes({"a", "b"}), {{{0}, "dead"}, {{99}, "a"}}, 32) == plain);
  auto with_leaver = nodes({"a", "b", "c"});
  with_leaver[2].draining = true;
  BOOST_TEST(place(with_leaver, {{{0}, "c"}}, 32) == plain);
}

BOOST_AUTO_TEST_CASE(one_node_has_all_and_no_node_has_none) {
  BOOST_TEST(loads(place(nodes({"a"}), {}, 32))["a"] == 32U);
  BOOST_TEST(loads(place({}, {}, 32))[""] == 32U);
}

BOOST_AUTO_TEST_CASE(a_range_is_placed_by_itself) {
  const shard_range upper{{16}, {31}};
  const auto owners = placement::place(nodes({"a", "b"}), {{{3}, "a"}, {{16}, "b"}}, upper);
  BOOST_REQUIRE(owners.size() == 16U);
  BOOST_TEST(owners[0] == "b");
  BOOST_TEST(loads(owners)["a"] == 8U);
  // A pin to a shard outside is none of its business.
  BOOST_TEST(placement::place(nodes({"a", "b"}), {{{16}, "b"}}, upper) == owners);
}

BOOST_AUTO_TEST_CASE(ten_thousand_shards_are_placed_in_no_time) {
  const auto before = std::chrono::steady_clock::now();
  const auto owners = place(numbered(1, 10), {}, 10'000);
  const auto took = std::chrono::steady_clock::now() - before;
  for (const auto& [node, load] : loads(owners))
    BOOST_TEST(load == 1'000U);
  // Some 10 ms; the bound leaves room for sanitizers and for a busy machine.
  BOOST_TEST((took < std::chrono::milliseconds{500}));
  BOOST_TEST_MESSAGE("10,000 shards on 10 nodes: " << took / std::chrono::microseconds{1}
                                                   << " us");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::placement
