// Gateways' notices: hints that make the gateway be asked, and disputes with all that may
// follow.
#include "actors/payment/disputes.hpp"

#include "messages/limits.hpp"
#include "tests/unit/actors/fixtures.hpp"

#include <boost/test/unit_test.hpp>

#include <set>

namespace holdfast::tests {

namespace {

using enum operation_kind;

/// About the first attempt, by its gateway.
webhook_notice notice_of(const story& life, webhook_type type) {
  webhook_notice notice;
  notice.gateway = "alpha";
  notice.event_id = "evt_1";
  notice.type = type;
  notice.sent_at = life.now();
  notice.reference = attempt_reference(life.state().id, 1);
  notice.about = parse_reference(notice.reference).value();
  return notice;
}

webhook_notice about_operation(const story& life, webhook_type type, operation_kind kind,
                               std::uint32_t ordinal) {
  auto notice = notice_of(life, type);
  notice.reference = operation_reference(life.state().id, kind, ordinal);
  notice.about = parse_reference(notice.reference).value();
  return notice;
}

webhook_notice dispute_notice(const story& life, webhook_type type, std::int64_t amount,
                              std::int64_t fee = 0, std::string id = "cb_1") {
  auto notice = notice_of(life, type);
  notice.claimed = money{minor_units{amount}, unit_of("EUR")};
  notice.dispute = webhook_dispute{std::move(id), "fraud", minor_units{fee}};
  return notice;
}

/// What the payment makes of the notice, in one line.
std::string heard(story& life, webhook_notice notice) {
  const auto before = life.state();
  return outcome_of(life.tell(payments::gateway_notified{std::move(notice)}), before,
                    life.now());
}

std::string heard(story& life, webhook_type type) {
  return heard(life, notice_of(life, type));
}

story paid_in_full(std::int64_t amount = 1'000) {
  story life{{.amount = amount, .mode = capture_mode::automatic}};
  life.answer(authorize(1), approved());
  life.answer(operate(capture, 1), approved());
  return life;
}

void give_back(story& life, std::int64_t amount) {
  life.refund(amount);
  life.answer(operate(refund, life.last_operation().ordinal), approved());
}

struct funds {
  std::int64_t available = 0; ///< as the merchant sees them
  std::int64_t reserve = 0;
  std::int64_t cash = 0; ///< debit of the acquirer's account

  friend bool operator==(const funds&, const funds&) = default;
};

std::ostream& operator<<(std::ostream& out, const funds& of) {
  return out << "available " << of.available << ", reserve " << of.reserve << ", cash "
             << of.cash;
}

funds funds_of(const story& life) {
  const auto& all = life.postings();
  return {-sum_of(all, account_kind::merchant_available),
          -sum_of(all, account_kind::merchant_reserve),
          sum_of(all, account_kind::acquirer_cash)};
}

/// The history folds to the state, and every posting balances.
void check(const story& life) {
  const auto again = payments::fold(life.history());
  BOOST_TEST_REQUIRE(again.has_value());
  BOOST_TEST(difference(*again, life.state()) == "");
  for (const auto& entry : life.postings())
    BOOST_TEST(is_balanced(entry));
  const auto& state = life.state();
  BOOST_TEST((state.refunded + state.disputed).value() <= state.captured.value());
}

payments::note_dispute_evidence evidence_for(const story& life, std::size_t dispute = 0) {
  return {life.state().disputes.at(dispute).id, "Delivered to the door.", "key-evidence"};
}

} // namespace

BOOST_AUTO_TEST_SUITE(payment_notices)

// -- hints
// ----------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(make_the_gateway_be_asked_about_what_is_open) {
  story life;
  BOOST_TEST(heard(life, webhook_type::approved)
             == "webhook.received asked, authorization.unknown 1; calls inquire 1; "
                "now pending_gateway");
  // The answer to the authorization itself may still come, and ends it.
  life.answer(authorize(1), approved());
  BOOST_TEST(to_string(life.state().status) == "authorized");
  check(life);
}

BOOST_AUTO_TEST_CASE(change_nothing_by_themselves) {
  for (const auto type : {webhook_type::approved, webhook_type::declined,
                          webhook_type::captured, webhook_type::reversed}) {
    story life;
    life.answer(authorize(1), unknown());
    BOOST_TEST(heard(life, type)
               == "webhook.received asked, inquiry.scheduled 1; calls inquire 1");
    BOOST_TEST(to_string(life.state().status) == "pending_gateway");
    check(life);
  }
}

