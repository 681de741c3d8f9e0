// The entry point of both test programs.
#define BOOST_TEST_NO_MAIN
#include <boost/test/unit_test.hpp>

#include <cstdlib>

namespace {

bool init_suites() {
  auto& master = boost::unit_test::framework::master_test_suite();
  master.p_name.value = HF_TEST_MODULE;
  return true;
}

} // namespace

int main(int argc, char** argv) {
  // Otherwise Boost.Test takes the death of any child process for a failure of the test, and
  // children that die are what many of our tests are about.
  setenv("BOOST_TEST_CATCH_SYSTEM_ERRORS", "no", 0);
  return boost::unit_test::unit_test_main(&init_suites, argc, argv);
}
