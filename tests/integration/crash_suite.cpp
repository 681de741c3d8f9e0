#include "tests/integration/crash_suite.hpp"

#include "messages/assert.hpp"

namespace holdfast::test {

namespace {

crash_suite* running = nullptr;

} // namespace

crash_suite::crash_suite(const char* binary,
                         const std::function<void(config::node_config&)>& tune)
  : site_(binary, tune),
    loads_(site_) {
  HF_ASSERT(running == nullptr);
  site_.start_node();
  running = this;
}

crash_suite::~crash_suite() {
  running = nullptr;
}

crash_suite& crash_suite::here() {
  HF_ASSERT(running != nullptr);
  return *running;
}

} // namespace holdfast::test
