// `holdfast sim`: whole worlds of nodes, gateways, clients and an acquirer in virtual time,
// with faults by seed and the invariants checked at every step.
#include "messages/time.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/console/terminal.hpp"
#include "runtime/simulation/report.hpp"
#include "runtime/version.hpp"

#include <CLI/CLI.hpp>

#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>

#include <unistd.h>

namespace holdfast::cli {

namespace {

struct sim_flags {
  std::string seeds = "1-100";
  std::size_t payments = 1'000;
  std::string plant;
  std::size_t jobs = 1;
  bool as_json = false;
};

bool parse_number(std::string_view text, std::uint64_t& value) {
  const auto* end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, value);
  return failure == std::errc{} && rest == end;
}

/// "A-B", or "A" for one seed alone.
expected<simulation::runner_options> to_options(const sim_flags& flags) {
  simulation::runner_options options;
  const std::string_view text = flags.seeds;
  const auto dash = text.find('-');
  const auto last = dash == std::string_view::npos ? text : text.substr(dash + 1);
  constexpr std::uint64_t seeds_max = 1'000'000'000'000;
  if (!parse_number(text.substr(0, dash), options.first_seed)
      || !parse_number(last, options.last_seed) || options.last_seed < options.first_seed
      || options.last_seed > seeds_max)
    return make_error(
      errc::invalid_argument,
      "--seeds: expected A-B with A <= B, such as 1-100, got \"" + flags.seeds + '"');
  options.payments = flags.payments;
  options.jobs = flags.jobs;
  if (flags.plant.empty())
    return options;
  const auto planted = simulation::parse_plant(flags.plant);
  if (!planted) {
    std::string names;
    for (const auto one : simulation::all_plants)
      names += (names.empty() ? "" : ", ") + std::string{to_string(one)};
    return make_error(errc::invalid_argument,
                      "--plant: expected one of " + names + ", got \"" + flags.plant + '"');
  }
  options.plant = *planted;
  return options;
}

/// An assertion of our own that fails ends the process: at least the seed must be known.
void tell_seed(int) {
  char text[80];
  const auto length =
    std::snprintf(text, sizeof text, "holdfast sim: that was seed %llu\n",
                  static_cast<unsigned long long>(simulation::seed_at_work()));
  if (length > 0 && ::write(2, text, static_cast<std::size_t>(length)) < 0)
    return;
}

/// The same run once more, this time keeping what concerns the payment.
simulation::world_outcome traced(const simulation::runner_options& options,
                                 const simulation::world_outcome& failed) {
  return simulation::world{
    {failed.seed, options.payments, options.plant, failed.violated->payment}}
    .run();
}

int run_sim(const sim_flags& flags) {
  const auto options = to_options(flags);
  if (!options)
    return report(options.error());
  std::signal(SIGABRT, tell_seed);
  simulation::report told;
  told.asked = *options;
  told.build = {version(), commit()};
  const auto began = std::chrono::steady_clock::now();
  {
    const auto seeds = options->last_seed - options->first_seed + 1;
    console::progress shown{"Seeds", seeds};
    simulation::run_seeds(*options, [&](const simulation::world_outcome& outcome) {
      told.total.add(outcome);
      shown.advance_to(told.total.seeds);
      if (told.hashes.size() < simulation::hashes_max)
        told.hashes.emplace_back(outcome.seed, outcome.hash);
      if (outcome.violated)
        told.failed = outcome;
      return !outcome.violated;
    });
  }
  told.seconds =
    std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  if (told.failed)
    told.failed = traced(*options, *told.failed);
  const auto text = flags.as_json ? to_json(told) + '\n' : to_text(told);
  std::fputs(text.c_str(), stdout);
  return told.is_good() ? exit_done : exit_failed;
}

} // namespace

void add_sim(CLI::App& app, action& chosen) {
  auto* command = app.add_subcommand(
    "sim",
    "Simulate whole worlds in virtual time, with faults by seed, and check what must hold");
  auto flags = std::make_shared<sim_flags>();
  command->add_option("--seeds", flags->seeds, "From A to B; the same seed makes the same run")
    ->type_name("A-B")
    ->capture_default_str();
  command->add_option("--payments", flags->payments, "Of each seed")
    ->check(CLI::Range(std::size_t{1}, std::size_t{100'000}))
    ->capture_default_str();
  command
    ->add_option("--plant", flags->plant,
                 "Build in a known bug (docs/simulator.md): it must be caught")
    ->type_name("NAME");
  command->add_option("--jobs", flags->jobs, "Seeds at once, each on a thread")
    ->check(CLI::Range(std::size_t{1}, std::size_t{64}))
    ->capture_default_str();
  command->add_flag("--json", flags->as_json, "The result as JSON");
  command->footer(
    "Exits 0 if every invariant holds (with --plant: if the bug is caught), else 1.\n\n"
    "Examples:\n"
    "  holdfast sim --seeds 1-10000 --jobs 2\n"
    "  holdfast sim --seeds 17-17                   replay one seed\n"
    "  holdfast sim --seeds 1-10000 --plant drop_fence");
  command->callback([flags, &chosen] { chosen = [flags] { return run_sim(*flags); }; });
}

} // namespace holdfast::cli
