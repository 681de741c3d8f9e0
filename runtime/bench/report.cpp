#include "runtime/bench/report.hpp"

#include "runtime/bench/plot.hpp"
#include "runtime/version.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iomanip>
#include <sstream>
#include <thread>

#include <sys/utsname.h>
#include <unistd.h>

namespace holdfast::bench {

namespace json = boost::json;

namespace {

double in_ms(histogram::duration value) {
  return static_cast<double>(value.count()) / 1'000;
}

/// A value of every run that has it.
template <class Take>
std::vector<double> all_of(const point& at, Take take) {
  std::vector<double> values;
  for (const auto& run : at.runs)
    if (const std::optional<double> value = take(run))
      values.push_back(*value);
  return values;
}

std::optional<double> ratio_of(double rate, const std::optional<double>& to) {
  return to && *to > 0 ? std::optional{rate / *to} : std::nullopt;
}

std::vector<double> rates_of(const point& at) {
  return all_of(at, [](const run_figures& run) { return std::optional{run.rate}; });
}
std::vector<double> offers_of(const point& at) {
  return all_of(at, [](const run_figures& run) { return run.offered; });
}
std::vector<double> latencies_of(const point& at, double share) {
  return all_of(at, [share](const run_figures& run) {
    return run.latency.count() > 0 ? std::optional{in_ms(run.latency.at(share))} : std::nullopt;
  });
}
std::vector<double> baselines_of(const point& at) {
  return all_of(at, [](const run_figures& run) { return run.baseline; });
}
std::vector<double> ceilings_of(const point& at) {
  return all_of(at, [](const run_figures& run) { return run.ceiling; });
}
std::vector<double> ratios_of(const point& at) {
  return all_of(at, [](const run_figures& run) { return ratio_of(run.rate, run.baseline); });
}
std::vector<double> shares_of(const point& at) {
  return all_of(at, [](const run_figures& run) { return ratio_of(run.rate, run.ceiling); });
}

/// The point that it is compared with: the same load in the first setting.
const point& first_of(const bench_result& result, const point& at) {
  return *std::ranges::find_if(result.points, [&](const point& other) {
    return other.connections == at.connections && other.offered == at.offered;
  });
}

/// Turn by turn; nothing for the first setting itself.
std::vector<double> relatives_of(const bench_result& result, const point& at) {
  const auto& first = first_of(result, at);
  std::vector<double> values;
  if (&first == &at)
    return values;
  for (std::size_t i = 0; i < std::min(at.runs.size(), first.runs.size()); ++i)
    if (const auto ratio = ratio_of(at.runs[i].rate, first.runs[i].rate))
      values.push_back(*ratio);
  return values;
}

/// Of all runs taken together.
histogram latency_of(const point& at) {
  histogram all;
  for (const auto& run : at.runs)
    all.add(run.latency);
  return all;
}

std::map<std::string, std::uint64_t> errors_of(const point& at) {
  std::map<std::string, std::uint64_t> all;
  for (const auto& run : at.runs)
    for (const auto& [what, number] : run.errors)
      all[what] += number;
  return all;
}

std::uint64_t error_count(const point& at) {
  std::uint64_t sum = 0;
  for (const auto& [what, number] : errors_of(at))
    sum += number;
  for (const auto& run : at.runs)
    sum += run.dropped;
  return sum;
}

double rounded(double value) {
  return std::round(value * 1'000) / 1'000;
}

json::value number_or_null(const std::vector<double>& values) {
  return values.empty() ? json::value{} : json::value(rounded(spread_of(values).median));
}

json::object spread_json(const std::vector<double>& values) {
  const auto all = spread_of(values);
  return {
    {"min", rounded(all.min)}, {"median", rounded(all.median)}, {"max", rounded(all.max)}};
}

/// Of each process: the median over the runs, and the most memory of any.
json::object costs_json(const point& at) {
  std::map<std::string, std::vector<double>> cpu;
  std::map<std::string, std::uint64_t> memory;
  for (const auto& run : at.runs)
    for (const auto& cost : run.costs) {
      cpu[cost.name].push_back(cost.cpu_us);
      memory[cost.name] = std::max(memory[cost.name], cost.memory_bytes);
    }
  json::object all;
  for (const auto& [name, values] : cpu)
    all[name] = json::object{{"cpu_us", rounded(spread_of(values).median)},
                             {"cpu_us_spread", spread_json(values)},
                             {"memory_bytes_max", memory[name]}};
  return all;
}

json::object figures_json(const point& at) {
  std::map<std::string, std::vector<double>> values;
  for (const auto& run : at.runs)
    for (const auto& [name, value] : run.figures)
      values[name].push_back(value);
  json::object all;
  for (const auto& [name, each] : values)
    all[name] = spread_json(each);
  return all;
}

json::object point_json(const bench_result& result, const point& at) {
  const auto latency = latency_of(at);
  json::object errors;
  for (const auto& [what, number] : errors_of(at))
    errors[what] = number;
  json::array runs;
  std::uint64_t dropped = 0;
  for (const auto& run : at.runs) {
    dropped += run.dropped;
    runs.push_back(json::object{
      {"rate", rounded(run.rate)},
      {"offered", run.offered ? json::value(rounded(*run.offered)) : json::value{}},
      {"baseline", run.baseline ? json::value(rounded(*run.baseline)) : json::value{}},
      {"ceiling", run.ceiling ? json::value(rounded(*run.ceiling)) : json::value{}},
      {"done", run.done},
      {"p50_ms", in_ms(run.latency.at(0.5))},
      {"p99_ms", in_ms(run.latency.at(0.99))},
      {"p999_ms", in_ms(run.latency.at(0.999))}});
  }
  return {{"connections", at.connections},
          {"merchants", at.as.merchants},
          {"skew", at.as.skew},
          {"stripes", at.as.stripes},
          {"stored", at.as.stored},
          {"offered", number_or_null(offers_of(at))},
          {"offered_share",
           at.offered && at.offered->of_peak ? json::value(at.offered->value) : json::value{}},
          {"rate", number_or_null(rates_of(at))},
          {"baseline", number_or_null(baselines_of(at))},
          {"ceiling", number_or_null(ceilings_of(at))},
          {"ratio", number_or_null(ratios_of(at))},
          {"ceiling_share", number_or_null(shares_of(at))},
          {"relative", number_or_null(relatives_of(result, at))},
          {"p50_ms", in_ms(latency.at(0.5))},
          {"p99_ms", in_ms(latency.at(0.99))},
          {"p999_ms", in_ms(latency.at(0.999))},
          {"max_ms", in_ms(latency.max())},
          {"errors", error_count(at)},
          {"error_kinds", std::move(errors)},
          {"dropped", dropped},
          {"spread", json::object{{"rate", spread_json(rates_of(at))},
                                  {"baseline", spread_json(baselines_of(at))},
                                  {"ceiling", spread_json(ceilings_of(at))},
                                  {"ratio", spread_json(ratios_of(at))},
                                  {"ceiling_share", spread_json(shares_of(at))},
                                  {"relative", spread_json(relatives_of(result, at))},
                                  {"p50_ms", spread_json(latencies_of(at, 0.5))},
                                  {"p99_ms", spread_json(latencies_of(at, 0.99))},
                                  {"p999_ms", spread_json(latencies_of(at, 0.999))}}},
          {"processes", costs_json(at)},
          {"figures", figures_json(at)},
          {"runs", std::move(runs)}};
}

std::string fixed(double value, int digits) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(digits) << value;
  return text.str();
}

std::string spread_text(const std::vector<double>& values, int digits) {
  if (values.empty())
    return "–";
  const auto all = spread_of(values);
  return fixed(all.min, digits) + " / **" + fixed(all.median, digits) + "** / "
         + fixed(all.max, digits);
}

bool has_several_settings(const bench_result& result) {
  return std::ranges::any_of(
    result.points, [&](const point& at) { return at.as != result.points.front().as; });
}

std::string offered_text(const point& at) {
  if (!at.offered)
    return "–";
  const auto rate = fixed(spread_of(offers_of(at)).median, 0);
  return at.offered->of_peak ? rate + " (" + fixed(at.offered->value * 100, 0) + " %)" : rate;
}

void write_points(std::ostream& text, const bench_result& result, std::string_view unit) {
  const bool several = has_several_settings(result);
  text << (several ? "| setting " : "") << "| connections | offered/s | " << unit << "/s "
       << (several ? "| × first " : "")
       << "| baseline | ratio | ceiling | share | p50 ms | p99 ms | p99.9 ms | errors |\n"
       << (several ? "|---|---:" : "")
       << "|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n";
  for (const auto& at : result.points) {
    const auto latency = latency_of(at);
    text << (several ? "| " + to_text(at.as) + ' ' : "") << "| " << at.connections << " | "
         << offered_text(at) << " | " << spread_text(rates_of(at), 0)
         << (several ? " | " + spread_text(relatives_of(result, at), 2) : "") << " | "
         << spread_text(baselines_of(at), 0) << " | " << spread_text(ratios_of(at), 2) << " | "
         << spread_text(ceilings_of(at), 0) << " | " << spread_text(shares_of(at), 2) << " | "
         << fixed(in_ms(latency.at(0.5)), 1) << " | " << fixed(in_ms(latency.at(0.99)), 1)
         << " | " << fixed(in_ms(latency.at(0.999)), 1) << " | " << error_count(at) << " |\n";
  }
}

/// For what is not driven over connections, and has no latency.
void write_rates(std::ostream& text, const bench_result& result, std::string_view unit) {
  const auto& all = best_of(result);
  text << "| " << unit << "/s | baseline | ratio | ceiling | share |\n"
       << "|---:|---:|---:|---:|---:|\n| " << spread_text(rates_of(all), 0) << " | "
       << spread_text(baselines_of(all), 0) << " | " << spread_text(ratios_of(all), 2) << " | "
       << spread_text(ceilings_of(all), 0) << " | " << spread_text(shares_of(all), 2) << " |\n";
}

/// What not every mode has, of each point that has any.
void write_figures(std::ostream& text, const bench_result& result, std::string_view mode) {
  for (const auto& at : result.points) {
    const auto figures = figures_json(at);
    if (figures.empty())
      continue;
    text << "\n| " << mode;
    if (at.offered)
      text << ", " << offered_text(at) << " a second offered";
    if (has_several_settings(result))
      text << ", " << to_text(at.as);
    text << " | min / **median** / max |\n|---|---:|\n";
    for (const auto& [name, values] : figures)
      text << "| " << std::string_view{name} << " | "
           << fixed(values.at("min").to_number<double>(), 2) << " / **"
           << fixed(values.at("median").to_number<double>(), 2) << "** / "
           << fixed(values.at("max").to_number<double>(), 2) << " |\n";
  }
}

void write_costs(std::ostream& text, const bench_result& result, std::string_view unit) {
  const auto costs = costs_json(best_of(result));
  if (costs.empty())
    return;
  text << "\n| process | CPU µs for one of the " << unit
       << " | memory MiB |\n|---|---:|---:|\n";
  for (const auto& [name, cost] : costs) {
    const auto bytes = cost.at("memory_bytes_max").to_number<double>();
    text << "| " << std::string_view{name} << " | "
         << fixed(cost.at("cpu_us").to_number<double>(), 1) << " | "
         << fixed(bytes / (1024.0 * 1024.0), 0) << " |\n";
  }
}

} // namespace

machine_facts this_machine() {
  machine_facts facts;
  facts.cores = std::thread::hardware_concurrency();
  utsname kernel{};
  if (::uname(&kernel) == 0)
    facts.kernel = std::string{kernel.sysname} + ' ' + kernel.release;
  std::ifstream processors{"/proc/cpuinfo"};
  for (std::string line; facts.processor.empty() && std::getline(processors, line);)
    if (line.starts_with("model name"))
      facts.processor = line.substr(std::min(line.find(": ") + 2, line.size()));
  facts.memory_bytes = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES))
                       * static_cast<std::uint64_t>(::sysconf(_SC_PAGE_SIZE));
  std::array<double, 1> load{};
  if (::getloadavg(load.data(), 1) == 1)
    facts.load_before = load[0];
  return facts;
}

