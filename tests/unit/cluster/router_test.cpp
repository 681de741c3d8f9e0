// The router, between a node whose shards a test plays and other nodes that it plays too: each
// request ends once, with the owner's own answer, wherever the owner is.
#include "runtime/cluster/router.hpp"

#include "actors/caf.hpp"
#include "actors/protocol.hpp"
#include "actors/system_settings.hpp"
#include "messages/limits.hpp"

#include <boost/test/unit_test.hpp>
#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>

#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace holdfast::cluster {

namespace {

constexpr std::uint16_t shards = 8;

/// The other nodes: what they are asked waits until the test answers it.
class held_port final : public links::port {
public:
  struct question {
    std::string node;
    links::peer_request what;
    milliseconds deadline;
    links::peer_callback done;
  };

  void ask(const std::string& node, links::peer_request what, milliseconds deadline,
           links::peer_callback done) override {
    asked.push_back({node, std::move(what), deadline, std::move(done)});
  }
  [[nodiscard]] bool reaches(const std::string& node) const override {
    return up.contains(node);
  }
  void know(std::vector<std::string>) override {}
  [[nodiscard]] std::vector<links::link_status> status() const override { return {}; }

  question take() {
    BOOST_REQUIRE(!asked.empty());
    auto oldest = std::move(asked.front());
    asked.pop_front();
    return oldest;
  }

  std::set<std::string> up;
  std::deque<question> asked;
};

api_reply answer_of(std::uint16_t status, std::string body) {
  api_reply reply;
  reply.status = status;
  reply.body = std::move(body);
  reply.location = "/v1/payments/pay_1";
  reply.retry_after_s = 7;
  reply.replayed = true;
  return reply;
}

struct node_among_others {
  node_among_others() {
    env->layout = shard_layout{{shard_range{{0}, {shards - 1}}}};
    env->now = [this] { return now; };
    env->log = [](actors::severity, const std::string&) {};
    env->later = [this](milliseconds pause, std::function<void()> run) {
      timers.emplace(now + pause, std::move(run));
    };
    table->on_change([this](const std::vector<shard_number>& changed) { way->wake(changed); });
    way->connect(port);
  }

  void owned_by(const std::string& node, std::int64_t epoch) {
    port.up.insert(node);
    table->learn(where, node, {epoch});
  }

