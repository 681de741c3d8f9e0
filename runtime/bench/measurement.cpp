#include "runtime/bench/measurement.hpp"

#include "messages/limits.hpp"
#include "runtime/bench/load.hpp"
#include "runtime/client/json_members.hpp"

#include <boost/json.hpp>

#include <chrono>

namespace holdfast::bench {

namespace json = boost::json;
using steady = std::chrono::steady_clock;

namespace {

constexpr milliseconds cutoff_call_limit{120'000};
constexpr milliseconds resolve_limit{300'000};

double seconds_since(steady::time_point then) {
  return std::chrono::duration<double>(steady::now() - then).count();
}

double microseconds_between(const usage& before, const usage& after) {
  return static_cast<double>((after.cpu - before.cpu).count());
}

/// What the units have cost each process.
std::vector<process_cost> costs_of(const site_usage& before, const site_usage& after,
                                   std::uint64_t units) {
  if (units == 0)
    return {};
  const auto cost = [&](const char* name, const usage site_usage::*which) {
    return process_cost{
      name, microseconds_between(before.*which, after.*which) / static_cast<double>(units),
      (after.*which).memory_bytes};
  };
  return {cost("node", &site_usage::node), cost("postgres", &site_usage::database),
          cost("sandbox", &site_usage::sandbox), cost("bench", &site_usage::bench)};
}

/// What all modes share: payments that were made and acknowledged.
class payment_measurement : public measurement {
public:
  payment_measurement(const bench_options& options, site& where)
    : options_(options),
      site_(where) {}

  conclusion conclude() override {
    return {std::move(acknowledged_), wanted(), std::move(complaints_)};
  }

protected:
  [[nodiscard]] virtual expectation wanted() const { return {"authorized", "authorize"}; }

  [[nodiscard]] load_options load_to(std::size_t connections) const {
    load_options load;
    load.http_url = site_.http();
    load.connections = connections;
    load.length = options_.length;
    load.warm_up = options_.warm_up;
    load.check = [this] { return site_.check(); };
    return load;
  }

  /// As many payments as asked for, all acknowledged.
  expected<std::vector<known_payment>> make_population(const std::string& run, ending how) {
    const auto what = make_payments(site_.names(run), how);
    auto load = load_to(options_.connections.front());
    load.journeys_max = options_.population;
    auto made = run_load(*what, load);
    if (!made)
      return made.error();
    if (auto settled = settle(*what, load, *made); !settled)
      return settled.error();
    acknowledge(*made);
    return std::move(made->finished);
  }

  void acknowledge(const load_result& made) {
    for (const auto& one : made.finished)
      acknowledged_.push_back(one.id);
    complain_of_wrong(made);
  }

  void complain_of_wrong(const load_result& result) {
    if (result.wrong > 0)
      complaints_.push_back(std::to_string(result.wrong) + " answers must not be");
  }

  /// Runs the load and fills in its figures; settles what nobody knew in time.
  expected<load_result> measure(const workload& what, const point& at, run_figures& figures) {
    auto load = load_to(at.connections);
    load.rate = at.offered;
    const auto before = site_.usage_now();
    auto result = run_load(what, load);
    if (!result)
      return result.error();
    figures.costs = costs_of(before, site_.usage_now(), result->finished_count);
    figures.rate = result->rate();
    figures.latency = result->latency;
    figures.done = result->done;
    figures.dropped = result->dropped;
    figures.errors = result->errors;
    if (auto settled = settle(what, load, *result); !settled)
      return settled.error();
    return result;
  }

  const bench_options& options_;
  site& site_;

private:
  std::vector<payment_id> acknowledged_;
  std::vector<std::string> complaints_;
};

class making final : public payment_measurement {
public:
  using payment_measurement::payment_measurement;

  expected<void> run(std::size_t turn, const point& at, run_figures& figures) override {
    const auto name = "run-" + std::to_string(turn) + '-' + std::to_string(++loads_);
    const auto what = make_payments(
      site_.names(name), is_capturing() ? ending::captured_by_second : ending::authorized);
    const auto result = measure(*what, at, figures);
    if (!result)
      return result.error();
    acknowledge(*result);
    return {};
  }

private:
  [[nodiscard]] bool is_capturing() const { return options_.what == mode::authorize_capture; }
  expectation wanted() const override {
    return is_capturing() ? expectation{"captured", "capture"} : payment_measurement::wanted();
  }

  std::size_t loads_ = 0;
};

class looking_up final : public payment_measurement {
public:
  using payment_measurement::payment_measurement;

  expected<void> prepare() override {
    const std::string run = "known";
    auto known = make_population(run, ending::authorized);
    if (!known)
      return known.error();
    what_ = options_.what == mode::replay ? make_replays(site_.names(run), std::move(*known))
                                          : make_reads(site_.names(run), std::move(*known));
    return {};
  }

  expected<void> run(std::size_t, const point& at, run_figures& figures) override {
    const auto result = measure(*what_, at, figures);
    if (!result)
      return result.error();
    complain_of_wrong(*result);
    return {};
  }

private:
  std::unique_ptr<workload> what_;
};

class settling final : public payment_measurement {
public:
  using payment_measurement::payment_measurement;

  expected<void> run(std::size_t turn, const point&, run_figures& figures) override {
    const auto captured =
      make_population("settle-" + std::to_string(turn), ending::captured_at_once);
    if (!captured)
      return captured.error();
    const auto before = site_.usage_now();
    const auto began = steady::now();
    const auto items = cut_off();
    if (!items)
      return items.error();
    figures.rate = static_cast<double>(*items) / seconds_since(began);
    figures.done = *items;
    figures.costs = costs_of(before, site_.usage_now(), *items);
    return {};
  }

private:
  expectation wanted() const override { return {"settled", "settle"}; }

  /// Calls again while the node needs longer than a call may last.
  expected<std::uint64_t> cut_off() {
    const auto deadline = steady::now() + milliseconds{limits::demo_settlement_ms_max};
    std::uint64_t items = 0;
    for (;;) {
      const auto answer = site_.admin().post("/admin/v1/cutoff", json::object{{"settle", true}},
                                             cutoff_call_limit);
      if (!answer)
        return make_error(answer.error().code, "cut-off: " + answer.error().detail);
      const auto& told = answer->as_object();
      items += static_cast<std::uint64_t>(client::integer_at(told, "items"));
      if (client::flag_at(told, "complete"))
        return items;
      if (auto well = site_.check(); !well)
        return well.error();
      if (steady::now() > deadline)
        return make_error(errc::unavailable, "settlement does not end");
    }
  }
};

class recovering final : public payment_measurement {
public:
  using payment_measurement::payment_measurement;

  /// Every gateway charges and answers HTTP 500, so that all payments wait to be found out;
  /// then the node is killed.
  expected<void> run(std::size_t turn, const point&, run_figures& figures) override {
    if (auto set = site_.set_rate("http_500_charged", 1); !set)
      return set;
    const auto made = make_population("recovery-" + std::to_string(turn), ending::pending);
    if (!made)
      return made.error();
    // Until each was charged: one that no gateway has heard of would rightly fail.
    if (auto charged = site_.await_none({"processing"}, resolve_limit); !charged)
      return charged;
    const auto serving = site_.restart_node();
    if (!serving)
      return serving.error();
    const auto began = steady::now();
    if (auto ended = site_.end_faults(); !ended)
      return ended;
    if (auto known = site_.await_none({"processing", "pending_gateway"}, resolve_limit); !known)
      return known;
    const auto seconds = std::chrono::duration<double>(*serving).count();
    figures.done = made->size();
    figures.rate = static_cast<double>(figures.done) / seconds;
    figures.figures["serving_s"] = seconds;
    figures.figures["resolved_s"] = seconds_since(began);
    return {};
  }
};

/// The baseline and the ceiling alone: their figures are taken for every mode.
class nothing final : public payment_measurement {
public:
  using payment_measurement::payment_measurement;
  expected<void> run(std::size_t, const point&, run_figures&) override { return {}; }
};

} // namespace

std::unique_ptr<measurement> make_measurement(const bench_options& options, site& where) {
  switch (options.what) {
    case mode::authorize:
    case mode::authorize_capture: return std::make_unique<making>(options, where);
    case mode::replay:
    case mode::reads: return std::make_unique<looking_up>(options, where);
    case mode::settle: return std::make_unique<settling>(options, where);
    case mode::recovery: return std::make_unique<recovering>(options, where);
    case mode::spawn:
    case mode::baseline:
    case mode::ceiling: break;
  }
  return std::make_unique<nothing>(options, where);
}

} // namespace holdfast::bench
