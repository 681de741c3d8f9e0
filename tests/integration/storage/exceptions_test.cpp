// Exceptions and dead letters in the database: raised once, resolved once, and what that moves.
#include "tests/integration/storage/settlement_fixture.hpp"

using namespace holdfast;
using namespace holdfast::test;

BOOST_AUTO_TEST_SUITE(storage_exceptions)

BOOST_FIXTURE_TEST_CASE(a_refused_files_batches_go_into_another_file, settlement_fixture) {
  capture(3);
  close(10);
  const auto file = store(unfiled());
  storage::mark_file_request refusal;
  refusal.file = file;
  refusal.acquirer = "first";
  refusal.status = storage::file_status::refused;
  refusal.next_try_at = refusal.now = test_time();
  refusal.exceptions = {exception_of("file_refused", "file_refused:1")};
  BOOST_TEST(run_unit<bool>([&](auto done) {
               return storage::mark_file(refusal, std::move(done));
             }).value());
  BOOST_TEST(open_files().empty());
  BOOST_TEST(unfiled().empty());
  const auto batch = content(file).front().batch.id;
  const auto found = ask<std::optional<storage::exception_case>>(
    [&](auto done) { db->settlement().find_refusal_of(batch, std::move(done)); });
  BOOST_REQUIRE((found && *found));
  BOOST_TEST((*found)->acquirer == "first");

  storage::resolve_exception_request order;
  order.exception = (*found)->seen.id;
  order.kind = "file_refused";
  order.resolution = "retry";
  order.resubmit_file = file;
  order.now = test_time();
  BOOST_TEST(resolve(order).value());
  BOOST_TEST(!resolve(order).value());
  const auto again = unfiled();
  BOOST_REQUIRE(again.size() == 1U);
  BOOST_TEST((again[0].batch.id == batch));
  BOOST_TEST(again[0].items.size() == 3U);
  BOOST_TEST((store(again) != file));
  BOOST_TEST(value("select string_agg(type::text, ' ' order by seq) from event where type > 35")
             == "36 37 39 38");
}

BOOST_FIXTURE_TEST_CASE(an_exception_is_raised_once_and_again_after_a_retry_in_vain,
                        settlement_fixture) {
  const auto raise = [&] {
    storage::open_exceptions_request request;
    request.exceptions = {exception_of("orphan_at_us", "orphan_at_us:alpha:pay_1.1")};
    request.now = test_time();
    request.random_seed = ++seed;
    return run_unit<std::uint32_t>(
             [&](auto done) { return storage::open_exceptions(request, std::move(done)); })
      .value();
  };
  BOOST_TEST(raise() == 1U);
  BOOST_TEST(raise() == 0U);
  storage::resolve_exception_request order;
  order.exception = exceptions("open").front().id;
  order.kind = "orphan_at_us";
  order.resolution = "retry";
  order.now = test_time();
  BOOST_TEST(resolve(order).value());
  BOOST_TEST(exceptions("open").empty());
  BOOST_TEST(raise() == 1U);
  BOOST_TEST((exceptions("open").front().id == order.exception));
  order.resolution = "mark_known";
  BOOST_TEST(resolve(order).value());
  BOOST_TEST(raise() == 0U);
  BOOST_TEST(exceptions("resolved").front().resolution == "mark_known");
  BOOST_TEST(value("select string_agg(type::text, ' ' order by seq) from event")
             == "37 38 37 38");
}

