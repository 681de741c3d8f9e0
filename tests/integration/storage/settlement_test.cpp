// Settlement's set-based work, from ready captures to a reconciled report.
#include "tests/integration/storage/settlement_fixture.hpp"

using namespace holdfast;
using namespace holdfast::test;
using kind = storage::write_result::kind;

namespace {

/// Of a file with one batch: its first item is rejected, the second deferred, the rest
/// accepted.
storage::apply_results_request mixed_results(file_id file,
                                             const storage::batch_content& content) {
  const auto& [batch, items, fee_bps] = content;
  storage::apply_results_request results;
  results.file = file;
  results.raw = "results";
  results.now = results.next_try_at = test_time();
  for (std::size_t i = 0; i < items.size(); ++i)
    results.results.push_back({items[i].operation,
                               i == 0   ? storage::item_verdict::rejected
                               : i == 1 ? storage::item_verdict::deferred
                                        : storage::item_verdict::accepted,
                               ""});
  posting back;
  back.kind = posting_kind::rejection;
  back.subject = items[0].operation;
  back.ordinal = 1;
  back.legs = {
    {{account_kind::merchant_pending, batch.merchant.text(), batch.unit}, minor_units{1'000}},
    {{account_kind::acquirer_receivable, "first", batch.unit}, minor_units{-1'000}}};
  results.postings = {back};
  storage::new_exception exception;
  exception.kind = "rejected_item";
  exception.merchant = batch.merchant;
  exception.payment = items[0].payment;
  exception.operation = items[0].operation;
  exception.unit = batch.unit;
  results.exceptions = {exception};
  return results;
}

} // namespace

BOOST_AUTO_TEST_SUITE(storage_settlement)

BOOST_FIXTURE_TEST_CASE(batches_hold_what_is_ready_and_nothing_twice, settlement_fixture) {
  capture(25);
  const auto ready = ask<std::vector<merchant_id>>([&](auto done) {
    db->settlement().merchants_with_ready_items(owner.shard, std::move(done));
  });
  BOOST_REQUIRE((ready && ready->size() == 1U));
  const auto closed = close(10);
  BOOST_REQUIRE_MESSAGE(closed, (closed ? std::string{} : closed.error().detail));
  BOOST_TEST(closed->batches == 3U);
  BOOST_TEST(closed->items == 25U);
  BOOST_TEST(close(10)->batches == 0U);
  const auto batches = unfiled();
  BOOST_REQUIRE(batches.size() == 3U);
  std::size_t items = 0;
  for (const auto& one : batches) {
    BOOST_TEST(one.batch.gross.value() == 1'000 * static_cast<std::int64_t>(one.items.size()));
    BOOST_TEST(one.batch.items == one.items.size());
    BOOST_TEST(one.fee_bps == 100U);
    items += one.items.size();
  }
  BOOST_TEST(items == 25U);
  BOOST_TEST(unfiled(20).size() == 2U);
  BOOST_TEST(unfiled(1).size() == 1U);
  BOOST_TEST(status_of_payments() == "1:25");
  BOOST_TEST(value("select count(*) from event where type = 32") == "3");
}

BOOST_FIXTURE_TEST_CASE(what_succeeds_after_the_cut_off_waits, settlement_fixture) {
  capture(3);
  storage::close_batches_request request;
  request.captured_before = test_time();
  request.now = test_time();
  const auto closed = run_unit<storage::closed_batches>(
    [&](auto done) { return storage::close_batches(request, std::move(done)); });
  BOOST_TEST(closed->items == 0U);
  BOOST_TEST(close(10)->items == 3U);
}

BOOST_FIXTURE_TEST_CASE(a_cut_off_in_runs_tears_no_batch_apart, settlement_fixture) {
  capture(7);
  const auto first = merchant_id::make(test_time() - std::chrono::hours{1}, owner.shard, 1);
  BOOST_TEST(run("update payment_operation set merchant_id = '" + to_hex(first.value)
                 + "' where id in (select id from payment_operation order by id limit 4)")
               .empty());
  const auto one = close(10, 5);
  BOOST_REQUIRE_MESSAGE(one, (one ? std::string{} : one.error().detail));
  BOOST_TEST(one->batches == 1U);
  BOOST_TEST(one->items == 4U);
  BOOST_TEST(one->has_more);
  const auto two = close(10, 5);
  BOOST_TEST(two->items == 3U);
  BOOST_TEST(!two->has_more);
  BOOST_TEST(value("select string_agg(items::text, ' ' order by merchant_id) from batch")
             == "4 3");
}

BOOST_FIXTURE_TEST_CASE(a_merchant_with_more_than_a_run_has_full_batches_but_for_the_last,
                        settlement_fixture) {
  capture(9);
  std::string runs;
  for (bool has_more = true; has_more;) {
    const auto closed = close(2, 5);
    BOOST_REQUIRE_MESSAGE(closed, (closed ? std::string{} : closed.error().detail));
    runs += std::to_string(closed->items) + ' ';
    has_more = closed->has_more;
  }
  BOOST_TEST(runs == "4 4 1 ");
  BOOST_TEST(value("select string_agg(items::text, ' ' order by items) from batch")
             == "1 2 2 2 2");
}

BOOST_FIXTURE_TEST_CASE(a_payment_is_as_far_as_the_least_of_its_captures, settlement_fixture) {
  const auto commit = [&](storage::journal_write write) {
    const auto after = *write.snapshot;
    std::vector<storage::journal_write> writes;
    writes.push_back(std::move(write));
    BOOST_REQUIRE((commit_all(db->journal(), std::move(writes)).front().outcome
                   == storage::write_result::kind::committed));
    return after;
  };
  const auto file_next = [&] {
    BOOST_TEST(close(10)->items == 1U);
    const auto file = store(unfiled());
    BOOST_TEST(mark(file, storage::file_status::submitted).value());
    return file;
  };
  const auto settle = [&](file_id file) {
    storage::apply_results_request results;
    results.file = file;
    results.now = results.next_try_at = test_time();
    const auto sent = content(file).front();
    results.results = {{sent.items.front().operation, storage::item_verdict::accepted, ""}};
    BOOST_TEST(run_unit<bool>([&](auto done) {
                 return storage::apply_results(results, std::move(done));
               }).value());
    BOOST_TEST(run_unit<bool>([&](auto done) {
                 return storage::apply_report(full_report(file, sent), std::move(done));
               }).value());
  };
  const auto held = commit(authorize_write(owner, commit(create_write(owner, 1))));
  const auto half = commit(capture_write(owner, held, 400));
  const auto first = file_next();
  BOOST_TEST(status_of_payments() == "1:1");
  commit(capture_write(owner, half, 600));
  BOOST_TEST(status_of_payments() == "0:1");
  settle(first);
  BOOST_TEST(status_of_payments() == "0:1");
  const auto second = file_next();
  BOOST_TEST(status_of_payments() == "1:1");
  settle(second);
  BOOST_TEST(status_of_payments() == "2:1");
}

BOOST_FIXTURE_TEST_CASE(only_the_file_to_be_submitted_next_is_read_whole, settlement_fixture) {
  capture(3);
  close(1);
  for (const auto& one : unfiled())
    store({one});
  const auto contents = [&] {
    std::vector<std::size_t> sizes;
    for (const auto& file : open_files())
      sizes.push_back(file.content.size());
    return sizes;
  };
  BOOST_TEST((contents() == std::vector<std::size_t>{8, 0, 0}));
  BOOST_TEST(mark(open_files()[0].id, storage::file_status::submitted).value());
  BOOST_TEST((contents() == std::vector<std::size_t>{0, 8, 0}));
  BOOST_TEST(run("update settlement_file set next_try_at = next_try_at + interval '1 hour'"
                 " where id = '"
                 + to_hex(open_files()[1].id.value) + "'")
               .empty());
  BOOST_TEST((contents() == std::vector<std::size_t>{0, 0, 8}));
}

BOOST_FIXTURE_TEST_CASE(a_batch_goes_into_one_file_only, settlement_fixture) {
  capture(5);
  close(10);
  const auto batches = unfiled();
  const auto file = store(batches);
  BOOST_TEST(unfiled().empty());
  const auto again = file_of(batches);
  const auto refused =
    run_unit<bool>([&](auto done) { return storage::store_file(again, std::move(done)); });
  BOOST_REQUIRE(!refused);
  BOOST_TEST((refused.error().code == errc::conflict));
  BOOST_REQUIRE(open_files().size() == 1U);
  BOOST_TEST((open_files()[0].id == file));
  BOOST_TEST(open_files()[0].content == "H,1\nT,0\n");
}

BOOST_FIXTURE_TEST_CASE(results_are_applied_once, settlement_fixture) {
  capture(10);
  close(100);
  const auto file = store(unfiled());
  BOOST_TEST(mark(file, storage::file_status::submitted).value());
  BOOST_TEST(content(file).front().batch.status == "submitted");
  const auto results = mixed_results(file, content(file).front());
  const auto apply = [&] {
    return run_unit<bool>(
      [&](auto done) { return storage::apply_results(results, std::move(done)); });
  };
  const auto applied = apply();
  BOOST_REQUIRE_MESSAGE(applied, (applied ? std::string{} : applied.error().detail));
  BOOST_TEST(*applied);
  BOOST_TEST(!*apply());
  BOOST_TEST(status_of_payments() == "0:1 1:8 3:1");
  const auto counts = ask<std::vector<storage::status_count>>([&](auto done) {
                        db->store().count_by_status(std::move(done));
                      }).value();
  BOOST_TEST(counts.size() == 3U);
  for (const auto& one : counts)
    BOOST_TEST(payments(one.status).size() == one.payments, one.status);
  const auto left = content(file).front();
  BOOST_TEST(left.items.size() == 8U);
  BOOST_TEST(left.batch.gross.value() == 8'000);
  BOOST_TEST(left.batch.status == "answered");
  BOOST_TEST(close(100)->items == 1U); // the deferred one
  const auto exceptions = ask<storage::slice<storage::exception_view>>([&](auto done) {
    db->store().list_exceptions({"open", {}, {}, {}}, std::move(done));
  });
  BOOST_TEST(exceptions->rows.size() == 1U);
  const auto entries = ask<storage::slice<storage::entry_view>>([&](auto done) {
    db->store().list_entries(merchant_of(owner.shard), exceptions->rows[0].payment,
                             std::nullopt, {100, ""}, std::move(done));
  });
  BOOST_TEST(entries->rows.size() == 8U); // two of the hold, four of the capture, and its end
  BOOST_TEST((entries->rows[0].kind == posting_kind::rejection));
  const auto proof = ask<storage::ledger_proof>(
    [&](auto done) { db->store().verify_ledger(fold, {}, std::move(done)); });
  BOOST_TEST(proof->holds());
}

BOOST_FIXTURE_TEST_CASE(results_of_other_items_than_the_files_change_nothing,
                        settlement_fixture) {
  capture(3);
  close(2);
  const auto batches = unfiled();
  const auto file = store({batches[0]});
  const auto other = store({batches[1]});
  BOOST_TEST(mark(file, storage::file_status::submitted).value());
  const auto refused = [&](storage::apply_results_request results) {
    const auto applied = run_unit<bool>(
      [&](auto done) { return storage::apply_results(std::move(results), std::move(done)); });
    return !applied && applied.error().code == errc::rejected;
  };
  const auto good = mixed_results(file, content(file).front());
  auto too_few = good;
  too_few.results.pop_back();
  BOOST_TEST(refused(std::move(too_few)));
  auto foreign = good;
  foreign.results[0].operation = content(other).front().items.front().operation;
  BOOST_TEST(refused(std::move(foreign)));
  BOOST_TEST(status_of_payments() == "1:3");
  BOOST_TEST((open_files()[0].status == storage::file_status::submitted));
}

BOOST_FIXTURE_TEST_CASE(a_report_reconciles_its_batches_once, settlement_fixture) {
  capture(10);
  close(100);
  const auto file = store(unfiled());
  BOOST_TEST(mark(file, storage::file_status::submitted).value());
  const auto results = mixed_results(file, content(file).front());
  BOOST_TEST(run_unit<bool>([&](auto done) {
               return storage::apply_results(results, std::move(done));
             }).value());
  const auto before = content(file).front();
  const auto report = full_report(file, before);
  const auto apply = [&] {
    return run_unit<bool>(
      [&](auto done) { return storage::apply_report(report, std::move(done)); });
  };
  const auto applied = apply();
  BOOST_REQUIRE_MESSAGE(applied, (applied ? std::string{} : applied.error().detail));
  BOOST_TEST(*applied);
  BOOST_TEST(!*apply());
  BOOST_TEST(status_of_payments() == "0:1 2:8 3:1");
  BOOST_TEST(open_files().empty());
  const auto found = ask<std::optional<storage::batch_view>>(
    [&](auto done) { db->store().find_batch(before.batch.id, std::move(done)); });
  BOOST_REQUIRE((found && *found));
  BOOST_TEST((*found)->status == "reconciled");
  BOOST_TEST((*found)->net.value() == 7'840);
  const auto statement =
    ask<storage::statement>([&](auto done) { db->store().make_statement(std::move(done)); });
  BOOST_REQUIRE((statement && statement->by_merchant.size() == 1U));
  BOOST_TEST(statement->by_merchant[0].settled_items == 8U);
  BOOST_TEST(statement->by_merchant[0].net.value() == 7'840);
  const auto timeline = ask<std::optional<storage::timeline_view>>(
    [&](auto done) { db->store().timeline(before.items[0].payment, std::move(done)); });
  BOOST_REQUIRE((timeline && *timeline && (*timeline)->items.size() == 1U));
  BOOST_TEST((*timeline)->items[0].report_line.value_or(0) == 1U);
}

BOOST_FIXTURE_TEST_CASE(what_is_written_off_before_the_report_stays_in_its_batch,
                        settlement_fixture) {
  capture(4);
  close(100);
  const auto file = store(unfiled());
  BOOST_TEST(mark(file, storage::file_status::submitted).value());
  const auto results = mixed_results(file, content(file).front());
  BOOST_TEST(run_unit<bool>([&](auto done) {
               return storage::apply_results(results, std::move(done));
             }).value());
  const auto accepted = content(file).front();
  storage::resolve_exception_request order;
  order.exception = exceptions("open").front().id;
  order.kind = "rejected_item";
  order.merchant = accepted.batch.merchant;
  order.resolution = "write_off";
  order.operation = results.results.front().operation;
  order.change = storage::item_change::settled;
  order.item_must_be = settlement_status::rejected;
  order.gross = order.net = minor_units{1'000};
  order.now = test_time();
  BOOST_TEST(resolve(order).value());
  const auto totals = [&] {
    return value(
      "select gross || ' ' || acquirer_fees || ' ' || platform_fees || ' ' || net"
      " from batch");
  };
  BOOST_TEST(totals() == "3000 0 0 1000");
  BOOST_TEST(run_unit<bool>([&](auto done) {
               return storage::apply_report(full_report(file, accepted), std::move(done));
             }).value());
  BOOST_TEST(totals() == "3000 20 20 2960");
  BOOST_TEST(status_of_payments() == "0:1 2:3");
}

BOOST_FIXTURE_TEST_CASE(a_marked_file_does_not_go_backwards, settlement_fixture) {
  capture(1);
  close(10);
  const auto file = store(unfiled());
  BOOST_TEST(mark(file, storage::file_status::submitted).value());
  BOOST_TEST(mark(file, storage::file_status::submitted).value());
  storage::apply_results_request results;
  results.file = file;
  results.now = results.next_try_at = test_time();
  results.results = {
    {content(file).front().items.front().operation, storage::item_verdict::accepted, ""}};
  BOOST_TEST(run_unit<bool>([&](auto done) {
               return storage::apply_results(results, std::move(done));
             }).value());
  BOOST_TEST(!mark(file, storage::file_status::submitted).value());
  BOOST_TEST((open_files()[0].status == storage::file_status::answered));
}

BOOST_FIXTURE_TEST_CASE(units_of_an_overtaken_owner_do_nothing, settlement_fixture) {
  capture(5);
  static_cast<void>(take_over(owner.shard));
  const auto closed = close(10);
  BOOST_REQUIRE(!closed);
  BOOST_TEST((closed.error().code == errc::not_owner));
  BOOST_TEST(value("select count(*) from batch") == "0");
}

BOOST_FIXTURE_TEST_CASE(units_survive_killed_connections, settlement_fixture) {
  capture(20);
  for (int round = 0; round < 10; ++round) {
    answers<expected<storage::closed_batches>> closed;
    storage::close_batches_request request;
    request.captured_before = test_time() + std::chrono::hours{1};
    request.now = test_time();
    request.random_seed = ++seed;
    request.max_items = 4;
    db->journal().run(owner.shard, owner.epoch, storage::close_batches(request, closed.sink()));
    BOOST_TEST(run("select pg_terminate_backend(pid) from pg_stat_activity"
                   " where application_name like 'holdfast journal %'"
                   " and datname = current_database()")
                 .empty());
    BOOST_REQUIRE(closed.wait().front());
  }
  BOOST_TEST(value("select count(*) from batch") == "5");
  BOOST_TEST(value("select count(*) from event where type = 32") == "5");
  BOOST_TEST(value("select count(*) from payment_operation where batch_id is not null")
             == "20");
}

BOOST_AUTO_TEST_SUITE_END()
