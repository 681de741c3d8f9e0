// Faults on demand (POST /sandbox/faults): rates, latency and outages per gateway, by seed.
// They are no part of the durable state: a restarted sandbox behaves well.
#pragma once

#include "messages/expected.hpp"
#include "messages/time.hpp"
#include "runtime/sandbox/outcomes.hpp"
#include "runtime/sandbox/reference_map.hpp"

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace holdfast::sandbox {

/// The number of ways in which an answer can go wrong, `normal` counted.
inline constexpr std::size_t delivery_count = static_cast<std::size_t>(delivery::not_json) + 1;

struct fault_settings {
  std::uint64_t seed = 0;
  /// By delivery, each from 0 to 1; together at most 1.
  std::array<double, delivery_count> rates{};
  milliseconds latency{0};      ///< added to every answer
  milliseconds report_delay{0}; ///< of an acquirer: from a file's arrival to its results
  bool is_out = false;          ///< every call is answered 503 and has no effect
};

/// Not thread-safe.
class fault_plan {
public:
  /// Reads {gateway|"*", seed, rates, latency_ms, report_delay_ms, outage} and replaces what
  /// was set for that name. Errors: invalid_argument.
  [[nodiscard]] expected<void> set(std::string_view json);
  void clear() noexcept { by_name_.clear(); }
  /// {"faults":[…]} in the form in which they are set.
  [[nodiscard]] std::string to_json() const;

  /// Those of the name itself, else those of "*", else none at all.
  [[nodiscard]] const fault_settings& settings(std::string_view name) const noexcept;
  /// The fate of the next call: the same seed and order of calls give the same fates.
  [[nodiscard]] delivery draw(std::string_view name);

private:
  struct entry {
    fault_settings settings;
    std::mt19937_64 generator;
  };

  [[nodiscard]] const entry* find(std::string_view name) const noexcept;

  text_map<entry> by_name_;
};

} // namespace holdfast::sandbox
