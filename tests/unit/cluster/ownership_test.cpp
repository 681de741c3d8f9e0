// What a node believes to hold and asks for, as its lease keeper takes shards and loses them.
#include "runtime/cluster/ownership.hpp"

#include "actors/caf.hpp"
#include "actors/protocol.hpp"
#include "actors/system_settings.hpp"

#include <boost/test/unit_test.hpp>
#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>

#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace holdfast::cluster {

namespace {

constexpr std::uint16_t shards = 4;

/// Notes what it is told; the test plays the rest.
struct keeper_notes {
  storage::lease_events events;
  std::set<shard_number> wanted;
  std::vector<shard_number> again;
  std::optional<storage::node_card> card;
};

class noting_keeper final : public storage::lease_keeper {
public:
  explicit noting_keeper(keeper_notes& notes) : notes_(notes) {}

  void want(std::vector<shard_number> all) override {
    notes_.wanted = {all.begin(), all.end()};
  }
  void want_singletons(std::vector<std::string>) override {}
  void released(shard_number, epoch_number) override {}
  void reacquire(shard_number shard) override { notes_.again.push_back(shard); }
  void introduce(storage::node_card card) override { notes_.card = std::move(card); }
  void look_again() override {}
  void pin(shard_range, std::string, std::function<void(expected<void>)> done) override {
    done({});
  }
  void release_all() override { notes_.wanted.clear(); }
  [[nodiscard]] storage::cluster_view snapshot() const override { return {}; }

private:
  keeper_notes& notes_;
};

/// Has leases and nothing else.
class leases_alone final : public storage::database {
public:
  explicit leases_alone(keeper_notes& notes) : notes_(notes) {}

  [[nodiscard]] uuid cluster_id() const override { return {}; }
  [[nodiscard]] storage::journal& journal() override { none(); }
  [[nodiscard]] storage::store& store() override { none(); }
  [[nodiscard]] storage::settlement_store& settlement() override { none(); }
  [[nodiscard]] storage::journal_figures figures() const override { return {}; }
  void observe_commits(storage::commit_observer) override {}
  [[nodiscard]] std::unique_ptr<storage::lease_keeper> keep_leases(
    storage::lease_events events) override {
    notes_.events = std::move(events);
    return std::make_unique<noting_keeper>(notes_);
  }
  void end_reads() override {}
  [[nodiscard]] std::vector<shard_number> behind() const override { return {}; }

private:
  [[noreturn]] static void none() { throw std::logic_error{"nobody asks for it here"}; }

  keeper_notes& notes_;
};

/// No other node.
class no_others final : public links::port {
public:
  void ask(const std::string&, links::peer_request, milliseconds,
           links::peer_callback) override {}
  [[nodiscard]] bool reaches(const std::string&) const override { return false; }
  void know(std::vector<std::string>) override {}
  [[nodiscard]] std::vector<links::link_status> status() const override { return {}; }
};

storage::node_card card_of(const std::string& id) {
  storage::node_card card;
  card.id = id;
  card.incarnation = id + "'s first";
  card.advertise = id + ":8090";
  return card;
}

struct one_of_a_cluster {
  one_of_a_cluster() {
    env->layout = shard_layout{{shard_range{{0}, {shards - 1}}}};
    env->now = [] {
      return timestamp{std::chrono::sys_days{std::chrono::year{2026} / 11 / 23}};
    };
    env->log = [](actors::severity, const std::string&) {};
    env->later = [](milliseconds, const std::function<void()>&) {};
    ownership_plan plan;
    plan.env = env;
    plan.table = table;
    plan.node = us.id;
    plan.is_alone = false;
    owned.emplace(std::move(plan));
    owned->begin(database, supervisor, &others, us);
    see();
  }

  /// A round of the keeper in which this node lives, and those.
  void see(const std::vector<std::string>& others_alive = {}) {
    storage::cluster_view view;
    view.nodes.push_back({notes.card.value(), timestamp{}, milliseconds{3'000}});
    for (const auto& id : others_alive)
      view.nodes.push_back({card_of(id), timestamp{}, milliseconds{3'000}});
    for (std::uint16_t shard = 0; shard < shards; ++shard)
      view.leases.push_back({{shard}, "", {0}, timestamp{}, milliseconds{0}, "", {0}});
    notes.events.seen(view);
  }
  void take(std::uint16_t shard, std::int64_t epoch) {
    notes.events.acquired({{shard}, {epoch}, {0}, ""});
  }
  std::size_t held() const { return owned->figures().held; }

  actors::system_settings settings;
  caf::actor_system system{settings};
  caf::scoped_actor supervisor{system};
  actors::environment_ptr env = std::make_shared<actors::environment>();
  std::shared_ptr<routing_table> table = std::make_shared<routing_table>(shards);
  storage::node_card us = card_of("self");
  keeper_notes notes;
  leases_alone database{notes};
  no_others others;
  std::optional<ownership> owned;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(ownerships, one_of_a_cluster)

BOOST_AUTO_TEST_CASE(a_node_that_lives_alone_wants_every_shard) {
  BOOST_TEST(notes.wanted.size() == shards);
}

BOOST_AUTO_TEST_CASE(a_shard_that_is_to_be_taken_anew_is_not_held_until_it_is) {
  take(0, 1);
  take(1, 1);
  owned->reacquire({0});
  BOOST_TEST(notes.again.size() == 1U);
  BOOST_TEST(held() == 1U);
  take(0, 2);
  BOOST_TEST(held() == 2U);
}

BOOST_AUTO_TEST_CASE(nobody_waits_for_a_shard_that_is_to_be_taken_anew_or_is_behind) {
  take(0, 1);
  take(1, 1);
  BOOST_TEST(!owned->await_handed_over(milliseconds{0}));
  owned->reacquire({0});
  notes.events.behind({1}, {4}, {5});
  BOOST_TEST(owned->await_handed_over(milliseconds{0}));
}

BOOST_AUTO_TEST_CASE(a_node_that_stops_says_so_without_heirs_too) {
  BOOST_TEST(!owned->has_heirs());
  owned->begin_to_drain();
  BOOST_TEST(notes.card.value().draining);
  BOOST_TEST(notes.wanted.empty());
}

BOOST_AUTO_TEST_CASE(who_has_released_everything_wants_nothing_whatever_is_read) {
  see({"other"});
  BOOST_TEST(!notes.wanted.empty());
  owned->release_all();
  // By what is read now more should fall to it than before.
  see();
  BOOST_TEST(notes.wanted.empty());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::cluster
