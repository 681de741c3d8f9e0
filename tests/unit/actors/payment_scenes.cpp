#include "tests/unit/actors/payment_scenes.hpp"

#include <algorithm>
#include <initializer_list>

namespace holdfast::tests {

namespace {

using enum operation_kind;

// -- the states
// ---------------------------------------------------------------------------------

story with(story life, std::initializer_list<std::function<void(story&)>> steps) {
  for (const auto& step : steps)
    step(life);
  return life;
}

void be_approved(story& life) {
  life.answer(authorize(1), approved());
}
void be_unknown(story& life) {
  life.answer(authorize(1), unknown());
}
void capture_300(story& life) {
  life.capture(300);
  life.answer(operate(capture, 1), approved());
}
void capture_all(story& life) {
  life.capture();
  life.answer(operate(capture, 1), approved());
}
void refund_400(story& life) {
  life.refund(400);
  life.answer(operate(refund, 1), approved());
}
void expire(story& life) {
  life.pass_to_next_action();
  life.wake();
}
void be_reversing(story& life) {
  be_unknown(life);
  life.pass(life.rules().settle_time);
  life.answer(inquire(1), not_found());
}
void be_overdue(story& life) {
  life.pass(life.rules().resolve_within);
}
void escalate(story& life) {
  be_overdue(life);
  life.wake();
}
void reverse_a_decline(story& life) {
  be_unknown(life);
  life.answer(inquire(1), declined());
}

/// Under rules that ask another gateway wherever that can be right.
story patient(std::vector<std::string> route = {"alpha", "beta"}) {
  return story{{1'000, capture_mode::manual, std::move(route), patient_rules()}};
}

story automatic() {
  return story{{1'000, capture_mode::automatic, {"alpha", "beta"}}};
}

} // namespace

const std::map<std::string, story>& scenes() {
  static const std::map<std::string, story> all{
    {"processing", story{}},
    {"processing, automatic", automatic()},
    {"failed over", with(story{}, {[](story& s) { s.answer(authorize(1), not_sent()); }})},
    {"pending", with(story{}, {be_unknown})},
    {"reversing", with(story{}, {be_reversing})},
    {"reversing a decline", with(story{}, {reverse_a_decline})},
    {"patient", patient()},
    {"patient, last gateway", patient({"alpha"})},
    {"patient, reversing", with(patient(), {be_reversing})},
    {"patient, reversing, last gateway", with(patient({"alpha"}), {be_reversing})},
    {"patient, reversing, card gone",
     with(patient(), {be_reversing, [](story& s) { s.lose_card(); }})},
    {"patient, reversing a retryable decline",
     with(patient(),
          {be_unknown, [](story& s) { s.answer(inquire(1), retryably_declined()); }})},
    {"overdue", with(story{}, {be_unknown, be_overdue})},
    {"escalated", with(story{}, {be_unknown, escalate})},
    {"reversing overdue", with(story{}, {be_reversing, be_overdue})},
    {"capturing overdue",
     with(story{}, {be_approved, [](story& s) { s.capture(300); }, be_overdue})},
    {"capturing, escalated",
     with(story{}, {be_approved, [](story& s) { s.capture(300); }, escalate})},
    {"voiding overdue",
     with(story{}, {be_approved, [](story& s) { s.void_hold(); }, be_overdue})},
    {"authorized", with(story{}, {be_approved})},
    {"capturing", with(story{}, {be_approved, [](story& s) { s.capture(300); }})},
    {"capturing finally", with(story{}, {be_approved, [](story& s) { s.capture(300, true); }})},
    {"capturing automatically", with(automatic(), {be_approved})},
    {"automatic capture refused",
     with(automatic(),
          {be_approved, [](story& s) { s.answer(operate(capture, 1), declined()); }})},
    {"partly captured", with(story{}, {be_approved, capture_300})},
    {"partly captured, capturing",
     with(story{}, {be_approved, capture_300, [](story& s) { s.capture(400); }})},
    {"voiding", with(story{}, {be_approved, [](story& s) { s.void_hold(); }})},
    {"captured", with(story{}, {be_approved, capture_all})},
    {"captured finally", with(story{}, {be_approved,
                                        [](story& s) {
                                          s.capture(300, true);
                                          s.answer(operate(capture, 1), approved());
                                        }})},
    {"captured until expiry", with(story{}, {be_approved, capture_300, expire})},
    {"refunding", with(story{}, {be_approved, capture_all, [](story& s) { s.refund(400); }})},
    {"partly refunded", with(story{}, {be_approved, capture_all, refund_400})},
    {"refunded", with(story{}, {be_approved, capture_all,
                                [](story& s) {
                                  s.refund();
                                  s.answer(operate(refund, 1), approved());
                                }})},
    {"declined", with(story{}, {[](story& s) { s.answer(authorize(1), declined()); }})},
    {"voided", with(story{}, {be_approved,
                              [](story& s) {
                                s.void_hold();
                                s.answer(operate(void_hold, 1), approved());
                              }})},
    {"expired", with(story{}, {be_approved, expire})},
    {"expired, released",
     with(story{}, {be_approved, expire, [](story& s) { s.answer(reverse(1), approved()); }})},
    {"failed", with(story{}, {[](story& s) {
                      s.answer(authorize(1), not_sent());
                      s.answer(authorize(2), not_sent());
                    }})},
    {"failed, reversed",
     with(story{}, {be_reversing, [](story& s) { s.answer(reverse(1), approved()); }})},
  };
  return all;
}

namespace {

// -- the commands
// -------------------------------------------------------------------------------

maker requesting(operation_kind kind, std::optional<std::int64_t> amount, bool final = false) {
  return [=](story& life) {
    return request_of(kind, amount, final, life.state().operations.size());
  };
}

/// The call that an answer's name stands for, of the last attempt or the last of the
/// operations.
payments::call_target target_of(const std::string& verb, const payment& state) {
  const auto attempt = static_cast<std::uint32_t>(state.attempts.size());
  if (verb == "authorize")
    return authorize(attempt);
  if (verb == "inquire")
    return inquire(attempt);
  if (verb == "reverse")
    return reverse(attempt);
  const auto kind = verb == "capture" ? capture : verb == "refund" ? refund : void_hold;
  const auto count = std::ranges::count(state.operations, kind, &operation::kind);
  return operate(kind, std::max(static_cast<std::uint32_t>(count), 1U), attempt);
}

std::map<std::string, maker> make_commands() {
  std::map<std::string, maker> made{
    {"capture", requesting(capture, {})},
    {"capture part", requesting(capture, 200)},
    {"final capture", requesting(capture, 200, true)},
    {"capture too much", requesting(capture, 1'001)},
    {"refund", requesting(refund, {})},
    {"refund part", requesting(refund, 200)},
    {"refund too much", requesting(refund, 1'001)},
    {"void", requesting(void_hold, {})},
    {"woken early", [](story&) { return payments::woken{}; }},
    {"woken",
     [](story& life) {
       life.pass_to_next_action();
       return payments::woken{};
     }},
    {"recovered", [](story&) { return payments::recovered{}; }},
  };
  for (const std::string verb :
       {"authorize", "inquire", "reverse", "capture", "refund", "void"}) {
    for (const auto verdict :
         {gateway_verdict::approved, gateway_verdict::declined, gateway_verdict::not_found,
          gateway_verdict::not_sent, gateway_verdict::unknown})
      made[verb + ": " + std::string{to_string(verdict)}] = [=](story& life) {
        return payments::gateway_answered{target_of(verb, life.state()), answer_of(verdict)};
      };
    made[verb + ": declined retryably"] = [=](story& life) {
      return payments::gateway_answered{target_of(verb, life.state()), retryably_declined()};
    };
    made[verb + ": not_found late"] = [=](story& life) {
      life.pass(life.rules().settle_time);
      return payments::gateway_answered{target_of(verb, life.state()), not_found()};
    };
  }
  return made;
}

} // namespace

const std::map<std::string, maker>& commands() {
  static const auto all = make_commands();
  return all;
}

} // namespace holdfast::tests
