#include "runtime/bench/unsettled.hpp"

#include "runtime/bench/payment_measurement.hpp"

#include <chrono>

namespace holdfast::bench {

using steady = std::chrono::steady_clock;

namespace {

constexpr milliseconds resolve_limit{300'000};
constexpr double mebibyte = 1024.0 * 1024.0;

double seconds_since(steady::time_point then) {
  return std::chrono::duration<double>(steady::now() - then).count();
}

/// Every gateway charges and answers HTTP 500, so that all payments wait to be found out.
class unsettled_measurement : public payment_measurement {
public:
  using payment_measurement::payment_measurement;

protected:
  /// Until each was charged: one that no gateway has heard of would rightly fail. How many.
  expected<std::size_t> leave_unsettled(const std::string& run) {
    if (auto set = site_.set_rate("http_500_charged", 1); !set)
      return set.error();
    const auto made = make_population(run, ending::pending);
    if (!made)
      return made.error();
    if (auto charged = site_.await_none({"processing"}, resolve_limit); !charged)
      return charged.error();
    return made->size();
  }

  /// What they weigh, and how fast they came. A node that has just started holds nothing, so
  /// it begins with one.
  expected<void> weigh(const std::string& run, run_figures& figures) {
    if (const auto fresh = site_.restart_node(); !fresh)
      return fresh.error();
    const auto without = site_.node_bytes();
    const auto before = site_.usage_now();
    const auto began = steady::now();
    const auto made = leave_unsettled(run);
    if (!made)
      return made.error();
    const auto with = site_.node_bytes();
    figures.done = *made;
    figures.rate = static_cast<double>(figures.done) / seconds_since(began);
    figures.costs = costs_of(before, site_.usage_now(), figures.done);
    figures.figures["without_mib"] = static_cast<double>(without) / mebibyte;
    figures.figures["with_mib"] = static_cast<double>(with) / mebibyte;
    figures.figures["pending_mib"] =
      (static_cast<double>(with) - static_cast<double>(without)) / mebibyte;
    return {};
  }

  /// With sound gateways, until every payment is authorized.
  expected<void> resolve() {
    if (auto ended = site_.end_faults(); !ended)
      return ended;
    return site_.await_none({"processing", "pending_gateway"}, resolve_limit);
  }
};

/// What weighs the pending payments is killed with them, so one population tells both.
class recovering final : public unsettled_measurement {
public:
  using unsettled_measurement::unsettled_measurement;

  expected<void> run(std::size_t turn, const point&, run_figures& figures) override {
    if (auto weighed = weigh("recovery-" + std::to_string(turn), figures); !weighed)
      return weighed;
    const auto serving = site_.restart_node();
    if (!serving)
      return serving.error();
    const auto began = steady::now();
    if (auto resolved = resolve(); !resolved)
      return resolved;
    const auto seconds = std::chrono::duration<double>(*serving).count();
    figures.rate = static_cast<double>(figures.done) / seconds;
    figures.figures["serving_s"] = seconds;
    figures.figures["resolved_s"] = seconds_since(began);
    return {};
  }
};

class holding final : public unsettled_measurement {
public:
  using unsettled_measurement::unsettled_measurement;

  expected<void> run(std::size_t turn, const point&, run_figures& figures) override {
    if (auto weighed = weigh("pending-" + std::to_string(turn), figures); !weighed)
      return weighed;
    return resolve();
  }
};

} // namespace

std::unique_ptr<measurement> make_recovering(const bench_options& options, site& where) {
  return std::make_unique<recovering>(options, where);
}

std::unique_ptr<measurement> make_holding(const bench_options& options, site& where) {
  return std::make_unique<holding>(options, where);
}

} // namespace holdfast::bench
