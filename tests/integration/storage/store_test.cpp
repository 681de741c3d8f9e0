// The reads: what was written comes back whole, in order, and page by page.
#include "messages/entry_id.hpp"
#include "messages/feed_cursor.hpp"
#include "storage/connection.hpp"
#include "tests/integration/storage/fixture.hpp"

#include <algorithm>
#include <set>

using namespace holdfast;
using namespace holdfast::test;
using storage::journal_write;
using kind = storage::write_result::kind;

namespace {

struct store_fixture : storage_fixture {
  store_fixture() : db(open()), owner(open_shard(db->journal(), shard_number{1})) {}

  payment write(journal_write what) {
    const auto after = *what.snapshot;
    const auto result = commit(db->journal(), std::move(what));
    BOOST_REQUIRE_MESSAGE((result.outcome == kind::committed), result.detail);
    return after;
  }

  std::unique_ptr<storage::database> db;
  storage::acquired_shard owner;
};

template <class T>
T value_of(expected<T> answer) {
  BOOST_REQUIRE_MESSAGE(answer, (answer ? std::string{} : answer.error().detail));
  return std::move(*answer);
}

} // namespace

BOOST_AUTO_TEST_SUITE(storage_store)

BOOST_FIXTURE_TEST_CASE(merchants_and_keys_come_back, store_fixture) {
  auto& store = db->store();
  storage::merchant_row row;
  row.id = merchant_of(owner.shard);
  row.name = "Café Zürich";
  row.unit = *currency::parse("CHF");
  row.stripes = 3;
  row.fee_bps = 120;
  row.created_at = test_time();
  const auto create = [&](auto done) { store.create_merchant(row, std::move(done)); };
  value_of(ask<storage::merchant_row>(create));
  value_of(ask<storage::merchant_row>(create)); // as a repetition after a lost connection
  const auto all = value_of(ask<std::vector<storage::merchant_row>>(
    [&](auto done) { store.list_merchants(std::move(done)); }));
  BOOST_REQUIRE(all.size() == 1U);
  BOOST_TEST(all[0].name == row.name);
  BOOST_TEST(all[0].stripes == 3);
  BOOST_TEST((all[0].unit == row.unit));

  storage::api_key_row key;
  key.id = key_id::make(test_time(), owner.shard, 7);
  key.merchant = row.id;
  key.hash.fill(9);
  key.created_at = test_time();
  value_of(
    ask<storage::api_key_row>([&](auto done) { store.create_key(key, std::move(done)); }));
  const auto revoke = [&](key_id id) {
    return value_of(ask<std::optional<storage::api_key_row>>(
      [&](auto done) { store.revoke_key(id, test_time(), std::move(done)); }));
  };
  const auto revoked = revoke(key.id);
  BOOST_REQUIRE(revoked.has_value());
  BOOST_TEST((revoked->hash == key.hash));
  BOOST_TEST((revoked->revoked_at == test_time()));
  BOOST_TEST(!revoke(key_id::make(test_time(), owner.shard, 8)));
  const auto keys_of = [&](std::optional<merchant_id> merchant) {
    return value_of(ask<std::vector<storage::api_key_row>>(
      [&](auto done) { store.list_keys(merchant, std::move(done)); }));
  };
  const auto keys = keys_of(std::nullopt);
  BOOST_REQUIRE(keys.size() == 1U);
  BOOST_TEST((keys[0].hash == key.hash));
  BOOST_TEST((keys[0].revoked_at == test_time()));
  BOOST_TEST(keys_of(row.id).size() == 1U);
  BOOST_TEST(keys_of(merchant_of(owner.shard, 2)).empty());
  const auto merchant = [&](merchant_id id) {
    return value_of(ask<std::optional<storage::merchant_row>>(
      [&](auto done) { store.find_merchant(id, std::move(done)); }));
  };
  BOOST_TEST(merchant(row.id).value().name == row.name);
  BOOST_TEST(!merchant(merchant_of(owner.shard, 2)));
  BOOST_TEST(value_of(ask<bool>([&](auto done) { store.ping(std::move(done)); })));
}

