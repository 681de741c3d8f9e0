// `holdfast bench`: starts what it measures, drives it, and counts at the end.
#include "runtime/bench/bench.hpp"

#include "messages/limits.hpp"
#include "runtime/bench/report.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/cli/descriptors.hpp"
#include "runtime/cli/signals.hpp"
#include "runtime/console/terminal.hpp"
#include "runtime/embedded/folder.hpp"
#include "runtime/log/log.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>

namespace holdfast::cli {

namespace fs = std::filesystem;

namespace {

constexpr double seconds_max = 3'600;

struct bench_flags {
  std::string mode = "authorize";
  std::vector<std::size_t> connections{64};
  std::vector<std::string> rates;
  double seconds = 10;
  double warm_up = 2;
  std::size_t runs = 5;
  std::vector<std::size_t> merchants{100};
  std::vector<double> skews{0};
  std::vector<std::uint16_t> stripes{1};
  std::vector<std::uint64_t> stored{0};
  std::size_t peak_connections = limits::bench_peak_connections;
  std::uint64_t population = 0;
  bool alone = false;
  std::string data;
  std::string results = "bench/results";
  bool as_json = false;
};

milliseconds to_ms(double seconds) {
  return milliseconds{std::llround(seconds * 1'000)};
}

/// All combinations, in the order in which they were given; the first is what the others are
/// compared with.
std::vector<bench::setting> settings_of(const bench_flags& flags) {
  std::vector<bench::setting> settings;
  for (const auto stored : flags.stored)
    for (const auto merchants : flags.merchants)
      for (const auto stripes : flags.stripes)
        for (const auto skew : flags.skews)
          settings.push_back({merchants, skew, stripes, stored});
  return settings;
}

expected<bench::bench_options> to_options(const bench_flags& flags, signals& heard) {
  bench::bench_options options;
  const auto& modes = bench::all_modes();
  const auto found = std::ranges::find(modes, flags.mode, &bench::mode_facts::name);
  if (found == modes.end())
    return make_error(errc::invalid_argument, "--mode: there is no " + flags.mode);
  options.what = found->which;
  if (!found->is_load && !flags.rates.empty())
    return make_error(errc::invalid_argument,
                      "--rate: " + flags.mode + " is not driven at a rate; leave it out");
  options.connections = flags.connections;
  for (const auto& text : flags.rates) {
    const auto offered = bench::parse_offer(text);
    if (!offered)
      return make_error(errc::invalid_argument, "--rate: " + offered.error().detail);
    options.offers.push_back(*offered);
  }
  options.settings = settings_of(flags);
  if (options.settings.size() > limits::bench_installations_max)
    return make_error(
      errc::invalid_argument,
      "--merchants, --stripes, --stored, --skew: " + std::to_string(options.settings.size())
        + " combinations, of which each is an installation; "
        + std::to_string(limits::bench_installations_max) + " at most");
  options.peak_connections = flags.peak_connections;
  options.length = to_ms(flags.seconds);
  options.warm_up = to_ms(flags.warm_up);
  options.runs = flags.runs;
  options.population = flags.population > 0 ? flags.population : found->population;
  options.has_comparisons = !flags.alone && options.what != bench::mode::baseline
                            && options.what != bench::mode::ceiling;
  options.pause = [&heard](milliseconds limit) { return heard.wait(limit); };
  options.tell = [out = console::terminal::of(2)](const std::string& text) {
    std::fprintf(stderr, "%s\n", out.dim(text).c_str());
  };
  return options;
}

/// FOLDER/MODE-TIME.{json,md} and the plots. Errors: unavailable.
expected<std::string> write_results(const bench_flags& flags, const bench::bench_options& asked,
                                    const bench::bench_result& result,
                                    const bench::machine_facts& machine) {
  std::error_code failure;
  fs::create_directories(flags.results, failure);
  // "2026-11-23T08:27:56…" without what a file's name had better not have.
  auto time = to_rfc3339(result.began).substr(0, 19);
  std::erase(time, ':');
  const auto stem = (fs::path{flags.results} / (flags.mode + '-' + time)).string();
  auto files = bench::plots_of(asked, result);
  for (auto& file : files)
    file.name = stem + '-' + file.name;
  files.push_back({stem + ".json", bench::to_json(asked, result, machine) + '\n'});
  files.push_back({stem + ".md", bench::to_markdown(asked, result, machine)});
  for (const auto& file : files) {
    std::ofstream out{file.name};
    out << file.content;
    if (!out.flush())
      return make_error(errc::unavailable, file.name + ": can't be written");
  }
  return stem + ".{json,md}";
}

int show(const bench_flags& flags, const bench::bench_options& asked,
         const bench::bench_result& result, const bench::machine_facts& machine) {
  const auto text = flags.as_json ? bench::to_json(asked, result, machine) + '\n'
                                  : bench::to_markdown(asked, result, machine);
  std::fputs(text.c_str(), stdout);
  // Where both go to one file, what follows on stderr must not come amid a long result.
  std::fflush(stdout);
  const auto written = write_results(flags, asked, result, machine);
  if (!written)
    return report(written.error());
  std::fprintf(stderr, "The results are in %s\n", written->c_str());
  return result.verified() ? exit_done : exit_failed;
}

int run_bench(const bench_flags& flags) {
  const auto machine = bench::this_machine();
  signals heard;
  auto options = to_options(flags, heard);
  if (!options)
    return report(options.error());
  raise_descriptor_limit();
  // What storage tells of its leases for the ceiling is nobody's concern; trouble is.
  if (auto ready = log::set_up({"warn", "text", "", ""}); !ready)
    return report(ready.error());
  auto folder = embedded::make_throwaway_folder("bench", flags.data);
  if (!folder)
    return report(folder.error());
  options->data = *folder;
  const auto result = bench::run_bench(*options);
  if (!result || !result->verified()) {
    std::fprintf(stderr, "holdfast: logs and data are in %s\n", folder->c_str());
    return result ? show(flags, *options, *result, machine) : report(result.error());
  }
  std::error_code ignored;
  fs::remove_all(*folder, ignored);
  return show(flags, *options, *result, machine);
}

std::string mode_list() {
  std::string text = "Modes:\n";
  for (const auto& facts : bench::all_modes()) {
    std::string name{facts.name};
    name.resize(19, ' ');
    text += "  " + name + std::string{facts.meaning} + '\n';
  }
  return text;
}

std::vector<std::string> mode_names() {
  std::vector<std::string> names;
  for (const auto& facts : bench::all_modes())
    names.emplace_back(facts.name);
  return names;
}

void add_load_flags(CLI::App& command, bench_flags& flags) {
  command
    .add_option("--connections", flags.connections,
                "Of the load generator; several make a point of the result each")
    ->delimiter(',')
    ->check(CLI::Range(std::size_t{1}, limits::bench_connections_max))
    ->capture_default_str();
  command
    .add_option(
      "--rate", flags.rates,
      "Open loop: so many a second whatever comes back, and late ones count from when "
      "they were due; 70% is a share of what a closed loop reaches right before. Without, "
      "each connection sends as soon as it has its answer")
    ->delimiter(',')
    ->type_name("RATE");
  command
    .add_option("--peak-connections", flags.peak_connections,
                "Of the closed loop that the peak is measured with, for such shares")
    ->check(CLI::Range(std::size_t{1}, limits::bench_connections_max))
    ->capture_default_str();
}

/// Several values of these are compared: each combination is an installation, all take turns.
void add_setting_flags(CLI::App& command, bench_flags& flags) {
  command.add_option("--merchants", flags.merchants, "How many share the requests")
    ->delimiter(',')
    ->check(CLI::Range(std::size_t{1}, limits::bench_merchants_max))
    ->capture_default_str();
  command.add_option("--skew", flags.skews, "Zipf's exponent of their shares; 0 is uniform")
    ->delimiter(',')
    ->check(CLI::Range(0.0, 10.0))
    ->capture_default_str();
  command.add_option("--stripes", flags.stripes, "Shards that each of them is spread over")
    ->delimiter(',')
    ->check(CLI::Range(std::uint16_t{1}, limits::stripes_max))
    ->capture_default_str();
  command
    .add_option("--stored", flags.stored,
                "Payments that the journal writer lays down before the node starts")
    ->delimiter(',')
    ->check(CLI::Range(std::uint64_t{0}, limits::bench_stored_max))
    ->capture_default_str();
}

} // namespace

void add_bench(CLI::App& app, action& chosen) {
  auto* command =
    app.add_subcommand("bench", "Measure a private installation, next to what bounds it");
  auto flags = std::make_shared<bench_flags>();
  command->add_option("--mode", flags->mode, "What is measured, see below")
    ->type_name("MODE")
    ->check(CLI::IsMember(mode_names()))
    ->capture_default_str();
  command->add_option("--seconds", flags->seconds, "Of each measurement")
    ->check(CLI::Range(0.1, seconds_max))
    ->capture_default_str();
  command->add_option("--warm-up", flags->warm_up, "Seconds before it that are not counted")
    ->check(CLI::Range(0.0, seconds_max))
    ->capture_default_str();
  command->add_option("--runs", flags->runs, "Turns of baseline, mode and ceiling")
    ->check(CLI::Range(std::size_t{1}, std::size_t{1'000}))
    ->capture_default_str();
  add_load_flags(*command, *flags);
  add_setting_flags(*command, *flags);
  command
    ->add_option("--population", flags->population,
                 "Payments that are made first (replay, reads, settle, recovery, pending), or "
                 "actors (spawn); 0: the mode's own")
    ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{limits::bench_population_max}))
    ->capture_default_str();
  command->add_flag("--alone", flags->alone, "Neither baseline nor ceiling");
  command
    ->add_option("--data", flags->data,
                 "Where the run's folder is made, which is removed at the end; without, where "
                 "temporary files go")
    ->type_name("DIR")
    ->check(CLI::ExistingDirectory);
  command->add_option("--results", flags->results, "Takes the result as JSON, table and plots")
    ->type_name("DIR")
    ->capture_default_str();
  command->add_flag("--json", flags->as_json, "The result as JSON on stdout, too");
  command->footer(mode_list()
                  + "\nSeveral values of --merchants, --skew, --stripes or --stored are compared: "
                    "each has an\ninstallation of its own, they take turns, and rates are also "
                    "shown relative to the first.\n"
                    "\nExits 0 only if what was acknowledged is in the database and in the "
                    "sandbox's\nrecords, once. More in docs/performance.md.\n\n"
                    "Examples:\n"
                    "  holdfast bench --mode authorize --connections 64,256,1000\n"
                    "  holdfast bench --mode authorize --rate 2000,4000,8000 --connections 2000\n"
                    "  holdfast bench --rate 70%,200% --connections 4000 --alone\n"
                    "  holdfast bench --merchants 1000 --skew 0,2 --alone\n"
                    "  holdfast bench --stored 50000,5000000 --alone\n"
                    "  holdfast bench --mode settle --population 100000 --runs 1 --json");
  command->callback([flags, &chosen] { chosen = [flags] { return run_bench(*flags); }; });
}

} // namespace holdfast::cli
