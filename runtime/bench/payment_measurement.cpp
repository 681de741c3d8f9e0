#include "runtime/bench/payment_measurement.hpp"

#include "runtime/bench/sync_time.hpp"

namespace holdfast::bench {

namespace {

double microseconds_of(microseconds time) {
  return static_cast<double>(time.count());
}

/// Whether the processors were the bound, and whether they were there.
void note_machine(const machine_times& before, const machine_times& after,
                  run_figures& figures) {
  const auto passed = microseconds_of(after.all - before.all);
  if (passed <= 0)
    return;
  figures.figures["idle_share"] = microseconds_of(after.idle - before.idle) / passed;
  figures.figures["stolen_share"] = microseconds_of(after.stolen - before.stolen) / passed;
}

/// What only open loops have: how the offer relates to what was reached.
void note_open_loop(const load_result& result, run_figures& figures) {
  auto& all = figures.figures;
  if (const auto peak = all.find("peak"); peak != all.end() && peak->second > 0)
    all["of_peak"] = result.rate() / peak->second;
  if (result.asked > 0)
    all["refused_share"] =
      static_cast<double>(result.refused) / static_cast<double>(result.asked);
}

} // namespace

std::vector<process_cost> costs_of(const site_usage& before, const site_usage& after,
                                   std::uint64_t units) {
  if (units == 0)
    return {};
  const auto cost = [&](const char* name, const usage site_usage::*which) {
    return process_cost{
      name,
      microseconds_of((after.*which).cpu - (before.*which).cpu) / static_cast<double>(units),
      (after.*which).memory_bytes};
  };
  return {cost("node", &site_usage::node), cost("postgres", &site_usage::database),
          cost("sandbox", &site_usage::sandbox), cost("bench", &site_usage::bench)};
}

conclusion payment_measurement::conclude() {
  auto expected = wanted();
  expected.stored = site_.stored();
  return {std::move(acknowledged_), std::move(expected), std::move(complaints_)};
}

load_options payment_measurement::load_to(std::size_t connections) const {
  load_options load;
  load.http_url = site_.http();
  load.connections = connections;
  load.length = options_.length;
  load.warm_up = options_.warm_up;
  load.check = [this] { return site_.check(); };
  return load;
}

expected<std::vector<known_payment>> payment_measurement::make_population(
  const std::string& run, ending how) {
  if (options_.tell)
    options_.tell("making " + std::to_string(options_.population) + " payments");
  const auto what = make_payments(site_.names(run), how);
  auto load = load_to(options_.connections.front());
  load.journeys_max = options_.population;
  auto made = carry(*what, load);
  if (!made)
    return made.error();
  return std::move(made->finished);
}

expected<void> payment_measurement::measure(const workload& what, const point& at,
                                            run_figures& figures) {
  auto load = load_to(at.connections);
  if (at.offered)
    if (auto ready = prepare_open_loop(what, *at.offered, load, figures); !ready)
      return ready;
  const auto before = site_.usage_now();
  auto result = run_load(what, load);
  if (!result)
    return result.error();
  const auto after = site_.usage_now();
  figures.costs = costs_of(before, after, result->finished_count);
  note_machine(before.machine, after.machine, figures);
  figures.rate = result->rate();
  figures.latency = result->latency;
  figures.done = result->done;
  figures.dropped = result->dropped;
  figures.errors = result->errors;
  if (at.offered)
    note_open_loop(*result, figures);
  return settle_and_acknowledge(what, load, *result);
}

/// A share is of the peak that a closed loop reaches now, so that both are of the same minute.
expected<void> payment_measurement::prepare_open_loop(const workload& what, const offer& wanted,
                                                      load_options& load,
                                                      run_figures& figures) {
  const auto sync = median_sync(site_.folder());
  if (!sync)
    return sync.error();
  figures.figures["sync_ms"] = std::chrono::duration<double, std::milli>(*sync).count();
  load.rate = figures.offered = wanted.value;
  if (!wanted.of_peak)
    return {};
  const auto peak = carry(what, load_to(options_.peak_connections));
  if (!peak)
    return peak.error();
  figures.figures["peak"] = peak->rate();
  load.rate = figures.offered = wanted.value * peak->rate();
  load.first_journey = peak->begun;
  if (!(*load.rate > 0))
    return make_error(errc::unavailable,
                      "a closed loop has reached nothing, so there is no "
                      "share of it to offer");
  return {};
}

expected<load_result> payment_measurement::carry(const workload& what,
                                                 const load_options& load) {
  auto result = run_load(what, load);
  if (!result)
    return result;
  if (auto done = settle_and_acknowledge(what, load, *result); !done)
    return done.error();
  return result;
}

expected<void> payment_measurement::settle_and_acknowledge(const workload& what,
                                                           const load_options& load,
                                                           load_result& result) {
  if (auto settled = settle(what, load, result); !settled)
    return settled;
  for (const auto& one : result.finished)
    acknowledged_.push_back(one.id);
  if (result.wrong > 0)
    complaints_.push_back(std::to_string(result.wrong) + " answers must not be");
  return {};
}

} // namespace holdfast::bench
