#include "runtime/bench/bench.hpp"

#include "messages/assert.hpp"
#include "runtime/bench/baseline.hpp"
#include "runtime/bench/ceiling.hpp"
#include "runtime/bench/measurement.hpp"
#include "runtime/bench/spawn.hpp"

#include <algorithm>

namespace holdfast::bench {

namespace {

constexpr std::array<mode_facts, 9> modes{{
  {mode::authorize, "authorize", "payments", "POST /v1/payments, until authorized", true, 0},
  {mode::authorize_capture, "authorize_capture", "payments",
   "an authorization and then its capture, two requests", true, 0},
  {mode::replay, "replay", "requests", "known idempotency keys once more", true, 10'000},
  {mode::reads, "reads", "requests", "GET /v1/payments/{id} of known payments", true, 10'000},
  {mode::settle, "settle", "items", "captured payments, from cut-off to reconciled", false,
   10'000},
  {mode::recovery, "recovery", "payments",
   "kill -9 of the node with payments pending, until it serves", false, 10'000},
  {mode::spawn, "spawn", "actors", "payment actors in this process, and their memory", false,
   200'000},
  {mode::baseline, "baseline", "payments", "the same rows by pgbench, one payment at a time",
   false, 0},
  {mode::ceiling, "ceiling", "payments", "the journal writer alone", false, 0},
}};

site_options to_site(const bench_options& options) {
  site_options wanted;
  wanted.data = options.data;
  wanted.merchants = options.merchants;
  wanted.skew = options.skew;
  wanted.stripes = options.stripes;
  wanted.has_baseline = options.has_comparisons || options.what == mode::baseline;
  wanted.has_ceiling = options.has_comparisons || options.what == mode::ceiling;
  wanted.stubborn = options.what == mode::recovery;
  wanted.tell = options.tell;
  wanted.pause = options.pause;
  return wanted;
}

std::vector<point> points_of(const bench_options& options) {
  std::vector<point> points;
  const bool is_load = facts_of(options.what).is_load;
  for (const auto connections : options.connections) {
    if (is_load && !options.rates.empty())
      for (const auto rate : options.rates)
        points.push_back({connections, rate, {}});
    else
      points.push_back({connections, std::nullopt, {}});
    if (!is_load)
      break;
  }
  return points;
}

/// Turn by turn through all points.
class turns {
public:
  turns(const bench_options& options, site& where)
    : options_(options),
      site_(where),
      measured_(make_measurement(options, where)) {}

  expected<bench_result> run() {
    result_.began = wall_clock_now();
    result_.points = points_of(options_);
    if (auto prepared = measured_->prepare(); !prepared)
      return prepared.error();
    for (std::size_t turn = 1; turn <= options_.runs; ++turn) {
      for (auto& one : result_.points) {
        if (auto done = take_turn(turn, one); !done)
          return done.error();
      }
    }
    if (auto counted = verify(); !counted)
      return counted.error();
    return std::move(result_);
  }

private:
  expected<void> take_turn(std::size_t turn, point& at) {
    const auto suffix =
      " (" + std::to_string(turn) + " of " + std::to_string(options_.runs) + ')';
    run_figures figures;
    const auto compare = [&](const char* name, auto measure,
                             std::optional<double>& into) -> expected<void> {
      tell(name + suffix);
      const auto rate = measure();
      if (!rate)
        return rate.error();
      into = *rate;
      return {};
    };
    const bool both = options_.has_comparisons;
    if (both || options_.what == mode::baseline)
      if (auto done = compare(
            "baseline", [&] { return baseline(); }, figures.baseline);
          !done)
        return done;
    tell(std::string{facts_of(options_.what).name} + suffix);
    if (auto done = measured_->run(turn, at, figures); !done)
      return done;
    if (both || options_.what == mode::ceiling)
      if (auto done = compare(
            "ceiling", [&] { return ceiling(); }, figures.ceiling);
          !done)
        return done;
    if (options_.what == mode::baseline || options_.what == mode::ceiling)
      figures.rate = *(options_.what == mode::baseline ? figures.baseline : figures.ceiling);
    at.runs.push_back(std::move(figures));
    return {};
  }

  expected<double> baseline() {
    if (auto well = site_.check(); !well)
      return well.error();
    return run_baseline(site_.baseline_database(), site_.folder(), options_.length);
  }

  expected<double> ceiling() {
    return run_ceiling(site_.ceiling_database(), options_.length,
                       [this] { return site_.check(); });
  }

  expected<void> verify() {
    tell("counting");
    auto [acknowledged, wanted, complaints] = measured_->conclude();
    auto counted = site_.compare(std::move(acknowledged), wanted);
    if (!counted)
      return counted.error();
    result_.counted = std::move(*counted);
    result_.complaints = std::move(complaints);
    return {};
  }

  void tell(const std::string& what) const {
    if (options_.tell)
      options_.tell(what);
  }

  const bench_options& options_;
  site& site_;
  std::unique_ptr<measurement> measured_;
  bench_result result_;
};

/// Needs nothing but this process.
expected<bench_result> run_spawns(const bench_options& options) {
  bench_result result;
  result.began = wall_clock_now();
  point all;
  for (std::size_t turn = 0; turn < options.runs; ++turn) {
    const auto spawned = run_spawn(options.population);
    if (!spawned)
      return spawned.error();
    run_figures figures;
    figures.rate = spawned->actors_a_second;
    figures.done = options.population;
    figures.figures["bytes_an_actor"] = spawned->bytes_an_actor;
    all.runs.push_back(std::move(figures));
    if (options.pause(milliseconds{0}))
      return make_error(errc::unavailable, "interrupted");
  }
  result.points.push_back(std::move(all));
  return result;
}

} // namespace

const std::array<mode_facts, 9>& all_modes() noexcept {
  return modes;
}

const mode_facts& facts_of(mode which) noexcept {
  const auto found = std::ranges::find(modes, which, &mode_facts::which);
  HF_ASSERT(found != modes.end());
  return *found;
}

expected<bench_result> run_bench(const bench_options& options) {
  if (options.what == mode::spawn)
    return run_spawns(options);
  auto opened = site::open(to_site(options));
  if (!opened)
    return opened.error();
  auto result = turns{options, **opened}.run();
  (*opened)->stop();
  return result;
}

} // namespace holdfast::bench
