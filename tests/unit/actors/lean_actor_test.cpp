// The actor that payments are made of: it does what any actor does, and leaves nothing behind.
#include "actors/lean_actor.hpp"

#include "actors/payment/actor.hpp"
#include "actors/protocol.hpp"
#include "actors/system_settings.hpp"
#include "runtime/bench/synthetic.hpp"

#include <boost/test/unit_test.hpp>
#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/sec.hpp>

#include <atomic>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace holdfast::actors {

namespace {

using namespace std::chrono_literals;

constexpr auto patience = 20s;

/// Notes the keys that it hears.
class listener final : public lean_actor {
public:
  listener(caf::actor_config& cfg, std::vector<std::string>& heard,
           std::function<void(lean_actor&, const std::string&)> then)
    : lean_actor(cfg),
      heard_(heard),
      then_(std::move(then)) {}

  void on(const describe& ask) {
    heard_.push_back(ask.key);
    then_(*this, ask.key);
  }
  void on_exit() override { heard_.emplace_back("exit"); }

protected:
  void begin() override { heard_.emplace_back("begin"); }
  void handle(caf::message& what) override { give_to<describe>(*this, what); }

private:
  std::vector<std::string>& heard_;
  std::function<void(lean_actor&, const std::string&)> then_;
};

struct fixture {
  template <class Then>
  caf::actor spawn(Then then) {
    auto made = system.spawn<listener>(std::ref(heard), then);
    self->monitor(made);
    return made;
  }

  /// Why the actor has ended.
  caf::error await_end() {
    caf::error reason;
    self->receive([&](caf::down_msg& down) { reason = std::move(down.reason); },
                  caf::after(patience) >> [] { throw std::runtime_error("it goes on"); });
    return reason;
  }

