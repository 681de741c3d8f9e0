// Two databases on two servers behind one door: what is asked of all is whole or is refused,
// and one that is down takes nothing from the other.
#include "messages/entry_id.hpp"
#include "tests/integration/storage/fixture.hpp"
#include "tests/support/postgres.hpp"

using namespace holdfast;
using namespace holdfast::test;
using storage::write_result;
using kind = storage::write_result::kind;

namespace {

constexpr shard_range low{{0}, {1}};
constexpr shard_range high{{2}, {3}};

/// The lower half on the shared server, the upper half on one of its own, which may be crashed.
struct two_databases {
  two_databases()
    : server({.fsync = false}),
      first(shared_postgres().create_database(), low),
      second(server.create_database(), high, first.cluster_id()) {}

  [[nodiscard]] expected<std::unique_ptr<storage::database>> try_open() const {
    auto upper = test_options(second.url);
    upper.range = high;
    auto lower = test_options(first.url);
    lower.range = low;
    for (auto* options : {&upper, &lower})
      options->lease = milliseconds{1'500};
    return storage::open_databases({upper, lower});
  }

  [[nodiscard]] std::unique_ptr<storage::database> open() const {
    auto opened = try_open();
    BOOST_REQUIRE_MESSAGE(opened, (opened ? std::string{} : opened.error().detail));
    return std::move(*opened);
  }

  /// One payment, authorized, in each of the four shards.
  void fill(storage::database& db) const {
    for (const auto* half : {&first, &second})
      for (const auto offset : {0, 1}) {
        const auto base = half == &first ? low.first.value : high.first.value;
        const shard_number shard{static_cast<std::uint16_t>(base + offset)};
        const auto owner = half->open_shard(db.journal(), shard);
        const auto created = create_write(owner, shard.value + 1U, 1'000 + shard.value);
        BOOST_REQUIRE((commit(db.journal(), created).outcome == kind::committed));
        BOOST_REQUIRE((commit(db.journal(), authorize_write(owner, *created.snapshot)).outcome
                       == kind::committed));
      }
  }

  postgres_server server;
  storage_fixture first;
  storage_fixture second;
};

/// A node that wants all shards, and serves those that it gets.
struct owner_of_all {
  /// Waits until it has so many.
  explicit owner_of_all(std::unique_ptr<storage::database> opened,
                        std::size_t shards = test_shards)
    : db(std::move(opened)) {
    storage::lease_events events;
    events.acquired = acquired.sink();
    events.lost = [sink = lost.sink()](shard_number shard, epoch_number) { sink(shard); };
    keeper = db->keep_leases(std::move(events));
    keeper->want({{0}, {1}, {2}, {3}});
    open_acquired(shards);
  }

  /// Opens what has been acquired, so many times in all, and is not open yet.
  void open_acquired(std::size_t times) {
    for (const auto& one : acquired.wait(times)) {
      auto& open = owned[one.shard];
      if (one.epoch <= open.epoch)
        continue;
      open = one;
      db->journal().open_shard(one.shard, one.epoch, one.last_seq, one.chain);
    }
  }

  write_result::kind write(shard_number shard, std::uint64_t number) {
    return commit(db->journal(), create_write(owned.at(shard), number)).outcome;
  }

  answers<storage::acquired_shard> acquired;
  answers<shard_number> lost;
  std::map<shard_number, storage::acquired_shard> owned;
  std::unique_ptr<storage::database> db;
  std::unique_ptr<storage::lease_keeper> keeper;
};

storage::merchant_row merchant_in(shard_number shard, std::uint64_t number) {
  storage::merchant_row row;
  row.id = merchant_of(shard, number);
  row.name = "Shop " + std::to_string(number);
  row.unit = *currency::parse("EUR");
  row.created_at = test_time();
  return row;
}

opened_exception exception_in(const storage::journal_write& write, std::int64_t minute) {
  opened_exception opened;
  opened.opened_at = test_time() + std::chrono::minutes{minute};
  opened.id = exception_id::make(opened.opened_at, write.shard, 1);
  opened.what.kind = unresolved_authorization;
  opened.what.merchant = write.snapshot->merchant;
  opened.what.payment = write.snapshot->id;
  opened.what.unit = write.snapshot->unit;
  opened.what.expected_amount = write.snapshot->amount;
  opened.what.source = "alpha";
  return opened;
}

template <class T, class Ask>
T known(Ask call) {
  auto answer = ask<T>(call);
  BOOST_REQUIRE_MESSAGE(answer, (answer ? std::string{} : answer.error().detail));
  return std::move(*answer);
}

} // namespace

BOOST_AUTO_TEST_SUITE(storage_many_databases)

BOOST_FIXTURE_TEST_CASE(what_is_listed_over_two_databases_is_merged_and_paged, two_databases) {
  const auto db = open();
  auto& store = db->store();
  // Ids in time's order alternate between the databases.
  std::vector<exception_id> newest_first;
  for (const auto shard : {shard_number{0}, shard_number{2}}) {
    const auto& half = shard == low.first ? first : second;
    const auto owner = half.open_shard(db->journal(), shard);
    for (std::int64_t i = 0; i < 5; ++i) {
      auto write = create_write(owner, static_cast<std::uint64_t>(i) + 1);
      write.exceptions.push_back(exception_in(write, 2 * i + (shard == low.first ? 0 : 1)));
      newest_first.push_back(write.exceptions.front().id);
      BOOST_REQUIRE((commit(db->journal(), std::move(write)).outcome == kind::committed));
    }
  }
  std::ranges::sort(newest_first, std::greater<>{});
  std::vector<exception_id> paged;
  for (bool more = true; more;) {
    storage::exception_filter filter;
    filter.window.limit = 3;
    if (!paged.empty())
      filter.window.starting_after = paged.back().text();
    const auto page = known<storage::slice<storage::exception_view>>(
      [&](auto done) { store.list_exceptions(filter, std::move(done)); });
    BOOST_TEST(page.rows.size() <= 3U);
    for (const auto& row : page.rows)
      paged.push_back(row.id);
    more = page.has_more;
  }
  BOOST_TEST((paged == newest_first));

  for (const auto shard : {shard_number{3}, shard_number{1}, shard_number{2}}) {
    const auto row = merchant_in(shard, 7);
    BOOST_TEST((known<storage::merchant_row>([&](auto done) {
                  store.create_merchant(row, std::move(done));
                }).id
                == row.id));
  }
  const auto merchants = known<std::vector<storage::merchant_row>>(
    [&](auto done) { store.list_merchants(std::move(done)); });
  BOOST_TEST(merchants.size() == 3U);
  BOOST_TEST(std::ranges::is_sorted(merchants, {}, &storage::merchant_row::id));
}

BOOST_FIXTURE_TEST_CASE(an_export_goes_through_both_databases_without_a_gap, two_databases) {
  const auto db = open();
  fill(*db);
  auto& store = db->store();
  const auto export_by = [&](std::uint32_t limit) {
    std::vector<std::string> ids;
    storage::page window{limit, {}};
    for (bool more = true; more;) {
      const auto page = known<storage::slice<storage::entry_view>>(
        [&](auto done) { store.export_entries(std::nullopt, window, std::move(done)); });
      BOOST_TEST(page.rows.size() <= limit);
      BOOST_TEST((!page.has_more || page.rows.size() == limit));
      for (const auto& row : page.rows)
        ids.push_back(entry_id{row.shard, row.seq, row.leg}.text());
      more = page.has_more;
      if (more)
        window.starting_after = ids.back();
    }
    return ids;
  };
  const auto whole = export_by(100);
  BOOST_TEST(whole.size() == 8U); // two legs of four authorizations
  BOOST_TEST(std::ranges::is_sorted(whole));
  for (const auto limit : {1U, 2U, 3U, 4U, 5U, 8U})
    BOOST_TEST(export_by(limit) == whole, boost::test_tools::per_element());
  // A window that ends with the first database has more behind it, be it a single row.
  BOOST_REQUIRE(second
                  .run("alter table ledger_entry disable trigger ledger_entry_append_only;"
                       "delete from ledger_entry where shard_id = 3 or leg > 0")
                  .empty());
  BOOST_TEST(export_by(4).size() == 5U);
}

BOOST_FIXTURE_TEST_CASE(sums_are_of_both_databases, two_databases) {
  const auto db = open();
  fill(*db);
  auto& store = db->store();
  const auto balances = known<std::vector<storage::balance_view>>(
    [&](auto done) { store.all_balances(std::move(done)); });
  // One account of the gateway, whose parts lie in both, and one of each merchant.
  BOOST_REQUIRE(balances.size() == 5U);
  std::int64_t held = 0;
  for (const auto& balance : balances)
    if (balance.where.kind == account_kind::hold)
      held += balance.balance.value();
  BOOST_TEST(held == 4'006);
  const auto counts = known<std::vector<storage::status_count>>(
    [&](auto done) { store.count_by_status(std::move(done)); });
  BOOST_REQUIRE(counts.size() == 1U);
  BOOST_TEST(counts.front().payments == 4U);
  BOOST_TEST(counts.front().amount.value() == 4'006);
  const auto report =
    known<storage::statement>([&](auto done) { store.make_statement(std::move(done)); });
  BOOST_TEST(report.by_status.size() == 1U);
}

BOOST_FIXTURE_TEST_CASE(a_proof_covers_both_and_says_where_it_found_something, two_databases) {
  const auto db = open();
  fill(*db);
  double last = 0;
  const auto prove = [&] {
    last = 0;
    return known<storage::ledger_proof>([&](auto done) {
      db->store().verify_ledger(
        fold,
        [&last](double fraction) {
          BOOST_TEST(fraction >= last);
          last = fraction;
        },
        std::move(done));
    });
  };
  const auto whole = prove();
  BOOST_TEST(whole.holds());
  BOOST_TEST(whole.events == 8U);
  BOOST_TEST(whole.entries == 8U);
  BOOST_TEST(last == 1.0);
  BOOST_REQUIRE(second
                  .run("alter table event disable trigger event_append_only;"
                       "update event set at = at + interval '1 second' where seq = 1"
                       " and shard_id = 3")
                  .empty());
  const auto broken = prove();
  BOOST_TEST(!broken.holds());
  BOOST_TEST(!broken.chain_holds);
  BOOST_TEST(broken.debits_equal_credits);
  BOOST_REQUIRE(!broken.findings.empty());
  BOOST_TEST(broken.findings.front().starts_with("shards 2-3: "), broken.findings.front());
}

BOOST_FIXTURE_TEST_CASE(what_names_no_shard_of_ours_is_absent, two_databases) {
  const auto db = open();
  const shard_number beyond{test_shards};
  auto& store = db->store();
  BOOST_TEST(!known<std::optional<storage::payment_view>>([&](auto done) {
    store.find_payment(payment_id::make(test_time(), beyond, 1), std::move(done));
  }));
  BOOST_TEST(!known<std::optional<storage::batch_view>>([&](auto done) {
    store.find_batch(batch_id::make(test_time(), beyond, 1), std::move(done));
  }));
  BOOST_TEST(!known<std::optional<storage::merchant_row>>(
    [&](auto done) { store.find_merchant(merchant_of(beyond), std::move(done)); }));
  BOOST_TEST(!known<std::optional<storage::api_key_row>>([&](auto done) {
    store.revoke_key(key_id::make(test_time(), beyond, 1), test_time(), std::move(done));
  }));
  BOOST_TEST(known<storage::slice<storage::payment_view>>([&](auto done) {
               store.list_payments(merchant_of(beyond), {}, std::move(done));
             }).rows.empty());
  BOOST_TEST(known<std::vector<payment>>([&](auto done) {
               db->settlement().find_payments({payment_id::make(test_time(), beyond, 1)},
                                              std::move(done));
             }).empty());
  const auto after = entry_id{beyond, sequence_number{1}, 0}.text();
  BOOST_TEST(known<storage::slice<storage::entry_view>>([&](auto done) {
               store.export_entries(std::nullopt, {10, after}, std::move(done));
             }).rows.empty());
}

BOOST_FIXTURE_TEST_CASE(our_payments_are_found_wherever_they_lie, two_databases) {
  const auto db = open();
  fill(*db);
  const auto held = [&](payment_id after, std::size_t limit) {
    return known<std::vector<payment>>([&](auto done) {
      db->settlement().payments_held_at("", test_time() - std::chrono::hours{1},
                                        test_time() + std::chrono::hours{1}, after, limit,
                                        std::move(done));
    });
  };
  const auto all = held({}, 10);
  BOOST_REQUIRE(all.size() == 4U);
  BOOST_TEST(std::ranges::is_sorted(all, {}, &payment::id));
  const auto begin = held({}, 3);
  BOOST_REQUIRE(begin.size() == 3U);
  const auto rest = held(begin.back().id, 3);
  BOOST_REQUIRE(rest.size() == 1U);
  BOOST_TEST((rest.front().id == all.back().id));
  std::vector<payment_id> ids;
  for (const auto& one : all)
    ids.push_back(one.id);
  BOOST_TEST(known<std::vector<payment>>([&](auto done) {
               db->settlement().find_payments(ids, std::move(done));
             }).size()
             == 4U);
}

BOOST_FIXTURE_TEST_CASE(a_database_that_stops_costs_its_shards_alone_and_comes_back,
                        two_databases) {
  owner_of_all node{open()};
  BOOST_TEST((node.write({0}, 1) == kind::committed));
  BOOST_TEST((node.write({2}, 1) == kind::committed));
  wait_until([&] { return node.keeper->snapshot().leases.size() == test_shards; });

  server.crash();
  answers<write_result> in_doubt;
  node.db->journal().submit(create_write(node.owned.at({2}), 2), in_doubt.sink());
  for (const auto shard : node.lost.wait(2))
    BOOST_TEST(high.contains(shard));
  BOOST_TEST((node.write({0}, 2) == kind::committed));
  const auto outcome = in_doubt.wait().front().outcome;
  BOOST_TEST((outcome == kind::lost || outcome == kind::not_owner));
  // Its leases have run out meanwhile, and so nobody is said to own them.
  wait_until([&] {
    const auto leases = node.keeper->snapshot().leases;
    return leases.at(0).owner == "node-1" && leases.at(2).owner.empty();
  });

  server.start();
  node.open_acquired(6);
  BOOST_TEST((node.write({2}, 3) == kind::committed));
  BOOST_TEST((node.write({3}, 1) == kind::committed));
  BOOST_TEST(known<storage::ledger_proof>([&](auto done) {
               node.db->store().verify_ledger(fold, {}, std::move(done));
             }).holds());
  BOOST_TEST(node.lost.count() == 2U);
  BOOST_TEST(node.db->behind().empty());
}

BOOST_FIXTURE_TEST_CASE(reads_of_a_database_that_is_down_fail_and_those_of_the_other_do_not,
                        two_databases) {
  const auto db = open();
  fill(*db);
  auto& store = db->store();
  const auto ping = [&] {
    return known<bool>([&](auto done) { store.ping(std::move(done)); });
  };
  BOOST_TEST(ping());
  server.crash();
  BOOST_TEST(ping());
  const auto payments_of = [&](shard_number shard) {
    return ask<storage::slice<storage::payment_view>>(
      [&](auto done) { store.list_payments(merchant_of(shard), {}, std::move(done)); });
  };
  BOOST_TEST(payments_of({0})->rows.size() == 1U);
  BOOST_TEST((payments_of({2}).error().code == errc::unavailable));
  // A part is not the whole.
  const auto merchants = ask<std::vector<storage::merchant_row>>(
    [&](auto done) { store.list_merchants(std::move(done)); });
  BOOST_REQUIRE(!merchants);
  BOOST_TEST((merchants.error().code == errc::unavailable));
  BOOST_TEST(merchants.error().detail.starts_with("the database of shards 2-3: "));
  BOOST_TEST(ask<storage::ledger_proof>([&](auto done) {
               store.verify_ledger(fold, {}, std::move(done));
             }).has_error());
  // But those who may ask are known for each database by itself.
  const auto callers_of = [&](shard_number shard) {
    return ask<storage::caller_changes>(
      [&](auto done) { store.list_callers(shard, {}, std::move(done)); });
  };
  BOOST_TEST(callers_of({1}).has_value());
  BOOST_TEST((callers_of({2}).error().code == errc::unavailable));
  BOOST_TEST((callers_of({4}).error().code == errc::not_found));
  server.start();
  wait_until([&] { return payments_of({2}).has_value(); });
}

BOOST_FIXTURE_TEST_CASE(a_database_that_is_down_at_the_start_comes_by_itself, two_databases) {
  server.crash();
  owner_of_all node{open(), 2};
  BOOST_TEST((node.write({0}, 1) == kind::committed));
  BOOST_TEST((node.write({1}, 1) == kind::committed));
  const auto list = [&] {
    return ask<std::vector<storage::merchant_row>>(
      [&](auto done) { node.db->store().list_merchants(std::move(done)); });
  };
  BOOST_TEST(list().has_error());
  server.start();
  node.open_acquired(4);
  BOOST_TEST((node.write({2}, 1) == kind::committed));
  BOOST_TEST((node.write({3}, 1) == kind::committed));
  BOOST_TEST(list().has_value());
}

BOOST_FIXTURE_TEST_CASE(databases_that_do_not_fit_are_refused, two_databases) {
  const auto refusal = [](std::vector<storage::database_options> options) {
    const auto opened = storage::open_databases(std::move(options));
    BOOST_REQUIRE(!opened);
    return opened.error();
  };
  auto lower = test_options(first.url);
  lower.range = low;
  auto upper = test_options(second.url);
  upper.range = high;
  BOOST_TEST((refusal({lower}).code == errc::invalid_argument));
  BOOST_TEST((refusal({lower, lower}).code == errc::invalid_argument));
  // Each is what the other should be.
  auto swapped_lower = lower;
  auto swapped_upper = upper;
  std::swap(swapped_lower.url, swapped_upper.url);
  const auto swapped = refusal({swapped_lower, swapped_upper});
  BOOST_TEST((swapped.code == errc::invalid_argument));
  BOOST_TEST(swapped.detail.find("holds the shards") != std::string::npos, swapped.detail);

  server.crash();
  lower.url = second.url;
  BOOST_TEST((refusal({lower, upper}).code == errc::unavailable));
}

BOOST_FIXTURE_TEST_CASE(databases_of_two_clusters_are_refused, two_databases) {
  BOOST_TEST((open()->cluster_id() == first.cluster_id()));
  const auto other = storage::change_cluster_id(second.url, {});
  BOOST_REQUIRE(other);
  const auto opened = try_open();
  BOOST_REQUIRE(!opened);
  BOOST_TEST((opened.error().code == errc::invalid_argument));
  BOOST_TEST(opened.error().detail
             == "the database of shards 2-3: it is one of a cluster whose id is "
                  + to_hex(*other) + ", and that of shards 0-1 of one whose id is "
                  + to_hex(first.cluster_id()));
}

BOOST_FIXTURE_TEST_CASE(one_that_comes_later_must_be_of_the_same_cluster, two_databases) {
  const auto other = storage::change_cluster_id(second.url, {});
  BOOST_REQUIRE(other);
  server.crash();
  owner_of_all node{open(), 2};
  server.start();
  const auto trouble = [&] {
    const auto listed = ask<std::vector<storage::merchant_row>>(
      [&](auto done) { node.db->store().list_merchants(std::move(done)); });
    return listed ? std::string{} : listed.error().detail;
  };
  wait_until(
    [&] { return trouble().find("whose id is " + to_hex(*other)) != std::string::npos; });
  // It is given back its own, and is served.
  BOOST_REQUIRE(storage::change_cluster_id(second.url, first.cluster_id()));
  node.open_acquired(4);
  BOOST_TEST((node.write({2}, 1) == kind::committed));
}

BOOST_AUTO_TEST_SUITE_END()