BOOST_AUTO_TEST_CASE(have_a_reversal_repeated_that_is_owed) {
  story life;
  life.answer(authorize(1), unknown());
  life.pass(life.rules().settle_time);
  life.answer(inquire(1), not_found());
  BOOST_TEST(heard(life, webhook_type::approved)
             == "webhook.received asked, reversal.scheduled 1; calls reverse 1");
}

BOOST_AUTO_TEST_CASE(have_the_operation_repeated_that_they_name) {
  auto life = paid_in_full();
  life.refund(100);
  life.refund(200);
  BOOST_TEST(
    heard(life, about_operation(life, webhook_type::refunded, operation_kind::refund, 2))
    == "webhook.received asked, operation.rescheduled r2; calls refund r2");
  BOOST_TEST(heard(life, webhook_type::refunded)
             == "webhook.received asked, operation.rescheduled r1, operation.rescheduled r2; "
                "calls refund r1, refund r2");
  check(life);
}

BOOST_AUTO_TEST_CASE(are_noted_where_nothing_is_open) {
  struct row {
    webhook_type type;
    std::string_view of_captured;
    std::string_view of_declined;
  };
  for (const auto& [type, of_captured, of_declined] :
       {row{webhook_type::approved, "agrees", "contradicts"},
        row{webhook_type::declined, "contradicts", "agrees"},
        row{webhook_type::captured, "agrees", "contradicts"},
        row{webhook_type::refunded, "contradicts", "contradicts"},
        row{webhook_type::reversed, "contradicts", "contradicts"}}) {
    auto paid = paid_in_full();
    BOOST_TEST(heard(paid, type) == "webhook.received " + std::string{of_captured});
    check(paid);
    story refused;
    refused.answer(authorize(1), declined());
    BOOST_TEST(heard(refused, type) == "webhook.received " + std::string{of_declined});
    check(refused);
  }
}

BOOST_AUTO_TEST_CASE(never_bring_back_what_was_reversed) {
  story life;
  life.answer(authorize(1), unknown());
  life.pass(life.rules().settle_time);
  life.answer(inquire(1), not_found());
  life.answer(reverse(1), approved());
  BOOST_TEST(to_string(life.state().status) == "failed");
  BOOST_TEST(heard(life, webhook_type::approved) == "webhook.received contradicts");
  BOOST_TEST(heard(life, webhook_type::reversed) == "webhook.received agrees");
  BOOST_TEST(to_string(life.state().status) == "failed");
  check(life);
}

BOOST_AUTO_TEST_CASE(count_only_from_the_gateway_of_the_attempt) {
  story life;
  life.answer(authorize(1), unknown());
  auto stranger = notice_of(life, webhook_type::approved);
  stranger.gateway = "beta";
  BOOST_TEST(heard(life, stranger) == "webhook.received contradicts");
  auto absent = notice_of(life, webhook_type::approved);
  absent.about.attempt = 2;
  BOOST_TEST(heard(life, absent) == "webhook.received contradicts");
  BOOST_TEST(heard(life, about_operation(life, webhook_type::captured, capture, 1))
             == "webhook.received contradicts");
  life.answer(inquire(1), approved());
  life.capture();
  auto strangers_capture = about_operation(life, webhook_type::captured, capture, 1);
  strangers_capture.gateway = "beta";
  BOOST_TEST(heard(life, strangers_capture) == "webhook.received contradicts");
}