BOOST_FIXTURE_TEST_CASE(a_resolution_settles_its_item_once_and_the_ledger_holds,
                        settlement_fixture) {
  capture(4);
  close(10);
  const auto file = store(unfiled());
  BOOST_TEST(mark(file, storage::file_status::submitted).value());
  const auto content_before = content(file).front();
  storage::apply_results_request results;
  results.file = file;
  results.now = results.next_try_at = test_time();
  for (const auto& item : content_before.items)
    results.results.push_back({item.operation, storage::item_verdict::accepted, ""});
  BOOST_TEST(run_unit<bool>([&](auto done) {
               return storage::apply_results(results, std::move(done));
             }).value());
  auto settled = content(file).front();
  const auto missing = settled.items.back();
  settled.items.pop_back();
  settled.batch.gross = minor_units{3'000};
  auto report = full_report(file, settled);
  report.exceptions = {exception_of("missing_in_report", "missing:1")};
  report.exceptions[0].operation = missing.operation;
  report.exceptions[0].payment = missing.payment;
  BOOST_TEST(run_unit<bool>([&](auto done) {
               return storage::apply_report(report, std::move(done));
             }).value());
  BOOST_TEST(status_of_payments() == "1:1 2:3");

  const auto found = ask<std::optional<storage::exception_case>>([&](auto done) {
    db->settlement().find_exception_case(exceptions("open").front().id, std::move(done));
  });
  BOOST_REQUIRE((found && *found && (*found)->subject));
  BOOST_TEST((*found)->subject->amount.value() == 1'000);
  BOOST_TEST(((*found)->subject->status == settlement_status::batched));
  storage::resolve_exception_request order;
  order.exception = (*found)->seen.id;
  order.kind = "missing_in_report";
  order.merchant = merchant_of(owner.shard);
  order.resolution = "adjust";
  order.operation = missing.operation;
  order.change = storage::item_change::settled;
  order.item_must_be = settlement_status::batched;
  order.gross = minor_units{1'000};
  order.net = minor_units{990};
  posting paid;
  paid.kind = posting_kind::adjustment;
  paid.subject = order.exception.value;
  paid.ordinal = 1;
  paid.legs = {{{account_kind::acquirer_cash, "first", settled.batch.unit}, minor_units{990}},
               {{account_kind::suspense, "first", settled.batch.unit}, minor_units{-990}}};
  order.postings = {paid};
  order.now = test_time();
  BOOST_TEST(resolve(order).value());
  BOOST_TEST(!resolve(order).value());
  BOOST_TEST(status_of_payments() == "2:4");
  BOOST_TEST(value("select gross || ' ' || acquirer_fees || ' ' || net from batch")
             == "4000 40 3930");
  BOOST_TEST(value("select count(*) from ledger_entry where kind = 11") == "2");
  const auto proof = ask<storage::ledger_proof>(
    [&](auto done) { db->store().verify_ledger(fold, {}, std::move(done)); });
  BOOST_TEST(proof->holds());
}

BOOST_FIXTURE_TEST_CASE(an_item_that_has_moved_on_is_not_resolved, settlement_fixture) {
  capture(1);
  close(10);
  const auto item = unfiled().front().items.front();
  storage::open_exceptions_request request;
  request.exceptions = {exception_of("missing_in_report", "missing:1")};
  request.now = test_time();
  BOOST_TEST(run_unit<std::uint32_t>([&](auto done) {
               return storage::open_exceptions(request, std::move(done));
             }).value()
             == 1U);
  storage::resolve_exception_request order;
  order.exception = exceptions("open").front().id;
  order.resolution = "retry";
  order.change = storage::item_change::ready_again;
  order.operation = item.operation;
  order.item_must_be = settlement_status::settled;
  order.now = test_time();
  const auto refused = resolve(order);
  BOOST_REQUIRE(!refused);
  BOOST_TEST((refused.error().code == errc::conflict));
  BOOST_TEST(exceptions("open").size() == 1U);
  order.item_must_be = settlement_status::batched;
  order.item_tries = 5;
  BOOST_TEST(resolve(order).value());
  BOOST_TEST(close(10)->items == 1U);
  BOOST_TEST(value("select settle_tries from payment_operation") == "5");
}

BOOST_FIXTURE_TEST_CASE(a_report_that_contradicts_itself_is_kept_once_and_a_better_one_ends_it,
                        settlement_fixture) {
  capture(2);
  close(10);
  const auto file = store(unfiled());
  BOOST_TEST(mark(file, storage::file_status::submitted).value());
  storage::apply_results_request results;
  results.file = file;
  results.now = results.next_try_at = test_time();
  const auto sent = content(file).front();
  for (const auto& item : sent.items)
    results.results.push_back({item.operation, storage::item_verdict::accepted, ""});
  BOOST_TEST(run_unit<bool>([&](auto done) {
               return storage::apply_results(results, std::move(done));
             }).value());
  const auto refuse = [&](const char* raw) {
    storage::refuse_report_request refused;
    refused.file = file;
    refused.raw = raw;
    refused.exception = exception_of("report_malformed", "report_malformed:1");
    refused.next_try_at = refused.now = test_time();
    refused.random_seed = ++seed;
    return run_unit<bool>(
             [&](auto done) { return storage::refuse_report(refused, std::move(done)); })
      .value();
  };
  const auto kept = [&] {
    return value(
      "select string_agg(convert_from(content, 'UTF8'), ' ' order by content)"
      " from settlement_answer where kind = 3");
  };
  // As of an acquirer that stamps each of its reports with the time.
  for (const auto* raw : {"bad at 1", "bad at 1", "bad at 2", "bad at 3"})
    BOOST_TEST(refuse(raw));
  BOOST_REQUIRE(exceptions("open").size() == 1U);
  BOOST_TEST(kept() == "bad at 1");
  storage::resolve_exception_request order;
  order.exception = exceptions("open").front().id;
  order.kind = "report_malformed";
  order.resolution = "retry";
  order.ask_again = file;
  order.now = test_time();
  BOOST_TEST(resolve(order).value());
  BOOST_TEST(refuse("bad at 4"));
  BOOST_TEST(refuse("bad at 5"));
  BOOST_TEST(exceptions("open").size() == 1U);
  BOOST_TEST(kept() == "bad at 1 bad at 4");
  const auto report = full_report(file, content(file).front());
  BOOST_TEST(run_unit<bool>([&](auto done) {
               return storage::apply_report(report, std::move(done));
             }).value());
  BOOST_TEST(exceptions("open").empty());
  BOOST_TEST(exceptions("resolved").front().resolution == "answered");
}

BOOST_FIXTURE_TEST_CASE(exceptions_are_listed_by_class_and_handed_to_somebody,
                        settlement_fixture) {
  storage::open_exceptions_request request;
  request.exceptions = {exception_of("orphan_at_us", "1"), exception_of("unknown_line", "2"),
                        exception_of("unknown_line", "3")};
  request.exceptions[2].merchant = merchant_of(owner.shard, 2);
  request.now = test_time();
  BOOST_TEST(run_unit<std::uint32_t>([&](auto done) {
               return storage::open_exceptions(request, std::move(done));
             }).value()
             == 3U);
  const auto list = [&](storage::exception_filter filter) {
    return ask<storage::slice<storage::exception_view>>(
             [&](auto done) { db->store().list_exceptions(filter, std::move(done)); })
      .value()
      .rows;
  };
  BOOST_TEST(list({"", "unknown_line", {}, {}}).size() == 2U);
  BOOST_TEST(list({"open", "unknown_line", merchant_of(owner.shard, 2), {}}).size() == 1U);
  BOOST_TEST(list({"resolved", "", {}, {}}).empty());
  const auto id = list({"", "orphan_at_us", {}, {}}).front().id;
  BOOST_TEST(run_unit<bool>([&](auto done) {
               return storage::assign_exception({id, "ada", "asks them"}, std::move(done));
             }).value());
  const auto found = ask<std::optional<storage::exception_view>>(
    [&](auto done) { db->store().find_exception(id, std::move(done)); });
  BOOST_REQUIRE((found && *found));
  BOOST_TEST((*found)->owner == "ada");
  BOOST_TEST((*found)->note == "asks them");
}

BOOST_FIXTURE_TEST_CASE(dead_letters_are_counted_and_replayed_once, settlement_fixture) {
  const auto keep = [&](std::chrono::seconds later) {
    storage::keep_dead_letter_request request;
    request.letter = {"payment", "pay_1", "died", "log"};
    request.now = test_time() + later;
    request.random_seed = ++seed;
    return run_unit<bool>(
             [&](auto done) { return storage::keep_dead_letter(request, std::move(done)); })
      .value();
  };
  const auto list = [&](const char* status) {
    return ask<storage::slice<storage::dead_letter_view>>(
             [&](auto done) { db->store().list_dead_letters(status, {}, std::move(done)); })
      .value()
      .rows;
  };
  BOOST_TEST(keep(std::chrono::seconds{0}));
  BOOST_TEST(keep(std::chrono::seconds{1}));
  BOOST_REQUIRE(list("waiting").size() == 1U);
  const auto letter = list("waiting").front();
  BOOST_TEST(letter.count == 2U);
  const auto replay = [&] {
    return run_unit<bool>([&](auto done) {
             return storage::replay_dead_letter({letter.id, test_time()}, std::move(done));
           })
      .value();
  };
  BOOST_TEST(replay());
  BOOST_TEST(!replay());
  BOOST_TEST(list("waiting").empty());
  BOOST_TEST(keep(std::chrono::seconds{2}));
  BOOST_TEST(list("waiting").front().count == 3U);
}

BOOST_FIXTURE_TEST_CASE(a_replayed_answer_makes_its_file_due_at_once, settlement_fixture) {
  capture(1);
  close(10);
  const auto file = store(unfiled());
  storage::mark_file_request waits;
  waits.file = file;
  waits.status = storage::file_status::submitted;
  waits.tries = 7;
  waits.now = test_time();
  waits.next_try_at = test_time() + std::chrono::hours{6};
  BOOST_TEST(run_unit<bool>([&](auto done) {
               return storage::mark_file(waits, std::move(done));
             }).value());
  storage::keep_dead_letter_request request;
  request.letter = {"settlement_answer", file.text(), "it is refused", "its results"};
  request.now = test_time();
  BOOST_TEST(run_unit<bool>([&](auto done) {
               return storage::keep_dead_letter(request, std::move(done));
             }).value());
  const auto letters = ask<storage::slice<storage::dead_letter_view>>(
    [&](auto done) { db->store().list_dead_letters("waiting", {}, std::move(done)); });
  BOOST_REQUIRE((letters && letters->rows.size() == 1U));
  const auto now = test_time() + std::chrono::minutes{1};
  BOOST_TEST(run_unit<bool>([&](auto done) {
               return storage::replay_dead_letter({letters->rows[0].id, now}, std::move(done));
             }).value());
  BOOST_TEST((open_files().front().next_try_at == now));
  BOOST_TEST(open_files().front().tries == 0U);
}

BOOST_FIXTURE_TEST_CASE(the_search_for_orphans_reads_what_is_held_in_its_window,
                        settlement_fixture) {
  capture(5);
  const auto held = [&](timestamp from, timestamp to, payment_id after, std::size_t limit) {
    return ask<std::vector<payment>>([&](auto done) {
             db->settlement().payments_held_at("gateway", from, to, after, limit,
                                               std::move(done));
           })
      .value();
  };
  BOOST_TEST(run("update payment set gateway = 'gateway'").empty());
  const auto hour = std::chrono::hours{1};
  const auto all = held(test_time() - hour, test_time() + hour, {}, 10);
  BOOST_REQUIRE(all.size() == 5U);
  BOOST_TEST(held(test_time() - hour, test_time() + hour, all[2].id, 10).size() == 2U);
  BOOST_TEST(held(test_time() - hour, test_time() + hour, {}, 3).size() == 3U);
  BOOST_TEST(held(test_time() + hour, test_time() + 2 * hour, {}, 10).empty());
  const auto found = ask<std::vector<payment>>([&](auto done) {
    db->settlement().find_payments(
      {all[0].id, all[4].id, payment_id::make(test_time(), owner.shard, 999)}, std::move(done));
  });
  BOOST_TEST(found->size() == 2U);
}

BOOST_AUTO_TEST_SUITE_END()
