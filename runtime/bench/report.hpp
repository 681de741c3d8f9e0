// A bench's result as JSON for programs, as a Markdown table and as plots for people. Pure.
#pragma once

#include "runtime/bench/bench.hpp"

#include <string>
#include <vector>

namespace holdfast::bench {

/// Where it was measured. Names no machine.
struct machine_facts {
  unsigned cores = 0;
  std::string processor;
  std::string kernel;
  std::uint64_t memory_bytes = 0;
  double load_before = 0; ///< of the last minute: what else the machine was doing
};
[[nodiscard]] machine_facts this_machine();

struct spread {
  double min = 0, median = 0, max = 0;
};
/// All zero of nothing.
[[nodiscard]] spread spread_of(std::vector<double> values);

/// The point with the greatest median rate: what the result's own figures are of.
[[nodiscard]] const point& best_of(const bench_result& result);

/// One object; `rate` and the like are medians over the runs of the best point.
[[nodiscard]] std::string to_json(const bench_options& asked, const bench_result& result,
                                  const machine_facts& machine);
[[nodiscard]] std::string to_markdown(const bench_options& asked, const bench_result& result,
                                      const machine_facts& machine);

struct plot_file {
  std::string name; ///< "latency.svg"
  std::string content;
};
/// Latency over the offered rate, throughput over connections: as far as the first setting has
/// two points.
[[nodiscard]] std::vector<plot_file> plots_of(const bench_options& asked,
                                              const bench_result& result);

} // namespace holdfast::bench