spread spread_of(std::vector<double> values) {
  if (values.empty())
    return {};
  std::ranges::sort(values);
  const auto middle = values.size() / 2;
  const auto median =
    values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  return {values.front(), median, values.back()};
}

const point& best_of(const bench_result& result) {
  return *std::ranges::max_element(
    result.points, {}, [](const point& at) { return spread_of(rates_of(at)).median; });
}

std::string to_json(const bench_options& asked, const bench_result& result,
                    const machine_facts& machine) {
  const auto& facts = facts_of(asked.what);
  json::object all{{"mode", facts.name}, {"unit", facts.unit}};
  const auto best = point_json(result, best_of(result));
  for (const auto& [name, value] : best)
    all[name] = value;
  all["verified"] = result.verified();
  json::array differences;
  for (const auto* list : {&result.counted.differences, &result.complaints})
    for (const auto& line : *list)
      differences.emplace_back(line);
  all["counted"] = json::object{{"acknowledged", result.counted.acknowledged},
                                {"database", result.counted.database},
                                {"sandbox", result.counted.sandbox},
                                {"differences", std::move(differences)}};
  all["seconds"] = static_cast<double>(asked.length.count()) / 1'000;
  all["warm_up_seconds"] = static_cast<double>(asked.warm_up.count()) / 1'000;
  all["turns"] = asked.runs;
  all["population"] = asked.population;
  all["began"] = to_rfc3339(result.began);
  all["version"] = version();
  all["commit"] = commit();
  all["machine"] = json::object{{"cores", machine.cores},
                                {"processor", machine.processor},
                                {"kernel", machine.kernel},
                                {"memory_bytes", machine.memory_bytes},
                                {"load_before", rounded(machine.load_before)}};
  json::array points;
  for (const auto& at : result.points)
    points.push_back(point_json(result, at));
  all["points"] = std::move(points);
  return json::serialize(all);
}

