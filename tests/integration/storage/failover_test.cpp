// A primary dies and its standby is promoted: what was acknowledged is there, or the shard is
// refused.
#include "messages/limits.hpp"
#include "tests/integration/storage/fixture.hpp"
#include "tests/support/postgres.hpp"
#include "tests/support/process.hpp"

#include <cstring>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

using namespace holdfast;
using namespace holdfast::test;
using storage::write_result;
using kind = storage::write_result::kind;

namespace {

constexpr const char* database_name = "test_1";

/// A primary with a database, and a standby of it; the URL names both.
struct two_servers {
  two_servers()
    : primary({.fsync = false}),
      on_primary(primary.create_database()),
      standby({.fsync = false, .standby_of = &primary}),
      both(primary.url_with(standby, database_name)) {}

  /// From here on no commit is acknowledged that the standby doesn't have.
  void synchronise() {
    primary.run("alter system set synchronous_standby_names = '*'");
    primary.run("select pg_reload_conf()");
    wait_until([&] {
      return primary.value("select count(*) from pg_stat_replication where sync_state = 'sync'")
             == "1";
    });
  }

  /// The standby receives nothing from here on.
  void cut_off() {
    standby.run("alter system set primary_conninfo = ''");
    standby.run("select pg_reload_conf()");
    wait_until([&] {
      return standby.value("select count(*) from pg_stat_wal_receiver") == "0"
             && primary.value("select count(*) from pg_stat_replication") == "0";
    });
  }

  /// Until the standby has all that was committed before.
  void catch_up() {
    const auto reached = primary.value("select pg_current_wal_lsn()");
    wait_until([&] {
      return standby.value("select pg_last_wal_replay_lsn() >= '" + reached + "'::pg_lsn")
             == "true";
    });
  }

  void fail_over() {
    primary.crash();
    standby.promote();
  }

  /// The primary lives on, but takes no writes any more.
  void yield() {
    primary.run("alter system set default_transaction_read_only = on");
    primary.run("select pg_reload_conf()");
    // Whoever connects after the reload finds it; the others have been told by then.
    wait_until([&] {
      return primary.value("select current_setting('default_transaction_read_only')") == "on";
    });
    standby.promote();
  }

