// Who should own each shard when not every node reaches every database.
#include "runtime/cluster/heirs.hpp"

#include "storage/merging.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace holdfast::cluster {

namespace {

const shard_range lower{{0}, {15}};
const shard_range upper{{16}, {31}};

storage::cluster_view look(shard_range range, std::initializer_list<const char*> living) {
  storage::cluster_view view;
  for (const char* id : living) {
    storage::node_row row;
    row.card.id = id;
    row.card.incarnation = "1";
    row.card.advertise = "127.0.0.1:1";
    row.alive_for = milliseconds{3'000};
    view.nodes.push_back(std::move(row));
  }
  for (auto shard = range.first.value; shard <= range.last.value; ++shard) {
    storage::lease_row row;
    row.shard = {shard};
    view.leases.push_back(std::move(row));
  }
  return view;
}

struct two_databases {
  /// As node "a" sees it.
  std::vector<std::string> heirs(const storage::cluster_view& first,
                                 const storage::cluster_view& second,
                                 milliseconds age_of_second = {}) {
    return finder.find(
      storage::merge_views({{lower, first, {}}, {upper, second, age_of_second}}), {"a"});
  }

  heir_finder finder{shard_layout{{lower, upper}}};
};

std::set<std::string> heirs_in(shard_range range, const std::vector<std::string>& heirs) {
  return {heirs.begin() + range.first.value, heirs.begin() + range.last.value + 1};
}

using names = std::set<std::string>;

} // namespace

BOOST_FIXTURE_TEST_SUITE(heir_finders, two_databases)

BOOST_AUTO_TEST_CASE(a_node_gets_no_shards_of_a_database_that_it_does_not_reach) {
  const auto placed = heirs(look(lower, {"a", "b", "c"}), look(upper, {"a", "b"}));
  BOOST_REQUIRE(placed.size() == 32U);
  BOOST_TEST((heirs_in(lower, placed) == names{"a", "b", "c"}));
  BOOST_TEST((heirs_in(upper, placed) == names{"a", "b"}));
}

BOOST_AUTO_TEST_CASE(neither_does_this_one) {
  const auto placed = heirs(look(lower, {"a", "b"}), look(upper, {"b"}));
  BOOST_TEST((heirs_in(upper, placed) == names{"b"}));
}

BOOST_AUTO_TEST_CASE(what_one_database_shows_places_nothing_of_another) {
  auto first = look(lower, {"a", "b", "c"});
  for (auto& lease : first.leases)
    lease.pinned_to = "b";
  const auto second = look(upper, {"a", "b", "c"});
  const auto known = heirs(first, second);
  // Who has never read the first, and sees nobody in it, agrees on the second.
  heir_finder blind{shard_layout{{lower, upper}}};
  const auto half =
    blind.find(storage::merge_views({{lower, {}, {}}, {upper, second, {}}}), {"a"});
  BOOST_TEST((heirs_in(lower, half) == names{""}));
  BOOST_TEST(std::equal(known.begin() + 16, known.end(), half.begin() + 16));
}

BOOST_AUTO_TEST_CASE(nothing_moves_in_a_database_that_can_not_be_read_any_more) {
  const auto first = look(lower, {"a", "b", "c"});
  auto second = look(upper, {"a", "b", "c"});
  // Claims end at different times: as the look grows old, one after another.
  second.nodes[1].alive_for = milliseconds{2'000};
  const auto before = heirs(first, second);
  for (const int age : {1'000, 2'500, 60'000})
    BOOST_TEST(heirs(first, second, milliseconds{age}) == before);
}

BOOST_AUTO_TEST_CASE(a_node_without_a_cluster_port_is_counted_upon_by_itself_alone) {
  auto first = look(lower, {"a", "b"});
  auto second = look(upper, {"a", "b"});
  for (auto* seen : {&first, &second})
    for (auto& node : seen->nodes)
      node.card.advertise.clear();
  const auto placed = heirs(first, second);
  BOOST_TEST((names{placed.begin(), placed.end()} == names{"a"}));
}

BOOST_AUTO_TEST_CASE(with_one_database_whoever_lives_is_counted_upon) {
  heir_finder single{shard_layout{{lower}}};
  auto seen = look(lower, {"a", "b", "c"});
  seen.nodes[2].alive_for = milliseconds{0};
  BOOST_TEST((heirs_in(lower, single.find(seen, {"a"})) == names{"a", "b"}));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::cluster