BOOST_FIXTURE_TEST_CASE(a_look_at_callers_tells_what_has_changed_since, store_fixture) {
  auto& store = db->store();
  const auto look = [&](storage::callers_position after) {
    return value_of(ask<storage::caller_changes>(
      [&](auto done) { store.list_callers(owner.shard, after, std::move(done)); }));
  };
  const auto number_of = [](std::uint64_t key) {
    return "'00000000-0000-0000-0000-00000000000" + std::to_string(key) + "'";
  };
  const auto insert_key = [&](std::uint64_t key) {
    return "insert into api_key (id, merchant_id, hash, live, created_at) values ("
           + number_of(key) + ", " + number_of(0) + ", sha256('" + std::to_string(key)
           + "'), true, now())";
  };
  BOOST_TEST(
    run("insert into merchant (id, name, currency, stripes, fee_bps, created_at) values ("
        + number_of(0) + ", 'Shop', 'EUR', 3, 0, now())")
      .empty());
  BOOST_TEST(run(insert_key(1)).empty());
  const auto first = look({});
  BOOST_TEST(first.is_all);
  BOOST_REQUIRE(first.rows.size() == 1U);
  BOOST_TEST(first.rows[0].stripes == 3);
  const auto second = look(first.upto);
  BOOST_TEST(!second.is_all);
  BOOST_TEST(second.rows.empty());

  // One begins before another and ends after a look has seen that: the next look sees it.
  const auto deadline = std::chrono::steady_clock::now() + patience;
  const auto slow = value_of(storage::connection::open(url, "test", deadline));
  BOOST_TEST(slow->script(("begin; " + insert_key(2)).c_str(), deadline).has_value());
  BOOST_TEST(run(insert_key(3)).empty());
  const auto third = look(second.upto);
  BOOST_TEST(third.rows.size() == 1U);
  BOOST_TEST(slow->script("commit", deadline).has_value());
  const auto fourth = look(third.upto);
  BOOST_TEST(fourth.rows.size() == 2U);
  BOOST_TEST(look(fourth.upto).rows.empty());

  // Whoever revokes it, and however.
  BOOST_TEST(run("update api_key set revoked_at = now() where id = " + number_of(1)).empty());
  const auto fifth = look(fourth.upto);
  BOOST_REQUIRE(fifth.rows.size() == 1U);
  BOOST_TEST(fifth.rows[0].key.revoked_at.has_value());

  // As out of a dump of a server that has done more: read over and over, until it is migrated.
  BOOST_TEST(run("alter table api_key disable trigger user;"
                 " update api_key set changed_in = '999999999999';"
                 " alter table api_key enable trigger user")
               .empty());
  BOOST_TEST(look(look(fifth.upto).upto).rows.size() == 3U);
  BOOST_TEST(storage::migrate(url, test_identity()).has_value());
  BOOST_TEST(look(look(fifth.upto).upto).rows.empty());

  auto elsewhere = fifth.upto;
  elsewhere.server_start += milliseconds{1};
  BOOST_TEST(look(elsewhere).is_all);
  BOOST_TEST(look(elsewhere).rows.size() == 3U);
}

BOOST_FIXTURE_TEST_CASE(payments_are_listed_page_by_page_and_filtered, store_fixture) {
  for (std::uint64_t i = 1; i <= 25; ++i) {
    const auto created = write(create_write(owner, i));
    if (i % 5 == 0)
      write(authorize_write(owner, created));
  }
  const auto list = [&](storage::payment_filter filter) {
    return ask<storage::slice<storage::payment_view>>([&](auto done) {
      db->store().list_payments(merchant_of(owner.shard), filter, std::move(done));
    });
  };
  std::vector<payment_id> seen;
  storage::payment_filter filter;
  for (bool more = true; more;) {
    const auto page = value_of(list(filter));
    more = page.has_more;
    for (const auto& view : page.rows)
      seen.push_back(view.row.id);
    filter.window.starting_after = seen.back().text();
  }
  BOOST_TEST(seen.size() == 25U);
  BOOST_TEST(std::ranges::is_sorted(seen, std::ranges::greater{}));
  BOOST_TEST(value_of(list({"authorized", "", {}})).rows.size() == 5U);
  BOOST_TEST(value_of(list({"processing", "", {100, ""}})).rows.size() == 20U);
  BOOST_TEST(value_of(list({"batched", "", {}})).rows.empty());
  BOOST_TEST(value_of(list({"", "order-7", {}})).rows.size() == 1U);
  BOOST_TEST(value_of(list({"authorized", "order-7", {}})).rows.empty());
  const auto wrong = list({"nonsense", "", {}});
  BOOST_REQUIRE(!wrong);
  BOOST_TEST((wrong.error().code == errc::invalid_argument));
  const auto misplaced = list({"", "", {10, "ref_1"}});
  BOOST_REQUIRE(!misplaced);
  BOOST_TEST((misplaced.error().code == errc::invalid_argument));
}

