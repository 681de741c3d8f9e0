// `holdfast bench`: what is measured, in which turns, and what comes of it.
#pragma once

#include "messages/expected.hpp"
#include "messages/limits.hpp"
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
  pending,
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
[[nodiscard]] const std::array<mode_facts, 10>& all_modes() noexcept;
[[nodiscard]] const mode_facts& facts_of(mode which) noexcept;

/// What an open loop offers.
struct offer {
  double value = 0;     ///< journeys a second, or a share of the peak
  bool of_peak = false; ///< of what a closed loop reaches right before

  friend bool operator==(const offer&, const offer&) = default;
};
/// "2000" or "70%". Errors: invalid_argument.
[[nodiscard]] expected<offer> parse_offer(std::string_view text);

/// What an installation is like. Each different one runs by itself, and they take turns.
struct setting {
  std::size_t merchants = 100;
  double skew = 0; ///< Zipf's exponent of their shares; 0: uniform
  std::uint16_t stripes = 1;
  std::uint64_t stored = 0; ///< payments laid down before the node starts

  friend bool operator==(const setting&, const setting&) = default;
};
/// "100 merchants, skew 2, 50000 payments stored".
[[nodiscard]] std::string to_text(const setting& as);

struct bench_options {
  mode what = mode::authorize;
  // Several make a point of the result each, in all combinations.
  std::vector<std::size_t> connections{64};
  std::vector<offer> offers; ///< empty: closed loop
  std::vector<setting> settings{setting{}};
  /// Of the closed loop that the peak is measured with.
  std::size_t peak_connections = limits::bench_peak_connections;
  milliseconds length{10'000};
  milliseconds warm_up{2'000};
  std::size_t runs = 5;
  std::uint64_t population = 0;
  bool has_comparisons = true; ///< baseline and ceiling, before and after each turn
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

/// One turn at one point. Baseline and ceiling are taken once a turn, around all points.
struct run_figures {
  double rate = 0;                ///< units a second
  std::optional<double> offered;  ///< a second, in an open loop
  std::optional<double> baseline; ///< payments a second
  std::optional<double> ceiling;
  histogram latency;
  std::uint64_t done = 0;
  std::uint64_t dropped = 0;
  std::map<std::string, std::uint64_t> errors;
  std::vector<process_cost> costs;
  std::map<std::string, double> figures; ///< that not every mode has: "bytes_an_actor"
};

struct point {
  std::size_t connections = 0;
  std::optional<offer> offered;
  std::vector<run_figures> runs;
  setting as;
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