BOOST_AUTO_TEST_CASE(contradict_by_another_amount_or_currency) {
  auto life = paid_in_full();
  auto other = notice_of(life, webhook_type::approved);
  other.claimed = money{minor_units{999}, unit_of("EUR")};
  BOOST_TEST(heard(life, other) == "webhook.received contradicts");
  other.claimed = money{minor_units{1'000}, unit_of("USD")};
  BOOST_TEST(heard(life, other) == "webhook.received contradicts");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(payment_disputes)

// -- every transition
// -----------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(reserve_release_and_pay_out) {
  auto won = paid_in_full();
  BOOST_TEST(heard(won, dispute_notice(won, webhook_type::dispute_opened, 600, 15))
             == "webhook.received applied, dispute.opened d1");
  BOOST_TEST(won.state().disputed.value() == 600);
  BOOST_TEST(funds_of(won) == (funds{-615, 600, -15}));
  auto lost = won;
  BOOST_TEST(heard(won, dispute_notice(won, webhook_type::dispute_won, 600))
             == "webhook.received applied, dispute.won d1");
  BOOST_TEST(won.state().disputed.value() == 0);
  BOOST_TEST(funds_of(won) == (funds{-15, 0, -15}));
  BOOST_TEST(heard(lost, dispute_notice(lost, webhook_type::dispute_lost, 600))
             == "webhook.received applied, dispute.lost d1");
  BOOST_TEST(lost.state().disputed.value() == 600);
  BOOST_TEST(funds_of(lost) == (funds{-615, 0, -615}));
  check(won);
  check(lost);
}

BOOST_AUTO_TEST_CASE(end_once) {
  using enum webhook_type;
  struct row {
    webhook_type first;
    webhook_type second;
    std::string_view finding;
  };
  for (const auto& [first, second, finding] :
       {row{dispute_won, dispute_won, "agrees"}, row{dispute_won, dispute_lost, "contradicts"},
        row{dispute_won, dispute_opened, "agrees"}, row{dispute_lost, dispute_lost, "agrees"},
        row{dispute_lost, dispute_won, "contradicts"},
        row{dispute_lost, dispute_opened, "agrees"},
        row{dispute_opened, dispute_opened, "agrees"}}) {
    auto life = paid_in_full();
    heard(life, dispute_notice(life, dispute_opened, 600));
    heard(life, dispute_notice(life, first, 600));
    const auto before = funds_of(life);
    BOOST_TEST(heard(life, dispute_notice(life, second, 600))
               == "webhook.received " + std::string{finding});
    BOOST_TEST(funds_of(life) == before);
    check(life);
  }
}

BOOST_AUTO_TEST_CASE(may_be_told_of_by_their_end_first) {
  auto life = paid_in_full();
  BOOST_TEST(heard(life, dispute_notice(life, webhook_type::dispute_lost, 400))
             == "webhook.received applied, dispute.opened d1, dispute.lost d1");
  BOOST_TEST(heard(life, dispute_notice(life, webhook_type::dispute_opened, 400))
             == "webhook.received agrees");
  BOOST_TEST(funds_of(life) == (funds{-400, 0, -400}));
  auto other = paid_in_full();
  BOOST_TEST(heard(other, dispute_notice(other, webhook_type::dispute_won, 400))
             == "webhook.received applied, dispute.opened d1, dispute.won d1");
  BOOST_TEST(funds_of(other) == (funds{0, 0, 0}));
  check(life);
  check(other);
}

BOOST_AUTO_TEST_CASE(are_told_apart_by_the_gateways_id) {
  auto life = paid_in_full();
  heard(life, dispute_notice(life, webhook_type::dispute_opened, 300));
  BOOST_TEST(heard(life, dispute_notice(life, webhook_type::dispute_opened, 200, 0, "cb_2"))
             == "webhook.received applied, dispute.opened d2");
  BOOST_TEST(heard(life, dispute_notice(life, webhook_type::dispute_lost, 200, 0, "cb_2"))
             == "webhook.received applied, dispute.lost d2");
  BOOST_TEST(life.state().disputed.value() == 500);
  BOOST_TEST(funds_of(life) == (funds{-500, 300, -200}));
  check(life);
}

// -- beside refunds
// -------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(reserve_what_was_not_refunded_and_ask_a_person_about_the_rest) {
  auto life = paid_in_full();
  give_back(life, 700);
  const auto decision = life.tell(
    payments::gateway_notified{dispute_notice(life, webhook_type::dispute_opened, 1'000)});
  BOOST_TEST(life.state().disputes.at(0).amount.value() == 1'000);
  BOOST_TEST(life.state().disputes.at(0).reserved.value() == 300);
  const auto raised = payments::exception_of(life.state(), decision.events.back());
  BOOST_TEST_REQUIRE(raised.has_value());
  BOOST_TEST(raised->kind == "dispute_exceeds_captured");
  BOOST_TEST(raised->expected_amount.value() == 300);
  BOOST_TEST(raised->reported_amount.value() == 1'000);
  check(life);
}

BOOST_AUTO_TEST_CASE(leave_refunds_alone_that_are_under_way) {
  auto life = paid_in_full();
  life.refund(400);
  heard(life, dispute_notice(life, webhook_type::dispute_opened, 1'000));
  BOOST_TEST(life.state().disputed.value() == 600);
  life.answer(operate(refund, 1), approved());
  BOOST_TEST(life.state().refunded.value() == 400);
  check(life);
}

BOOST_AUTO_TEST_CASE(leave_nothing_to_refund_that_the_gateway_pays_anyway) {
  auto life = paid_in_full();
  life.refund(600);
  heard(life, dispute_notice(life, webhook_type::dispute_opened, 1'000));
  BOOST_TEST(life.state().disputed.value() == 400);
  life.answer(operate(refund, 1), declined());
  // The 600 are free again, but the dispute claims them too.
  BOOST_TEST(outcome_of(life.refund(600), life.state(), life.now()) == "refused invalid_state");
  heard(life, dispute_notice(life, webhook_type::dispute_won, 1'000));
  give_back(life, 1'000);
  BOOST_TEST(life.state().refunded.value() == 1'000);
  check(life);
}

BOOST_AUTO_TEST_CASE(of_an_attempt_that_never_held_money_cost_nothing) {
  story life;
  life.answer(authorize(1), declined());
  BOOST_TEST(heard(life, dispute_notice(life, webhook_type::dispute_opened, 1'000, 15))
             == "webhook.received contradicts");
  BOOST_TEST(funds_of(life) == (funds{0, 0, 0}));
  check(life);
}

BOOST_AUTO_TEST_CASE(bound_what_can_be_refunded) {
  auto life = paid_in_full();
  heard(life, dispute_notice(life, webhook_type::dispute_opened, 600));
  BOOST_TEST(outcome_of(life.refund(401), life.state(), life.now())
             == "refused amount_too_large");
  give_back(life, 400);
  const auto refused = life.refund(1);
  BOOST_TEST_REQUIRE(refused.refused.has_value());
  BOOST_TEST((refused.refused->code == errc::invalid_state));
  BOOST_TEST(refused.refused->detail.find("disputed") != std::string::npos);
  heard(life, dispute_notice(life, webhook_type::dispute_won, 600));
  give_back(life, 600);
  BOOST_TEST(life.state().refunded.value() == 1'000);
  check(life);
}

BOOST_AUTO_TEST_CASE(stay_owed_when_they_were_lost) {
  auto life = paid_in_full();
  heard(life, dispute_notice(life, webhook_type::dispute_lost, 1'000));
  BOOST_TEST(life.refund(1).refused.has_value());
}

// -- where they don't fit
// -------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(reserve_nothing_where_nothing_was_captured) {
  story life;
  life.answer(authorize(1), approved());
  const auto decision = life.tell(
    payments::gateway_notified{dispute_notice(life, webhook_type::dispute_opened, 1'000)});
  BOOST_TEST(life.state().disputes.at(0).reserved.value() == 0);
  BOOST_TEST(payments::exception_of(life.state(), decision.events.back()).has_value());
  heard(life, dispute_notice(life, webhook_type::dispute_lost, 1'000));
  BOOST_TEST(funds_of(life) == funds{});
  check(life);
}

BOOST_AUTO_TEST_CASE(are_a_persons_business_where_they_make_no_sense) {
  const auto is_raised = [](story& life, webhook_notice notice) {
    const auto decision = life.tell(payments::gateway_notified{std::move(notice)});
    BOOST_TEST(decision.events.size() == 1U);
    const auto raised = payments::exception_of(life.state(), decision.events.front());
    return raised && raised->kind == "unmatched_webhook";
  };
  auto life = paid_in_full();
  auto stranger = dispute_notice(life, webhook_type::dispute_opened, 100);
  stranger.gateway = "beta";
  BOOST_TEST(is_raised(life, stranger));
  auto foreign = dispute_notice(life, webhook_type::dispute_opened, 100);
  foreign.claimed->unit = unit_of("USD");
  BOOST_TEST(is_raised(life, foreign));
  heard(life, dispute_notice(life, webhook_type::dispute_won, 100));
  BOOST_TEST(is_raised(life, dispute_notice(life, webhook_type::dispute_lost, 100)));
  BOOST_TEST(funds_of(life) == funds{});
}

BOOST_AUTO_TEST_CASE(have_a_limit_a_payment) {
  auto life = paid_in_full(1'000'000);
  for (std::size_t i = 0; i < limits::payment_disputes_max; ++i)
    heard(life,
          dispute_notice(life, webhook_type::dispute_opened, 10, 0, "cb_" + std::to_string(i)));
  BOOST_TEST(life.state().disputes.size() == limits::payment_disputes_max);
  BOOST_TEST(heard(life, dispute_notice(life, webhook_type::dispute_opened, 10, 0, "cb_more"))
             == "webhook.received contradicts");
}

// -- evidence
// -------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(take_evidence_while_they_are_open) {
  auto life = paid_in_full();
  heard(life, dispute_notice(life, webhook_type::dispute_opened, 600));
  const auto before = life.state();
  BOOST_TEST(outcome_of(life.tell(evidence_for(life)), before, life.now())
             == "dispute.evidence_noted d1; settles dispute d1");
  BOOST_TEST(life.state().disputes.at(0).evidence.at(0).text == "Delivered to the door.");
  check(life);
  for (std::size_t i = 1; i < limits::dispute_notes_max; ++i)
    life.tell(evidence_for(life));
  BOOST_TEST(life.tell(evidence_for(life)).refused.has_value());
  BOOST_TEST(life.state().disputes.at(0).evidence.size() == limits::dispute_notes_max);
  heard(life, dispute_notice(life, webhook_type::dispute_lost, 600));
  const auto late = life.tell(evidence_for(life));
  BOOST_TEST_REQUIRE(late.refused.has_value());
  BOOST_TEST((late.refused->code == errc::invalid_state));
}

BOOST_AUTO_TEST_CASE(take_no_evidence_for_a_dispute_of_another_payment) {
  auto life = paid_in_full();
  BOOST_TEST(life
               .tell(payments::note_dispute_evidence{
                 dispute_id::make(noon(), shard_number{7}, 5), "x", "key"})
               .refused.has_value());
}

// -- stored history is not believed
// ---------------------------------------------------------------

BOOST_AUTO_TEST_CASE(that_can_not_be_do_not_fold) {
  auto life = paid_in_full();
  heard(life, dispute_notice(life, webhook_type::dispute_opened, 600));
  const auto id = life.state().disputes.at(0).id;
  const auto folds_with = [&](payment_event further) {
    auto history = life.history();
    history.push_back({life.now(), std::move(further)});
    return payments::fold(history).has_value();
  };
  const dispute_opened more{2, {}, "alpha", "cb_2", minor_units{500}, {}, minor_units{}, ""};
  auto too_much = more;
  too_much.reserved = minor_units{401};
  auto enough = more;
  enough.reserved = minor_units{400};
  auto misnumbered = enough;
  misnumbered.ordinal = 3;
  BOOST_TEST(folds_with(enough));
  BOOST_TEST(!folds_with(too_much));
  BOOST_TEST(!folds_with(misnumbered));
  BOOST_TEST(folds_with(dispute_won{1, id}));
  BOOST_TEST(!folds_with(dispute_won{2, id}));
  BOOST_TEST(!folds_with(dispute_lost{1, {}}));
  BOOST_TEST(!payments::fold({{noon(), dispute_won{1, id}}}).has_value());
}

// -- properties
// -----------------------------------------------------------------------------------

/// M: captures, refunds and disputes in any order and at any amount, with restarts between.
BOOST_AUTO_TEST_CASE(keep_money_whole_on_random_walks) {
  std::set<std::string> findings;
  for (std::uint64_t seed = 0; seed < 2'000; ++seed) {
    payments::entropy random{seed};
    story life{{.amount = 1'000}};
    life.answer(authorize(1), approved());
    life.capture(static_cast<std::int64_t>(1 + random.below(1'000)), true);
    for (int step = 0; step < 30; ++step) {
      const auto amount = static_cast<std::int64_t>(1 + random.below(700));
      const auto ordinal = static_cast<std::uint32_t>(1 + random.below(3));
      switch (random.below(8)) {
        case 0: life.refund(amount); break;
        case 1: life.answer(operate(refund, ordinal), approved()); break;
        case 2: life.answer(operate(refund, ordinal), declined()); break;
        case 3: life.answer(operate(capture, 1), approved()); break;
        case 4: life.rebuild(); break;
        default: {
          const auto type = static_cast<webhook_type>(16 + random.below(3));
          findings.insert(heard(
            life,
            dispute_notice(life, type, amount, static_cast<std::int64_t>(random.below(20)),
                           "cb_" + std::to_string(random.below(3)))));
        }
      }
      check(life);
      minor_units open, lost, fees;
      for (const auto& one : life.state().disputes) {
        fees += one.fee;
        (one.status == dispute_status::open ? open : lost) +=
          one.status == dispute_status::won ? minor_units{} : one.reserved;
      }
      const auto now = funds_of(life);
      BOOST_TEST_REQUIRE(life.state().disputed.value() == (open + lost).value());
      BOOST_TEST_REQUIRE(
        now == (funds{-(open + lost + fees).value(), open.value(), -(lost + fees).value()}));
    }
  }
  // Walks that all go one way would prove nothing.
  BOOST_TEST(findings.size() > 8U);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::tests
