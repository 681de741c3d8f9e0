#include "runtime/bench/measurement.hpp"

#include "messages/limits.hpp"
#include "runtime/bench/payment_measurement.hpp"
#include "runtime/bench/unsettled.hpp"
#include "runtime/client/json_members.hpp"

#include <boost/json.hpp>

#include <chrono>

namespace holdfast::bench {

namespace json = boost::json;
using steady = std::chrono::steady_clock;

namespace {

/// Longer than the node lets an operator wait.
constexpr milliseconds cutoff_call_limit{limits::cutoff_answer_ms_max + 60'000};

double seconds_since(steady::time_point then) {
  return std::chrono::duration<double>(steady::now() - then).count();
}

class making final : public payment_measurement {
public:
  using payment_measurement::payment_measurement;

  expected<void> run(std::size_t turn, const point& at, run_figures& figures) override {
    const auto name = "run-" + std::to_string(turn) + '-' + std::to_string(++loads_);
    const auto what = make_payments(
      site_.names(name), is_capturing() ? ending::captured_by_second : ending::authorized);
    return measure(*what, at, figures);
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
    return measure(*what_, at, figures);
  }

private:
  std::unique_ptr<workload> what_;
};

/// The node that settles has not made the payments: its memory is settlement's own.
class settling final : public payment_measurement {
public:
  using payment_measurement::payment_measurement;

  expected<void> run(std::size_t turn, const point&, run_figures& figures) override {
    const auto captured =
      make_population("settle-" + std::to_string(turn), ending::captured_at_once);
    if (!captured)
      return captured.error();
    if (const auto serving = site_.restart_node(); !serving)
      return serving.error();
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
    case mode::recovery: return make_recovering(options, where);
    case mode::pending: return make_holding(options, where);
    case mode::spawn:
    case mode::baseline:
    case mode::ceiling: break;
  }
  return std::make_unique<nothing>(options, where);
}

} // namespace holdfast::bench
