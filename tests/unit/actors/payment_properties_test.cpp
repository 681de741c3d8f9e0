// What must hold of a payment whatever comes in whatever order: random walks of requests,
// answers, restarts and waits, checked after every step. The letters are those of
// docs/architecture.md.
#include "tests/unit/actors/fixtures.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <map>
#include <set>

namespace holdfast::tests {

namespace {

using enum operation_kind;
using namespace std::chrono_literals;

constexpr std::uint64_t walks = 3'000;
constexpr int steps_a_walk = 40;

/// One walk. Answers may be about anything, true or not: a core must hold its own against all.
class walk {
public:
  explicit walk(std::uint64_t seed)
    : random_(seed),
      life_({1'000,
             random_.below(3) == 0 ? capture_mode::automatic : capture_mode::manual,
             {"alpha", "beta", "gamma"},
             random_rules(),
             random_.below(4) == 0 ? "tok_1" : ""}) {
    open_calls_.push_back(authorize(1));
  }

  [[nodiscard]] const story& life() const noexcept { return life_; }

  void step() {
    life_.pass(random_pause());
    const auto before = life_.state();
    const auto command = random_command();
    const auto decision = life_.tell(command);
    open_calls_.insert(open_calls_.end(), decision.calls.begin(), decision.calls.end());
    check_evidence(before, command);
    check_ends_are_final(before, decision);
    check_way_on(before, command);
    check_escalations(decision);
    check_money();
    check_attempts();
    check_liveness();
    check_calls(decision);
    check_settled(decision);
    const auto again = payments::fold(life_.history());
    BOOST_TEST_REQUIRE(again.has_value());
    BOOST_TEST_REQUIRE(difference(*again, life_.state()) == "");
  }

private:
  template <class T>
  const T& pick(const std::vector<T>& from) {
    return from[random_.below(from.size())];
  }

  payments::policy random_rules() {
    auto rules = random_.below(2) == 0 ? patient_rules() : payments::policy{};
    rules.resolve_within = random_.below(2) == 0 ? milliseconds{20s} : milliseconds{24h};
    return rules;
  }