  [[nodiscard]] std::unique_ptr<storage::database> open(milliseconds lease = milliseconds{
                                                          1'500}) const {
    auto options = test_options(both);
    options.lease = lease;
    auto opened = storage::open_database(options);
    BOOST_REQUIRE_MESSAGE(opened, (opened ? std::string{} : opened.error().detail));
    return std::move(*opened);
  }

  /// What a shard's log has at the standby.
  [[nodiscard]] std::string events_at_standby() const {
    const storage::sql count{"test_events", "select count(*) from event"};
    const auto deadline = std::chrono::steady_clock::now() + patience;
    const auto db = storage::connection::open(
      standby.url(database_name) + "&target_session_attrs=any", "test", deadline);
    BOOST_REQUIRE(db);
    const auto found = (*db)->query(count, {}, deadline);
    BOOST_REQUIRE(found);
    return std::to_string(storage::row{*found, 0}.int8());
  }

  postgres_server primary;
  storage_fixture on_primary;
  postgres_server standby;
  const std::string both;
};

/// One that no test lives to see the end of: it is valid at the standby, too.
constexpr milliseconds long_lease{60'000};

/// A node whose keeper wants one shard, and whatever it hears of it.
struct owner_of_shard {
  explicit owner_of_shard(std::unique_ptr<storage::database> opened) : db(std::move(opened)) {
    storage::lease_events events;
    events.acquired = acquired.sink();
    events.lost = [sink = lost.sink()](shard_number, epoch_number epoch) { sink(epoch); };
    events.behind = [sink = behind.sink()](shard_number, sequence_number has,
                                           sequence_number known) {
      sink(std::to_string(has.value) + " of " + std::to_string(known.value));
    };
    keeper = db->keep_leases(std::move(events));
    keeper->want({shard});
    open_latest(1);
  }

  /// Opens the shard once it has been acquired so many times.
  void open_latest(std::size_t times) {
    owned = acquired.wait(times).back();
    db->journal().open_shard(owned.shard, owned.epoch, owned.last_seq, owned.chain);
  }

  write_result::kind write(std::uint64_t number) {
    return commit(db->journal(), create_write(owned, number)).outcome;
  }

  static constexpr shard_number shard{0};
  answers<storage::acquired_shard> acquired;
  answers<epoch_number> lost;
  answers<std::string> behind;
  storage::acquired_shard owned;
  std::unique_ptr<storage::database> db;
  std::unique_ptr<storage::lease_keeper> keeper;
};

/// A server that takes connections and says nothing, for ever.
class silent_server {
public:
  silent_server() {
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    const auto path = folder() + "/.s.PGSQL.5432";
    BOOST_REQUIRE(path.size() < sizeof where.sun_path);
    std::memcpy(where.sun_path, path.c_str(), path.size());
    fd_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    BOOST_REQUIRE(bind(fd_, reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0);
    BOOST_REQUIRE(listen(fd_, 16) == 0);
  }
  ~silent_server() {
    close(fd_);
    for (const int one : taken_)
      close(one);
  }
  silent_server(const silent_server&) = delete;
  silent_server& operator=(const silent_server&) = delete;

  [[nodiscard]] std::string folder() const { return folder_.path(); }
  /// Returns once it has been connected to so many times.
  void await_connections(std::size_t count) {
    while (taken_.size() < count) {
      pollfd watched{fd_, POLLIN, 0};
      const auto limit = std::chrono::duration_cast<milliseconds>(patience);
      BOOST_REQUIRE(poll(&watched, 1, static_cast<int>(limit.count())) == 1);
      taken_.push_back(accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC));
    }
  }

private:
  temp_folder folder_;
  int fd_ = -1;
  std::vector<int> taken_;
};

/// In front of the path, where a host may have a port of its own.
std::string in_authority(const std::string& folder) {
  std::string text;
  for (const char c : folder)
    text += c == '/' ? std::string{"%2F"} : std::string{c};
  return text;
}

std::string first_host(const std::string& url, const std::string& host) {
  auto text = url;
  const std::string mark{"?host="};
  return text.insert(text.find(mark) + mark.size(), host + ',');
}

} // namespace

BOOST_AUTO_TEST_SUITE(storage_failover)

BOOST_AUTO_TEST_CASE(a_host_that_says_nothing_does_not_use_up_the_time_of_the_others) {
  const silent_server mute;
  const auto url = first_host(shared_postgres().url(), mute.folder());
  const auto begin = std::chrono::steady_clock::now();
  const auto db = storage::connection::open(url, "test", begin + patience);
  BOOST_REQUIRE_MESSAGE(db, (db ? std::string{} : db.error().detail));
  BOOST_TEST((std::chrono::steady_clock::now() - begin < patience / 3));

  const auto only = shared_postgres().url();
  const auto alone = "postgresql://holdfast@/postgres?host=" + mute.folder();
  const auto deadline = std::chrono::steady_clock::now() + milliseconds{300};
  const auto none = storage::connection::open(alone, "test", deadline);
  BOOST_REQUIRE(!none);
  BOOST_TEST((none.error().code == errc::unavailable));
  BOOST_TEST(none.error().detail.find("timed out") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(nobody_who_leaves_waits_for_a_server_that_says_nothing) {
  silent_server mute;
  const shard_range low{{0}, {1}};
  const shard_range high{{2}, {3}};
  const storage_fixture sound{shared_postgres().create_database(), low};
  auto lower = test_options(sound.url);
  lower.range = low;
  auto upper = test_options("postgresql://holdfast@/postgres?host=" + mute.folder());
  upper.range = high;
  const auto prompt = limits::connect_time_max; // as long as whoever waits for it takes

  const auto begin = std::chrono::steady_clock::now();
  auto opened = storage::open_databases({lower, upper});
  BOOST_REQUIRE_MESSAGE(opened, (opened ? std::string{} : opened.error().detail));
  BOOST_TEST((std::chrono::steady_clock::now() - begin < prompt));

  auto keeper = (*opened)->keep_leases({});
  keeper->want({{2}, {3}});
  answers<expected<storage::slice<storage::payment_view>>> read;
  (*opened)->store().list_payments(merchant_of({2}), {}, read.sink());
  // The one that opened the databases, the keeper and the reader.
  mute.await_connections(3);
  const auto left = std::chrono::steady_clock::now();
  keeper->release_all();
  keeper.reset();
  opened->reset();
  BOOST_TEST((std::chrono::steady_clock::now() - left < prompt));
  BOOST_TEST(!read.wait().front());
}

BOOST_AUTO_TEST_CASE(a_url_that_cannot_be_understood_is_told_without_being_quoted) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (const auto* url :
       {"postgresql://u:hunter2@[::1/d", "postgresql://u:hunter2@/d?host=a,b&port=1,2,3",
        "postgresql://u:hunter2@/d?host=a,,b"}) {
    const auto none = storage::connection::open(url, "test", deadline);
    BOOST_REQUIRE(!none);
    BOOST_TEST((none.error().code == errc::invalid_argument), url);
    BOOST_TEST(none.error().detail.find("hunter2") == std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(a_host_without_a_port_is_at_the_usual_one) {
  const auto url = shared_postgres().url();
  const std::string mark{"?host="};
  const auto there = in_authority(url.substr(url.find(mark) + mark.size()));
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (const auto* before : {"%2Fnowhere,", "%2Fnowhere:5432,", "%2Fnowhere:1,"}) {
    const auto db = storage::connection::open(
      "postgresql://holdfast@" + (before + there) + "/postgres", "test", deadline);
    BOOST_TEST(db.has_value(), before << ": " << (db ? std::string{} : db.error().detail));
  }
}

BOOST_FIXTURE_TEST_CASE(a_standby_is_not_taken_for_the_primary, two_servers) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  const auto db =
    storage::connection::open(standby.url_with(primary, database_name), "test", deadline);
  BOOST_REQUIRE(db);
  BOOST_TEST(!(*db)->is_read_only());
  const auto alone = storage::connection::open(standby.url(database_name), "test", deadline);
  BOOST_REQUIRE(!alone);
  BOOST_TEST(alone.error().detail.find("read-only") != std::string::npos, alone.error().detail);
}

BOOST_FIXTURE_TEST_CASE(what_was_acknowledged_goes_on_at_the_promoted_standby, two_servers) {
  synchronise();
  owner_of_shard node{open(long_lease)};
  std::vector<answers<write_result>> done(200);
  std::uint64_t number = 0;
  for (auto& one : done) {
    node.db->journal().submit(create_write(node.owned, ++number), one.sink());
    if (number == 100)
      one.wait();
  }
  fail_over();
  // Whatever became of each write, the next owner's log says the same.
  std::size_t committed = 0;
  for (auto& one : done) {
    const auto outcome = one.wait().front().outcome;
    BOOST_TEST(
      (outcome == kind::committed || outcome == kind::not_owner || outcome == kind::lost));
    committed += outcome == kind::committed ? 1 : 0;
  }
  BOOST_TEST(committed >= 100U);
  BOOST_TEST((node.write(1'000) == kind::committed));
  BOOST_TEST(node.lost.count() == 0U);
  BOOST_TEST(node.behind.count() == 0U);
  BOOST_TEST(node.db->behind().empty());
  const auto proof = ask<storage::ledger_proof>(
    [&](auto sink) { node.db->store().verify_ledger(fold, {}, std::move(sink)); });
  BOOST_REQUIRE(proof);
  BOOST_TEST(proof->holds());
  BOOST_TEST(proof->events >= committed + 1);
}

BOOST_FIXTURE_TEST_CASE(a_standby_that_was_behind_is_refused, two_servers) {
  owner_of_shard node{open()};
  BOOST_TEST((node.write(1) == kind::committed));
  catch_up();
  cut_off();
  BOOST_TEST((node.write(2) == kind::committed));
  BOOST_TEST((node.write(3) == kind::committed));
  fail_over();
  BOOST_TEST(events_at_standby() == "1");
  const auto outcome = node.write(4);
  BOOST_TEST((outcome == kind::not_owner || outcome == kind::lost));
  BOOST_TEST(node.lost.wait().front().value == node.owned.epoch.value);
  wait_until([&] { return node.db->behind().size() == 1U; });
  BOOST_TEST((node.db->behind().front() == owner_of_shard::shard));
  // The keeper could take it, and does not.
  BOOST_TEST(node.behind.wait().front() == "1 of 3");
  node.keeper->reacquire(owner_of_shard::shard);
  node.keeper->look_again();
  const auto looked = node.keeper->snapshot().leases.size();
  BOOST_TEST(looked == test_shards);
  BOOST_TEST(node.acquired.count() == 1U);
  BOOST_TEST(events_at_standby() == "1");
}

BOOST_FIXTURE_TEST_CASE(a_shard_that_nobody_writes_to_is_found_behind_too, two_servers) {
  // Its lease is good for long, so that only its log can tell.
  owner_of_shard node{open(long_lease)};
  catch_up();
  cut_off();
  BOOST_TEST((node.write(1) == kind::committed));
  fail_over();
  node.keeper->look_again();
  wait_until([&] { return node.db->behind().size() == 1U; });
  node.lost.wait();
  BOOST_TEST(node.behind.wait().front() == "0 of 1");
}

BOOST_FIXTURE_TEST_CASE(an_old_primary_that_comes_back_is_passed_over, two_servers) {
  owner_of_shard node{open(long_lease)};
  BOOST_TEST((node.write(1) == kind::committed));
  catch_up();
  fail_over();
  BOOST_TEST((node.write(2) == kind::committed));
  // It takes writes, and is the first that the URL names.
  primary.start();
  standby.run(
    "select pg_terminate_backend(pid) from pg_stat_activity"
    " where datname = 'test_1' and application_name like 'holdfast %'");
  BOOST_TEST((node.write(3) == kind::committed));
  node.keeper->look_again();
  const auto count = [&] {
    const auto found = ask<storage::slice<storage::payment_view>>([&](auto done) {
      node.db->store().list_payments(merchant_of({0}), {}, std::move(done));
    });
    return found ? found->rows.size() : 0U;
  };
  BOOST_TEST(count() == 3U);
  wait_until([&] {
    return standby.value(
             "select count(*) from pg_stat_activity where datname = 'test_1'"
             " and application_name like 'holdfast leases%'")
           == "1";
  });
  // Whoever connects looks at it first, and goes on; nobody stays.
  wait_until([&] {
    return primary.value("select count(*) from pg_stat_activity where datname = 'test_1'")
           == "0";
  });
  BOOST_TEST(events_at_standby() == "3");
  BOOST_TEST(node.lost.count() + node.behind.count() == 0U);
}

BOOST_FIXTURE_TEST_CASE(a_server_that_was_replaced_is_refused_and_told_of, two_servers) {
  catch_up();
  fail_over();
  primary.start();
  const auto deadline = std::chrono::steady_clock::now() + patience;
  const auto newer = storage::connection::open(standby.url(database_name), "test", deadline);
  BOOST_REQUIRE(newer);
  BOOST_TEST((*newer)->timeline() == 2U);
  const auto older = storage::connection::open(primary.url(database_name), "test", deadline,
                                               nullptr, (*newer)->timeline());
  BOOST_REQUIRE(!older);
  BOOST_TEST((older.error().code == errc::unavailable));
  BOOST_TEST(older.error().detail.find("timeline 1") != std::string::npos,
             older.error().detail);
}

BOOST_FIXTURE_TEST_CASE(readers_follow_to_the_new_primary, two_servers) {
  const auto db = open();
  const auto merchants = [&] {
    return ask<std::vector<storage::merchant_row>>(
      [&](auto done) { db->store().list_merchants(std::move(done)); });
  };
  BOOST_REQUIRE(merchants());
  catch_up();
  fail_over();
  wait_until([&] { return merchants().has_value(); });
}

BOOST_FIXTURE_TEST_CASE(a_server_that_turns_read_only_is_left, two_servers) {
  auto options = test_options(both);
  options.readers = 1;
  auto opened = storage::open_database(options);
  BOOST_REQUIRE(opened);
  auto& db = **opened;
  const auto count = [&] {
    const auto found = ask<storage::slice<storage::payment_view>>(
      [&](auto done) { db.store().list_payments(merchant_of({0}), {}, std::move(done)); });
    return found ? found->rows.size() : 0U;
  };
  const auto owner = on_primary.open_shard(db.journal(), shard_number{0});
  BOOST_TEST((commit(db.journal(), create_write(owner, 1)).outcome == kind::committed));
  BOOST_TEST(count() == 1U);
  catch_up();
  // The first goes on and tells nobody but those who ask it, as one does that is told to yield.
  yield();
  const std::string connected =
    "select count(*) from pg_stat_activity where datname = 'test_1'"
    " and application_name ~ '^holdfast (journal|reader)'";
  BOOST_TEST((commit(db.journal(), create_write(owner, 2)).outcome == kind::committed));
  BOOST_TEST(count() == 2U);
  BOOST_TEST(standby.value(connected) == "2");
  wait_until([&] { return primary.value(connected) == "0"; });
}

BOOST_FIXTURE_TEST_CASE(a_reader_leaves_a_read_only_server_without_a_writers_help,
                        two_servers) {
  auto options = test_options(both);
  options.readers = 1;
  auto opened = storage::open_database(options);
  BOOST_REQUIRE(opened);
  const auto read = [&] {
    return ask<bool>([&](auto done) { (*opened)->store().ping(std::move(done)); });
  };
  BOOST_TEST(read().has_value());
  catch_up();
  yield();
  const std::string reading =
    "select count(*) from pg_stat_activity where datname = 'test_1'"
    " and application_name like 'holdfast reader%'";
  wait_until([&] { return read() && standby.value(reading) == "1"; });
}

BOOST_AUTO_TEST_SUITE_END()
