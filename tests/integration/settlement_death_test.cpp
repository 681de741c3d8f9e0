// Fault 1 of the fault list, for settlement: whichever actor dies, at whatever step between the
// cut-off and the reconciled batch, the day ends settled exactly once. Real actors, real
// journal, real PostgreSQL; gateway and acquirer are scripted. Invariants O, M and L.
#include "actors/reconciler/file_format.hpp"
#include "tests/support/postgres.hpp"
#include "tests/support/stage.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>

namespace {

using namespace holdfast;
using acquirers::acquirer_request;
using acquirers::acquirer_verb;
using test::fate;
using test::stage;

enum class victim { merchant, acquirer, reconciler, shard };

constexpr victim every_victim[] = {victim::merchant, victim::acquirer, victim::reconciler,
                                   victim::shard};
constexpr acquirer_verb every_verb[] = {
  acquirer_verb::submit_file, acquirer_verb::fetch_results, acquirer_verb::fetch_report};
constexpr fate every_fate[] = {fate::answer, fate::lose_answer, fate::drop_request};

const char* name_of(victim who) {
  constexpr const char* names[] = {"the merchant's actor", "the acquirer's", "the reconciler",
                                   "the shard's"};
  return names[static_cast<int>(who)];
}

const char* name_of(acquirer_verb verb) {
  constexpr const char* names[] = {"sending the file", "fetching results",
                                   "fetching the report"};
  return names[static_cast<int>(verb)];
}

const char* name_of(fate what) {
  constexpr const char* names[] = {"is answered", "loses its answer", "never arrives"};
  return names[static_cast<int>(what)];
}

void kill(stage& on, victim who) {
  switch (who) {
    case victim::merchant: return on.kill_merchant();
    case victim::acquirer: return on.kill_acquirer();
    case victim::reconciler: return on.kill_reconciler();
    case victim::shard: return on.kill_shard();
  }
}

/// What a day of one sale and a part of it given back comes to.
constexpr std::int64_t sale = 10'000;
constexpr std::int64_t given_back = 2'500;
constexpr std::int64_t acquirer_fee = 125; // 1.2 % and 5, as the sandbox takes them
constexpr std::int64_t platform_fee = sale * stage::fee_bps / 10'000;
constexpr std::int64_t payout = sale - given_back - acquirer_fee - platform_fee;

/// One merchant's business, day after day on one stage.
class business {
public:
  business()
    : on_(test::shared_postgres().create_database(),
          {.acquirer = [this](const acquirer_request& call) { return at_acquirer(call); }}) {}

  stage& on() { return on_; }

  /// At the next call of this kind the victim dies, and the call meets its fate.
  void arm(victim who, acquirer_verb at, fate then) {
    std::unique_lock guard{mutex_};
    armed_ = {who, at, then};
  }

  [[nodiscard]] bool has_struck() {
    std::unique_lock guard{mutex_};
    return !armed_;
  }

  void begin_day() {
    ++days_;
    const auto key = "day-" + std::to_string(days_);
    const auto sold = on_.insist(key, on_.authorize(sale, capture_mode::automatic));
    BOOST_REQUIRE_EQUAL(sold.status, 201);
    today_ = test::id_in(sold);
    const auto back = on_.insist(
      key + "-back", refund_payment{today_, minor_units{given_back}, "changed their mind"});
    BOOST_REQUIRE_EQUAL(back.status, 201);
  }

  [[nodiscard]] bool is_settled() {
    const auto items = on_.timeline(today_).items;
    return items.size() == 2 && std::ranges::all_of(items, [](const auto& one) {
             return one.status == settlement_status::settled;
           });
  }

  /// Nothing but time is needed: repeats and lost calls wait for their moment.
  void end_day() {
    test::wait_until("the day is settled", [&] {
      on_.advance_clock(std::chrono::seconds{1});
      return is_settled();
    });
    check_items();
    const minor_units all_days{days_ * (sale - given_back)};
    BOOST_TEST(on_.acquirer().taken().value() == all_days.value());
    BOOST_TEST(on_.balance(account_kind::merchant_pending).value() == 0);
    BOOST_TEST(on_.balance(account_kind::merchant_available).value() == days_ * payout);
  }

