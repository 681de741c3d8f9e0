// The door of a node, and visitors that a test plays: who is let in, and what may be asked
// then. No network: the visitors are actors of the same system.
#include "actors/link/door.hpp"

#include "actors/caf.hpp"
#include "actors/protocol.hpp"
#include "actors/system_settings.hpp"
#include "messages/limits.hpp"
#include "messages/proto/cluster.pb.h"

#include <boost/test/unit_test.hpp>
#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>

#include <algorithm>
#include <future>
#include <mutex>
#include <optional>

namespace holdfast::links {

namespace {

using namespace std::chrono_literals;

constexpr auto patience = 20s;

struct scene {
  scene() {
    system.emplace(settings);
    env->self = [this] { return introduction_of("host"); };
    env->marks = marks;
    env->service = [this](const std::string&, auto&&, auto, auto done) {
      const std::lock_guard lock{mutex};
      asked.push_back(std::move(done));
    };
    env->log = [this](actors::severity, const std::string& line) {
      const std::lock_guard lock{mutex};
      log.push_back(line);
    };
    env->now = [] { return std::chrono::steady_clock::now(); };
    env->random = [this] { return ++last_random; };
    env->roll = std::make_shared<roll>();
    env->drop = [](const caf::node_id&) {};
    env->tidy = [] {};
    env->met = [this](const std::string& address) {
      const std::lock_guard lock{mutex};
      met.push_back(address);
    };
    door = spawn_door(*system, env);
  }

  ~scene() {
    actors::tell(door, actors::say_goodbye{});
    door = nullptr;
    system->await_all_actors_done();
    asked.clear(); // They hold the door.
    system.reset();
  }

  introduction introduction_of(const std::string& name) {
    introduction who;
    who.cluster = "prod";
    who.cluster_id.bytes.fill(0xab);
    who.node = name;
    who.incarnation = name + "-1";
    who.program = "1.0.0";
    who.shards = 4;
    who.advertise = name + ":8090";
    who.io_node = to_string(system->node());
    return who;
  }

  std::size_t said(const std::string& words) {
    const std::lock_guard lock{mutex};
    return static_cast<std::size_t>(std::ranges::count_if(
      log, [&](const auto& line) { return line.find(words) != std::string::npos; }));
  }
  std::size_t requests() {
    const std::lock_guard lock{mutex};
    return asked.size();
  }
  std::function<void(peer_answer)> request(std::size_t index) {
    const std::lock_guard lock{mutex};
    return asked.at(index);
  }

  actors::system_settings settings;
  std::optional<caf::actor_system> system;
  std::mutex mutex;
  std::vector<std::function<void(peer_answer)>> asked;
  std::vector<std::string> log;
  std::vector<std::string> met;
  std::atomic<std::uint64_t> last_random{100};
  std::shared_ptr<storage::sequence_marks> marks =
    std::make_shared<storage::sequence_marks>(std::uint16_t{4});
  std::shared_ptr<environment> env = std::make_shared<environment>();
  caf::actor door;
};

/// The link of another node, as far as the door can tell.
class visitor {
public:
  explicit visitor(scene& where) : scene_(where), self_(*where.system) {}

  void send(envelope what, bool says_who = true) { send_bytes(encode(what), says_who); }
  void send_bytes(std::string bytes, bool says_who = false) {
    auto from = says_who ? caf::actor_cast<caf::strong_actor_ptr>(self_) : nullptr;
    self_->send(scene_.door, actors::frame{std::move(from), std::move(bytes)});
  }

  envelope hear() {
    std::optional<envelope> heard;
    self_->receive(
      [&](const actors::frame& m) {
        auto got = decode_envelope(m.bytes);
        BOOST_REQUIRE(got);
        heard = std::move(*got);
      },
      caf::after(patience) >> [] { BOOST_FAIL("the door says nothing"); });
    return *heard;
  }
  template <class Body>
  Body hear_a() {
    auto got = hear();
    BOOST_TEST_REQUIRE(std::holds_alternative<Body>(got.body), "body " << got.body.index());
    return std::get<Body>(got.body);
  }

  void say_hello(introduction who) {
    who.nonce = std::string(limits::link_nonce_bytes, 'n');
    send({.request = ++attempt_, .body = hello{std::move(who)}});
  }
  /// The number of the session.
  std::uint64_t enter(const introduction& who) {
    say_hello(who);
    static_cast<void>(hear_a<challenge>());
    send({.request = attempt_, .body = proof{}});
    const auto let_in = hear_a<welcome>();
    BOOST_TEST(let_in.window == limits::link_window_requests);
    return session_ = let_in.session;
  }