  milliseconds random_pause() {
    switch (random_.below(12)) {
      case 0: return 12s;
      case 1: return random_.below(8) == 0 ? milliseconds{8 * 24h} : milliseconds{1h};
      default: return milliseconds{random_.below(3'000)};
    }
  }

  payments::command random_command() {
    switch (random_.below(10)) {
      case 0:
      case 1:
      case 2: return random_request();
      case 3: return payments::woken{};
      case 4: return payments::recovered{};
      default: return payments::gateway_answered{random_target(), random_answer()};
    }
  }

  payments::command random_request() {
    const auto kind = pick<operation_kind>({capture, capture, refund, refund, void_hold});
    std::optional<std::int64_t> amount;
    if (kind != void_hold && random_.below(4) != 0)
      amount =
        1 + static_cast<std::int64_t>(random_.below(random_.below(2) == 0 ? 300 : 1'200));
    return request_of(kind, amount, random_.below(5) == 0, ++requests_);
  }

  /// Mostly a call that was really made, at times one that never was.
  payments::call_target random_target() {
    if (random_.below(8) != 0)
      return pick(open_calls_);
    const auto number = static_cast<std::uint32_t>(random_.below(4));
    return pick<payments::call_target>({authorize(number), inquire(number), reverse(number),
                                        operate(capture, number), operate(refund, number),
                                        operate(void_hold, number)});
  }

  gateway_verdict random_verdict() {
    using enum gateway_verdict;
    return pick<gateway_verdict>(
      {approved, approved, approved, declined, not_found, not_found, not_sent, unknown});
  }

  gateway_answer random_answer() {
    const auto answer = answer_of(random_verdict());
    return answer.verdict == gateway_verdict::declined && random_.below(2) == 0
             ? retryably_declined()
             : answer;
  }

  /// E: only an approval of the authorization itself makes a hold.
  void check_evidence(const payment& before, const payments::command& command) const {
    const auto* held = payments::approved_attempt(life_.state());
    if (held == nullptr || payments::approved_attempt(before) != nullptr)
      return;
    const auto* reply = std::get_if<payments::gateway_answered>(&command);
    BOOST_TEST_REQUIRE(reply != nullptr);
    BOOST_TEST(!reply->target.operation);
    BOOST_CHECK(reply->target.verb == gateway_verb::authorize
                || reply->target.verb == gateway_verb::inquire);
    BOOST_CHECK(reply->answer.verdict == gateway_verdict::approved);
    BOOST_TEST(reply->target.attempt == held->number);
  }

  /// E: what is at an end stays as it is, but for refunds of what was captured.
  void check_ends_are_final(const payment& before, const payments::decision& decision) const {
    const auto& after = life_.state();
    if (payments::is_terminal(before.status)) {
      BOOST_CHECK(after.status == before.status);
      BOOST_CHECK(after.captured == before.captured);
      if (before.status != payment_status::captured && before.status != payment_status::expired)
        BOOST_TEST(decision.events.empty());
      BOOST_TEST(decision.settled.size() == (is_refund_answer(decision) ? 1u : 0u));
    }
    for (std::size_t i = 0; i < before.operations.size(); ++i)
      if (before.operations[i].status != operation_status::requested)
        BOOST_CHECK(after.operations[i].status == before.operations[i].status);
    for (std::size_t i = 0; i < before.attempts.size(); ++i) {
      // A hold that lapses is reversed, and nothing else moves what has ended.
      const bool lapsed = before.attempts[i].status == attempt_status::approved
                          && after.status == payment_status::expired;
      if (!is_open(before.attempts[i]) && !lapsed)
        BOOST_CHECK(after.attempts[i].status == before.attempts[i].status);
    }
  }

  static bool is_refund_answer(const payments::decision& decision) {
    return std::ranges::any_of(decision.settled, [](const payments::settled_request& one) {
      return one.operation == refund;
    });
  }

  /// O: an attempt follows another only on evidence that nothing is held or can be: never on
  /// an outcome that is unknown. Without the card's number, only a token can be tried again.
  void check_way_on(const payment& before, const payments::command& command) const {
    const auto& after = life_.state();
    if (before.attempts.empty() || after.attempts.size() == before.attempts.size())
      return;
    const auto& left = before.attempts.back();
    const auto* reply = std::get_if<payments::gateway_answered>(&command);
    BOOST_TEST_REQUIRE(reply != nullptr);
    const bool reversed = reply->target.verb == gateway_verb::reverse
                          && reply->answer.verdict == gateway_verdict::approved
                          && left.status == attempt_status::reversing;
    const bool refused = reply->target.verb == gateway_verb::authorize
                         && (reply->answer.verdict == gateway_verdict::not_sent
                             || reply->answer.code == "processing_error");
    BOOST_TEST((reversed || refused));
    BOOST_TEST(!after.attempts.back().reason.empty());
  }

  /// L: a person is asked once about each, and only when the time is over.
  void check_escalations(const payments::decision& decision) {
    for (const auto& event : decision.events) {
      const auto* raised = std::get_if<resolution_escalated>(&event);
      if (raised == nullptr)
        continue;
      BOOST_TEST((life_.now() >= raised->open_since + life_.rules().resolve_within));
      const auto made = payments::exception_of(life_.state(), event);
      BOOST_TEST_REQUIRE(made.has_value());
      BOOST_TEST(escalated_.insert(made->external_ref).second, "asked twice");
    }
  }

  /// M: nothing is taken twice, every posting balances, and the accounts say what the state
  /// says.
  void check_money() const {
    const auto& state = life_.state();
    BOOST_TEST_REQUIRE(state.captured.value() <= state.amount.value());
    BOOST_TEST_REQUIRE(state.refunded.value() <= state.captured.value());
    std::set<std::pair<posting_kind, std::uint32_t>> names;
    for (const auto& entry : life_.postings()) {
      BOOST_TEST_REQUIRE(is_balanced(entry));
      BOOST_TEST(names.emplace(entry.kind, entry.ordinal).second, "posted twice");
    }
    const bool held = state.status == payment_status::authorized
                      || state.status == payment_status::partially_captured;
    const auto hold = held ? (state.amount - state.captured).value() : 0;
    BOOST_TEST(sum_of(life_.postings(), account_kind::hold) == hold);
    BOOST_TEST(sum_of(life_.postings(), account_kind::hold_contra) == -hold);
    const auto owed = (state.captured - state.refunded).value();
    BOOST_TEST(sum_of(life_.postings(), account_kind::acquirer_receivable) == owed);
    BOOST_TEST(sum_of(life_.postings(), account_kind::merchant_pending) == -owed);
  }

  /// O: one attempt at most is approved, and none is begun while another may still be.
  void check_attempts() const {
    const auto& attempts = life_.state().attempts;
    const auto charging = std::ranges::count_if(attempts, [](const attempt& one) {
      return is_open(one) || one.status == attempt_status::approved;
    });
    BOOST_TEST(charging <= 1);
  }

  /// L: whatever is open is looked at again, and soon.
  void check_liveness() const {
    const auto& state = life_.state();
    const bool open = has_pending_work(state);
    const bool held = state.status == payment_status::authorized
                      || state.status == payment_status::partially_captured;
    BOOST_TEST_REQUIRE(state.next_action_at.has_value() == (open || held));
    const auto longest = std::max(life_.rules().retry_max, life_.rules().answer_due);
    if (open)
      BOOST_TEST_REQUIRE((*state.next_action_at <= life_.now() + longest));
  }

  /// O: every call is of something durable, and an authorization is sent once in its life.
  void check_calls(const payments::decision& decision) {
    for (const auto& target : decision.calls) {
      const auto request = payments::make_request(life_.state(), target, {});
      BOOST_TEST(request.total.amount.value() > 0);
      if (target.verb == gateway_verb::authorize)
        BOOST_TEST(authorized_.insert(target.attempt).second, "authorized twice");
    }
  }

  /// R: a key gets one definitive answer.
  void check_settled(const payments::decision& decision) {
    for (const auto& one : decision.settled)
      BOOST_TEST(settled_.insert(one.idempotency_key).second,
                 one.idempotency_key << " answered twice");
  }

  static bool is_open(const attempt& one) {
    return one.status == attempt_status::started || one.status == attempt_status::unknown
           || one.status == attempt_status::reversing;
  }

  payments::entropy random_;
  story life_;
  std::vector<payments::call_target> open_calls_;
  std::set<std::uint32_t> authorized_{1};
  std::set<std::string> settled_;
  std::set<std::string> escalated_;
  std::size_t requests_ = 0;
};

} // namespace

BOOST_AUTO_TEST_SUITE(payment_properties)

BOOST_AUTO_TEST_CASE(the_invariants_hold_on_random_walks) {
  std::map<std::string_view, int> ends;
  for (std::uint64_t seed = 0; seed < walks; ++seed) {
    walk one{seed};
    for (int step = 0; step < steps_a_walk; ++step)
      BOOST_TEST_CONTEXT("seed " << seed << ", step " << step) {
        one.step();
      }
    ++ends[to_string(one.life().state().status)];
  }
  // Walks that all end alike would prove nothing.
  for (const auto status :
       {payment_status::pending_gateway, payment_status::authorized,
        payment_status::partially_captured, payment_status::captured, payment_status::declined,
        payment_status::voided, payment_status::expired, payment_status::failed})
    BOOST_TEST(ends[to_string(status)] > 0, to_string(status));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::tests
