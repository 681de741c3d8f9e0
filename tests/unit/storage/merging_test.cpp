// What several databases answer, made one answer.
#include "storage/merging.hpp"

#include "messages/limits.hpp"
#include "storage/gathering.hpp"

#include <boost/test/unit_test.hpp>

namespace holdfast::storage {

namespace {

const timestamp noon = *parse_rfc3339("2026-11-23T12:00:00Z");

node_row node(const std::string& id, const std::string& incarnation, std::int64_t alive_ms,
              timestamp started_at = noon) {
  node_row row;
  row.card.id = id;
  row.card.incarnation = incarnation;
  row.started_at = started_at;
  row.alive_for = milliseconds{alive_ms};
  return row;
}

lease_row lease(std::uint16_t shard, const std::string& owner, std::int64_t left_ms) {
  lease_row row;
  row.shard = {shard};
  row.owner = owner;
  row.left = milliseconds{left_ms};
  return row;
}

const shard_range lower{{0}, {1}};
const shard_range upper{{2}, {3}};

using pages = std::vector<slice<int>>;

} // namespace

BOOST_AUTO_TEST_SUITE(storage_merging)

BOOST_AUTO_TEST_CASE(a_page_has_the_first_rows_of_all_and_says_whether_there_are_more) {
  const auto merged = [](pages parts, std::size_t limit) {
    return merge_pages(std::move(parts), limit, std::greater<>{});
  };
  const auto cut = merged({{{9, 5, 1}, false}, {{8, 7}, false}}, 3);
  BOOST_TEST(cut.rows == (std::vector{9, 8, 7}), boost::test_tools::per_element());
  BOOST_TEST(cut.has_more);
  const auto whole = merged({{{9, 5, 1}, false}, {{8, 7}, false}}, 5);
  BOOST_TEST(whole.rows == (std::vector{9, 8, 7, 5, 1}), boost::test_tools::per_element());
  BOOST_TEST(!whole.has_more);
  // What one has beyond its page is behind all that it has shown.
  BOOST_TEST(merged({{{9}, true}, {{}, false}}, 1).has_more);
  BOOST_TEST(merged({{}, {}}, 3).rows.empty());
}

BOOST_AUTO_TEST_CASE(accounts_with_a_part_in_each_are_summed) {
  const auto euro = *currency::parse("EUR");
  const account receivable{account_kind::acquirer_receivable, "first", euro};
  const account held{account_kind::hold, "alpha", euro};
  const auto merged = merge_balances(
    {{receivable, minor_units{5}}, {held, minor_units{-2}}, {receivable, minor_units{7}}});
  BOOST_REQUIRE(merged.size() == 2U);
  for (const auto& [where, balance] : merged)
    BOOST_TEST(balance.value() == (where == receivable ? 12 : -2));
}

BOOST_AUTO_TEST_CASE(a_proof_holds_when_all_do_and_names_the_range_of_what_it_found) {
  ledger_proof good;
  good.debits_equal_credits = good.balances_equal_fold = good.running_balances_hold = true;
  good.postings_balance = good.sequences_have_no_gap = good.chain_holds = true;
  good.payments_match_events = true;
  good.events = 3;
  auto bad = good;
  bad.chain_holds = false;
  bad.findings.assign(limits::proof_findings_max, "broken");
  const std::vector<shard_range> ranges{{{0}, {9}}, {{10}, {31}}};
  BOOST_TEST(merge_proofs(ranges, {good, good}).holds());
  const auto both = merge_proofs(ranges, {bad, bad});
  BOOST_TEST(!both.holds());
  BOOST_TEST(!both.chain_holds);
  BOOST_TEST(both.postings_balance);
  BOOST_TEST(both.events == 6U);
  BOOST_TEST(both.findings.size() == limits::proof_findings_max);
  BOOST_TEST(merge_proofs(ranges, {good, bad}).findings.front() == "shards 10-31: broken");
}

BOOST_AUTO_TEST_CASE(a_node_lives_while_any_database_says_so) {
  cluster_view first;
  first.nodes = {node("a", "1", 900), node("b", "1", 100)};
  cluster_view second;
  second.nodes = {node("a", "1", -50), node("c", "1", 700)};
  second.nodes[0].card.draining = true;
  const auto view = merge_views({{lower, first, milliseconds{200}}, {upper, second, {}}});
  BOOST_REQUIRE(view.nodes.size() == 3U);
  BOOST_TEST(view.nodes[0].card.id == "a");
  BOOST_TEST(view.nodes[0].alive_for.count() == 700);
  BOOST_TEST(view.nodes[0].card.draining);
  BOOST_TEST(view.nodes[1].alive_for.count() == -100);
  BOOST_TEST(view.nodes[2].alive_for.count() == 700);
}

BOOST_AUTO_TEST_CASE(where_a_node_was_seen_alive_is_told_however_long_ago) {
  cluster_view first;
  first.nodes = {node("a", "1", 900), node("b", "1", 900), node("c", "1", -10)};
  cluster_view second;
  second.nodes = {node("a", "1", 900), node("c", "1", 900)};
  const auto view = merge_views({{lower, first, milliseconds{5'000}}, {upper, second, {}}});
  BOOST_REQUIRE(view.nodes.size() == 3U);
  BOOST_TEST((view.nodes[0].alive_in == std::vector{lower, upper}));
  BOOST_TEST((view.nodes[1].alive_in == std::vector{lower}));
  BOOST_TEST(view.nodes[1].alive_for.count() < 0);
  BOOST_TEST((view.nodes[2].alive_in == std::vector{upper}));
}

BOOST_AUTO_TEST_CASE(a_database_that_was_not_read_for_long_is_out_of_reach) {
  cluster_view seen;
  seen.nodes = {node("a", "1", 900)};
  const auto missing = [&](dated_view other) {
    return merge_views({{lower, seen, milliseconds{100}}, std::move(other)}).out_of_reach;
  };
  BOOST_TEST(missing({upper, seen, milliseconds{800}}).empty());
  BOOST_TEST((missing({upper, seen, milliseconds{900}}) == std::vector{upper}));
  BOOST_TEST((missing({upper, {}, {}}) == std::vector{upper}));
}

BOOST_AUTO_TEST_CASE(of_an_id_the_latest_process_counts_alive_or_not) {
  cluster_view first;
  first.nodes = {node("a", "old", 900)};
  first.nodes[0].card.draining = true;
  cluster_view second;
  second.nodes = {node("a", "new", 100, noon + std::chrono::seconds{5})};
  for (const auto& parts : {std::vector<dated_view>{{lower, first, {}}, {upper, second, {}}},
                            std::vector<dated_view>{{upper, second, {}}, {lower, first, {}}}}) {
    const auto view = merge_views(parts);
    BOOST_REQUIRE(view.nodes.size() == 1U);
    BOOST_TEST(view.nodes[0].card.incarnation == "new");
    BOOST_TEST(view.nodes[0].alive_in.size() == 2U);
    BOOST_TEST(view.nodes[0].alive_for.count() == 100);
    BOOST_TEST(!view.nodes[0].card.draining);
  }
}

BOOST_AUTO_TEST_CASE(a_lease_that_ran_out_since_it_was_read_has_no_owner) {
  cluster_view fresh;
  fresh.leases = {lease(2, "a", 900)};
  cluster_view stale;
  stale.leases = {lease(0, "a", 900), lease(1, "b", 2'900)};
  const auto view = merge_views({{lower, stale, milliseconds{1'000}}, {upper, fresh, {}}});
  BOOST_REQUIRE(view.leases.size() == 3U);
  BOOST_TEST(view.leases[0].owner.empty());
  BOOST_TEST(view.leases[1].owner == "b");
  BOOST_TEST(view.leases[1].left.count() == 1'900);
  BOOST_TEST((view.leases[2].shard == shard_number{2}));
}

BOOST_AUTO_TEST_CASE(all_answers_make_one_and_one_failure_is_all_there_is_to_say) {
  std::vector<callback<int>> waiting;
  std::vector<expected<int>> heard;
  const auto begin = [&] {
    waiting.clear();
    heard.clear();
    gather<int, int>(
      3, [&](std::size_t, callback<int> part) { waiting.push_back(std::move(part)); },
      [&](expected<int> whole) { heard.push_back(std::move(whole)); },
      [](const std::vector<int>& parts) { return 100 * parts[0] + 10 * parts[1] + parts[2]; });
  };
  begin();
  waiting[2](3);
  waiting[0](1);
  BOOST_TEST(heard.empty());
  waiting[1](2);
  BOOST_REQUIRE(heard.size() == 1U);
  BOOST_TEST(*heard.front() == 123);

  begin();
  waiting[1](2);
  waiting[2](make_error(errc::unavailable, "down"));
  BOOST_REQUIRE(heard.size() == 1U);
  BOOST_TEST((heard.front().error().code == errc::unavailable));
  waiting[0](make_error(errc::unavailable, "down too"));
  BOOST_TEST(heard.size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::storage
