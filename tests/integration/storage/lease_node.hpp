// A node as its lease keeper knows it, for tests: it hears everything, and dies silently.
#pragma once

#include "tests/integration/storage/fixture.hpp"

namespace holdfast::test {

inline constexpr shard_number shard_0{0};
inline constexpr shard_number shard_1{1};

/// Of a node whose rounds, but for a reason, are so far apart that no test waits for one.
inline constexpr milliseconds slow_lease{90'000};

struct lease_node {
  lease_node(const storage_fixture& fixture, const std::string& name,
             milliseconds lease = test_lease)
    : marks(std::make_shared<storage::sequence_marks>(test_shards)),
      db(fixture.open(name, lease, marks)) {
    storage::lease_events events;
    events.acquired = acquired.sink();
    events.lost = [sink = lost.sink()](shard_number shard, epoch_number) { sink(shard); };
    events.give_up = [sink = given_up.sink()](shard_number shard, epoch_number) {
      sink(shard);
    };
    events.seen = seen.sink();
    events.singletons = singletons.sink();
    events.superseded = superseded.sink();
    events.behind = [sink = behind.sink()](shard_number shard, sequence_number has,
                                           sequence_number known) {
      sink(std::to_string(shard.value) + " has " + std::to_string(has.value) + " of "
           + std::to_string(known.value));
    };
    keeper = db->keep_leases(std::move(events));
  }

  answers<storage::acquired_shard> acquired;
  answers<shard_number> lost;
  answers<shard_number> given_up;
  answers<storage::cluster_view> seen;
  answers<std::vector<std::string>> singletons;
  answers<std::string> superseded;
  answers<std::string> behind;
  std::shared_ptr<storage::sequence_marks> marks;
  std::unique_ptr<storage::database> db;
  std::unique_ptr<storage::lease_keeper> keeper;
};

[[nodiscard]] inline storage::node_card card_of(const std::string& id,
                                                const std::string& incarnation = "first") {
  storage::node_card card;
  card.id = id;
  card.incarnation = incarnation;
  card.advertise = id + ":7000";
  card.http = "http://" + id + ":8080";
  card.admin = "http://" + id + ":8081";
  card.version = "0.1.0";
  return card;
}

} // namespace holdfast::test
