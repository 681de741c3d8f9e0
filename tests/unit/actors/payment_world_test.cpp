// A payment among gateways that keep their word over wires that don't: requests and answers are
// lost, late, doubled and overtaken, and the payment's actor dies. When that stops, both sides
// must agree to the cent: invariants O (one charge), D (nothing lost), R (one answer) and L (an
// end).
#include "tests/unit/actors/fixtures.hpp"

#include <boost/test/unit_test.hpp>

#include <functional>
#include <map>
#include <set>

namespace holdfast::tests {

namespace {

using enum operation_kind;
using namespace std::chrono_literals;

constexpr std::uint64_t worlds = 2'000;
/// Of virtual time: requests, then faults, stop; then everything must end.
constexpr milliseconds requests_until = 60s;
constexpr milliseconds faults_until = 120s;
constexpr milliseconds ended_by = 10min;

/// A gateway that remembers what it did under which reference, and does it once.
class honest_gateway {
public:
  gateway_answer handle(const gateway_request& request, payments::entropy& random) {
    if (request.operation_reference.empty())
      return on_authorization(request, random);
    auto [found, is_new] = operations_.try_emplace(request.operation_reference);
    if (is_new)
      found->second = operate_on(holds_[request.reference], request, random);
    return found->second;
  }

  [[nodiscard]] std::int64_t holds() const {
    return std::ranges::count_if(holds_, [](const auto& one) { return one.second.open; });
  }
  [[nodiscard]] std::int64_t captured() const { return captured_; }
  [[nodiscard]] std::int64_t refunded() const { return refunded_; }

private:
  struct hold {
    bool known = false;
    bool open = false;     ///< approved and not reversed
    bool declined = false; ///< by the issuer, or because it was reversed before it came
    std::int64_t captured = 0;
    std::int64_t refunded = 0;
    std::int64_t amount = 0;
  };

  gateway_answer on_authorization(const gateway_request& request, payments::entropy& random) {
    auto& one = holds_[request.reference];
    switch (request.verb) {
      case gateway_verb::authorize:
        if (!one.known) {
          one.known = true;
          one.open = random.below(5) != 0;
          one.declined = !one.open;
          one.amount = request.total.amount.value();
        }
        if (one.declined)
          return random.below(2) == 0 ? tests::declined() : retryably_declined();
        return approved();
      case gateway_verb::inquire:
        // Its status is written before the issuer's answer, and at times read too early.
        if (one.open && random.below(4) == 0)
          return retryably_declined();
        return !one.known ? not_found() : one.declined ? tests::declined() : approved();
      default:
        // Reversed before it came: it can never charge any more.
        one.known = one.declined = true;
        one.open = false;
        return approved();
    }
  }

  gateway_answer operate_on(hold& one, const gateway_request& request,
                            payments::entropy& random) {
    const auto amount = request.total.amount.value();
    if (random.below(10) == 0)
      return declined();
    switch (request.verb) {
      case gateway_verb::capture:
        if (!one.open || one.captured + amount > one.amount)
          return declined();
        one.captured += amount;
        captured_ += amount;
        return approved();
      case gateway_verb::refund:
        if (one.refunded + amount > one.captured)
          return declined();
        one.refunded += amount;
        refunded_ += amount;
        return approved();
      default:
        if (!one.open || one.captured > 0)
          return declined();
        one.open = false;
        return approved();
    }
  }

  std::map<std::string, hold> holds_;
  std::map<std::string, gateway_answer> operations_;
  std::int64_t captured_ = 0;
  std::int64_t refunded_ = 0;
};

class world {
public:
  explicit world(std::uint64_t seed)
    : random_(seed),
      life_({1'000,
             random_.below(3) == 0 ? capture_mode::automatic : capture_mode::manual,
             {"alpha", "beta"},
             random_.below(2) == 0 ? patient_rules() : payments::policy{},
             random_.below(3) == 0 ? "tok_1" : ""}) {
    keys_.insert("key-create");
    send(authorize(1));
    for (auto time = random_ms(5'000); time < requests_until; time += random_ms(20'000))
      later(time, [this] { request(); });
  }

  void run() {
    while (!due_.empty() && due_.begin()->first <= noon() + ended_by) {
      auto next = due_.extract(due_.begin());
      life_.pass(std::chrono::ceil<milliseconds>(next.key() - life_.now()));
      next.mapped()();
    }
  }

