// A shard with captures on their way through settlement, for the tests of its set-based work.
#pragma once

#include "messages/digest.hpp"
#include "tests/integration/storage/fixture.hpp"

#include <map>

namespace holdfast::test {

struct settlement_fixture : storage_fixture {
  settlement_fixture() : db(open()), owner(open_shard(db->journal(), shard_number{1})) {
    BOOST_TEST(run("insert into merchant values ('" + to_hex(merchant_of(owner.shard).value)
                   + "', 'Shop', 'EUR', 1, 100, now())")
                 .empty());
  }

  void capture(std::uint64_t payments) {
    std::vector<storage::journal_write> writes;
    for (std::uint64_t i = 1; i <= payments; ++i) {
      writes.push_back(create_write(owner, i));
      writes.push_back(authorize_write(owner, *writes.back().snapshot));
      writes.push_back(capture_write(owner, *writes.back().snapshot, 1'000));
    }
    for (const auto& result : commit_all(db->journal(), std::move(writes)))
      BOOST_REQUIRE_MESSAGE((result.outcome == storage::write_result::kind::committed),
                            result.detail);
  }

  template <class Result, class Make>
  expected<Result> run_unit(Make make) {
    return ask<Result>(
      [&](auto done) { db->journal().run(owner.shard, owner.epoch, make(std::move(done))); });
  }

  expected<storage::closed_batches> close(std::uint32_t max_items,
                                          std::uint32_t run_items = limits::cutoff_items_max) {
    storage::close_batches_request request;
    request.captured_before = test_time() + std::chrono::hours{1};
    request.now = test_time();
    request.random_seed = ++seed;
    request.max_items = max_items;
    request.run_items = run_items;
    return run_unit<storage::closed_batches>(
      [&](auto done) { return storage::close_batches(request, std::move(done)); });
  }

  std::vector<storage::batch_content> unfiled(std::uint32_t max_items = 1'000) {
    return *ask<std::vector<storage::batch_content>>([&](auto done) {
      db->settlement().unfiled_batches(owner.shard, max_items, std::move(done));
    });
  }

  std::vector<storage::batch_content> content(file_id file) {
    return *ask<std::vector<storage::batch_content>>(
      [&](auto done) { db->settlement().file_content(file, std::move(done)); });
  }

  std::vector<storage::settlement_file> open_files() {
    return *ask<std::vector<storage::settlement_file>>([&](auto done) {
      db->settlement().open_files(owner.shard, test_time(), std::move(done));
    });
  }

  file_id store(const std::vector<storage::batch_content>& batches) {
    const auto request = file_of(batches);
    const auto stored =
      run_unit<bool>([&](auto done) { return storage::store_file(request, std::move(done)); });
    BOOST_REQUIRE_MESSAGE(stored, (stored ? std::string{} : stored.error().detail));
    return request.file.id;
  }

  storage::store_file_request file_of(const std::vector<storage::batch_content>& batches) {
    storage::store_file_request request;
    request.file.id = file_id::make(test_time(), owner.shard, ++seed);
    request.file.acquirer = "first";
    request.file.content = "H,1\nT,0\n";
    request.file.sha256 = sha256_hex(request.file.content);
    request.file.next_try_at = request.file.created_at = request.now = test_time();
    for (const auto& one : batches) {
      request.batches.push_back(one.batch.id);
      request.items += static_cast<std::uint32_t>(one.items.size());
    }
    return request;
  }

  expected<bool> mark(file_id file, storage::file_status status) {
    storage::mark_file_request request;
    request.file = file;
    request.status = status;
    request.next_try_at = request.now = test_time();
    return run_unit<bool>(
      [&](auto done) { return storage::mark_file(request, std::move(done)); });
  }

  expected<bool> resolve(const storage::resolve_exception_request& request) {
    return run_unit<bool>(
      [&](auto done) { return storage::resolve_exception(request, std::move(done)); });
  }

  storage::new_exception exception_of(const std::string& kind,
                                      const std::string& fingerprint) const {
    storage::new_exception made;
    made.kind = kind;
    made.fingerprint = fingerprint;
    made.merchant = merchant_of(owner.shard);
    made.unit = *currency::parse("EUR");
    return made;
  }

  std::vector<storage::exception_view> exceptions(const std::string& status) {
    return ask<storage::slice<storage::exception_view>>([&](auto done) {
             db->store().list_exceptions({status, {}, {}, {}}, std::move(done));
           })
      .value()
      .rows;
  }

  /// Those of a public status; empty: all.
  std::vector<storage::payment_view> payments(const std::string& status = {}) {
    return ask<storage::slice<storage::payment_view>>([&](auto done) {
             db->store().list_payments(merchant_of(owner.shard), {status, {}, {100, ""}},
                                       std::move(done));
           })
      .value()
      .rows;
  }

  /// How many payments are as far as that, as "settlement's status:number".
  std::string status_of_payments() {
    std::map<settlement_status, int> counts;
    for (const auto& one : payments())
      ++counts[one.row.settlement];
    std::string text;
    for (const auto& [status, count] : counts)
      text += (text.empty() ? "" : " ") + std::to_string(static_cast<int>(status)) + ':'
              + std::to_string(count);
    return text;
  }

  std::unique_ptr<storage::database> db;
  storage::acquired_shard owner;
  std::uint64_t seed = 100;
};

/// Settles every item that is left, at a fee of 10 and another 10 of ours.
inline storage::apply_report_request full_report(file_id file,
                                                 const storage::batch_content& content) {
  const auto& [batch, items, fee_bps] = content;
  storage::apply_report_request report;
  report.file = file;
  report.raw = "report";
  report.now = test_time();
  std::uint32_t line = 0;
  for (const auto& item : items)
    report.settled.push_back({item.operation, minor_units{10}, ++line});
  const minor_units fees{10 * static_cast<std::int64_t>(items.size())};
  report.batches = {
    {batch.id, batch.merchant, batch.gross, fees, fees, batch.gross - fees - fees, line, 0}};
  return report;
}

} // namespace holdfast::test
