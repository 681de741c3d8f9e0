// Every transition of the payment core: what each command does in each state. States are
// reached by commands alone, never by writing to fields.
#include "tests/unit/actors/payment_scenes.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <map>
#include <set>

namespace holdfast::tests {

namespace {

using enum operation_kind;

// -- what follows
// -------------------------------------------------------------------------------

struct row {
  const char* scene;
  std::string commands; ///< "a|b", or of answers "verb|verb: verdict|verdict"
  const char* outcome;
};

const std::string any_request =
  "capture|capture part|final capture|capture too much|refund|"
  "refund part|refund too much|void";
const std::string any_capture = "capture|capture part|final capture";
const std::string any_refund = "refund|refund part|refund too much";
const std::string undecided = "not_found|not_found late|not_sent|unknown";
const std::string refused_or_undecided = "declined|declined retryably|" + undecided;

/// Whatever is not here must have no effect at all.
const std::vector<row> rows{
  {"processing", any_request, "refused invalid_state"},
  {"processing", "woken|recovered",
   "authorization.unknown 1; calls inquire 1; now pending_gateway"},
  {"processing", "authorize|inquire: approved",
   "authorization.approved 1; settles created; now authorized"},
  {"processing", "authorize: declined|declined retryably",
   "authorization.declined 1; settles declined; now declined"},
  {"processing", "inquire: declined|declined retryably",
   "authorization.unknown 1; now pending_gateway"},
  {"processing", "authorize: not_sent",
   "attempt.not_sent 1, attempt.started 2; calls authorize 2"},
  {"processing", "inquire: not_sent", "authorization.unknown 1; now pending_gateway"},
  {"processing", "authorize|inquire: not_found|not_found late|unknown",
   "authorization.unknown 1; now pending_gateway"},

  {"processing, automatic", any_request, "refused invalid_state"},
  {"processing, automatic", "woken|recovered",
   "authorization.unknown 1; calls inquire 1; now pending_gateway"},
  {"processing, automatic", "authorize|inquire: approved",
   "authorization.approved 1, operation.requested c1; calls capture c1; now authorized"},
  {"processing, automatic", "authorize: declined|declined retryably",
   "authorization.declined 1; settles declined; now declined"},
  {"processing, automatic", "inquire: declined|declined retryably",
   "authorization.unknown 1; now pending_gateway"},
  {"processing, automatic", "authorize: not_sent",
   "attempt.not_sent 1, attempt.started 2; calls authorize 2"},
  {"processing, automatic", "inquire: not_sent",
   "authorization.unknown 1; now pending_gateway"},
  {"processing, automatic", "authorize|inquire: not_found|not_found late|unknown",
   "authorization.unknown 1; now pending_gateway"},

  {"failed over", any_request, "refused invalid_state"},
  {"failed over", "woken|recovered",
   "authorization.unknown 2; calls inquire 2; now pending_gateway"},
  {"failed over", "authorize|inquire: approved",
   "authorization.approved 2; settles created; now authorized"},
  {"failed over", "authorize: declined|declined retryably",
   "authorization.declined 2; settles declined; now declined"},
  {"failed over", "inquire: declined|declined retryably",
   "authorization.unknown 2; now pending_gateway"},
  {"failed over", "authorize: not_sent",
   "attempt.not_sent 2, payment.failed; settles declined; now failed"},
  {"failed over", "inquire: not_sent", "authorization.unknown 2; now pending_gateway"},
  {"failed over", "authorize|inquire: not_found|not_found late|unknown",
   "authorization.unknown 2; now pending_gateway"},

  {"pending", any_request, "refused invalid_state"},
  {"pending", "woken|recovered", "inquiry.scheduled 1; calls inquire 1"},
  {"pending", "authorize|inquire: approved",
   "authorization.approved 1; settles created; now authorized"},
  {"pending", "authorize: declined|declined retryably",
   "authorization.declined 1; settles declined; now declined"},
  {"pending", "inquire: declined|declined retryably", "reversal.requested 1; calls reverse 1"},
  {"pending", "authorize|inquire: not_sent|unknown|not_found", "inquiry.scheduled 1"},
  {"pending", "authorize|inquire: not_found late", "reversal.requested 1; calls reverse 1"},

  {"reversing", any_request, "refused invalid_state"},
  {"reversing", "woken|recovered", "reversal.scheduled 1; calls reverse 1"},
  {"reversing", "reverse: approved",
   "authorization.reversed 1, payment.failed; settles declined; now failed"},
  {"reversing", "reverse: " + refused_or_undecided, "reversal.scheduled 1"},

  {"reversing a decline", any_request, "refused invalid_state"},
  {"reversing a decline", "woken|recovered", "reversal.scheduled 1; calls reverse 1"},
  {"reversing a decline", "reverse: approved",
   "authorization.reversed 1, authorization.declined 1; settles declined; now declined"},
  {"reversing a decline", "reverse: " + refused_or_undecided, "reversal.scheduled 1"},

  {"patient", any_request, "refused invalid_state"},
  {"patient", "woken|recovered",
   "authorization.unknown 1; calls inquire 1; now pending_gateway"},
  {"patient", "authorize|inquire: approved",
   "authorization.approved 1; settles created; now authorized"},
  {"patient", "authorize: declined",
   "authorization.declined 1; settles declined; now declined"},
  {"patient", "authorize: declined retryably",
   "attempt.declined 1, attempt.started 2; calls authorize 2"},
  {"patient", "authorize: not_sent",
   "attempt.not_sent 1, attempt.started 2; calls authorize 2"},
  {"patient", "inquire: not_sent|declined|declined retryably",
   "authorization.unknown 1; now pending_gateway"},
  {"patient", "authorize|inquire: not_found|not_found late|unknown",
   "authorization.unknown 1; now pending_gateway"},

  {"patient, last gateway", any_request, "refused invalid_state"},
  {"patient, last gateway", "woken|recovered",
   "authorization.unknown 1; calls inquire 1; now pending_gateway"},
  {"patient, last gateway", "authorize|inquire: approved",
   "authorization.approved 1; settles created; now authorized"},
  {"patient, last gateway", "authorize: declined|declined retryably",
   "authorization.declined 1; settles declined; now declined"},
  {"patient, last gateway", "authorize: not_sent",
   "attempt.not_sent 1, payment.failed; settles declined; now failed"},
  {"patient, last gateway", "inquire: not_sent|declined|declined retryably",
   "authorization.unknown 1; now pending_gateway"},
  {"patient, last gateway", "authorize|inquire: not_found|not_found late|unknown",
   "authorization.unknown 1; now pending_gateway"},

  {"patient, reversing", any_request, "refused invalid_state"},
  {"patient, reversing", "woken|recovered", "reversal.scheduled 1; calls reverse 1"},
  {"patient, reversing", "reverse: approved",
   "authorization.reversed 1, attempt.started 2; calls authorize 2; now processing"},
  {"patient, reversing", "reverse: " + refused_or_undecided, "reversal.scheduled 1"},

  {"patient, reversing, last gateway", any_request, "refused invalid_state"},
  {"patient, reversing, last gateway", "woken|recovered",
   "reversal.scheduled 1; calls reverse 1"},
  {"patient, reversing, last gateway", "reverse: approved",
   "authorization.reversed 1, payment.failed; settles declined; now failed"},
  {"patient, reversing, last gateway", "reverse: " + refused_or_undecided,
   "reversal.scheduled 1"},

  {"patient, reversing, card gone", any_request, "refused invalid_state"},
  {"patient, reversing, card gone", "woken|recovered", "reversal.scheduled 1; calls reverse 1"},
  {"patient, reversing, card gone", "reverse: approved",
   "authorization.reversed 1, payment.failed; settles declined; now failed"},
  {"patient, reversing, card gone", "reverse: " + refused_or_undecided, "reversal.scheduled 1"},

  {"patient, reversing a retryable decline", any_request, "refused invalid_state"},
  {"patient, reversing a retryable decline", "woken|recovered",
   "reversal.scheduled 1; calls reverse 1"},
  {"patient, reversing a retryable decline", "reverse: approved",
   "authorization.reversed 1, attempt.declined 1, attempt.started 2; calls authorize 2; "
   "now processing"},
  {"patient, reversing a retryable decline", "reverse: " + refused_or_undecided,
   "reversal.scheduled 1"},

  {"overdue", any_request, "refused invalid_state"},
  {"overdue", "woken|woken early|recovered",
   "inquiry.scheduled 1, resolution.escalated 1; calls inquire 1"},
  {"overdue", "authorize|inquire: approved",
   "authorization.approved 1; settles created; now authorized"},
  {"overdue", "authorize: declined|declined retryably",
   "authorization.declined 1; settles declined; now declined"},
  {"overdue", "authorize|inquire: not_sent|unknown",
   "inquiry.scheduled 1, resolution.escalated 1"},
  {"overdue", "inquire: declined|declined retryably", "reversal.requested 1; calls reverse 1"},
  {"overdue", "authorize|inquire: not_found|not_found late",
   "reversal.requested 1; calls reverse 1"},

  {"escalated", any_request, "refused invalid_state"},
  {"escalated", "woken|recovered", "inquiry.scheduled 1; calls inquire 1"},
  {"escalated", "authorize|inquire: approved",
   "authorization.approved 1; settles created; now authorized"},
  {"escalated", "authorize: declined|declined retryably",
   "authorization.declined 1; settles declined; now declined"},
  {"escalated", "authorize|inquire: not_sent|unknown", "inquiry.scheduled 1"},
  {"escalated", "inquire: declined|declined retryably",
   "reversal.requested 1; calls reverse 1"},
  {"escalated", "authorize|inquire: not_found|not_found late",
   "reversal.requested 1; calls reverse 1"},

  {"reversing overdue", any_request, "refused invalid_state"},
  {"reversing overdue", "woken|woken early|recovered",
   "reversal.scheduled 1, resolution.escalated 1; calls reverse 1"},
  {"reversing overdue", "reverse: approved",
   "authorization.reversed 1, payment.failed; settles declined; now failed"},
  {"reversing overdue", "reverse: " + refused_or_undecided,
   "reversal.scheduled 1, resolution.escalated 1"},

  {"capturing overdue", "capture|capture part", "operation.requested c2; calls capture c2"},
  {"capturing overdue", "capture too much", "refused amount_too_large"},
  {"capturing overdue", "final capture|void|" + any_refund, "refused invalid_state"},
  {"capturing overdue", "woken|woken early|recovered",
   "operation.rescheduled c1, resolution.escalated c1; calls capture c1"},
  {"capturing overdue", "capture: approved",
   "operation.succeeded c1; settles updated c1; now partially_captured"},
  {"capturing overdue", "capture: declined|declined retryably",
   "operation.refused c1; settles refused c1"},
  {"capturing overdue", "capture: " + undecided,
   "operation.rescheduled c1, resolution.escalated c1"},

  {"capturing, escalated", "capture|capture part", "operation.requested c2; calls capture c2"},
  {"capturing, escalated", "capture too much", "refused amount_too_large"},
  {"capturing, escalated", "final capture|void|" + any_refund, "refused invalid_state"},
  {"capturing, escalated", "woken|recovered", "operation.rescheduled c1; calls capture c1"},
  {"capturing, escalated", "capture: approved",
   "operation.succeeded c1; settles updated c1; now partially_captured"},
  {"capturing, escalated", "capture: declined|declined retryably",
   "operation.refused c1; settles refused c1"},
  {"capturing, escalated", "capture: " + undecided, "operation.rescheduled c1"},

  {"voiding overdue", any_request, "refused invalid_state"},
  {"voiding overdue", "woken|woken early|recovered",
   "operation.rescheduled v1, resolution.escalated v1; calls reverse v1"},
  {"voiding overdue", "void: approved",
   "operation.succeeded v1; settles updated v1; now voided"},
  {"voiding overdue", "void: declined|declined retryably",
   "operation.refused v1; settles refused v1"},
  {"voiding overdue", "void: " + undecided,
   "operation.rescheduled v1, resolution.escalated v1"},

  {"authorized", any_capture, "operation.requested c1; calls capture c1"},
  {"authorized", "capture too much", "refused amount_too_large"},
  {"authorized", any_refund, "refused invalid_state"},
  {"authorized", "void", "operation.requested v1; calls reverse v1"},
  {"authorized", "woken",
   "authorization.expired, reversal.requested 1; calls reverse 1; now expired"},

  {"capturing", "capture|capture part", "operation.requested c2; calls capture c2"},
  {"capturing", "capture too much", "refused amount_too_large"},
  {"capturing", "final capture|void|" + any_refund, "refused invalid_state"},
  {"capturing", "woken|recovered", "operation.rescheduled c1; calls capture c1"},
  {"capturing", "capture: approved",
   "operation.succeeded c1; settles updated c1; now partially_captured"},
  {"capturing", "capture: declined|declined retryably",
   "operation.refused c1; settles refused c1"},
  {"capturing", "capture: " + undecided, "operation.rescheduled c1"},

  {"capturing finally", any_request, "refused invalid_state"},
  {"capturing finally", "woken|recovered", "operation.rescheduled c1; calls capture c1"},
  {"capturing finally", "capture: approved",
   "operation.succeeded c1; settles updated c1; now captured"},
  {"capturing finally", "capture: declined|declined retryably",
   "operation.refused c1; settles refused c1"},
  {"capturing finally", "capture: " + undecided, "operation.rescheduled c1"},

  {"capturing automatically", any_request, "refused invalid_state"},
  {"capturing automatically", "woken|recovered", "operation.rescheduled c1; calls capture c1"},
  {"capturing automatically", "capture: approved",
   "operation.succeeded c1; settles created; now captured"},
  {"capturing automatically", "capture: declined|declined retryably",
   "operation.refused c1; settles refused c1"},
  {"capturing automatically", "capture: " + undecided, "operation.rescheduled c1"},

  {"automatic capture refused", any_capture, "operation.requested c2; calls capture c2"},
  {"automatic capture refused", "capture too much", "refused amount_too_large"},
  {"automatic capture refused", any_refund, "refused invalid_state"},
  {"automatic capture refused", "void", "operation.requested v1; calls reverse v1"},
  {"automatic capture refused", "woken",
   "authorization.expired, reversal.requested 1; calls reverse 1; now expired"},

  {"partly captured", any_capture, "operation.requested c2; calls capture c2"},
  {"partly captured", "capture too much|refund too much", "refused amount_too_large"},
  {"partly captured", "refund|refund part", "operation.requested r1; calls refund r1"},
  {"partly captured", "void", "refused invalid_state"},
  {"partly captured", "woken", "authorization.expired; now captured"},

  {"partly captured, capturing", "capture|capture part",
   "operation.requested c3; calls capture c3"},
  {"partly captured, capturing", "final capture|void", "refused invalid_state"},
  {"partly captured, capturing", "capture too much|refund too much",
   "refused amount_too_large"},
  {"partly captured, capturing", "refund|refund part",
   "operation.requested r1; calls refund r1"},
  {"partly captured, capturing", "woken|recovered",
   "operation.rescheduled c2; calls capture c2"},
  {"partly captured, capturing", "capture: approved",
   "operation.succeeded c2; settles updated c2"},
  {"partly captured, capturing", "capture: declined|declined retryably",
   "operation.refused c2; settles refused c2"},
  {"partly captured, capturing", "capture: " + undecided, "operation.rescheduled c2"},

  {"voiding", any_request, "refused invalid_state"},
  {"voiding", "woken|recovered", "operation.rescheduled v1; calls reverse v1"},
  {"voiding", "void: approved", "operation.succeeded v1; settles updated v1; now voided"},
  {"voiding", "void: declined|declined retryably", "operation.refused v1; settles refused v1"},
  {"voiding", "void: " + undecided, "operation.rescheduled v1"},

  {"captured", any_capture + "|capture too much|void", "refused invalid_state"},
  {"captured", "refund|refund part", "operation.requested r1; calls refund r1"},
  {"captured", "refund too much", "refused amount_too_large"},

  {"captured finally", any_capture + "|capture too much|void", "refused invalid_state"},
  {"captured finally", "refund|refund part", "operation.requested r1; calls refund r1"},
  {"captured finally", "refund too much", "refused amount_too_large"},

  {"captured until expiry", any_capture + "|capture too much|void", "refused invalid_state"},
  {"captured until expiry", "refund|refund part", "operation.requested r1; calls refund r1"},
  {"captured until expiry", "refund too much", "refused amount_too_large"},

  {"refunding", any_capture + "|capture too much|void", "refused invalid_state"},
  {"refunding", "refund|refund part", "operation.requested r2; calls refund r2"},
  {"refunding", "refund too much", "refused amount_too_large"},
  {"refunding", "woken|recovered", "operation.rescheduled r1; calls refund r1"},
  {"refunding", "refund: approved", "operation.succeeded r1; settles refund r1"},
  {"refunding", "refund: declined|declined retryably",
   "operation.refused r1; settles refused r1"},
  {"refunding", "refund: " + undecided, "operation.rescheduled r1"},

  {"partly refunded", any_capture + "|capture too much|void", "refused invalid_state"},
  {"partly refunded", "refund|refund part", "operation.requested r2; calls refund r2"},
  {"partly refunded", "refund too much", "refused amount_too_large"},

  {"refunded", any_request, "refused invalid_state"},
  {"declined", any_request, "refused invalid_state"},
  {"voided", any_request, "refused invalid_state"},
  {"expired", any_request, "refused invalid_state"},
  {"expired", "woken|recovered", "reversal.scheduled 1; calls reverse 1"},
  {"expired", "reverse: approved", "authorization.reversed 1"},
  {"expired", "reverse: " + refused_or_undecided, "reversal.scheduled 1"},
  {"expired, released", any_request, "refused invalid_state"},
  {"failed", any_request, "refused invalid_state"},
  {"failed, reversed", any_request, "refused invalid_state"},
};

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == separator)
      parts.emplace_back();
    else
      parts.back() += c;
  }
  return parts;
}

