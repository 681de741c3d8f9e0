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

/// How an acquirer goes wrong with a whole file, besides what amounts ask for.
struct settlement_faults {
  bool refuse_file = false;    ///< 422, whatever is in it
  bool half_accept = false;    ///< every second item is put off to the next file
  bool answer_twice = false;   ///< the results have every item twice
  bool never_answer = false;   ///< results and report are pending until the fault ends
  bool unknown_line = false;   ///< the report has a line for nothing that was sent
  bool wrong_currency = false; ///< the report's first line is in another currency
  bool wrong_merchant = false; ///< … or for another merchant
  bool bad_totals = false;     ///< the report's trailer counts one line too many
  bool malformed_line = false; ///< the report has a line without an amount
  bool cut_off = false;        ///< the report ends before its trailer
};

struct fault_settings {
  std::uint64_t seed = 0;
  /// By delivery, each from 0 to 1; together at most 1.
  std::array<double, delivery_count> rates{};
  milliseconds latency{0};      ///< added to every answer
  milliseconds report_delay{0}; ///< of an acquirer: from a file's arrival to its results
  bool is_out = false;          ///< every call is answered 503 and has no effect
  settlement_faults settlement;
};

/// Not thread-safe.
class fault_plan {
public:
  /// Reads {gateway|"*", seed, rates, latency_ms, report_delay_ms, outage, settlement} and
  /// replaces what was set for that name. Errors: invalid_argument.
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