std::string to_markdown(const bench_options& asked, const bench_result& result,
                        const machine_facts& machine) {
  const auto& facts = facts_of(asked.what);
  std::ostringstream text;
  text << "## " << facts.name << "\n\n"
       << facts.meaning << ". " << asked.runs << " turns"
       << (facts.is_load
             ? " of " + fixed(static_cast<double>(asked.length.count()) / 1'000, 0) + " s"
             : "")
       << ", min / **median** / max; " << machine.cores << " cores, load "
       << fixed(machine.load_before, 1) << " before; " << to_rfc3339(result.began)
       << ", commit " << commit() << ".\n\n";
  if (facts.is_load)
    write_points(text, result, facts.unit);
  else
    write_rates(text, result, facts.unit);
  write_costs(text, result, facts.unit);
  write_figures(text, result, facts.name);
  const auto& counted = result.counted;
  text << '\n'
       << (result.verified() ? "Verified" : "**Void**") << ": " << counted.acknowledged
       << " acknowledged, " << counted.database << " in the database, " << counted.sandbox
       << " in the sandbox's records.\n";
  for (const auto* list : {&counted.differences, &result.complaints})
    for (const auto& line : *list)
      text << "* " << line << '\n';
  return text.str();
}

std::vector<plot_file> plots_of(const bench_options& asked, const bench_result& result) {
  const auto& facts = facts_of(asked.what);
  curve p50{"p50", {}}, p99{"p99", {}}, p999{"p99.9", {}}, rate{std::string{facts.unit}, {}};
  for (const auto& at : result.points) {
    if (at.as != result.points.front().as)
      continue;
    const auto latency = latency_of(at);
    if (at.offered) {
      const auto offered = spread_of(offers_of(at)).median;
      p50.dots.push_back({offered, in_ms(latency.at(0.5))});
      p99.dots.push_back({offered, in_ms(latency.at(0.99))});
      p999.dots.push_back({offered, in_ms(latency.at(0.999))});
    } else {
      rate.dots.push_back(
        {static_cast<double>(at.connections), spread_of(rates_of(at)).median});
    }
  }
  std::vector<plot_file> files;
  const std::string name{facts.name};
  if (p50.dots.size() > 1)
    files.push_back({"latency.svg", to_svg({name + ": latency over the offered rate",
                                            "offered a second",
                                            "ms",
                                            {p50, p99, p999}})});
  if (rate.dots.size() > 1)
    files.push_back({"throughput.svg", to_svg({name + ": throughput over connections",
                                               "connections",
                                               rate.name + " a second",
                                               {rate}})});
  return files;
}

} // namespace holdfast::bench
