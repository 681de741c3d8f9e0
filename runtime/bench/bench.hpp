// `holdfast bench`: what is measured, in which turns, and what comes of it.
#pragma once

#include "messages/expected.hpp"
#include "messages/time.hpp"
#include "runtime/bench/histogram.hpp"
#include "runtime/bench/tally.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::bench {

enum class mode : std::uint8_t {
  authorize,
  authorize_capture,
  replay,
  reads,
  settle,
  recovery,
  spawn,
  baseline,
  ceiling,
};

struct mode_facts {
  mode which;
  std::string_view name;
  std::string_view unit;    ///< what `rate` counts
  std::string_view meaning; ///< for the command's help
  bool is_load;             ///< driven over HTTP, with connections and a rate
  std::uint64_t population; ///< made before it is measured, unless told otherwise
};
[[nodiscard]] const std::array<mode_facts, 9>& all_modes() noexcept;
[[nodiscard]] const mode_facts& facts_of(mode which) noexcept;

struct bench_options {
  mode what = mode::authorize;
  std::vector<std::size_t> connections{64}; ///< a point of the result each
  std::vector<double> rates; ///< journeys a second, a point each; empty: closed loop
  milliseconds length{10'000};
  milliseconds warm_up{2'000};
  std::size_t runs = 5;
  std::size_t merchants = 100;
  double skew = 0;
  std::uint16_t stripes = 1;
  std::uint64_t population = 0;
  bool has_comparisons = true; ///< baseline and ceiling in turn with the mode
  std::filesystem::path data;  ///< an empty folder
  std::function<void(const std::string&)> tell;
  /// Waits for so long, or until a child process has died; true once somebody asked us to stop.
  std::function<bool(milliseconds)> pause;
};

/// Processor time of one process for one unit, and the most memory that it held.
struct process_cost {
  std::string name; ///< "node"
  double cpu_us = 0;
  std::uint64_t memory_bytes = 0;
};

/// One turn: the baseline, the mode, the ceiling.
struct run_figures {
  double rate = 0;                ///< units a second
  std::optional<double> baseline; ///< payments a second
  std::optional<double> ceiling;
  histogram latency;
  std::uint64_t done = 0;
  std::uint64_t dropped = 0;
  std::map<std::string, std::uint64_t> errors;
  std::vector<process_cost> costs;
  std::map<std::string, double> figures; ///< that only this mode has: "bytes_an_actor"
};

struct point {
  std::size_t connections = 0;
  std::optional<double> offered; ///< a second
  std::vector<run_figures> runs;
};

struct bench_result {
  std::vector<point> points;
  tally counted;
  std::vector<std::string> complaints; ///< besides the tally's
  timestamp began;

  [[nodiscard]] bool verified() const noexcept { return counted.holds() && complaints.empty(); }
};

/// Blocking, from the main thread alone. Errors: unavailable (interrupted, something does not
/// start or dies): then there is no result.
[[nodiscard]] expected<bench_result> run_bench(const bench_options& options);

} // namespace holdfast::bench