std::vector<std::string> names_in(const std::string& pattern) {
  const auto colon = pattern.find(": ");
  if (colon == std::string::npos)
    return split(pattern, '|');
  std::vector<std::string> names;
  for (const auto& verb : split(pattern.substr(0, colon), '|'))
    for (const auto& verdict : split(pattern.substr(colon + 2), '|'))
      names.push_back(verb + ": " + verdict);
  return names;
}

using cell = std::pair<std::string, std::string>;

std::map<cell, std::string> expected_outcomes() {
  std::map<cell, std::string> cells;
  for (const auto& one : rows)
    for (const auto& name : names_in(one.commands))
      BOOST_TEST_REQUIRE(cells.emplace(cell{one.scene, name}, one.outcome).second,
                         one.scene << " x " << name << " stands twice in the table");
  return cells;
}

} // namespace

BOOST_AUTO_TEST_SUITE(payment_transitions)

BOOST_AUTO_TEST_CASE(every_command_in_every_state_does_what_the_table_says) {
  auto expected = expected_outcomes();
  for (const auto& [scene, begin] : scenes()) {
    for (const auto& [name, make] : commands()) {
      auto life = begin;
      const auto command = make(life);
      auto found = expected.extract({scene, name});
      const auto outcome = found.empty() ? "nothing" : found.mapped();
      const auto before = life.state();
      BOOST_TEST_CONTEXT(scene << " x " << name) {
        BOOST_TEST(outcome_of(life.ask(command), before, life.now()) == outcome);
        life.tell(command);
        const auto again = payments::fold(life.history());
        BOOST_REQUIRE(again);
        BOOST_TEST(difference(*again, life.state()) == "");
      }
    }
  }
  for (const auto& [left, outcome] : expected)
    BOOST_ERROR("the table has a row that nothing reaches: " << left.first << " x "
                                                             << left.second);
}