BOOST_FIXTURE_TEST_CASE(a_payment_comes_back_as_it_was_written, store_fixture) {
  const auto authorized = write(authorize_write(owner, write(create_write(owner, 1))));
  auto capture = capture_write(owner, authorized, 1'000);
  own_snapshot(capture).next_action_at = test_time();
  const auto captured = write(std::move(capture));
  const auto found = value_of(ask<std::optional<storage::payment_view>>(
    [&](auto done) { db->store().find_payment(captured.id, std::move(done)); }));
  BOOST_REQUIRE(found);
  const auto& row = found->row;
  BOOST_TEST((row.status == payment_status::captured));
  BOOST_TEST(row.captured.value() == 1'000);
  BOOST_TEST(row.card.last4 == "4242");
  BOOST_TEST(row.reference == "order-1");
  BOOST_TEST(row.acquirer == "first");
  BOOST_TEST((row.next_action_at == test_time()));
  BOOST_REQUIRE(row.operations.size() == 1U);
  BOOST_TEST((row.operations[0].id == captured.operations[0].id));
  BOOST_TEST(!found->batch);
  const auto none = value_of(ask<std::optional<storage::payment_view>>([&](auto done) {
    db->store().find_payment(payment_id::make(test_time(), owner.shard, 99), std::move(done));
  }));
  BOOST_TEST(!none);
}

BOOST_FIXTURE_TEST_CASE(a_refund_is_found_by_its_merchant_only, store_fixture) {
  auto captured = write(
    capture_write(owner, write(authorize_write(owner, write(create_write(owner, 1)))), 1'000));
  auto refund = authorize_write(owner, captured);
  refund.events.front().postings.clear();
  refund.answer.reset();
  refund.snapshot = std::make_shared<const payment>(captured);
  operation asked;
  asked.kind = operation_kind::refund;
  asked.ordinal = 1;
  asked.id = refund_id::make(test_time(), owner.shard, 5).value;
  asked.amount = minor_units{100};
  asked.created_at = test_time();
  own_snapshot(refund).operations.push_back(asked);
  refund.changed_operations = {asked};
  write(std::move(refund));
  const auto find = [&](merchant_id merchant) {
    return value_of(ask<std::optional<storage::refund_view>>([&](auto done) {
      db->store().find_refund(refund_id{asked.id}, merchant, std::move(done));
    }));
  };
  const auto found = find(merchant_of(owner.shard));
  BOOST_REQUIRE(found);
  BOOST_TEST((found->payment == captured.id));
  BOOST_TEST(found->row.amount.value() == 100);
  BOOST_TEST(!find(merchant_of(owner.shard, 2)));
}

BOOST_FIXTURE_TEST_CASE(a_new_owner_finds_warm_keys_and_live_payments, store_fixture) {
  auto live = create_write(owner, 1);
  own_snapshot(live).next_action_at = test_time() + std::chrono::hours{24 * 365 * 20};
  write(live);
  auto sleeping = create_write(owner, 2);
  own_snapshot(sleeping).status = payment_status::authorized;
  own_snapshot(sleeping).next_action_at = test_time() + std::chrono::hours{24 * 365 * 20};
  write(sleeping);
  auto due = create_write(owner, 3);
  own_snapshot(due).status = payment_status::authorized;
  own_snapshot(due).next_action_at = timestamp{} + std::chrono::hours{1};
  write(due);
  write(create_write(owner, 4));
  const auto start = value_of(ask<storage::shard_start>(
    [&](auto done) { db->store().start_shard(owner.shard, timestamp{}, std::move(done)); }));
  BOOST_TEST(start.keys.size() == 4U);
  BOOST_REQUIRE(start.live.size() == 2U);
  BOOST_TEST((start.live[0].id == due.snapshot->id));
  BOOST_TEST((start.live[1].id == live.snapshot->id));
  const auto now_due = value_of(ask<std::vector<payment>>([&](auto done) {
    db->store().due_payments(owner.shard, test_time(), 10, std::move(done));
  }));
  BOOST_REQUIRE(now_due.size() == 1U);
  BOOST_TEST((now_due[0].id == due.snapshot->id));
  const auto other = value_of(ask<storage::shard_start>([&](auto done) {
    db->store().start_shard(shard_number{0}, timestamp{}, std::move(done));
  }));
  BOOST_TEST((other.keys.empty() && other.live.empty()));
}

namespace {

/// As the core leaves an intent, and its approval a moment later.
journal_write make_intent(const storage::acquired_shard& owner, std::uint64_t number) {
  auto intent = create_write(owner, number);
  own_snapshot(intent).next_action_at = intent.snapshot->created_at + std::chrono::seconds{4};
  return intent;
}

journal_write make_approval(const storage::acquired_shard& owner, const payment& intent,
                            std::chrono::milliseconds after) {
  auto approval = authorize_write(owner, intent);
  own_snapshot(approval).next_action_at =
    intent.created_at + after + std::chrono::hours{7 * 24};
  return approval;
}

} // namespace

BOOST_FIXTURE_TEST_CASE(an_outcome_needs_no_new_index_entries, store_fixture) {
  for (std::uint64_t i = 1; i <= 10; ++i) {
    const auto intent = write(make_intent(owner, i));
    write(make_approval(owner, intent, milliseconds{300}));
  }
  // The server counts what has committed when it finds the time.
  for (const auto* table : {"payment", "idempotency_key"})
    wait_until([&] {
      return value(std::string{"select n_tup_upd = 10 and n_tup_hot_upd = 10"
                               " from pg_stat_user_tables where relname = '"}
                   + table + "'")
             == "true";
    });
}

BOOST_FIXTURE_TEST_CASE(an_approved_payment_is_due_when_its_hold_lapses, store_fixture) {
  const auto soon = write(make_intent(owner, 1));
  const auto approved = write(make_approval(owner, soon, milliseconds{300}));
  const auto late = write(make_intent(owner, 2));
  const auto lasting = write(make_approval(owner, late, std::chrono::hours{24}));
  const auto due_at = [this](timestamp now) {
    std::set<payment_id> due;
    for (const auto& one : value_of(ask<std::vector<payment>>([&](auto done) {
           db->store().due_payments(owner.shard, now, 10, std::move(done));
         })))
      due.insert(one.id);
    return due;
  };
  BOOST_TEST(due_at(*approved.next_action_at - milliseconds{1}).empty());
  BOOST_TEST((due_at(*approved.next_action_at) == std::set{approved.id}));
  BOOST_TEST((due_at(*lasting.next_action_at - milliseconds{1}) == std::set{approved.id}));
  BOOST_TEST((due_at(*lasting.next_action_at) == std::set{approved.id, lasting.id}));
}

BOOST_FIXTURE_TEST_CASE(an_intent_is_found_by_a_new_owner_and_once_it_is_pending_by_all,
                        store_fixture) {
  const auto intent = write(make_intent(owner, 1));
  const auto after = *intent.next_action_at + std::chrono::minutes{1};
  const auto due = [&] {
    return value_of(ask<std::vector<payment>>(
      [&](auto done) { db->store().due_payments(owner.shard, after, 10, std::move(done)); }));
  };
  const auto start = value_of(ask<storage::shard_start>(
    [&](auto done) { db->store().start_shard(owner.shard, timestamp{}, std::move(done)); }));
  BOOST_REQUIRE(start.live.size() == 1U);
  BOOST_TEST((start.live[0].id == intent.id));
  BOOST_TEST(due().empty());
  auto pending = authorize_write(owner, intent);
  own_snapshot(pending).status = payment_status::pending_gateway;
  own_snapshot(pending).next_action_at = after;
  write(std::move(pending));
  BOOST_TEST(due().size() == 1U);
}

BOOST_FIXTURE_TEST_CASE(the_feed_and_the_timeline_are_in_order, store_fixture) {
  payment last;
  for (std::uint64_t i = 1; i <= 10; ++i)
    last = write(capture_write(
      owner, write(authorize_write(owner, write(create_write(owner, i)))), 1'000));
  event_position after{owner.shard, {}};
  std::int64_t seen = 0;
  for (bool more = true; more;) {
    const auto page = value_of(ask<storage::slice<storage::event_view>>([&](auto done) {
      db->store().list_events(merchant_of(owner.shard), {after}, 7, std::move(done));
    }));
    more = page.has_more;
    for (const auto& event : page.rows) {
      BOOST_TEST(event.seq.value == ++seen);
      after = event_position{event.shard, event.seq};
    }
  }
  BOOST_TEST(seen == 30);
  const auto timeline = value_of(ask<std::optional<storage::timeline_view>>(
    [&](auto done) { db->store().timeline(last.id, std::move(done)); }));
  BOOST_REQUIRE(timeline);
  BOOST_TEST(timeline->events.size() == 3U);
  BOOST_TEST(timeline->entries.size() == 6U);
}

/// A clock that goes back must not make the feed pass over anything.
BOOST_FIXTURE_TEST_CASE(the_feed_follows_several_shards_while_they_grow, store_fixture) {
  const auto merchant = merchant_of(owner.shard);
  const auto shards = shards_of_merchant(owner.shard, 3, test_range);
  std::vector<storage::acquired_shard> owners{owner};
  for (std::size_t i = 1; i < shards.size(); ++i)
    owners.push_back(open_shard(db->journal(), shards[i]));
  std::uint64_t written = 0;
  const auto write_some = [&](int events) {
    for (int i = 0; i < events; ++i) {
      const auto number = ++written;
      auto created = create_write(owners[number * number % 3], number);
      own_snapshot(created).merchant = created.claim->merchant = merchant;
      auto& event = created.events.front();
      event.merchant = merchant;
      event.at = test_time() + std::chrono::minutes{number % 5 == 0 ? -60 : 1} * number;
      write(std::move(created));
    }
  };
  auto cursor = feed_cursor::at_start(shards);
  std::set<std::string> seen;
  write_some(20);
  for (std::uint32_t pages = 0;; ++pages) {
    const auto page = value_of(ask<storage::slice<storage::event_view>>([&](auto done) {
      db->store().list_events(merchant, cursor.positions(), 1 + pages % 3, std::move(done));
    }));
    if (page.rows.empty())
      break;
    for (const auto& event : page.rows) {
      BOOST_TEST(seen.insert(event_id_text(event.shard, event.seq)).second);
      cursor.pass(event.shard, event.seq);
    }
    if (pages % 4 == 0 && written < 60)
      write_some(3);
  }
  BOOST_TEST(seen.size() == written);
  BOOST_TEST(value("select count(*) from event") == std::to_string(written));
}

BOOST_FIXTURE_TEST_CASE(an_export_has_every_entry_in_the_logs_order, store_fixture) {
  const auto other = open_shard(db->journal(), shard_number{2});
  for (std::uint64_t i = 1; i <= 10; ++i) {
    const auto& where = i % 2 == 0 ? owner : other;
    write(capture_write(where, write(authorize_write(where, write(create_write(where, i)))),
                        1'000));
  }
  const auto read = [&](std::optional<merchant_id> merchant) {
    std::vector<entry_id> ids;
    storage::page window{7, ""};
    for (bool more = true; more;) {
      const auto page = value_of(ask<storage::slice<storage::entry_view>>(
        [&](auto done) { db->store().export_entries(merchant, window, std::move(done)); }));
      more = page.has_more;
      for (const auto& entry : page.rows)
        ids.push_back({entry.shard, entry.seq, entry.leg});
      window.starting_after = ids.back().text();
    }
    BOOST_TEST(std::ranges::is_sorted(ids));
    BOOST_TEST((std::ranges::adjacent_find(ids) == ids.end()));
    return ids.size();
  };
  BOOST_TEST(value("select count(*) from ledger_entry") == "60");
  BOOST_TEST(read(std::nullopt) == 60U);
  BOOST_TEST(read(merchant_of(owner.shard)) == 15U);
  const auto misplaced = ask<storage::slice<storage::entry_view>>([&](auto done) {
    db->store().export_entries(std::nullopt, {10, "evt_1"}, std::move(done));
  });
  BOOST_TEST(!misplaced);
}

BOOST_FIXTURE_TEST_CASE(entries_are_listed_by_merchant_account_and_payment, store_fixture) {
  payment last;
  for (std::uint64_t i = 1; i <= 10; ++i)
    last = write(capture_write(
      owner, write(authorize_write(owner, write(create_write(owner, i)))), 1'000));
  const auto list = [&](std::optional<payment_id> subject, std::optional<account_kind> account,
                        storage::page window) {
    return value_of(ask<storage::slice<storage::entry_view>>([&](auto done) {
      db->store().list_entries(merchant_of(owner.shard), subject, account, window,
                               std::move(done));
    }));
  };
  BOOST_TEST(list(last.id, std::nullopt, {}).rows.size() == 6U);
  BOOST_TEST(list(std::nullopt, account_kind::merchant_pending, {}).rows.size() == 10U);
  std::size_t seen = 0;
  storage::page window{7, ""};
  for (bool more = true; more;) {
    const auto page = list(std::nullopt, std::nullopt, window);
    more = page.has_more;
    seen += page.rows.size();
    const auto& end = page.rows.back();
    window.starting_after = entry_id{end.shard, end.seq, end.leg}.text();
  }
  BOOST_TEST(seen == 30U); // hold_contra twice and merchant_pending once for each payment
}

BOOST_FIXTURE_TEST_CASE(reads_outlive_a_killed_connection, store_fixture) {
  for (int round = 0; round < 5; ++round) {
    BOOST_TEST(value_of(ask<bool>([&](auto done) { db->store().ping(std::move(done)); })));
    BOOST_TEST(run("select pg_terminate_backend(pid) from pg_stat_activity"
                   " where application_name like 'holdfast reader %'"
                   " and datname = current_database()")
                 .empty());
  }
}

BOOST_AUTO_TEST_SUITE_END()
