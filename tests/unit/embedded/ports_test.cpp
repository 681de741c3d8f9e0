// Ports that are found before their servers start: free ones, and none of them twice.
#include "runtime/embedded/ports.hpp"

#include <boost/test/unit_test.hpp>

namespace embedded = holdfast::embedded;

BOOST_AUTO_TEST_SUITE(private_ports)

BOOST_AUTO_TEST_CASE(a_port_that_is_taken_gives_way_to_the_next_free_one) {
  embedded::port_finder first;
  const auto taken = first.find("127.0.0.1:0").value();
  embedded::port_finder second;
  const auto other = second.find(taken).value();
  BOOST_TEST(other != taken);
  const auto port_of = [](const std::string& address) {
    return std::stoi(address.substr(address.rfind(':') + 1));
  };
  BOOST_TEST(port_of(other) > port_of(taken));
}

BOOST_AUTO_TEST_CASE(a_port_is_free_again_when_its_finder_is_gone) {
  const auto address = embedded::port_finder{}.find("127.0.0.1:0").value();
  BOOST_TEST(embedded::port_finder{}.find(address).value() == address);
}

BOOST_AUTO_TEST_CASE(nothing_is_found_twice) {
  embedded::port_finder finder;
  BOOST_TEST(finder.find("127.0.0.1:0").value() != finder.find("127.0.0.1:0").value());
}

BOOST_AUTO_TEST_CASE(what_was_found_for_a_server_is_not_given_to_another_before_it_starts) {
  const auto free = embedded::port_finder{}.find("127.0.0.1:0").value();
  const auto port = static_cast<unsigned>(std::stoul(free.substr(free.rfind(':') + 1)));
  const auto again = embedded::port_finder{{port, port}}.find("127.0.0.1:0");
  BOOST_REQUIRE(!again);
  BOOST_TEST(again.error().detail.find("kept for a server") != std::string::npos,
             again.error().detail);
  BOOST_TEST(embedded::port_finder{}.find(free).value() == free);
}

BOOST_AUTO_TEST_CASE(a_host_that_is_not_this_machine_is_told) {
  const auto found = embedded::port_finder{}.find("192.0.2.1:8090");
  BOOST_REQUIRE(!found);
  BOOST_TEST(found.error().detail.find("192.0.2.1:8090") != std::string::npos,
             found.error().detail);
}

BOOST_AUTO_TEST_CASE(ports_are_raised_as_far_as_there_are_any) {
  BOOST_TEST(embedded::raised("127.0.0.1:8080", 100) == "127.0.0.1:8180");
  BOOST_TEST(embedded::raised("[::1]:8080", 100) == "[::1]:8180");
  BOOST_TEST(embedded::raised("127.0.0.1:0", 100) == "127.0.0.1:0");
  BOOST_TEST(embedded::raised("127.0.0.1:65500", 100) == "127.0.0.1:0");
}

BOOST_AUTO_TEST_SUITE_END()