  void ask(std::uint64_t number, milliseconds deadline = milliseconds{60'000}) {
    send({.session = session_,
          .request = number,
          .deadline = deadline,
          .body = peer_request{shards_released{{{1}}}}},
         false);
  }
  /// Until here the door has heard everything.
  void sync() {
    send({.session = session_, .body = ping{++pings_, {}}}, false);
    while (!std::holds_alternative<pong>(hear().body))
      ;
  }

private:
  scene& scene_;
  caf::scoped_actor self_;
  std::uint64_t attempt_ = 0;
  std::uint64_t session_ = 0;
  std::uint64_t pings_ = 0;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(actors_door, scene)

BOOST_AUTO_TEST_CASE(a_node_is_let_in_and_its_heartbeats_are_answered) {
  marks->note({2}, {20});
  visitor guest{*this};
  const auto session = guest.enter(introduction_of("guest"));
  BOOST_TEST(session != 0U);
  guest.send({.session = session, .body = ping{7, {{{1}, {10}}, {{3'000}, {1}}}}}, false);
  const auto answer = guest.hear();
  BOOST_TEST(answer.session == session);
  const auto& beat = std::get<pong>(answer.body);
  BOOST_TEST(beat.number == 7U);
  BOOST_REQUIRE(beat.marks.size() == 1U);
  BOOST_TEST((beat.marks[0].shard == shard_number{2} && beat.marks[0].reached.value == 20));
  BOOST_TEST(marks->known({1}).value == 10);
  BOOST_TEST((met == std::vector<std::string>{"guest:8090"}));
}

BOOST_AUTO_TEST_CASE(who_does_not_belong_here_is_refused_and_logged_once) {
  visitor guest{*this};
  auto stranger = introduction_of("guest");
  stranger.cluster = "test";
  for (int i = 0; i < 3; ++i) {
    guest.say_hello(stranger);
    const auto why = guest.hear_a<refusal>();
    BOOST_TEST((why.reason == refusal_reason::cluster_name));
  }
  BOOST_TEST(said("cluster name") == 1U);
  stranger.cluster = "prod";
  stranger.cluster_id.bytes.fill(1);
  guest.say_hello(stranger);
  BOOST_TEST((guest.hear_a<refusal>().reason == refusal_reason::cluster_id));
  stranger.cluster_id = introduction_of("guest").cluster_id;
  stranger.shards = 8;
  guest.say_hello(stranger);
  BOOST_TEST((guest.hear_a<refusal>().reason == refusal_reason::shard_count));
  BOOST_TEST(said("shard count: host has 4, guest has 8") == 1U);
}

BOOST_AUTO_TEST_CASE(who_says_that_it_is_another_process_is_refused) {
  visitor guest{*this};
  auto liar = introduction_of("guest");
  liar.io_node = "elsewhere";
  guest.say_hello(liar);
  BOOST_TEST((guest.hear_a<refusal>().reason == refusal_reason::nonsense));
}

BOOST_AUTO_TEST_CASE(a_refusal_by_the_visitor_is_logged_here_too) {
  visitor guest{*this};
  guest.say_hello(introduction_of("guest"));
  static_cast<void>(guest.hear_a<challenge>());
  guest.send({.request = 1, .body = refusal{refusal_reason::certificate, "certificate: no"}});
  guest.enter(introduction_of("guest"));
  BOOST_TEST(said("certificate: no") == 1U);
}

BOOST_AUTO_TEST_CASE(nothing_is_done_without_a_session) {
  visitor guest{*this};
  guest.send({.request = 1, .body = proof{}});
  guest.ask(2);
  guest.send({.session = 77, .request = 3, .body = peer_request{shards_released{}}}, false);
  guest.enter(introduction_of("guest"));
  guest.sync();
  BOOST_TEST(requests() == 0U);
}

BOOST_AUTO_TEST_CASE(garbage_does_no_harm) {
  visitor guest{*this};
  guest.send_bytes("");
  guest.send_bytes("\xff\xff\xff");
  guest.send_bytes(std::string(1'000, 'x'), true);
  const auto session = guest.enter(introduction_of("guest"));
  guest.send_bytes("\xff\xff\xff");
  guest.send({.session = session, .body = welcome{1, 2}});
  guest.send({.session = session, .body = peer_answer{accepted{}}});
  guest.sync();
}

BOOST_AUTO_TEST_CASE(an_answer_goes_to_who_asked) {
  visitor one{*this};
  visitor two{*this};
  one.enter(introduction_of("one"));
  two.enter(introduction_of("two"));
  one.ask(5);
  one.sync();
  two.ask(5);
  two.sync();
  BOOST_REQUIRE(requests() == 2U);
  request(1)(not_owner{"elsewhere", {9}});
  const auto heard = two.hear();
  BOOST_TEST(heard.request == 5U);
  BOOST_TEST(std::get<not_owner>(std::get<peer_answer>(heard.body)).owner == "elsewhere");
  request(0)(accepted{});
  BOOST_TEST(std::holds_alternative<accepted>(one.hear_a<peer_answer>()));
}

BOOST_AUTO_TEST_CASE(the_window_is_enforced) {
  visitor guest{*this};
  guest.enter(introduction_of("guest"));
  for (std::uint64_t number = 1; number <= limits::link_window_requests; ++number)
    guest.ask(number);
  guest.ask(100'000);
  const auto heard = guest.hear();
  BOOST_TEST(heard.request == 100'000U);
  BOOST_TEST((std::get<rejection>(heard.body).why.code == errc::overloaded));
  BOOST_TEST(requests() == limits::link_window_requests);
  request(0)(accepted{});
  static_cast<void>(guest.hear_a<peer_answer>());
  guest.ask(100'001);
  guest.sync();
  BOOST_TEST(requests() == limits::link_window_requests + 1);
}

BOOST_AUTO_TEST_CASE(a_repeated_number_is_served_once) {
  visitor guest{*this};
  guest.enter(introduction_of("guest"));
  guest.ask(1);
  guest.ask(1);
  guest.sync();
  BOOST_TEST(requests() == 1U);
}

BOOST_AUTO_TEST_CASE(what_a_newer_node_asks_for_is_rejected_by_its_number) {
  visitor guest{*this};
  const auto session = guest.enter(introduction_of("guest"));
  ::holdfast::cluster::v1::Envelope newer;
  newer.set_session(session);
  newer.set_request(9);
  guest.send_bytes(newer.SerializeAsString() + std::string{"\x8a\x07\x00", 3});
  const auto heard = guest.hear();
  BOOST_TEST(heard.request == 9U);
  BOOST_TEST((std::get<rejection>(heard.body).why.code == errc::invalid_argument));
}

BOOST_AUTO_TEST_CASE(an_answer_that_is_too_large_leaves_the_outcome_unknown) {
  visitor guest{*this};
  guest.enter(introduction_of("guest"));
  guest.ask(1);
  guest.sync();
  api_reply large;
  large.status = 200;
  large.body = std::string(limits::link_frame_bytes_max, 'x');
  request(0)(large);
  BOOST_TEST((guest.hear_a<rejection>().why.code == errc::unknown_outcome));
}

BOOST_AUTO_TEST_CASE(a_new_session_takes_the_place_of_the_one_before) {
  visitor before{*this};
  before.enter(introduction_of("guest"));
  before.ask(1);
  before.sync();
  visitor after{*this};
  auto younger = introduction_of("guest");
  younger.incarnation = "guest-2";
  younger.started_at += 1s;
  after.enter(younger);
  before.ask(2);
  after.sync();
  BOOST_TEST(requests() == 1U);
  visitor late{*this};
  late.say_hello(introduction_of("guest"));
  static_cast<void>(late.hear_a<challenge>());
  late.send({.request = 1, .body = proof{}});
  BOOST_TEST((late.hear_a<refusal>().reason == refusal_reason::superseded));
}

BOOST_AUTO_TEST_CASE(a_goodbye_is_told_and_taken) {
  visitor guest{*this};
  const auto session = guest.enter(introduction_of("guest"));
  visitor other{*this};
  other.enter(introduction_of("other"));
  guest.send({.session = session, .body = goodbye{}}, false);
  guest.ask(1);
  other.sync();
  BOOST_TEST(requests() == 0U);
  actors::tell(door, actors::say_goodbye{});
  static_cast<void>(other.hear_a<goodbye>());
}

BOOST_AUTO_TEST_CASE(a_goodbye_names_the_last_request_that_was_taken) {
  visitor guest{*this};
  guest.enter(introduction_of("guest"));
  visitor other{*this};
  other.enter(introduction_of("other"));
  guest.ask(7);
  guest.ask(9);
  guest.sync();
  actors::tell(door, actors::say_goodbye{});
  BOOST_TEST((guest.hear_a<goodbye>().last_taken == 9U));
  BOOST_TEST((other.hear_a<goodbye>().last_taken == 0U));
}

BOOST_AUTO_TEST_CASE(what_was_answered_before_the_order_to_leave_is_told_before_the_goodbye) {
  std::promise<void> begun;
  std::promise<void> ordered;
  env->service = [&](const std::string&, auto&&, auto, auto done) {
    begun.set_value();
    ordered.get_future().wait_for(patience);
    done(accepted{});
  };
  visitor guest{*this};
  guest.enter(introduction_of("guest"));
  guest.ask(1);
  BOOST_TEST_REQUIRE((begun.get_future().wait_for(patience) == std::future_status::ready));
  // The answer comes to the door after the order, but was given before it is carried out.
  actors::tell(door, actors::say_goodbye{});
  guest.ask(2);
  ordered.set_value();
  BOOST_TEST((guest.hear_a<rejection>().why.code == errc::unavailable));
  static_cast<void>(guest.hear_a<peer_answer>());
  BOOST_TEST((guest.hear_a<goodbye>().last_taken == 2U));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::links
