// Faults 1 and 17 of the fault list: whichever actor dies, at whatever step of a payment, the
// payment still ends right. Real actors, real journal, real PostgreSQL; the gateway is
// scripted, so that the kill comes at one chosen call. Invariants O (one charge), M (money), L
// (it ends).
#include "tests/support/postgres.hpp"
#include "tests/support/stage.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <memory>
#include <ostream>

namespace {

using namespace holdfast;
using test::fate;
using test::stage;

enum class victim { payment, gateway, shard };

constexpr victim every_victim[] = {victim::payment, victim::gateway, victim::shard};
constexpr fate every_fate[] = {fate::answer, fate::lose_answer, fate::drop_request};

const char* name_of(victim who) {
  constexpr const char* names[] = {"the payment's actor", "the gateway's actor", "the shard's"};
  return names[static_cast<int>(who)];
}

const char* name_of(fate what) {
  constexpr const char* names[] = {"is answered", "loses its answer", "never arrives"};
  return names[static_cast<int>(what)];
}

/// Kills once, at the first call of one verb, which then meets its fate.
class assassin {
public:
  void aim(stage* where) { where_ = where; }

  void arm(gateway_verb at, victim who, fate then) {
    at_ = at;
    who_ = who;
    then_ = then;
    struck_ = false;
  }

  /// The next authorization happens, but its answer is lost.
  void lose_next_authorization() { lose_ = true; }

  fate operator()(const gateway_request& call) {
    if (call.verb == gateway_verb::authorize && lose_.exchange(false))
      return fate::lose_answer;
    if (call.verb != at_ || where_ == nullptr || struck_.exchange(true))
      return fate::answer;
    switch (who_) {
      case victim::payment: where_.load()->kill_payment(); break;
      case victim::gateway: where_.load()->kill_gateway(); break;
      case victim::shard: where_.load()->kill_shard(); break;
    }
    return then_;
  }

  [[nodiscard]] bool has_struck() const { return struck_; }

private:
  std::atomic<gateway_verb> at_{};
  std::atomic<victim> who_{};
  std::atomic<fate> then_{};
  std::atomic<bool> struck_{true};
  std::atomic<bool> lose_{false};
  std::atomic<stage*> where_{nullptr};
};

/// One stage for a whole test case: payments follow one another on it.
class scene {
public:
  scene()
    : on_(
      std::make_unique<stage>(test::shared_postgres().create_database(),
                              [this](const gateway_request& call) { return kill_(call); })) {
    kill_.aim(on_.get());
  }
  ~scene() { kill_.aim(nullptr); }

  stage& on() { return *on_; }
  assassin& kill() { return kill_; }

  std::string new_key() { return "key-" + std::to_string(++keys_); }

  api_reply insist(const std::string& key, const merchant_action& action) {
    return on_->insist(key, action);
  }

