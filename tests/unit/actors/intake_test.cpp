// What a node lets in: as much as it answers in time, and not less for a slow gateway.
#include "actors/admission/control.hpp"
#include "messages/limits.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

namespace holdfast::admission {

namespace {

using namespace std::chrono_literals;

constexpr milliseconds look{limits::node_admission_look_ms};
constexpr milliseconds bearable{limits::node_queueing_ms_max};

/// A node that answers so many a second, whatever is asked, and first those who came first.
struct busy_node {
  void run(std::chrono::seconds time, double offered_a_second) {
    for (auto passed = 0ms; passed < time; passed += look) {
      const auto seconds = std::chrono::duration<double>(look).count();
      auto offered = static_cast<int>(offered_a_second * seconds);
      for (; offered > 0 && intake.is_open(); --offered)
        intake.entered();
      turned_away += offered;
      now += look;
      answer(static_cast<std::size_t>(answers_a_second * seconds));
    }
  }

  void answer(std::size_t at_most) {
    const auto queue = static_cast<double>(intake.in_flight());
    const std::chrono::duration<double> waits{queue / answers_a_second};
    longest = std::max(longest, waits);
    const auto wait = std::chrono::floor<microseconds>(waits);
    for (auto left = std::min(at_most, intake.in_flight()); left > 0; --left) {
      intake.waited(stage::mailbox, wait);
      intake.waited(stage::journal, 0us);
      intake.left(now, wait + elsewhere);
    }
  }

  steady_time now{1h};
  control intake{now};
  double answers_a_second = 5'000;
  microseconds elsewhere{0}; ///< at the gateway
  int turned_away = 0;
  std::chrono::duration<double> longest{0};
};

} // namespace

BOOST_AUTO_TEST_SUITE(intake)

BOOST_AUTO_TEST_CASE(whoever_comes_at_first_is_let_in) {
  control fresh{steady_time{}};
  for (std::size_t i = 0; i < limits::node_in_flight_max; ++i) {
    BOOST_TEST_REQUIRE(fresh.is_open());
    fresh.entered();
  }
  BOOST_TEST(!fresh.is_open());
  fresh.left(steady_time{} + 1ms, 1ms);
  BOOST_TEST(fresh.is_open());
}

BOOST_AUTO_TEST_CASE(a_node_that_keeps_up_turns_nobody_away) {
  busy_node node;
  node.run(60s, 4'900);
  BOOST_TEST(node.turned_away == 0);
  BOOST_TEST(node.intake.limit() == limits::node_in_flight_max);
}

BOOST_AUTO_TEST_CASE(twice_what_it_can_do_keeps_nobody_waiting_for_long) {
  busy_node node;
  node.run(5s, 10'000);
  node.longest = {};
  node.turned_away = 0;
  node.run(60s, 10'000);
  BOOST_TEST(node.longest.count() < 2 * std::chrono::duration<double>(bearable).count());
  // And it is busy all the time: half is turned away, and hardly more.
  BOOST_TEST(node.turned_away > 290'000);
  BOOST_TEST(node.turned_away < 320'000);
}

BOOST_AUTO_TEST_CASE(a_moment_of_waiting_turns_nobody_away) {
  control patient{steady_time{}};
  auto now = steady_time{};
  for (int i = 0; i < 100; ++i) {
    now += look;
    patient.entered();
    patient.waited(stage::journal, i % 10 < 4 ? microseconds{bearable} : 1ms);
    patient.left(now, 1s);
    BOOST_TEST_REQUIRE(patient.limit() == limits::node_in_flight_max);
  }
}

BOOST_AUTO_TEST_CASE(a_slow_gateway_is_no_reason_to_turn_anybody_away) {
  control patient{steady_time{}};
  auto now = steady_time{};
  for (int i = 0; i < 1'000; ++i) {
    now += look;
    patient.entered();
    patient.waited(stage::mailbox, 1ms);
    patient.waited(stage::journal, 5ms);
    patient.left(now, 4s);
  }
  BOOST_TEST(patient.limit() == limits::node_in_flight_max);
}

BOOST_AUTO_TEST_CASE(what_a_gateway_takes_is_not_taken_from_those_who_wait_for_it) {
  // All 5,000 a second wait for a second at the gateway: to be bearably busy the node needs as
  // many more in flight.
  busy_node node;
  node.elsewhere = 1s;
  node.run(5s, 10'000);
  BOOST_TEST(node.intake.limit() > 4'000u);
}

BOOST_AUTO_TEST_CASE(it_opens_again_when_the_rush_is_over) {
  busy_node node;
  node.run(20s, 20'000);
  BOOST_TEST(node.intake.limit() < 2'000u);
  node.run(10s, 1'000);
  BOOST_TEST(node.intake.limit() == limits::node_in_flight_max);
}

BOOST_AUTO_TEST_CASE(it_never_closes_altogether) {
  busy_node node;
  node.answers_a_second = 20;
  node.run(60s, 1'000);
  BOOST_TEST(node.intake.limit() == limits::node_in_flight_min);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::admission
