#include "messages/thread_name.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <string>
#include <thread>

#include <pthread.h>

namespace holdfast {

namespace {

std::string name_given_by(std::string_view name) {
  std::array<char, 32> found{};
  std::thread thread{[&] {
    name_this_thread(name);
    pthread_getname_np(pthread_self(), found.data(), found.size());
  }};
  thread.join();
  return found.data();
}

} // namespace

BOOST_AUTO_TEST_SUITE(thread_names)

BOOST_AUTO_TEST_CASE(a_thread_has_the_name_that_it_took) {
  BOOST_TEST(name_given_by("journal") == "journal");
}

BOOST_AUTO_TEST_CASE(a_long_name_is_cut) {
  BOOST_TEST(name_given_by("holdfast-sandbox") == "holdfast-sandbo");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast
