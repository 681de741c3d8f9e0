// The gateway's actor, with a wire whose calls a test answers one by one: every call is
// answered, and the gate is obeyed. What the gate says is tested on a virtual clock elsewhere.
#include "actors/caf.hpp"
#include "actors/gateway/actor.hpp"
#include "actors/protocol.hpp"
#include "actors/system_settings.hpp"

#include <boost/test/unit_test.hpp>
#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace holdfast::actors {

namespace {

using namespace std::chrono_literals;

constexpr auto patience = 20s;

/// Calls wait here until the test answers them.
class held_wire final : public gateways::client {
public:
  struct call {
    gateway_request request;
    milliseconds timeout{0};
    std::function<void(gateway_answer)> done;
  };

  void send(gateway_request request, milliseconds timeout,
            std::function<void(gateway_answer)> done) override {
    const std::lock_guard lock{mutex_};
    calls_.push_back({std::move(request), timeout, std::move(done)});
    ++sent_;
    arrived_.notify_all();
  }

  /// The oldest call that has no answer yet.
  call take() {
    std::unique_lock lock{mutex_};
    if (!arrived_.wait_for(lock, patience, [this] { return !calls_.empty(); }))
      throw std::runtime_error("no call came");
    auto oldest = std::move(calls_.front());
    calls_.pop_front();
    return oldest;
  }

  /// What waits here holds the actor that asked.
  void drop_all() {
    const std::lock_guard lock{mutex_};
    calls_.clear();
  }