  void check() const {
    const auto& state = life_.state();
    BOOST_TEST(!has_pending_work(state), "L: still " << to_string(state.status));
    std::int64_t holds = 0;
    std::int64_t captured = 0;
    std::int64_t refunded = 0;
    for (const auto& [name, gateway] : gateways_) {
      holds += gateway.holds();
      captured += gateway.captured();
      refunded += gateway.refunded();
    }
    const bool held = state.status == payment_status::authorized
                      || state.status == payment_status::partially_captured
                      || state.status == payment_status::captured;
    BOOST_TEST(holds == (held ? 1 : 0), "O: " << to_string(state.status));
    BOOST_TEST(captured == state.captured.value());
    BOOST_TEST(refunded == state.refunded.value());
    BOOST_TEST(keys_ == settled_, boost::test_tools::per_element());
  }

  [[nodiscard]] payment_status status() const { return life_.state().status; }

private:
  [[nodiscard]] bool faulty() const { return life_.now() < noon() + faults_until; }
  bool chance(std::uint64_t percent) { return faulty() && random_.below(100) < percent; }
  milliseconds random_ms(std::uint64_t bound) {
    return milliseconds{static_cast<std::int64_t>(random_.below(bound))};
  }
  /// Mostly quick; in bad times at times slower than the settle time.
  milliseconds transit() { return chance(5) ? 9s + random_ms(20'000) : random_ms(1'500); }

  void later(milliseconds pause, std::function<void()> what) {
    due_.emplace(life_.now() + pause, std::move(what));
  }

  void request() {
    const auto kind = random_.below(10);
    std::optional<std::int64_t> amount;
    if (random_.below(2) == 0)
      amount = 1 + static_cast<std::int64_t>(random_.below(600));
    const auto wish = request_of(kind < 5   ? capture
                                 : kind < 8 ? refund
                                            : void_hold,
                                 amount, random_.below(5) == 0, ++requests_);
    if (tell(wish))
      keys_.insert(wish.idempotency_key);
  }

  /// Whether it was not refused.
  bool tell(const payments::command& what) {
    const auto decision = life_.tell(what);
    carry_out(decision);
    return !decision.refused;
  }

  void carry_out(const payments::decision& decision) {
    for (const auto& one : decision.settled)
      BOOST_TEST(settled_.insert(one.idempotency_key).second, "R: answered twice");
    for (const auto& target : decision.calls)
      send(target);
    if (chance(5))
      later(random_ms(2'000), [this] { carry_out(life_.rebuild()); });
    arm();
  }

  /// As a shard does: woken at the next action, which the wake-up itself may move.
  void arm() {
    const auto& next = life_.state().next_action_at;
    if (!next || *next == armed_for_)
      return;
    armed_for_ = *next;
    due_.emplace(std::max(*next, life_.now()), [this, mine = *next] {
      if (mine == armed_for_)
        armed_for_ = {};
      if (life_.state().next_action_at)
        tell(payments::woken{});
    });
  }

  void send(const payments::call_target& target) {
    const auto request = payments::make_request(life_.state(), target, {});
    const auto& gateway = payments::gateway_of(life_.state(), target);
    if (chance(10))
      return later(random_ms(200), [this, target] { hear(target, not_sent()); });
    const int copies = chance(10) ? 2 : 1;
    for (int copy = 0; copy < copies; ++copy) {
      if (chance(15)) {
        if (random_.below(2) == 0)
          later(3s, [this, target] { hear(target, unknown()); });
        continue;
      }
      later(transit(), [this, target, request, gateway] {
        reply(target, gateways_[gateway].handle(request, random_));
      });
    }
  }

  void reply(const payments::call_target& target, const gateway_answer& answer) {
    if (chance(15))
      return;
    later(transit(), [this, target, answer] { hear(target, answer); });
  }

  void hear(const payments::call_target& target, const gateway_answer& answer) {
    tell(payments::gateway_answered{target, answer});
  }

  payments::entropy random_;
  std::multimap<timestamp, std::function<void()>> due_;
  story life_;
  timestamp armed_for_;
  std::map<std::string, honest_gateway> gateways_;
  std::set<std::string> keys_;    ///< of requests that were not refused
  std::set<std::string> settled_; ///< keys with their definitive answer
  std::size_t requests_ = 0;
};

} // namespace

BOOST_AUTO_TEST_SUITE(payment_world)

BOOST_AUTO_TEST_CASE(both_sides_agree_when_the_faults_are_over) {
  std::map<std::string_view, int> ends;
  for (std::uint64_t seed = 0; seed < worlds; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      world one{seed};
      one.run();
      one.check();
      ++ends[to_string(one.status())];
    }
  }
  for (const auto status : {payment_status::authorized, payment_status::partially_captured,
                            payment_status::captured, payment_status::declined,
                            payment_status::voided, payment_status::failed})
    BOOST_TEST(ends[to_string(status)] > 0, to_string(status));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::tests