  void close_books() {
    BOOST_TEST(on_.acquirer().complaints().empty());
    for (const auto& line : on_.errors())
      BOOST_ERROR("logged as an error: " << line);
    const auto proof = on_.prove();
    for (const auto& finding : proof.findings)
      BOOST_TEST_MESSAGE(finding);
    BOOST_TEST(proof.holds());
  }

private:
  struct ambush {
    victim who;
    acquirer_verb at;
    fate then;
  };

  fate at_acquirer(const acquirer_request& call) {
    std::unique_lock guard{mutex_};
    if (!armed_ || armed_->at != call.verb)
      return fate::answer;
    const auto [who, at, then] = *armed_;
    kill(on_, who);
    armed_.reset();
    return then;
  }

  /// Both in one batch of one file, which holds nothing else.
  void check_items() {
    const auto items = on_.timeline(today_).items;
    BOOST_TEST(items.front().batch.text() == items.back().batch.text());
    for (const auto& one : items)
      BOOST_TEST(on_.acquirer().files_with(settlements::operation_text(one)) == 1U);
    const auto batches = on_.batches();
    const auto batch =
      std::ranges::find(batches, items.front().batch, &storage::batch_view::id);
    BOOST_REQUIRE(batch != batches.end());
    BOOST_TEST(batch->status == "reconciled");
    BOOST_TEST(batch->items == 2U);
    BOOST_TEST(batch->net.value() == payout);
  }

  std::mutex mutex_;
  std::optional<ambush> armed_;
  stage on_;
  payment_id today_;
  std::int64_t days_ = 0;
};

/// One day after the other, each with the death one step later, until a day has no such step.
void kill_at_every_step(victim who) {
  business trade;
  auto& way = trade.on().storage_gate();
  // Asked and answered: the batch closed, what is in no file looked for, the file stored, and
  // then for each of the acquirer's three answers: the open file read, its content read (but
  // when it is sent, and when it is known from the answer before), what came of it written.
  constexpr std::size_t steps = 2 * (1 + 1 + 1 + 2 + 3 + 2);
  std::size_t step = 0;
  for (bool was_there = true; was_there; ++step) {
    BOOST_TEST_CONTEXT("kill " << name_of(who) << " at step " << step << " of settlement") {
      trade.begin_day();
      way.hold_up(step);
      trade.on().pass_cutoff();
      // What the last step answers is to be seen in the database before the step comes.
      test::wait_until("the step is reached, or never comes", [&] {
        return way.kept() > 0 || (way.steps() >= steps && trade.is_settled());
      });
      was_there = way.kept() > 0;
      if (was_there)
        kill(trade.on(), who);
      way.open();
      trade.end_day();
    }
  }
  BOOST_TEST(step > steps);
  trade.close_books();
}

} // namespace

BOOST_AUTO_TEST_SUITE(settlement_death)

BOOST_AUTO_TEST_CASE(a_day_whose_actor_dies_before_the_cutoff_settles_once) {
  business trade;
  for (const auto who : every_victim) {
    BOOST_TEST_CONTEXT("kill " << name_of(who)) {
      trade.begin_day();
      kill(trade.on(), who);
      trade.on().pass_cutoff();
      trade.end_day();
    }
  }
  trade.close_books();
}

BOOST_AUTO_TEST_CASE(a_day_whose_merchant_actor_dies_at_any_step_settles_once) {
  kill_at_every_step(victim::merchant);
}

BOOST_AUTO_TEST_CASE(a_day_whose_acquirer_actor_dies_at_any_step_settles_once) {
  kill_at_every_step(victim::acquirer);
}

BOOST_AUTO_TEST_CASE(a_day_whose_reconciler_dies_at_any_step_settles_once) {
  kill_at_every_step(victim::reconciler);
}

BOOST_AUTO_TEST_CASE(a_day_whose_shard_actor_dies_at_any_step_settles_once) {
  kill_at_every_step(victim::shard);
}

BOOST_AUTO_TEST_CASE(a_day_whose_actors_die_under_a_call_to_the_acquirer_settles_once) {
  business trade;
  for (const auto who : every_victim) {
    for (const auto at : every_verb) {
      for (const auto then : every_fate) {
        BOOST_TEST_CONTEXT("kill " << name_of(who) << " while " << name_of(at) << "; the call "
                                   << name_of(then)) {
          trade.begin_day();
          trade.arm(who, at, then);
          trade.on().pass_cutoff();
          trade.end_day();
          BOOST_TEST(trade.has_struck());
        }
      }
    }
  }
  trade.close_books();
}

BOOST_AUTO_TEST_SUITE_END()
