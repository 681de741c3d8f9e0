// An operator's cut-off over all nodes, as the one that was asked sees it: it is complete only
// when somebody has answered for every shard, whoever has it by now.
#include "runtime/node/cutoffs.hpp"

#include <boost/test/unit_test.hpp>

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace holdfast::runtime {

namespace {

constexpr std::uint16_t shards = 4;
constexpr milliseconds patience{1'000};

/// The other nodes: each answers at once as the test says, or is away.
class answering_port final : public links::port {
public:
  void ask(const std::string& node, links::peer_request, milliseconds,
           links::peer_callback done) override {
    asked.insert(node);
    if (before_answer)
      before_answer();
    const auto found = answers.find(node);
    if (found == answers.end())
      return done(links::not_answered(make_error(errc::unavailable, "for the test")));
    done(links::answered(found->second));
  }
  [[nodiscard]] bool reaches(const std::string&) const override { return true; }
  void know(std::vector<std::string>) override {}
  [[nodiscard]] std::vector<links::link_status> status() const override { return known; }

  std::vector<links::link_status> known;
  std::map<std::string, links::cutoff_answer> answers;
  std::set<std::string> asked;
  std::function<void()> before_answer;
};

struct three_nodes {
  three_nodes() {
    env->layout = shard_layout{{shard_range{{0}, {shards - 1}}}};
    env->now = [] { return timestamp{}; };
    env->later = [](milliseconds, const std::function<void()>&) {};
    cut.connect(port);
  }

  void owned(const std::string& node, const std::vector<std::uint16_t>& numbers) {
    for (const auto number : numbers)
      table->learn({number}, node, {1});
  }

  void linked(const std::string& node, bool up) {
    auto& link = port.known.emplace_back();
    link.node = node;
    link.up = up;
  }

  /// The node closes one batch in each of these shards.
  void answers_for(const std::string& node, const std::vector<std::uint16_t>& numbers) {
    links::cutoff_answer told;
    told.ok = true;
    for (const auto number : numbers)
      told.shards.push_back({number});
    told.batches = static_cast<std::uint32_t>(numbers.size());
    port.answers[node] = std::move(told);
  }

  cutoff_result order() {
    std::optional<cutoff_result> heard;
    cut.close_everywhere({}, patience, [&](cutoff_result whole) { heard = std::move(whole); });
    BOOST_REQUIRE(heard.has_value());
    return *heard;
  }

  actors::environment_ptr env = std::make_shared<actors::environment>();
  std::shared_ptr<cluster::routing_table> table =
    std::make_shared<cluster::routing_table>(shards);
  answering_port port;
  cutoffs cut{env, table, "self"};
};

void check_missed(const cutoff_result& told, const std::string& numbers) {
  BOOST_TEST(!told.complete);
  BOOST_TEST(told.detail.find("nobody has answered for shards " + numbers) != std::string::npos,
             told.detail);
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(operators_cutoffs, three_nodes)

BOOST_AUTO_TEST_CASE(it_is_complete_when_every_shard_was_answered_for) {
  owned("b", {0, 1});
  owned("c", {2, 3});
  answers_for("b", {0, 1});
  answers_for("c", {2, 3});
  const auto told = order();
  BOOST_TEST(told.complete);
  BOOST_TEST(told.batches == 4U);
  BOOST_TEST(told.detail.empty());
}

BOOST_AUTO_TEST_CASE(a_shard_that_has_moved_to_another_who_was_asked_is_not_missed) {
  owned("b", {0, 1});
  owned("c", {2, 3});
  answers_for("b", {0});
  answers_for("c", {1, 2, 3});
  BOOST_TEST(order().complete);
}

BOOST_AUTO_TEST_CASE(a_shard_that_was_exchanged_for_another_is_missed) {
  owned("b", {0, 1});
  owned("c", {2, 3});
  answers_for("b", {0, 2});
  answers_for("c", {2, 3});
  const auto told = order();
  check_missed(told, "1;");
  BOOST_TEST(told.batches == 4U);
}

BOOST_AUTO_TEST_CASE(a_shard_without_an_owner_is_missed) {
  owned("b", {0, 1});
  owned("c", {3});
  answers_for("b", {0, 1});
  answers_for("c", {3});
  check_missed(order(), "2;");
}

BOOST_AUTO_TEST_CASE(a_shard_without_an_owner_is_looked_for_at_all_that_are_linked) {
  owned("b", {0, 1});
  answers_for("b", {0, 1});
  answers_for("c", {2, 3});
  linked("c", true);
  linked("d", false);
  BOOST_TEST(order().complete);
  BOOST_TEST(port.asked == (std::set<std::string>{"b", "c"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(only_owners_are_asked_when_every_shard_has_one) {
  owned("b", {0, 1, 2, 3});
  answers_for("b", {0, 1, 2, 3});
  linked("c", true);
  BOOST_TEST(order().complete);
  BOOST_TEST(port.asked == std::set<std::string>{"b"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_shards_of_a_node_that_is_away_are_named) {
  owned("b", {0, 1});
  owned("c", {2, 3});
  answers_for("c", {2, 3});
  const auto told = order();
  check_missed(told, "0-1;");
  BOOST_TEST(told.detail.find("b can't be reached") != std::string::npos, told.detail);
}

BOOST_AUTO_TEST_CASE(a_shard_that_leaves_while_the_others_are_asked_is_not_taken_for_done) {
  // Its actor is gone: what it is told disappears.
  env->peers.set_shard({0}, nullptr);
  owned("self", {0});
  owned("b", {1, 2, 3});
  answers_for("b", {1, 2, 3});
  port.before_answer = [this] { env->peers.remove_shard({0}); };
  const auto told = order();
  BOOST_TEST(!told.complete);
  BOOST_TEST(told.detail.find("starting or moving") != std::string::npos, told.detail);
}

BOOST_AUTO_TEST_CASE(who_owns_only_what_is_here_by_now_is_not_asked) {
  env->peers.set_shard({0}, nullptr);
  owned("gone", {0});
  owned("b", {1, 2, 3});
  answers_for("b", {1, 2, 3});
  static_cast<void>(order());
  BOOST_TEST(port.asked == std::set<std::string>{"b"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::runtime