  void submit(milliseconds wait = milliseconds{10'000}) {
    merchant_command command;
    command.request_id = "req-1";
    command.merchant = merchant_id::make(now, where, 1);
    command.idempotency_key = "key-1";
    command.wait = wait;
    command.action = void_payment{payment_id::make(now, where, 1)};
    way->submit(std::move(command),
                [this](api_reply reply) { heard.push_back(std::move(reply)); });
  }

  void pass(milliseconds time) {
    const auto until = now + time;
    while (!timers.empty() && timers.begin()->first <= until) {
      auto due = timers.extract(timers.begin());
      now = due.key();
      due.mapped()();
    }
    now = until;
  }

  static void answer(held_port::question asked, links::peer_answer given) {
    asked.done(std::move(given));
  }
  static void fail(held_port::question asked, errc code) {
    asked.done({boost::system::in_place_error, make_error(code, "for the test")});
  }

  shard_number where{3};
  timestamp now{std::chrono::sys_days{std::chrono::year{2026} / 11 / 23}};
  std::multimap<timestamp, std::function<void()>> timers;
  actors::environment_ptr env = std::make_shared<actors::environment>();
  std::shared_ptr<routing_table> table = std::make_shared<routing_table>(shards);
  held_port port;
  std::shared_ptr<router> way = router::make(env, table, "self");
  std::vector<api_reply> heard;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(routers, node_among_others)

BOOST_AUTO_TEST_CASE(the_answer_of_the_owner_arrives_as_it_is) {
  owned_by("b", 1);
  submit();
  auto asked = port.take();
  BOOST_TEST(asked.node == "b");
  const auto& wish = std::get<links::command_for_shard>(asked.what);
  BOOST_TEST(wish.shard.value == where.value);
  BOOST_TEST(wish.command.idempotency_key == "key-1");
  BOOST_TEST((asked.deadline > wish.command.wait));
  answer(std::move(asked), answer_of(402, "the very bytes"));
  BOOST_REQUIRE_EQUAL(heard.size(), 1U);
  BOOST_TEST(heard[0].status == 402);
  BOOST_TEST(heard[0].body == "the very bytes");
  BOOST_TEST(heard[0].location == "/v1/payments/pay_1");
  BOOST_TEST(heard[0].retry_after_s == 7U);
  BOOST_TEST(heard[0].replayed);
}

BOOST_AUTO_TEST_CASE(whoever_is_not_the_owner_says_who_is) {
  owned_by("b", 1);
  port.up.insert("c");
  submit();
  answer(port.take(), links::not_owner{"c", {2}});
  auto asked = port.take();
  BOOST_TEST(asked.node == "c");
  answer(std::move(asked), answer_of(200, "c"));
  BOOST_TEST(heard.at(0).body == "c");
  BOOST_TEST(way->figures().forwarded[static_cast<std::size_t>(forward_end::not_owner)] == 1U);
}

BOOST_AUTO_TEST_CASE(without_an_owner_it_waits_for_one) {
  submit();
  BOOST_TEST(way->figures().parked == 1U);
  pass(milliseconds{1'500});
  BOOST_TEST(heard.empty());
  owned_by("b", 4);
  BOOST_TEST(way->figures().parked == 0U);
  auto asked = port.take();
  BOOST_TEST(
    (std::get<links::command_for_shard>(asked.what).command.wait == milliseconds{8'500}));
  answer(std::move(asked), answer_of(201, "late"));
  BOOST_TEST(heard.at(0).status == 201);
}

BOOST_AUTO_TEST_CASE(when_nobody_comes_its_client_hears_that_trying_again_helps) {
  submit();
  pass(milliseconds{limits::look_for_owner_ms_max + 2 * limits::look_again_ms});
  BOOST_REQUIRE_EQUAL(heard.size(), 1U);
  BOOST_TEST(heard[0].status == 503);
  BOOST_TEST(heard[0].retry_after_s == 1U);
  BOOST_TEST(heard[0].body.find(R"("code":"shard_unavailable")") != std::string::npos);
  BOOST_TEST(way->figures().given_up == 1U);
  BOOST_TEST(way->figures().parked == 0U);
}

BOOST_AUTO_TEST_CASE(it_waits_no_longer_than_its_client) {
  submit(milliseconds{4'000});
  pass(milliseconds{4'000 + limits::look_again_ms});
  BOOST_TEST(heard.at(0).status == 503);
}

BOOST_AUTO_TEST_CASE(a_client_in_a_hurry_is_told_late_rather_than_turned_away) {
  submit(milliseconds{500});
  pass(milliseconds{limits::look_for_owner_ms_min - limits::look_again_ms});
  BOOST_TEST(heard.empty());
  owned_by("b", 1);
  const auto asked = port.take();
  BOOST_TEST(std::get<links::command_for_shard>(asked.what).command.wait.count() == 0);
}

BOOST_AUTO_TEST_CASE(a_command_whose_link_broke_is_repeated_at_the_next_owner) {
  owned_by("b", 1);
  submit();
  port.up.clear();
  fail(port.take(), errc::unknown_outcome);
  BOOST_TEST(heard.empty());
  pass(milliseconds{2'000});
  owned_by("c", 2);
  auto asked = port.take();
  BOOST_TEST(std::get<links::command_for_shard>(asked.what).command.idempotency_key == "key-1");
  answer(std::move(asked), answer_of(200, "done"));
  BOOST_TEST(heard.at(0).body == "done");
}

BOOST_AUTO_TEST_CASE(an_owner_that_is_still_at_it_is_asked_until_it_is_done) {
  const auto running = answer_of(409, R"({"code":"request_in_progress"})");
  owned_by("b", 1);
  submit();
  fail(port.take(), errc::unknown_outcome);
  for (int look = 0; look < 5; ++look) {
    pass(milliseconds{limits::look_again_ms_max + limits::look_again_ms});
    answer(port.take(), running);
    BOOST_TEST(heard.empty());
  }
  pass(milliseconds{limits::look_again_ms_max + limits::look_again_ms});
  answer(port.take(), answer_of(201, "done"));
  BOOST_TEST(heard.at(0).body == "done");
  // A client that really asks twice hears that it does.
  submit();
  answer(port.take(), running);
  BOOST_TEST(heard.at(1).status == 409);
}

BOOST_AUTO_TEST_CASE(a_peer_that_is_full_is_asked_again_a_little_later) {
  owned_by("b", 1);
  submit();
  fail(port.take(), errc::overloaded);
  BOOST_TEST(port.asked.empty());
  pass(milliseconds{2 * limits::look_again_ms});
  answer(port.take(), answer_of(200, "now"));
  BOOST_TEST(heard.size() == 1U);
}

BOOST_AUTO_TEST_CASE(those_who_wait_do_not_storm_an_owner_that_refuses) {
  owned_by("b", 1);
  submit();
  int asked = 0;
  while (heard.empty()) {
    for (; !port.asked.empty(); ++asked)
      answer(port.take(), links::not_owner{});
    pass(milliseconds{limits::look_again_ms});
  }
  BOOST_TEST(heard.at(0).status == 503);
  const auto looks = limits::look_for_owner_ms_max / limits::look_again_ms;
  BOOST_TEST(asked < looks / 4);
  BOOST_TEST(asked >= limits::look_for_owner_ms_max / limits::look_again_ms_max);
}

BOOST_AUTO_TEST_CASE(an_order_is_not_repeated_when_nobody_knows_what_became_of_it) {
  owned_by("b", 1);
  std::vector<expected<exception_id>> told;
  desk_order order;
  order.exception = exception_id::make(now, where, 1);
  way->order(order,
             [&](expected<exception_id> outcome) { told.push_back(std::move(outcome)); });
  fail(port.take(), errc::unknown_outcome);
  BOOST_TEST(port.asked.empty());
  BOOST_REQUIRE_EQUAL(told.size(), 1U);
  BOOST_TEST((told[0].error().code == errc::unknown_outcome));
  // Nor is it answered again when its own time is up.
  pass(milliseconds{limits::exception_order_ms_max + limits::answer_margin_ms});
  BOOST_TEST(told.size() == 1U);
}

BOOST_AUTO_TEST_CASE(an_order_that_was_not_taken_is) {
  owned_by("b", 1);
  std::vector<expected<exception_id>> told;
  desk_order order;
  order.exception = exception_id::make(now, where, 1);
  way->order(order,
             [&](expected<exception_id> outcome) { told.push_back(std::move(outcome)); });
  answer(port.take(), links::not_owner{});
  BOOST_TEST(told.empty());
  pass(milliseconds{2 * limits::look_again_ms});
  answer(port.take(), expected<exception_id>{order.exception});
  BOOST_TEST(told.at(0).has_value());
}

BOOST_AUTO_TEST_CASE(an_answer_to_something_else_is_no_answer) {
  owned_by("b", 1);
  submit(milliseconds{500});
  answer(port.take(), links::accepted{});
  BOOST_TEST(heard.empty());
  pass(milliseconds{limits::look_for_owner_ms_min});
  while (!port.asked.empty())
    fail(port.take(), errc::unavailable);
  BOOST_REQUIRE_EQUAL(heard.size(), 1U);
  BOOST_TEST(heard[0].status == 503);
}

BOOST_AUTO_TEST_CASE(there_is_no_waiting_beyond_the_limit) {
  for (std::size_t count = 0; count < limits::parked_requests_max + 5; ++count)
    submit();
  BOOST_TEST(way->figures().parked == limits::parked_requests_max);
  BOOST_TEST(heard.size() == 5U);
  way->close();
  BOOST_TEST(heard.size() == limits::parked_requests_max + 5);
  submit();
  BOOST_TEST(heard.back().status == 503);
  BOOST_TEST(way->figures().parked == 0U);
}

BOOST_AUTO_TEST_CASE(one_that_a_link_drops_is_answered_all_the_same) {
  owned_by("b", 1);
  submit();
  port.asked.clear();
  BOOST_REQUIRE_EQUAL(heard.size(), 1U);
  BOOST_TEST(heard[0].status == 503);
}

BOOST_AUTO_TEST_CASE(what_the_shard_of_this_node_hands_back_finds_the_next_owner) {
  actors::system_settings settings;
  caf::actor_system system{settings};
  caf::scoped_actor shard{system};
  env->peers.set_shard(where, shard);
  submit();
  BOOST_TEST(port.asked.empty());
  shard->receive([&](actors::submit& given) {
    env->peers.remove_shard(where);
    given.promise->bounce(std::move(given.command));
  });
  BOOST_TEST(heard.empty());
  owned_by("b", 2);
  answer(port.take(), answer_of(200, "b"));
  BOOST_REQUIRE_EQUAL(heard.size(), 1U);
  BOOST_TEST(heard[0].body == "b");
}

BOOST_AUTO_TEST_CASE(
  what_has_waited_for_the_shard_of_this_node_waits_the_less_for_its_payment) {
  actors::system_settings settings;
  caf::actor_system system{settings};
  caf::scoped_actor shard{system};
  submit(milliseconds{10'000});
  pass(milliseconds{4'000});
  env->peers.set_shard(where, shard);
  way->wake({where});
  shard->receive([](actors::submit& given) {
    BOOST_TEST(given.command.wait.count() == 6'000);
    given.promise->deliver(answer_of(200, "here"));
  });
  BOOST_TEST(heard.at(0).body == "here");
}

BOOST_AUTO_TEST_CASE(however_often_it_is_handed_back_its_time_is_one) {
  actors::system_settings settings;
  caf::actor_system system{settings};
  caf::scoped_actor shard{system};
  env->peers.set_shard(where, shard);
  submit();
  int given_times = 0;
  const auto hand_back = [&](actors::submit& given) {
    ++given_times;
    given.promise->bounce(std::move(given.command));
  };
  while (heard.empty()) {
    shard->receive(
      hand_back, caf::after(milliseconds{0}) >> [] {});
    pass(milliseconds{limits::look_again_ms});
  }
  BOOST_TEST(heard.at(0).status == 503);
  BOOST_TEST(heard.size() == 1U);
  // Less and less often, as it asks another node.
  const auto looks = limits::look_for_owner_ms_max / limits::look_again_ms;
  BOOST_TEST(given_times < looks / 4);
  BOOST_TEST(given_times >= limits::look_for_owner_ms_max / limits::look_again_ms_max);
}

BOOST_AUTO_TEST_CASE(what_is_handed_back_is_given_to_the_shard_as_soon_as_it_serves) {
  actors::system_settings settings;
  caf::actor_system system{settings};
  caf::scoped_actor shard{system};
  env->peers.set_shard(where, shard);
  submit();
  int given_times = 0;
  const auto hand_back = [&](actors::submit& given) {
    ++given_times;
    given.promise->bounce(std::move(given.command));
  };
  // Until it is spared for longest.
  while (given_times < 5) {
    shard->receive(hand_back);
    pass(milliseconds{limits::look_again_ms_max + limits::look_again_ms});
  }
  shard->receive(hand_back);
  way->wake({where});
  shard->receive([](actors::submit& given) { given.promise->deliver(answer_of(200, "here")); });
  BOOST_REQUIRE_EQUAL(heard.size(), 1U);
  BOOST_TEST(heard[0].body == "here");
}

BOOST_AUTO_TEST_CASE(what_is_handed_back_stays_in_doubt) {
  actors::system_settings settings;
  caf::actor_system system{settings};
  caf::scoped_actor shard{system};
  owned_by("b", 1);
  submit();
  fail(port.take(), errc::unknown_outcome);
  port.up.clear();
  env->peers.set_shard(where, shard);
  way->wake({where});
  shard->receive([&](actors::submit& given) {
    env->peers.remove_shard(where);
    given.promise->bounce(std::move(given.command));
  });
  way->close();
  BOOST_REQUIRE_EQUAL(heard.size(), 1U);
  BOOST_TEST(heard[0].status == 503);
  BOOST_TEST(heard[0].body.find("its outcome is not known yet") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_notice_that_is_handed_back_keeps_its_promise) {
  actors::system_settings settings;
  caf::actor_system system{settings};
  caf::scoped_actor shard{system};
  env->peers.set_shard(where, shard);
  webhook_notice notice;
  notice.event_id = "evt-1";
  notice.about.payment = payment_id::make(now, where, 1);
  way->notify(notice, "req-1", [this](api_reply reply) { heard.push_back(std::move(reply)); });
  shard->receive([&](actors::deliver_webhook& given) {
    env->peers.remove_shard(where);
    (*given.elsewhere)(std::move(given.notice), std::move(given.promise));
  });
  BOOST_TEST(heard.empty());
  owned_by("b", 2);
  auto asked = port.take();
  BOOST_TEST(std::get<links::notice_for_shard>(asked.what).notice.event_id == "evt-1");
  answer(std::move(asked), answer_of(200, "noted"));
  BOOST_TEST(heard.at(0).body == "noted");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::cluster