  std::vector<std::string> heard; ///< before `system`, which outlives its actors
  system_settings settings;
  caf::actor_system system{settings};
  caf::scoped_actor self{system};
};

void quit_after_last(lean_actor& me, const std::string& key) {
  if (key == "last")
    me.quit();
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(lean_actors, fixture)

BOOST_AUTO_TEST_CASE(messages_are_handled_in_order_until_it_quits) {
  auto who = spawn(quit_after_last);
  for (const char* key : {"a", "b", "last", "too late"})
    tell(who, describe{key});
  BOOST_TEST(!await_end());
  BOOST_TEST(heard == (std::vector<std::string>{"begin", "a", "b", "last", "exit"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(no_message_is_lost_between_many_senders) {
  constexpr int senders = 4;
  constexpr int each = 20'000;
  std::atomic<int> missing{senders * each};
  auto who = spawn([&](lean_actor& me, const std::string&) {
    if (--missing == 0)
      me.quit();
  });
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < senders; ++i)
      threads.emplace_back([&] {
        for (int j = 0; j < each; ++j)
          tell(who, describe{"k"});
      });
  }
  BOOST_TEST(!await_end());
  BOOST_TEST(missing == 0);
}

BOOST_AUTO_TEST_CASE(an_exception_is_its_end_with_a_reason) {
  auto who = spawn([](lean_actor&, const std::string& key) { throw std::runtime_error(key); });
  tell(who, describe{"this went wrong"});
  const auto reason = await_end();
  BOOST_TEST(to_string(reason).find("this went wrong") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(it_can_be_killed) {
  auto who = spawn(quit_after_last);
  caf::anon_send_exit(who, caf::exit_reason::kill);
  BOOST_CHECK(await_end() == caf::exit_reason::kill);
}

BOOST_AUTO_TEST_CASE(nothing_is_handled_after_an_exit) {
  auto who = spawn(quit_after_last);
  tell(who, describe{"before"});
  caf::anon_send_exit(who, caf::exit_reason::user_shutdown);
  tell(who, describe{"after"});
  BOOST_CHECK(await_end() == caf::exit_reason::user_shutdown);
  BOOST_TEST(heard == (std::vector<std::string>{"begin", "before", "exit"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_is_sent_to_a_dead_one_is_dropped) {
  auto who = spawn(quit_after_last);
  tell(who, describe{"last"});
  BOOST_TEST(!await_end());
  tell(who, describe{"late"});
  BOOST_TEST(heard.back() == "exit");
}

BOOST_AUTO_TEST_SUITE_END()

namespace {

/// What a shard is to a payment. Its observer hears which payment has ended, and why.
class parent_actor final : public caf::event_based_actor {
public:
  using when_idle = std::function<void(const caf::actor& child)>;

  parent_actor(caf::actor_config& cfg, environment_ptr env, caf::actor observer, when_idle then)
    : caf::event_based_actor(cfg),
      env_(std::move(env)),
      observer_(std::move(observer)),
      then_(std::move(then)) {}

  caf::behavior make_behavior() override {
    auto state = bench::synthetic_payments{env_->now()}.approved();
    payment_seat seat{env_,          caf::actor_cast<caf::actor>(this), {}, {1}, state.id,
                      state.merchant};
    child_ = spawn_payment(*this, std::move(seat), std::move(state));
    return {
      [this](const payment_idle&) { then_(child_); },
      [](const wake_me&) {},
      [this](const payment_ended& ended) {
        if (ended.who == child_.id())
          caf::anon_send(observer_, caf::actor_cast<caf::weak_actor_ptr>(child_), ended.reason);
        child_ = nullptr;
      },
    };
  }

private:
  environment_ptr env_;
  caf::actor observer_;
  when_idle then_;
  caf::actor child_;
};

environment_ptr quiet_environment() {
  auto env = std::make_shared<environment>();
  env->now = &wall_clock_now;
  env->random = [] { return std::uint64_t{1}; };
  env->rules_of = [](const std::string&) { return payments::policy{}; };
  return env;
}

} // namespace

struct payment_fixture : fixture {
  struct end {
    caf::weak_actor_ptr who;
    caf::error reason;
  };

  /// How a payment ends that its parent has done this with, once it was idle.
  end end_of(environment_ptr env, parent_actor::when_idle then) {
    auto parent = system.spawn<parent_actor>(std::move(env), caf::actor_cast<caf::actor>(self),
                                             std::move(then));
    end told;
    self->receive(
      [&](caf::weak_actor_ptr& child, caf::error& reason) {
        told = {std::move(child), std::move(reason)};
      },
      caf::after(patience) >> [] { throw std::runtime_error("it stays"); });
    caf::anon_send_exit(parent, caf::exit_reason::user_shutdown);
    return told;
  }
};

BOOST_FIXTURE_TEST_SUITE(payment_end, payment_fixture)

BOOST_AUTO_TEST_CASE(a_payment_that_is_asked_to_go_says_so_without_a_reason) {
  const auto ask = [](const caf::actor& child) { tell(child, passivate{}); };
  BOOST_TEST(!end_of(quiet_environment(), ask).reason);
}

BOOST_AUTO_TEST_CASE(a_payment_that_is_killed_says_so) {
  const auto kill = [](const caf::actor& child) {
    caf::anon_send_exit(child, caf::exit_reason::kill);
  };
  BOOST_TEST((end_of(quiet_environment(), kill).reason == caf::exit_reason::kill));
}

BOOST_AUTO_TEST_CASE(a_payment_that_fails_says_so) {
  auto env = quiet_environment();
  env->rules_of = [](const std::string&) -> payments::policy {
    throw std::runtime_error("no rules");
  };
  const auto leave = [](const caf::actor&) {};
  BOOST_TEST((end_of(env, leave).reason == caf::sec::runtime_error));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(payment_memory, fixture)

/// CAF keeps an actor's memory for as long as anybody has as much as its address.
BOOST_AUTO_TEST_CASE(nothing_of_a_payment_that_has_gone_stays_with_its_shard) {
  auto parent =
    system.spawn<parent_actor>(quiet_environment(), caf::actor_cast<caf::actor>(self),
                               [](const caf::actor& child) { tell(child, passivate{}); });
  caf::weak_actor_ptr gone;
  self->receive([&](caf::weak_actor_ptr& child, const caf::error&) { gone = std::move(child); },
                caf::after(patience) >> [] { throw std::runtime_error("it stays"); });
  BOOST_REQUIRE(gone);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  // All strong references together count as one.
  while (gone.get()->weak_refs != 1 && std::chrono::steady_clock::now() < deadline)
    std::this_thread::yield();
  BOOST_TEST(gone.get()->strong_refs == 0u);
  BOOST_TEST(gone.get()->weak_refs == 1u);
  caf::anon_send_exit(parent, caf::exit_reason::user_shutdown);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::actors