  [[nodiscard]] int sent() const {
    const std::lock_guard lock{mutex_};
    return sent_;
  }

private:
  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<call> calls_;
  int sent_ = 0;
};

/// The gateways' clock of these tests, which stands still.
std::atomic<timestamp> virtual_now{timestamp{std::chrono::hours{1'000}}};

gateways::gate_rules quick_rules() {
  gateways::gate_rules rules;
  rules.breaker.min_calls = 4;
  rules.breaker.open_for = 200ms;
  rules.breaker.probes = 2;
  rules.breaker.probe_successes = 2;
  rules.retries = {0.0, 1};
  rules.recovery_rate = 10;
  return rules;
}

struct scene {
  scene() {
    system.emplace(settings);
    asker.emplace(*system);
    env->log = [this](severity, const std::string& line) {
      const std::lock_guard lock{log_mutex};
      log.push_back(line);
    };
    seat = {env, "alder", wire, board, {2, 1s}, [] { return virtual_now.load(); }};
    gateway = spawn_gateway(*system, seat);
  }
  ~scene() {
    caf::anon_send_exit(gateway, caf::exit_reason::kill);
    gateway = nullptr;
    asker.reset();
    wire->drop_all();
    // Waits for the actor, which may be writing to our log.
    system.reset();
  }

  template <class Condition>
  static void eventually(const char* what, Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
      BOOST_REQUIRE_MESSAGE(std::chrono::steady_clock::now() < deadline, what);
      std::this_thread::yield();
    }
  }

  void ask(gateway_verb verb, bool is_repeat = false) {
    gateway_call call;
    call.target.verb = verb;
    if (is_repeat)
      call.target.operation = operation_kind::capture;
    call.request.verb = verb;
    call.reply_to = caf::actor_cast<caf::actor>(*asker);
    call.is_repeat = is_repeat;
    tell(gateway, std::move(call));
  }
  gateway_answer answer() {
    gateway_answer got;
    bool timed_out = false;
    (*asker)->receive([&](gateway_reply& reply) { got = std::move(reply.answer); },
                      caf::after(patience) >> [&] { timed_out = true; });
    BOOST_REQUIRE(!timed_out);
    return got;
  }
  /// Sent, answered by the gateway and heard of.
  void exchange(gateway_verb verb, gateway_verdict verdict) {
    ask(verb);
    wire->take().done({verdict, {}, {}, {}});
    BOOST_REQUIRE(answer().verdict == verdict);
  }
  /// The gateway's clock goes on, and the actor looks at it.
  void advance(milliseconds by) {
    virtual_now = virtual_now.load() + by;
    tell(gateway, gateway_tick{});
  }
  [[nodiscard]] std::string state() const {
    return std::string{to_string(board->gate.state(virtual_now))};
  }
  [[nodiscard]] bool has_logged(const std::string& line) {
    const std::lock_guard lock{log_mutex};
    return std::ranges::find(log, line) != log.end();
  }
  void open_the_breaker() {
    for (int i = 0; i < 4; ++i)
      exchange(gateway_verb::authorize, gateway_verdict::unknown);
    eventually("it is open", [this] { return state() == "open"; });
  }

  actors::system_settings settings;
  std::optional<caf::actor_system> system;
  std::optional<caf::scoped_actor> asker;
  environment_ptr env = std::make_shared<environment>();
  std::shared_ptr<held_wire> wire = std::make_shared<held_wire>();
  std::shared_ptr<gateway_board> board = std::make_shared<gateway_board>(quick_rules());
  gateway_seat seat;
  caf::actor gateway;
  std::mutex log_mutex;
  std::vector<std::string> log;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(gateway_actor, scene)

BOOST_AUTO_TEST_CASE(a_call_goes_out_with_what_is_left_of_its_time) {
  ask(gateway_verb::authorize);
  const auto call = wire->take();
  BOOST_TEST(call.timeout.count() > 0);
  BOOST_TEST(call.timeout.count() <= 1'000);
  call.done({gateway_verdict::declined, {}, "insufficient_funds", {}});
  BOOST_TEST(answer().code == "insufficient_funds");
}

BOOST_AUTO_TEST_CASE(a_call_that_finds_no_place_in_time_is_not_sent) {
  ask(gateway_verb::authorize);
  ask(gateway_verb::authorize);
  const auto first = wire->take();
  ask(gateway_verb::authorize);
  eventually("it waits", [this] { return board->queued == 1; });
  advance(1s);
  const auto refused = answer();
  BOOST_TEST((refused.verdict == gateway_verdict::not_sent));
  BOOST_TEST(refused.code == "queue_timeout");
  BOOST_TEST(wire->sent() == 2);
  first.done({gateway_verdict::approved, {}, {}, {}});
  BOOST_TEST((answer().verdict == gateway_verdict::approved));
}

BOOST_AUTO_TEST_CASE(declines_do_not_open_the_breaker) {
  for (int i = 0; i < 10; ++i)
    exchange(gateway_verb::authorize, gateway_verdict::declined);
  for (int i = 0; i < 5; ++i)
    exchange(gateway_verb::inquire, gateway_verdict::not_found);
  BOOST_TEST(state() == "closed");
}

BOOST_AUTO_TEST_CASE(it_opens_probes_and_closes_and_says_so) {
  open_the_breaker();
  ask(gateway_verb::authorize);
  BOOST_TEST(answer().code == "breaker_open");
  advance(2s);
  exchange(gateway_verb::authorize, gateway_verdict::approved);
  BOOST_TEST(state() == "half_open");
  exchange(gateway_verb::authorize, gateway_verdict::approved);
  eventually("it is closed", [this] { return state() == "closed"; });
  exchange(gateway_verb::authorize, gateway_verdict::approved);
  for (const auto* line :
       {"the breaker of gateway alder is open: error rate 100% of 4 calls",
        "the breaker of gateway alder is half_open: error rate 100% of 4 calls",
        "the breaker of gateway alder is closed: 2 of 2 probes succeeded"})
    BOOST_TEST(has_logged(line), line);
}

BOOST_AUTO_TEST_CASE(its_probes_are_inquiries_rather_than_new_charges) {
  open_the_breaker();
  // One trickles through and holds the place; the others wait.
  for (int i = 0; i < 3; ++i)
    ask(gateway_verb::inquire);
  const auto trickle = wire->take();
  eventually("two wait", [this] { return board->queued == 2; });
  virtual_now = virtual_now.load() + 200ms;
  ask(gateway_verb::authorize);
  BOOST_TEST(answer().code == "breaker_open");
  BOOST_TEST((wire->take().request.verb == gateway_verb::inquire));
  BOOST_TEST(wire->sent() == 4 + 2);
}

BOOST_AUTO_TEST_CASE(a_trip_holds_until_the_reset_also_over_the_actors_death) {
  board->gate.trip(virtual_now, std::nullopt, {"ada", "their maintenance"});
  ask(gateway_verb::authorize);
  BOOST_TEST(answer().code == "breaker_open");
  caf::anon_send_exit(gateway, caf::exit_reason::kill);
  gateway = spawn_gateway(*system, seat);
  advance(240h);
  ask(gateway_verb::authorize);
  BOOST_TEST(answer().code == "breaker_open");
  // What is owed still goes out.
  exchange(gateway_verb::reverse, gateway_verdict::approved);
  BOOST_TEST(state() == "open");
  board->gate.reset(virtual_now, {"ada", ""});
  exchange(gateway_verb::authorize, gateway_verdict::approved);
}

BOOST_AUTO_TEST_CASE(a_storm_of_retries_is_held_to_the_budget) {
  constexpr int storm = 500;
  int sent = 0;
  for (int i = 0; i < storm; ++i) {
    ask(i % 2 == 0 ? gateway_verb::inquire : gateway_verb::capture, true);
    eventually("it is sent or refused", [&] {
      return wire->sent() > sent
             || board->refused[3] + static_cast<unsigned>(sent) > unsigned(i);
    });
    if (wire->sent() > sent) {
      ++sent;
      wire->take().done({gateway_verdict::approved, {}, {}, {}});
    }
  }
  int refused = 0;
  for (int i = 0; i < storm; ++i)
    refused += answer().code == "retry_budget";
  BOOST_TEST(sent == 10); // a retry a second, saved up for ten
  BOOST_TEST(refused == storm - sent);
  // New charges are not touched by it, and earn nothing here.
  exchange(gateway_verb::authorize, gateway_verdict::approved);
}

BOOST_AUTO_TEST_CASE(a_gateway_that_is_back_is_asked_slowly_at_first) {
  open_the_breaker();
  advance(200ms);
  exchange(gateway_verb::authorize, gateway_verdict::approved);
  exchange(gateway_verb::authorize, gateway_verdict::approved);
  eventually("it is closed", [this] { return state() == "closed"; });
  const auto before = wire->sent();
  for (int i = 0; i < 50; ++i)
    ask(gateway_verb::inquire);
  eventually("they wait", [this] { return board->queued + board->in_flight == 50; });
  BOOST_TEST(wire->sent() - before <= 2);
  std::vector<int> sent_by;
  for (int step = 0; step < 10; ++step) {
    for (auto out = board->in_flight.load(); out > 0; --out)
      wire->take().done({gateway_verdict::approved, {}, {}, {}});
    eventually("they have ended", [this] { return board->in_flight == 0; });
    advance(100ms);
    ask(gateway_verb::authorize);
    eventually("it has looked", [this] { return board->in_flight > 0; });
    sent_by.push_back(wire->sent() - before - step - 1);
  }
  // A tenth of ten a second at first: a handful in the first second, not fifty.
  BOOST_TEST(sent_by.back() >= 1);
  BOOST_TEST(sent_by.back() <= 4);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::actors
