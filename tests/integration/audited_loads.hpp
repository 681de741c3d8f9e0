// Loads on one site, one after another, and what must be true after each of them.
#pragma once

#include "tests/integration/crash_audit.hpp"
#include "tests/integration/crash_load.hpp"
#include "tests/support/site.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace holdfast::test {

/// From the last start of a node, or from the end of the faults: what is open then must end, or
/// it never will.
inline constexpr milliseconds end_limit{60'000};

/// Of the loads, so that what a test prints on failure begins the same sequence again:
/// HOLDFAST_CRASH_SEED, or a new one each run.
[[nodiscard]] std::uint64_t first_seed();

class audited_loads {
public:
  explicit audited_loads(site& on) : site_(on), audit_(on) {}

  [[nodiscard]] crash_audit& audit() noexcept { return audit_; }

  /// With new merchants, once the site is ready. Nothing is sent yet.
  [[nodiscard]] std::unique_ptr<crash_load> begin(std::vector<demo::planned_payment> plan,
                                                  load_pace pace = {});

  /// What is wrong, for a person: the load must end, its answers must stay what they are, and
  /// all sides must agree.
  [[nodiscard]] std::vector<std::string> differences_of(crash_load& load);

  // Each of these ends the test, with all that it found and the logs, unless it found nothing.

  void expect_none(const std::vector<std::string>& differences, const std::string& where) const;
  /// As differences_of.
  void finish(crash_load& load, const std::string& where);
  /// Everything that was ever told, and the ledger's proof.
  void check_all(const std::string& where);

private:
  [[nodiscard]] std::string describe(const std::vector<std::string>& differences,
                                     const std::string& where) const;

  site& site_;
  crash_audit audit_;
  int loads_ = 0;
};

} // namespace holdfast::test
