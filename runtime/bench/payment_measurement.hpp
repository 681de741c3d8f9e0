// What all modes share that make or ask for payments: loads, what they acknowledge, and what it
// has cost.
#pragma once

#include "runtime/bench/load.hpp"
#include "runtime/bench/measurement.hpp"

#include <string>
#include <vector>

namespace holdfast::bench {

class payment_measurement : public measurement {
public:
  /// Both must outlive it.
  payment_measurement(const bench_options& options, site& where)
    : options_(options),
      site_(where) {}

  [[nodiscard]] conclusion conclude() override;

protected:
  [[nodiscard]] virtual expectation wanted() const { return {"authorized", "authorize"}; }

  /// As many payments as asked for, all acknowledged.
  [[nodiscard]] expected<std::vector<known_payment>> make_population(const std::string& run,
                                                                     ending how);

  /// Runs the load and fills in its figures; settles what nobody knew in time, and
  /// acknowledges all.
  [[nodiscard]] expected<void> measure(const workload& what, const point& at,
                                       run_figures& figures);

  const bench_options& options_;
  site& site_;

private:
  [[nodiscard]] load_options load_to(std::size_t connections) const;
  [[nodiscard]] expected<load_result> carry(const workload& what, const load_options& load);
  [[nodiscard]] expected<void> prepare_open_loop(const workload& what, const offer& wanted,
                                                 load_options& load, run_figures& figures);
  [[nodiscard]] expected<void> settle_and_acknowledge(const workload& what,
                                                      const load_options& load,
                                                      load_result& result);

  std::vector<payment_id> acknowledged_;
  std::vector<std::string> complaints_;
};

/// What the units have cost each process.
[[nodiscard]] std::vector<process_cost> costs_of(const site_usage& before,
                                                 const site_usage& after, std::uint64_t units);

} // namespace holdfast::bench
