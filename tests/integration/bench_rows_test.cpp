// The baseline and the ceiling must write what the runtime writes, or their comparison with it
// says nothing: the same rows a payment, of about the same size, into the real schema.
#include "runtime/bench/baseline.hpp"
#include "runtime/bench/ceiling.hpp"
#include "runtime/bench/feeder.hpp"
#include "tests/integration/storage/fixture.hpp"
#include "tests/support/process.hpp"

#include <boost/test/unit_test.hpp>

namespace {

using namespace holdfast;

constexpr milliseconds a_second{1'000};

struct fixture {
  /// How many rows, or bytes, there are to each payment.
  static std::string per_payment(const test::storage_fixture& database,
                                 const std::string& expression, const std::string& table) {
    return database.value("select round((select " + expression + " from " + table
                          + ")::numeric / count(*), 3) from payment");
  }

  test::temp_folder folder;
  test::storage_fixture by_pgbench{bench::whole_cluster()};
  test::storage_fixture by_journal{bench::whole_cluster()};
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(bench_rows, fixture)

BOOST_AUTO_TEST_CASE(baseline_and_ceiling_write_the_same_rows) {
  BOOST_TEST_REQUIRE(bench::run_baseline(by_pgbench.url, folder.path(), a_second).value() > 0);
  BOOST_TEST_REQUIRE(
    bench::run_ceiling(by_journal.url, a_second, [] { return expected<void>{}; }).value() > 0);
  for (const auto* table : {"event", "ledger_entry", "idempotency_key"})
    BOOST_TEST(per_payment(by_pgbench, "count(*)", table)
               == per_payment(by_journal, "count(*)", table));
  BOOST_TEST(by_pgbench.value("select string_agg(distinct status::text, ',') from payment")
             == by_journal.value("select string_agg(distinct status::text, ',') from payment"));
  const std::pair<const char*, const char*> encoded[] = {
    {"sum(length(payload))", "event"},
    {"sum(length(detail))", "payment"},
    {"sum(length(body))", "idempotency_key"},
  };
  for (const auto& [bytes, table] : encoded) {
    const auto baseline = std::stod(per_payment(by_pgbench, bytes, table));
    const auto journal = std::stod(per_payment(by_journal, bytes, table));
    BOOST_TEST(std::abs(baseline - journal) < 0.15 * journal,
               table << ": " << baseline << " bytes to the runtime's " << journal);
  }
}

BOOST_AUTO_TEST_CASE(as_many_payments_are_laid_down_as_were_asked_for) {
  bench::feed_plan plan;
  plan.payments = 5'000; // more than are under way at once
  plan.dated = wall_clock_now() - milliseconds{48LL * 3'600 * 1'000};
  std::uint64_t told = 0;
  const auto fed = bench::feed_journal(by_journal.url, plan, [&](std::uint64_t done) {
    told = done;
    return expected<void>{};
  });
  BOOST_TEST_REQUIRE(fed.has_value());
  BOOST_TEST(fed->payments == 5'000U);
  BOOST_TEST(told == 5'000U);
  BOOST_TEST(by_journal.value("select count(*) from payment where status = 3") == "5000");
  BOOST_TEST(by_journal.value("select count(*) from payment"
                              " where created_at > now() - interval '1 day'")
             == "0");
}

BOOST_AUTO_TEST_CASE(the_ceiling_takes_its_shards_again) {
  for (int i = 0; i < 2; ++i)
    BOOST_TEST(
      bench::run_ceiling(by_journal.url, a_second, [] { return expected<void>{}; }).value()
      > 0);
}

BOOST_AUTO_TEST_CASE(an_interruption_ends_the_ceiling) {
  const auto stopped = bench::run_ceiling(by_journal.url, milliseconds{60'000}, [] {
    return expected<void>{make_error(errc::unavailable, "interrupted")};
  });
  BOOST_TEST_REQUIRE(stopped.has_error());
  BOOST_TEST(stopped.error().detail == "interrupted");
}

BOOST_AUTO_TEST_SUITE_END()
