// A site, its audit and its loads for a whole suite: making a database's files takes longer
// than a test.
#pragma once

#include "tests/integration/crash_audit.hpp"
#include "tests/integration/crash_load.hpp"
#include "tests/support/crash_site.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace holdfast::test {

/// From the last start of the node, or from the end of the faults: what is open then must end,
/// or it never will.
inline constexpr milliseconds end_limit{60'000};

/// Of the loads, so that what a test prints on failure begins the same sequence again:
/// HOLDFAST_CRASH_SEED, or a new one each run.
[[nodiscard]] std::uint64_t first_seed();

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
  [[nodiscard]] crash_audit& audit() noexcept { return audit_; }

  /// With new merchants, once the node is ready. Nothing is sent yet.
  [[nodiscard]] std::unique_ptr<crash_load> new_load(std::vector<demo::planned_payment> plan);

  /// What is wrong, for a person: the load must end, its answers must stay what they are, and
  /// all sides must agree.
  [[nodiscard]] std::vector<std::string> differences_of(crash_load& load);

  // Each of these ends the test, with all that it found and the logs, unless it found nothing.

  void expect_none(const std::vector<std::string>& differences, const std::string& where);
  /// As differences_of.
  void finish(crash_load& load, const std::string& where);
  /// Everything that was ever told, and the ledger's proof.
  void check_all(const std::string& where);

private:
  [[nodiscard]] std::string describe(const std::vector<std::string>& differences,
                                     const std::string& where) const;

  crash_site site_;
  crash_audit audit_;
  int loads_ = 0;
};

} // namespace holdfast::test
