// What PostgreSQL has to do for leases alone: three nodes renew those of ten thousand shards.
// It measures and hardly tests, so it is run by name alone: `make leases`.
#include "messages/limits.hpp"
#include "tests/integration/storage/lease_node.hpp"
#include "tests/support/environment.hpp"
#include "tests/support/postgres.hpp"
#include "tests/support/process.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <cstdio>
#include <vector>

#include <unistd.h>

namespace holdfast {

namespace {

constexpr std::size_t keepers = 3;
constexpr milliseconds patience{120'000};

/// What was used and done so far.
struct reading {
  milliseconds server{0}; ///< processor time
  milliseconds ours{0};   ///< likewise, of the three keepers and little besides
  std::int64_t commits = 0;
};

class renewing_nodes {
public:
  explicit renewing_nodes(std::uint16_t shards)
    : all_{{0}, {static_cast<std::uint16_t>(shards - 1)}} {
    url_ = server_.create_database();
    BOOST_TEST_REQUIRE(storage::migrate(url_, {"figures", shards, all_}).has_value());
    for (std::size_t i = 0; i < keepers; ++i)
      add(i);
    BOOST_TEST_REQUIRE(test::eventually(patience, [&] { return acquired_ == shards; }));
  }

  [[nodiscard]] std::size_t lost() const { return lost_; }

  [[nodiscard]] reading read() {
    const auto server = test::processor_time_of(server_.pid());
    return {server, test::processor_time_of(::getpid()) - server, commits()};
  }

private:
  void add(std::size_t number) {
    const auto name = "node-" + std::to_string(number + 1);
    storage::database_options options;
    options.url = url_;
    options.range = all_;
    options.cluster = "figures";
    options.shards = all_.size();
    options.node = name;
    options.readers = 1;
    auto opened = storage::open_database(std::move(options));
    BOOST_TEST_REQUIRE(opened.has_value());
    storage::lease_events events;
    events.acquired = [this](storage::acquired_shard) { ++acquired_; };
    events.lost = [this](shard_number, epoch_number) { ++lost_; };
    auto keeper = (*opened)->keep_leases(std::move(events));
    keeper->introduce(test::card_of(name));
    std::vector<shard_number> wanted;
    for (std::size_t shard = number; shard < all_.size(); shard += keepers)
      wanted.push_back({static_cast<std::uint16_t>(shard)});
    keeper->want(std::move(wanted));
    databases_.push_back(std::move(*opened));
    keepers_.push_back(std::move(keeper));
  }

  [[nodiscard]] std::int64_t commits() const {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    auto db = storage::connection::open(url_, "test", deadline).value();
    const auto found = db->query({"commits",
                                  "select xact_commit from pg_stat_database "
                                  "where datname = current_database()"},
                                 {}, deadline);
    return storage::row{found.value(), 0}.int8();
  }

  test::postgres_server server_;
  std::string url_;
  shard_range all_;
  std::atomic<std::size_t> acquired_{0};
  std::atomic<std::size_t> lost_{0};
  std::vector<std::unique_ptr<storage::database>> databases_;
  std::vector<std::unique_ptr<storage::lease_keeper>> keepers_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(lease_figures, *boost::unit_test::disabled())

BOOST_AUTO_TEST_CASE(what_renewing_the_leases_of_ten_thousand_shards_costs) {
  const auto shards = static_cast<std::uint16_t>(
    test::number_from_environment("HOLDFAST_LEASE_SHARDS", limits::shards_max));
  const auto seconds =
    static_cast<std::int64_t>(test::number_from_environment("HOLDFAST_IDLE_S", 30));
  renewing_nodes nodes{shards};
  const auto before = nodes.read();
  BOOST_TEST_REQUIRE(
    !test::eventually(milliseconds{1'000 * seconds}, [&] { return nodes.lost() > 0; }));
  const auto after = nodes.read();
  const auto a_second = [&](auto difference) {
    char text[32];
    std::snprintf(text, sizeof text, "%.2f",
                  static_cast<double>(difference) / static_cast<double>(seconds));
    return std::string{text};
  };
  BOOST_TEST_MESSAGE(
    shards << " leases of 3 s, " << keepers << " keepers, " << seconds
           << " s: " << a_second(after.commits - before.commits)
           << " commits/s; processor time a second: PostgreSQL "
           << a_second((after.server - before.server).count()) << " ms, the keepers "
           << a_second((after.ours - before.ours).count()) << " ms; lost " << nodes.lost());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast
