// Processes that end while somebody looks at them.
#include "runtime/embedded/child.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

namespace embedded = holdfast::embedded;

BOOST_AUTO_TEST_SUITE(private_processes)

BOOST_AUTO_TEST_CASE(one_that_ends_while_it_is_looked_at_is_not_running) {
  constexpr int processes = 500;
  for (int i = 0; i < processes; ++i) {
    const auto pid = ::fork();
    if (pid == 0)
      ::_exit(0);
    BOOST_TEST_REQUIRE(pid > 0);
    std::atomic<bool> is_gone{false};
    std::thread reaper{[&] {
      ::waitpid(pid, nullptr, 0);
      is_gone = true;
    }};
    while (!is_gone)
      static_cast<void>(embedded::is_running(pid));
    reaper.join();
    BOOST_TEST(!embedded::is_running(pid));
  }
}

BOOST_AUTO_TEST_CASE(this_one_runs) {
  BOOST_TEST(embedded::is_running(::getpid()));
}

BOOST_AUTO_TEST_SUITE_END()