BOOST_AUTO_TEST_CASE(a_refused_request_changes_nothing_and_says_why) {
  for (const auto& [scene, begin] : scenes()) {
    for (const auto& [name, make] : commands()) {
      auto life = begin;
      const auto decision = life.ask(make(life));
      if (!decision.refused)
        continue;
      BOOST_TEST_CONTEXT(scene << " x " << name) {
        BOOST_TEST(decision.events.empty());
        BOOST_TEST(decision.calls.empty());
        BOOST_TEST(decision.settled.empty());
        BOOST_TEST(decision.refused->detail.ends_with('.'));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(every_status_is_among_the_scenes) {
  std::set<std::string_view> seen;
  for (const auto& [name, life] : scenes())
    seen.insert(to_string(life.state().status));
  BOOST_TEST(seen.size() == 9u);
}

BOOST_AUTO_TEST_CASE(pending_work_and_next_action_agree) {
  for (const auto& [name, life] : scenes())
    BOOST_TEST_CONTEXT(name) {
      const auto& state = life.state();
      const bool ended = payments::is_terminal(state.status) && !has_pending_work(state);
      BOOST_TEST(state.next_action_at.has_value() == !ended);
    }
}

BOOST_AUTO_TEST_CASE(answers_about_what_the_payment_does_not_have_are_ignored) {
  for (const auto& [name, begin] : scenes()) {
    for (const auto target : {authorize(9), inquire(9), reverse(9), operate(capture, 9),
                              operate(refund, 9), operate(void_hold, 9)}) {
      auto life = begin;
      BOOST_TEST(
        outcome_of(life.answer(target, approved()), begin.state(), life.now()) == "nothing",
        name);
    }
  }
}

BOOST_AUTO_TEST_CASE(late_answers_of_an_attempt_that_was_left_are_ignored) {
  for (const auto target : {authorize(1), inquire(1), reverse(1)}) {
    for (const auto verdict :
         {gateway_verdict::approved, gateway_verdict::declined, gateway_verdict::not_found,
          gateway_verdict::not_sent, gateway_verdict::unknown}) {
      auto life = scenes().at("failed over");
      const auto decision = life.answer(target, answer_of(verdict));
      BOOST_TEST(decision.events.empty());
      BOOST_TEST(decision.calls.empty());
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::tests