  /// While a gateway's actor is being replaced, an authorization may be lost on its way to it;
  /// then it is reversed and fails, as it should, and the client takes a new key.
  payment authorized() {
    api_reply reply;
    test::wait_until("a payment is authorized", [&] {
      reply = insist(new_key(), on_->authorize(10'000));
      return reply.status == 201;
    });
    return on_->stored(test::id_in(reply)).value();
  }

  payment captured() {
    const auto held = authorized();
    BOOST_REQUIRE_EQUAL(insist(new_key(), capture_payment{held.id, {}, false}).status, 200);
    return on_->stored(held.id).value();
  }

  void check_books() {
    const auto proof = on_->prove();
    for (const auto& finding : proof.findings)
      BOOST_TEST_MESSAGE(finding);
    BOOST_TEST(proof.holds());
  }

private:
  assassin kill_;
  std::unique_ptr<stage> on_;
  int keys_ = 0;
};

/// Runs `check` for every victim and every fate of the call at which it dies.
template <class Check>
void for_every_death(scene& scene, gateway_verb at, Check check) {
  for (const auto who : every_victim) {
    for (const auto then : every_fate) {
      BOOST_TEST_CONTEXT("kill " << name_of(who) << " at " << to_string(at) << "; the call "
                                 << name_of(then)) {
        check(who, then);
        BOOST_TEST(scene.kill().has_struck());
      }
    }
  }
  scene.check_books();
}

} // namespace

BOOST_AUTO_TEST_SUITE(actor_death)

BOOST_AUTO_TEST_CASE(a_payment_whose_actors_die_at_its_authorization_holds_once_or_not_at_all) {
  scene scene;
  for_every_death(scene, gateway_verb::authorize, [&](victim who, fate then) {
    scene.kill().arm(gateway_verb::authorize, who, then);
    const auto reply = scene.insist(scene.new_key(), scene.on().authorize(10'000));
    const auto id = test::id_in(reply);
    const auto ended = scene.on().stored(id).value();
    // What the gateway heard, it holds, and we know it; what it didn't hear was reversed first.
    const bool held = then != fate::drop_request;
    BOOST_TEST(reply.status == (held ? 201 : 402));
    BOOST_TEST(to_string(ended.status) == (held ? "authorized" : "failed"));
    BOOST_TEST(scene.on().gateway().holds_of(id.text()) == (held ? 1U : 0U));
  });
}

BOOST_AUTO_TEST_CASE(a_payment_whose_actors_die_at_an_inquiry_is_found_out_all_the_same) {
  scene scene;
  for_every_death(scene, gateway_verb::inquire, [&](victim who, fate then) {
    scene.kill().lose_next_authorization();
    scene.kill().arm(gateway_verb::inquire, who, then);
    const auto reply = scene.insist(scene.new_key(), scene.on().authorize(10'000));
    BOOST_TEST(reply.status == 201);
    BOOST_TEST(scene.on().gateway().holds_of(test::id_in(reply).text()) == 1U);
  });
}

BOOST_AUTO_TEST_CASE(a_capture_whose_actors_die_is_made_once) {
  scene scene;
  for_every_death(scene, gateway_verb::capture, [&](victim who, fate then) {
    const auto held = scene.authorized();
    scene.kill().arm(gateway_verb::capture, who, then);
    const auto reply =
      scene.insist(scene.new_key(), capture_payment{held.id, minor_units{4'000}, false});
    BOOST_TEST(reply.status == 200);
    BOOST_TEST(scene.on().gateway().captured_of(held.id.text()).value() == 4'000);
    BOOST_TEST(scene.on().stored(held.id)->captured.value() == 4'000);
  });
}

BOOST_AUTO_TEST_CASE(a_refund_whose_actors_die_is_made_once) {
  scene scene;
  for_every_death(scene, gateway_verb::refund, [&](victim who, fate then) {
    const auto paid = scene.captured();
    scene.kill().arm(gateway_verb::refund, who, then);
    const auto reply =
      scene.insist(scene.new_key(), refund_payment{paid.id, minor_units{2'500}, "kill"});
    BOOST_TEST(reply.status == 201);
    BOOST_TEST(scene.on().gateway().refunded_of(paid.id.text()).value() == 2'500);
    BOOST_TEST(scene.on().stored(paid.id)->refunded.value() == 2'500);
  });
}

BOOST_AUTO_TEST_CASE(a_void_whose_actors_die_releases_the_hold) {
  scene scene;
  for_every_death(scene, gateway_verb::reverse, [&](victim who, fate then) {
    const auto held = scene.authorized();
    scene.kill().arm(gateway_verb::reverse, who, then);
    const auto reply = scene.insist(scene.new_key(), void_payment{held.id});
    BOOST_TEST(reply.status == 200);
    BOOST_TEST(scene.on().gateway().holds_of(held.id.text()) == 0U);
    BOOST_TEST(to_string(scene.on().stored(held.id)->status) == "voided");
  });
}

BOOST_AUTO_TEST_CASE(a_resting_payment_whose_actor_dies_can_still_be_captured) {
  scene scene;
  const auto held = scene.authorized();
  scene.on().kill_payment();
  BOOST_TEST(scene.insist(scene.new_key(), capture_payment{held.id, {}, false}).status == 200);
  scene.check_books();
}

BOOST_AUTO_TEST_SUITE_END()
