// What people and scripts are told of simulated runs.
#pragma once

#include "runtime/simulation/runner.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::simulation {

/// Which build ran: a seed means nothing without it.
struct build_name {
  std::string_view version;
  std::string_view commit;
};

struct report {
  runner_options asked;
  build_name build;
  simulation::summary total;
  double seconds = 0;                  ///< of real time
  std::optional<world_outcome> failed; ///< the first violation, with its trace
  std::vector<std::pair<std::uint64_t, std::uint64_t>> hashes; ///< by seed, of the first runs

  /// With a plant, a violation is what was wanted.
  [[nodiscard]] bool is_good() const noexcept {
    return failed.has_value() == (asked.plant != plant::none);
  }
};

/// Seeds whose hashes are told one by one.
inline constexpr std::size_t hashes_max = 1'000;

[[nodiscard]] std::string to_text(const report& what);
[[nodiscard]] std::string to_json(const report& what);

} // namespace holdfast::simulation
