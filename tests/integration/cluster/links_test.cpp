// Links between nodes, under mutual TLS over real sockets: who gets one, what goes over it, and
// what becomes of it when the wire is cut.
#include "messages/limits.hpp"
#include "tests/integration/cluster/linked_node.hpp"
#include "tests/support/tcp_proxy.hpp"

#include <boost/asio.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>

namespace holdfast::test {

namespace {

using links::peer_outcome;

struct two_nodes {
  notary authority{"the authority"};

  linked_options options_for(const std::string& id, std::vector<std::string> seeds = {}) const {
    linked_options options;
    options.id = id;
    options.seeds = std::move(seeds);
    options.tls = authority.files_for(id);
    return options;
  }
};

bool are_linked(linked_node& one, const std::string& its_name, linked_node& two,
                const std::string& its_other) {
  return eventually(links_up_in,
                    [&] { return one.reaches(its_other) && two.reaches(its_name); });
}

errc code_of(const peer_outcome& outcome) {
  BOOST_REQUIRE(outcome.has_error());
  return outcome.error().code;
}

std::string body_of(const peer_outcome& outcome) {
  BOOST_TEST_REQUIRE(outcome.has_value(), (outcome ? "" : outcome.error().detail));
  return std::get<api_reply>(*outcome).body;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(node_links, two_nodes)

BOOST_AUTO_TEST_CASE(two_nodes_find_each_other_by_one_seed) {
  linked_node first{options_for("node-1")};
  linked_node second{options_for("node-2", {first.address()})};
  BOOST_TEST_REQUIRE(are_linked(first, "node-1", second, "node-2"), first << second);
  BOOST_TEST(body_of(second.ask("node-1", echo_request("from two"))) == "from two");
  BOOST_TEST(body_of(first.ask("node-2", echo_request("from one"))) == "from one");
  const auto status = second.port().status();
  BOOST_REQUIRE(status.size() == 1U);
  BOOST_TEST(status[0].node == "node-1");
  BOOST_TEST(status[0].address == first.address());
  BOOST_TEST(status[0].up);
  BOOST_TEST((status[0].sent >= 3U && status[0].received >= 3U));
}

BOOST_AUTO_TEST_CASE(a_peer_is_who_its_certificate_says) {
  std::promise<std::pair<std::string, milliseconds>> asked;
  auto listening = options_for("node-1");
  listening.service = [&](const std::string& from, auto&&, milliseconds deadline, auto done) {
    asked.set_value({from, deadline});
    done(links::accepted{});
  };
  linked_node first{listening};
  linked_node second{options_for("node-2", {first.address()})};
  BOOST_REQUIRE(eventually(links_up_in, [&] { return second.reaches("node-1"); }));
  const auto outcome =
    second.ask("node-1", links::shards_released{{{1}, {2}}}, milliseconds{4'000});
  BOOST_REQUIRE(outcome.has_value());
  const auto [from, deadline] = asked.get_future().get();
  BOOST_TEST(from == "node-2");
  BOOST_TEST((deadline > milliseconds{3'000} && deadline <= milliseconds{4'000}));
}

BOOST_AUTO_TEST_CASE(nobody_is_asked_without_a_link) {
  linked_node alone{options_for("node-1", {"127.0.0.1:1"})};
  BOOST_TEST((code_of(alone.ask("node-2", echo_request("x"))) == errc::unavailable));
  BOOST_TEST(eventually(links_up_in, [&] {
    const auto status = alone.port().status();
    return status.size() == 1 && !status[0].up
           && status[0].trouble.find("cannot connect") != std::string::npos;
  }));
  BOOST_TEST(alone.said("cannot connect") == 1U);
}

BOOST_AUTO_TEST_CASE(an_unanswered_request_ends_as_unknown_in_time) {
  auto silent = options_for("node-1");
  std::mutex mutex;
  std::vector<std::function<void(links::peer_answer)>> kept;
  silent.service = [&](auto&&, auto&&, auto, auto done) {
    const std::lock_guard lock{mutex};
    kept.push_back(std::move(done));
  };
  linked_node first{silent};
  linked_node second{options_for("node-2", {first.address()})};
  BOOST_REQUIRE(eventually(links_up_in, [&] { return second.reaches("node-1"); }));
  const auto began = std::chrono::steady_clock::now();
  const auto outcome = second.ask("node-1", echo_request("x"), milliseconds{300});
  const auto took = std::chrono::steady_clock::now() - began;
  BOOST_TEST((code_of(outcome) == errc::unknown_outcome));
  BOOST_TEST((took >= milliseconds{300} && took < milliseconds{1'000}));
  BOOST_TEST(second.reaches("node-1"));
}

BOOST_AUTO_TEST_CASE(ourselves_and_second_addresses_are_no_links) {
  linked_node first{options_for("node-1")};
  tcp_proxy also_first{first.address()};
  tcp_proxy second_itself{"127.0.0.1:1"};
  linked_node second{
    options_for("node-2", {first.address(), also_first.address(), second_itself.address()})};
  second_itself.aim_at(second.address());
  BOOST_REQUIRE(are_linked(first, "node-1", second, "node-2"));
  BOOST_TEST(eventually(links_up_in, [&] { return second.port().status().size() == 1; }));
  BOOST_TEST(body_of(second.ask("node-1", echo_request("x"))) == "x");
}

BOOST_AUTO_TEST_CASE(another_address_stands_in_for_one_that_is_cut) {
  linked_node first{options_for("node-1")};
  tcp_proxy one_way{first.address()};
  tcp_proxy other_way{first.address()};
  linked_node second{options_for("node-2", {one_way.address(), other_way.address()})};
  BOOST_REQUIRE(eventually(links_up_in, [&] {
    const auto status = second.port().status();
    return status.size() == 1 && status[0].up;
  }));
  (second.port().status()[0].address == one_way.address() ? one_way : other_way)
    .set(wire_mode::reset);
  BOOST_TEST(eventually(mended_in, [&] {
    const auto outcome = second.ask("node-1", echo_request("x"), milliseconds{500});
    return outcome.has_value();
  }));
}

BOOST_AUTO_TEST_CASE(pairs_that_meet_at_the_same_moment_are_linked_and_stay_so) {
  std::vector<std::unique_ptr<linked_node>> ones;
  std::vector<std::unique_ptr<linked_node>> others;
  constexpr std::size_t pairs = 8;
  for (std::size_t i = 0; i < pairs; ++i) {
    ones.push_back(std::make_unique<linked_node>(options_for("node-1")));
    others.push_back(std::make_unique<linked_node>(options_for("node-2")));
  }
  for (std::size_t i = 0; i < pairs; ++i) {
    ones[i]->port().know({others[i]->address()});
    others[i]->port().know({ones[i]->address()});
  }
  for (std::size_t i = 0; i < pairs; ++i)
    BOOST_TEST(are_linked(*ones[i], "node-1", *others[i], "node-2"), *ones[i] << *others[i]);
  // Longer than it takes to find a link dead, and to close what is silent.
  BOOST_TEST(!eventually(milliseconds{limits::link_silence_ms_max + 2'000}, [&] {
    for (std::size_t i = 0; i < pairs; ++i)
      if (!ones[i]->reaches("node-2") || !others[i]->reaches("node-1"))
        return true;
    return false;
  }));
  for (std::size_t i = 0; i < pairs; ++i) {
    BOOST_TEST(body_of(ones[i]->ask("node-2", echo_request("one"))) == "one");
    BOOST_TEST(body_of(others[i]->ask("node-1", echo_request("two"))) == "two");
  }
}

BOOST_AUTO_TEST_CASE(a_restarted_node_is_found_again) {
  linked_node second{options_for("node-2")};
  auto first = std::make_unique<linked_node>(options_for("node-1", {second.address()}));
  BOOST_REQUIRE(are_linked(*first, "node-1", second, "node-2"));
  const auto port = first->listen_port();
  first.reset();
  BOOST_TEST(eventually(cut_noticed_in, [&] { return !second.reaches("node-1"); }));
  BOOST_TEST(second.said("it has stopped") >= 1U);
  auto again = options_for("node-1");
  again.listen = "127.0.0.1:" + std::to_string(port);
  first = std::make_unique<linked_node>(again);
  BOOST_TEST(eventually(mended_in, [&] { return second.reaches("node-1"); }));
  BOOST_TEST(body_of(second.ask("node-1", echo_request("x"))) == "x");
}

BOOST_AUTO_TEST_CASE(a_node_that_stops_leaves_nobody_in_doubt) {
  linked_node staying{options_for("node-2")};
  for (int round = 0; round < 5; ++round) {
    linked_node stopping{options_for("node-1", {staying.address()})};
    BOOST_TEST_REQUIRE(are_linked(stopping, "node-1", staying, "node-2"), stopping << staying);
    std::vector<std::future<peer_outcome>> outcomes;
    std::thread asks{[&] {
      const auto until = std::chrono::steady_clock::now() + cut_noticed_in;
      while (staying.reaches("node-1") && std::chrono::steady_clock::now() < until)
        outcomes.push_back(staying.start("node-1", echo_request("x"), milliseconds{5'000}));
    }};
    stopping.stop();
    asks.join();
    BOOST_TEST(!staying.reaches("node-1"));
    for (auto& one : outcomes) {
      const auto outcome = one.get();
      BOOST_TEST((outcome || outcome.error().code != errc::unknown_outcome),
                 outcome.error().detail);
    }
  }
}

BOOST_AUTO_TEST_CASE(ten_thousand_answers_find_their_requests) {
  linked_node first{options_for("node-1")};
  linked_node second{options_for("node-2", {first.address()})};
  BOOST_REQUIRE(are_linked(first, "node-1", second, "node-2"));
  constexpr std::size_t requests = 10'000;
  constexpr std::size_t at_once = 256;
  const auto began = std::chrono::steady_clock::now();
  std::vector<std::future<peer_outcome>> outcomes;
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < requests + at_once; ++i) {
    if (i >= at_once)
      wrong += body_of(outcomes[i - at_once].get()) != std::to_string(i - at_once);
    if (i < requests)
      outcomes.push_back(
        second.start("node-1", echo_request(std::to_string(i), 350), milliseconds{20'000}));
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  BOOST_TEST(wrong == 0U);
  BOOST_TEST_MESSAGE(requests / took.count() << " round trips a second over mutual TLS");
}

BOOST_AUTO_TEST_CASE(the_window_bounds_what_is_under_way) {
  std::mutex mutex;
  std::vector<std::function<void(links::peer_answer)>> kept;
  auto slow = options_for("node-1");
  slow.service = [&](auto&&, auto&&, auto, auto done) {
    const std::lock_guard lock{mutex};
    kept.push_back(std::move(done));
  };
  linked_node first{slow};
  linked_node second{options_for("node-2", {first.address()})};
  BOOST_REQUIRE(eventually(links_up_in, [&] { return second.reaches("node-1"); }));
  std::vector<std::future<peer_outcome>> outcomes;
  for (std::size_t i = 0; i < limits::link_window_requests + 100; ++i)
    outcomes.push_back(
      second.start("node-1", echo_request(std::to_string(i)), milliseconds{30'000}));
  const auto held = [&] {
    const std::lock_guard lock{mutex};
    return kept.size();
  };
  BOOST_TEST(eventually(links_up_in, [&] { return held() == limits::link_window_requests; }));
  std::size_t refused = 0;
  for (auto& outcome : outcomes)
    if (outcome.wait_for(milliseconds{0}) == std::future_status::ready) {
      BOOST_TEST((code_of(outcome.get()) == errc::overloaded));
      ++refused;
    }
  BOOST_TEST(refused == 100U);
  BOOST_TEST(held() == limits::link_window_requests);
  for (const auto& done : kept)
    done(links::accepted{});
  BOOST_TEST(eventually(links_up_in, [&] {
    return second.ask("node-1", echo_request("x"), milliseconds{50}).has_error()
           && held() > limits::link_window_requests;
  }));
}

BOOST_AUTO_TEST_CASE(marks_travel_with_heartbeats) {
  linked_node first{options_for("node-1")};
  linked_node second{options_for("node-2", {first.address()})};
  first.marks().note({3}, {33});
  second.marks().note({5}, {55});
  BOOST_TEST(eventually(links_up_in, [&] {
    return first.marks().known({5}).value == 55 && second.marks().known({3}).value == 33;
  }));
}

BOOST_AUTO_TEST_CASE(a_node_may_stop_while_it_looks_at_an_address) {
  namespace asio = boost::asio;
  asio::io_context io;
  asio::ip::tcp::acceptor silent{io, {asio::ip::address_v4::loopback(), 0}};
  linked_node node{
    options_for("node-1", {"127.0.0.1:" + std::to_string(silent.local_endpoint().port())})};
  auto looked_at = silent.accept();
  node.stop();
  // It has hung up, and doesn't go on looking for a link that is gone.
  const auto stopped = std::chrono::steady_clock::now();
  boost::system::error_code ended;
  for (std::array<char, 1'024> said{}; !ended;)
    looked_at.read_some(asio::buffer(said), ended);
  BOOST_TEST(
    (std::chrono::steady_clock::now() - stopped < milliseconds{limits::link_probe_ms_max / 2}));
}

BOOST_AUTO_TEST_SUITE_END()

// -- the wire is cut
// ---------------------------------------------------------------------------

namespace {

/// Two nodes that know each other's proxies alone, so that every byte between them can be held.
struct two_wires : two_nodes {
  tcp_proxy to_first{"127.0.0.1:1"};
  tcp_proxy to_second{"127.0.0.1:1"};
  std::unique_ptr<linked_node> first;
  std::unique_ptr<linked_node> second;

  void start() {
    auto one = options_for("node-1", {to_second.address()});
    one.advertise = to_first.address();
    auto two = options_for("node-2", {to_first.address()});
    two.advertise = to_second.address();
    first = std::make_unique<linked_node>(one);
    second = std::make_unique<linked_node>(two);
    to_first.aim_at("127.0.0.1:" + std::to_string(first->listen_port()));
    to_second.aim_at("127.0.0.1:" + std::to_string(second->listen_port()));
  }
  void set(wire_mode mode) {
    to_first.set(mode);
    to_second.set(mode);
  }
  bool is_linked() { return first->reaches("node-2") && second->reaches("node-1"); }
  bool is_cut() { return !first->reaches("node-2") && !second->reaches("node-1"); }

  /// Linked, cut, noticed, mended.
  void survive(wire_mode mode) {
    start();
    BOOST_TEST_REQUIRE(eventually(links_up_in, [&] { return is_linked(); }), *first << *second);
    set(mode);
    auto under_way = first->start("node-2", echo_request("x"), milliseconds{20'000});
    BOOST_TEST(eventually(cut_noticed_in, [&] { return is_cut(); }));
    BOOST_REQUIRE(under_way.wait_for(milliseconds{1'000}) == std::future_status::ready);
    const auto outcome = under_way.get();
    BOOST_TEST(
      (code_of(outcome) == errc::unknown_outcome || code_of(outcome) == errc::unavailable));
    set(wire_mode::pass);
    const auto mended = std::chrono::steady_clock::now();
    BOOST_TEST(eventually(mended_in, [&] { return is_linked(); }), *first << *second);
    BOOST_TEST_MESSAGE("linked again after " << std::chrono::duration_cast<milliseconds>(
                                                  std::chrono::steady_clock::now() - mended)
                                                  .count()
                                             << " ms");
    BOOST_TEST(body_of(first->ask("node-2", echo_request("one"))) == "one");
    BOOST_TEST(body_of(second->ask("node-1", echo_request("two"))) == "two");
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(node_links_cut, two_wires)

BOOST_AUTO_TEST_CASE(both_ways) {
  survive(wire_mode::cut);
}

BOOST_AUTO_TEST_CASE(the_way_of_requests) {
  survive(wire_mode::hold_requests);
}

BOOST_AUTO_TEST_CASE(the_way_of_answers) {
  survive(wire_mode::hold_answers);
}

BOOST_AUTO_TEST_CASE(by_a_reset) {
  survive(wire_mode::reset);
}

BOOST_AUTO_TEST_CASE(a_link_stays_up_where_nothing_is_cut) {
  start();
  BOOST_REQUIRE(eventually(links_up_in, [&] { return is_linked(); }));
  // Longer than any of the limits after which something is closed.
  BOOST_TEST(!eventually(milliseconds{limits::link_silence_ms_max + 2'000},
                         [&] { return !is_linked(); }));
  BOOST_TEST(first->said("no link to") == 0U, *first);
  BOOST_TEST(second->said("no link to") == 0U, *second);
}

BOOST_AUTO_TEST_CASE(two_that_connect_at_the_same_moment_are_linked_and_stay_so) {
  start();
  for (int round = 0; round < 10; ++round) {
    set(wire_mode::reset);
    BOOST_REQUIRE(eventually(cut_noticed_in, [&] { return is_cut(); }));
    set(wire_mode::cut);
    // Both have connected by now, and both hear of it when the wires are mended.
    const auto tries = to_first.connections() + to_second.connections();
    BOOST_REQUIRE(eventually(milliseconds{5'000}, [&] {
      return to_first.connections() + to_second.connections() >= tries + 2;
    }));
    set(wire_mode::pass);
    BOOST_TEST_REQUIRE(eventually(mended_in, [&] { return is_linked(); }), *first << *second);
    BOOST_TEST(body_of(first->ask("node-2", echo_request("one"))) == "one");
    BOOST_TEST(body_of(second->ask("node-1", echo_request("two"))) == "two");
  }
  // Two connections carry it now, or one; and neither is closed as idle.
  BOOST_TEST(!eventually(milliseconds{limits::link_silence_ms_max + 2'000},
                         [&] { return !is_linked(); }),
             *first << *second);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::test
