#include "runtime/bench/bench.hpp"

#include "messages/assert.hpp"
#include "runtime/bench/baseline.hpp"
#include "runtime/bench/ceiling.hpp"
#include "runtime/bench/measurement.hpp"
#include "runtime/bench/site.hpp"
#include "runtime/bench/spawn.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <memory>
#include <sstream>

namespace holdfast::bench {

namespace {

constexpr double offer_min = 0.1;
constexpr double offer_max = 1e6;

constexpr std::array<mode_facts, 10> modes{{
  {mode::authorize, "authorize", "payments", "POST /v1/payments, until authorized", true, 0},
  {mode::authorize_capture, "authorize_capture", "payments",
   "an authorization and then its capture, two requests", true, 0},
  {mode::replay, "replay", "requests", "known idempotency keys once more", true, 10'000},
  {mode::reads, "reads", "requests", "GET /v1/payments/{id} of known payments", true, 10'000},
  {mode::settle, "settle", "items", "captured payments, from cut-off to reconciled", false,
   10'000},
  {mode::recovery, "recovery", "payments",
   "kill -9 of the node with payments pending, until it serves", false, 10'000},
  {mode::pending, "pending", "payments",
   "what payments weigh whose outcome no gateway has told", false, 10'000},
  {mode::spawn, "spawn", "actors", "payment actors in this process, and their memory", false,
   200'000},
  {mode::baseline, "baseline", "payments", "the same rows by pgbench, one payment at a time",
   false, 0},
  {mode::ceiling, "ceiling", "payments", "the journal writer alone", false, 0},
}};

site_options to_site(const bench_options& options, const setting& as) {
  site_options wanted;
  const auto place = std::ranges::find(options.settings, as) - options.settings.begin();
  wanted.data = options.data;
  if (options.settings.size() > 1)
    wanted.data /= std::to_string(place + 1);
  wanted.as = as;
  wanted.has_baseline = options.has_comparisons || options.what == mode::baseline;
  wanted.has_ceiling = options.has_comparisons || options.what == mode::ceiling;
  wanted.stubborn = options.what == mode::recovery || options.what == mode::pending;
  wanted.tell = options.tell;
  wanted.pause = options.pause;
  return wanted;
}

/// What is compared stands side by side: the settings, for each load.
std::vector<point> points_of(const bench_options& options) {
  const bool is_load = facts_of(options.what).is_load;
  std::vector<std::optional<offer>> offers(options.offers.begin(), options.offers.end());
  if (!is_load || offers.empty())
    offers = {std::nullopt};
  std::vector<point> points;
  for (const auto connections : options.connections) {
    for (const auto& offered : offers)
      for (const auto& as : options.settings)
        points.push_back({connections, offered, {}, as});
    if (!is_load)
      break;
  }
  return points;
}

/// An installation and what is measured there.
struct arena {
  std::unique_ptr<site> where;
  std::unique_ptr<measurement> measured;
  std::optional<double> baseline; ///< of the turn under way, payments a second
  std::optional<double> ceiling;
};

/// Turn by turn through all points, each in the installation of its setting.
class turns {
public:
  explicit turns(const bench_options& options) : options_(options) {}
  turns(const turns&) = delete;
  turns& operator=(const turns&) = delete;
  /// What was started last ends first, see installation.hpp.
  ~turns() {
    while (!arenas_.empty())
      arenas_.pop_back();
  }

  expected<bench_result> run() {
    result_.began = wall_clock_now();
    result_.points = points_of(options_);
    if (auto opened = open(); !opened)
      return opened.error();
    for (std::size_t turn = 1; turn <= options_.runs; ++turn)
      if (auto done = take_turn(turn); !done)
        return done.error();
    for (auto& each : arenas_)
      if (auto counted = verify(each); !counted)
        return counted.error();
    for (auto& each : arenas_)
      each.where->stop();
    return std::move(result_);
  }

private:
  expected<void> open() {
    for (const auto& as : options_.settings) {
      if (options_.settings.size() > 1)
        tell("an installation with " + to_text(as));
      auto opened = site::open(to_site(options_, as));
      if (!opened)
        return opened.error();
      auto measured = make_measurement(options_, **opened);
      arenas_.push_back({std::move(*opened), std::move(measured), {}, {}});
    }
    for (auto& each : arenas_)
      if (auto prepared = each.measured->prepare(); !prepared)
        return prepared;
    return {};
  }

  arena& arena_of(const point& at) {
    const auto place = std::ranges::find(options_.settings, at.as) - options_.settings.begin();
    return arenas_[static_cast<std::size_t>(place)];
  }

  /// All points stand between one baseline and one ceiling of the same minute.
  expected<void> take_turn(std::size_t turn) {
    const auto suffix =
      " (" + std::to_string(turn) + " of " + std::to_string(options_.runs) + ')';
    for (auto& each : arenas_)
      if (auto done = take_baseline(each, suffix); !done)
        return done;
    for (auto& one : result_.points) {
      tell(std::string{facts_of(options_.what).name} + suffix);
      if (auto done = arena_of(one).measured->run(turn, one, one.runs.emplace_back()); !done)
        return done;
    }
    for (auto& each : arenas_)
      if (auto done = take_ceiling(each, suffix); !done)
        return done;
    for (auto& one : result_.points)
      compare(arena_of(one), one.runs.back());
    return {};
  }

  expected<void> take_baseline(arena& each, const std::string& suffix) const {
    if (!options_.has_comparisons && options_.what != mode::baseline)
      return {};
    tell("baseline" + suffix);
    auto& where = *each.where;
    if (auto well = where.check(); !well)
      return well;
    const auto rate = run_baseline(where.baseline_database(), where.folder(), options_.length);
    if (!rate)
      return rate.error();
    each.baseline = *rate;
    return {};
  }

  expected<void> take_ceiling(arena& each, const std::string& suffix) const {
    if (!options_.has_comparisons && options_.what != mode::ceiling)
      return {};
    tell("ceiling" + suffix);
    auto& where = *each.where;
    const auto rate = run_ceiling(where.ceiling_database(), options_.length,
                                  [&where] { return where.check(); });
    if (!rate)
      return rate.error();
    each.ceiling = *rate;
    return {};
  }

  void compare(const arena& with, run_figures& figures) const {
    figures.baseline = with.baseline;
    figures.ceiling = with.ceiling;
    if (options_.what == mode::baseline)
      figures.rate = *with.baseline;
    if (options_.what == mode::ceiling)
      figures.rate = *with.ceiling;
  }

  expected<void> verify(arena& each) {
    tell("counting");
    auto [acknowledged, wanted, complaints] = each.measured->conclude();
    auto counted = each.where->compare(std::move(acknowledged), wanted);
    if (!counted)
      return counted.error();
    add(result_.counted, std::move(*counted));
    std::ranges::move(complaints, std::back_inserter(result_.complaints));
    return {};
  }

  void tell(const std::string& what) const {
    if (options_.tell)
      options_.tell(what);
  }

  const bench_options& options_;
  std::vector<arena> arenas_; ///< in the order of the settings
  bench_result result_;
};

/// Needs nothing but this process.
expected<bench_result> run_spawns(const bench_options& options) {
  bench_result result;
  result.began = wall_clock_now();
  point all;
  all.as = options.settings.front();
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

const std::array<mode_facts, 10>& all_modes() noexcept {
  return modes;
}

const mode_facts& facts_of(mode which) noexcept {
  const auto found = std::ranges::find(modes, which, &mode_facts::which);
  HF_ASSERT(found != modes.end());
  return *found;
}

expected<offer> parse_offer(std::string_view text) {
  offer parsed;
  const bool is_share = text.ends_with('%');
  const auto digits = text.substr(0, text.size() - (is_share ? 1 : 0));
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), parsed.value);
  const bool is_whole = read.ec == std::errc{} && read.ptr == digits.data() + digits.size();
  if (!is_whole || !(parsed.value >= offer_min) || !(parsed.value <= offer_max))
    return make_error(errc::invalid_argument,
                      '"' + std::string{text} + "\" is neither a number a second, such as 2000, "
                      "nor a share of the peak, such as 70%");
  if (is_share)
    parsed = {parsed.value / 100, true};
  return parsed;
}

std::string to_text(const setting& as) {
  std::ostringstream text;
  text << as.merchants << " merchants";
  if (as.skew > 0)
    text << ", skew " << as.skew;
  if (as.stripes > 1)
    text << ", " << as.stripes << " stripes";
  if (as.stored > 0)
    text << ", " << as.stored << " payments stored";
  return text.str();
}

expected<bench_result> run_bench(const bench_options& options) {
  if (options.what == mode::spawn)
    return run_spawns(options);
  return turns{options}.run();
}

} // namespace holdfast::bench
