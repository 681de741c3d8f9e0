// A fifth of all calls to the gateways goes wrong, each way in turn and all of them mixed, on a
// real node, sandbox and PostgreSQL: nobody is held twice at any moment, the sandbox's records
// are the ledger's, and what is pending when the faults stop ends in bounded time. Faults 14 to
// 17 of the fault list. `make faults` tries more payments and prints the table.
#include "actors/payment/core.hpp"
#include "messages/limits.hpp"
#include "runtime/console/table.hpp"
#include "runtime/demo/reading.hpp"
#include "tests/integration/crash_suite.hpp"
#include "tests/support/environment.hpp"

#include <boost/json.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <map>
#include <ostream>
#include <set>

namespace holdfast {

namespace json = boost::json;
namespace data = boost::unit_test::data;
using demo::planned_payment;
using demo::sandbox_record;
using demo::story;
using test::crash_site;
using test::crash_suite;
using test::end_limit;
using test::first_seed;

namespace {

/// In each of two loads: one that ends under the faults, and one in whose midst they stop.
constexpr std::uint64_t payments_in_a_test_run = 60;
constexpr milliseconds load_limit{600'000};
constexpr double faulty_share = 0.2;
constexpr milliseconds gateway_timeout{300};
constexpr milliseconds gateway_settle_time{500};

/// What may still have to pass when the faults stop: the longest pause, the time until "not
/// found" is believed, and two calls that were lost before.
const milliseconds resolve_limit =
  payments::policy{}.retry_max + gateway_settle_time
  + 2 * (gateway_timeout + milliseconds{limits::answer_margin_ms});

struct weather {
  const char* name;
  std::vector<const char*> kinds; ///< share the rate
};

std::ostream& operator<<(std::ostream& out, const weather& one) {
  return out << one.name;
}

const std::vector<weather> weathers{
  {"no answer, charged", {"no_answer_charged"}},
  {"no answer, not charged", {"no_answer_uncharged"}},
  {"500, charged", {"http_500_charged"}},
  {"500, not charged", {"http_500_uncharged"}},
  {"answer after 5 s", {"slow"}},
  {"reset, charged", {"reset"}},
  {"reset, not charged", {"reset_uncharged"}},
  {"200 without JSON, charged", {"not_json"}},
  {"all of them",
   {"no_answer_charged", "no_answer_uncharged", "http_500_charged", "http_500_uncharged",
    "slow", "reset", "reset_uncharged", "not_json"}},
};

/// What the gateways did, from their records alone.
class gateway_books {
public:
  /// How often a payment was held where it was held already, at this gateway or another.
  std::int64_t take(const std::vector<sandbox_record>& records) {
    std::int64_t double_holds = 0;
    for (const auto& record : records) {
      seen_ = record.seq;
      if (!record.effective)
        continue;
      auto& one = by_payment_[std::string{demo::payment_of(record.reference)}];
      const auto hold = record.gateway + ' ' + record.reference;
      if (record.kind == "authorize") {
        double_holds += one.holds.empty() ? 0 : 1;
        one.holds.insert(hold);
        one.amount = record.amount;
      } else if (record.kind == "reverse") {
        one.holds.erase(hold);
      } else if (record.kind == "capture") {
        one.captured += record.amount;
      } else if (record.kind == "refund") {
        one.refunded += record.amount;
      }
    }
    return double_holds;
  }

  /// The number of the last record taken.
  [[nodiscard]] std::int64_t seen() const noexcept { return seen_; }
  /// Captured less refunded, which acquirers owe us: nothing is settled here.
  [[nodiscard]] std::int64_t receivable() const {
    std::int64_t sum = 0;
    for (const auto& each : by_payment_)
      sum += each.second.captured - each.second.refunded;
    return sum;
  }
  /// Nothing stays held of a payment of the plan once something was captured of it.
  [[nodiscard]] std::int64_t held() const {
    std::int64_t sum = 0;
    for (const auto& each : by_payment_)
      if (each.second.captured == 0 && !each.second.holds.empty())
        sum += each.second.amount;
    return sum;
  }

private:
  struct side {
    std::set<std::string> holds; ///< that stand now
    std::int64_t amount = 0;
    std::int64_t captured = 0;
    std::int64_t refunded = 0;
  };

  std::map<std::string, side> by_payment_;
  std::int64_t seen_ = 0;
};

/// How the calls of one weather went. Times are from the durable intent to the durable outcome,
/// of calls whose outcome was unknown for a while.
struct findings {
  std::string weather;
  std::size_t payments = 0;
  std::int64_t calls = 0; ///< authorizations, captures, refunds and voids
  std::int64_t unknown = 0;
  std::int64_t p50_ms = 0;
  std::int64_t p99_ms = 0;
  std::int64_t max_ms = 0;
  std::int64_t open_at_stop = 0; ///< of these: asked before the faults stopped, known after
  std::int64_t max_after_stop_ms = 0; ///< how much longer those took
  std::int64_t unresolved = 0;
  std::int64_t double_holds = 0;
  std::size_t differences = 0;
};

struct faulty_gateways : crash_suite {
  faulty_gateways() : crash_suite("HOLDFAST_BINARY", tune) {}

  static faulty_gateways& here() { return static_cast<faulty_gateways&>(crash_suite::here()); }

  /// The harder policy: another gateway is asked after a reversal.
  static void tune(config::node_config& node) {
    node.payments.unknown_outcome = "resolve_then_failover";
    for (auto& gateway : node.gateways) {
      gateway.timeout = gateway_timeout;
      gateway.settle_time = gateway_settle_time;
    }
  }

  gateway_books books;
  std::vector<findings> table;
};

/// The gateways' fates are drawn anew each time.
void set_faults(crash_site& site, const std::vector<const char*>& kinds) {
  static std::uint64_t drawn = 0;
  json::object rates;
  for (const char* kind : kinds)
    rates[kind] = faulty_share / static_cast<double>(kinds.size());
  const client::json_client sandbox{site.sandbox()};
  const auto set =
    sandbox.post("/sandbox/faults", json::object{{"gateway", "*"},
                                                 {"seed", first_seed() + ++drawn},
                                                 {"rates", std::move(rates)}});
  BOOST_REQUIRE_MESSAGE(set, (set ? std::string{} : set.error().detail));
}

/// Without the payments whose amounts make a gateway go wrong by themselves.
std::vector<planned_payment> make_plan() {
  static const auto payments =
    test::number_from_environment("HOLDFAST_FAULT_PAYMENTS", payments_in_a_test_run);
  auto plan = demo::make_plan(payments, first_seed());
  std::erase_if(plan, [](const auto& one) { return one.which == story::unknown; });
  return plan;
}

std::int64_t clock_ms(crash_site& site) {
  return site.numbers("select (extract(epoch from clock_timestamp()) * 1000)::int8", 1).front();
}

/// From the log: a call begins with its intent (2: attempt started, 13: operation requested),
/// may be found unknown (6, 14) and has an end. A payment's attempts follow each other, and so
/// do its operations here; so calls are told apart by counting. `moment` has two of them, in
/// milliseconds.
constexpr const char* unknown_calls = R"sql(
, step as (
  select subject, type, (extract(epoch from at) * 1000)::int8 as at_ms,
         type between 13 and 16 as is_operation,
         count(*) filter (where type in (2, 13))
           over (partition by subject, type between 13 and 16 order by seq) as ordinal
    from event
   where type in (2, 3, 4, 5, 6, 10, 13, 14, 15, 16, 17)
), call as (
  select bool_or(type in (6, 14)) as was_unknown,
         min(at_ms) as asked,
         max(at_ms) filter (where type in (3, 4, 5, 10, 15, 16, 17)) as known
    from step group by subject, is_operation, ordinal
  having min(at_ms) >= (select began from moment)
)
select (select count(*) from call), count(*),
       coalesce(percentile_disc(0.5) within group (order by known - asked), 0),
       coalesce(percentile_disc(0.99) within group (order by known - asked), 0),
       coalesce(max(known - asked), 0),
       count(*) filter (where asked <= stopped and known > stopped),
       coalesce(max(known - stopped) filter (where asked <= stopped and known > stopped), 0),
       count(*) filter (where known is null)
  from call, moment
 where was_unknown)sql";

void read_calls(crash_site& site, std::int64_t began_ms, std::int64_t stopped_ms,
                findings& into) {
  const auto moment = "with moment as (select " + std::to_string(began_ms) + "::int8 as began, "
                      + std::to_string(stopped_ms) + "::int8 as stopped)";
  const auto found = site.numbers((moment + unknown_calls).c_str(), 8);
  into.calls = found[0];
  into.unknown = found[1];
  into.p50_ms = found[2];
  into.p99_ms = found[3];
  into.max_ms = found[4];
  into.open_at_stop = found[5];
  into.max_after_stop_ms = found[6];
  into.unresolved = found[7];
}

/// The ledger against the sandbox's records, all weathers so far.
void compare_ledger(crash_site& site, const gateway_books& books,
                    std::vector<std::string>& differences) {
  const auto ledger = site.numbers(
    "select coalesce(sum(balance) filter (where kind = 1), 0)::int8,"
    " coalesce(sum(balance) filter (where kind = 3), 0)::int8 from account",
    2);
  const auto compare = [&](const char* what, std::int64_t booked, std::int64_t done) {
    if (booked != done)
      differences.push_back(std::string{what} + " is " + std::to_string(booked)
                            + " in the ledger and " + std::to_string(done)
                            + " by the sandbox's records");
  };
  compare("held money", ledger[0], books.held());
  compare("what acquirers owe", ledger[1], books.receivable());
}

std::string table_text(const std::vector<findings>& rows) {
  using console::align;
  console::table table{{{"a fifth of calls", align::left},
                        {"payments", align::right},
                        {"calls", align::right},
                        {"unknown", align::right},
                        {"p50 ms", align::right},
                        {"p99 ms", align::right},
                        {"max ms", align::right},
                        {"open at stop", align::right},
                        {"max ms after", align::right},
                        {"unresolved", align::right},
                        {"double holds", align::right},
                        {"differences", align::right}}};
  for (const auto& row : rows)
    table.add({row.weather, std::to_string(row.payments), std::to_string(row.calls),
               std::to_string(row.unknown), std::to_string(row.p50_ms),
               std::to_string(row.p99_ms), std::to_string(row.max_ms),
               std::to_string(row.open_at_stop), std::to_string(row.max_after_stop_ms),
               std::to_string(row.unresolved), std::to_string(row.double_holds),
               std::to_string(row.differences)});
  return table.text(console::terminal{});
}

} // namespace

BOOST_AUTO_TEST_SUITE(gateway_faults, *boost::unit_test::fixture<faulty_gateways>())

BOOST_DATA_TEST_CASE(everything_ends_and_nobody_is_held_twice_under, data::make(weathers),
                     one) {
  auto& suite = faulty_gateways::here();
  auto& site = suite.site();
  set_faults(site, one.kinds);
  const auto began = clock_ms(site);
  const auto first = suite.new_load(make_plan());
  first->go_to(site.http());
  first->await_answers(first->answers_wanted(), load_limit);
  auto differences = suite.differences_of(*first);

  const auto second = suite.new_load(make_plan());
  second->go_to(site.http());
  second->await_answers(second->answers_wanted() / 2, load_limit);
  set_faults(site, {});
  const auto stopped = clock_ms(site);
  const auto more = suite.differences_of(*second);
  differences.insert(differences.end(), more.begin(), more.end());

  findings found;
  found.weather = one.name;
  found.payments = first->payments().size() + second->payments().size();
  read_calls(site, began, stopped, found);
  const auto records = demo::read_records(site.sandbox(), suite.books.seen());
  BOOST_REQUIRE_MESSAGE(records, (records ? std::string{} : records.error().detail));
  found.double_holds = suite.books.take(*records);
  compare_ledger(site, suite.books, differences);
  found.differences = differences.size();
  suite.table.push_back(found);

  BOOST_TEST(found.unknown > 0);
  BOOST_TEST(found.unresolved == 0);
  BOOST_TEST(found.max_after_stop_ms <= resolve_limit.count());
  BOOST_TEST(found.double_holds == 0);
  suite.expect_none(differences, one.name);
}

BOOST_AUTO_TEST_CASE(all_of_them_leave_a_ledger_that_holds) {
  auto& suite = faulty_gateways::here();
  suite.check_all("the end");
  BOOST_TEST_MESSAGE("HOLDFAST_CRASH_SEED=" << first_seed() << ", gateway timeout "
                                            << gateway_timeout.count() << " ms, settle time "
                                            << gateway_settle_time.count() << " ms\n"
                                            << table_text(suite.table));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast
