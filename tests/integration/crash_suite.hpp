// A site, its audit and its loads for a whole suite: making a database's files takes longer
// than a test.
#pragma once

#include "tests/integration/audited_loads.hpp"
#include "tests/support/crash_site.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace holdfast::test {

/// To be derived from by a fixture, named once a suite.
class crash_suite {
public:
  /// As crash_site's; the node listens when it returns.
  explicit crash_suite(const char* binary,
                       const std::function<void(config::node_config&)>& tune = {});
  ~crash_suite();
  crash_suite(const crash_suite&) = delete;
  crash_suite& operator=(const crash_suite&) = delete;

  /// That of the suite which runs.
  [[nodiscard]] static crash_suite& here();
  [[nodiscard]] crash_site& site() noexcept { return site_; }
  [[nodiscard]] crash_audit& audit() noexcept { return loads_.audit(); }

  // As those of audited_loads.

  [[nodiscard]] std::unique_ptr<crash_load> new_load(std::vector<demo::planned_payment> plan) {
    return loads_.begin(std::move(plan));
  }
  [[nodiscard]] std::vector<std::string> differences_of(crash_load& load) {
    return loads_.differences_of(load);
  }
  void expect_none(const std::vector<std::string>& differences, const std::string& where) {
    loads_.expect_none(differences, where);
  }
  void finish(crash_load& load, const std::string& where) { loads_.finish(load, where); }
  void check_all(const std::string& where) { loads_.check_all(where); }

private:
  crash_site site_;
  audited_loads loads_;
};

} // namespace holdfast::test
