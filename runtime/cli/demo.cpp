// `holdfast demo`: a private installation, a sandbox day in it, and its statement.
#include "runtime/cli/commands.hpp"
#include "runtime/cli/private_flags.hpp"
#include "runtime/cli/signals.hpp"
#include "runtime/console/terminal.hpp"
#include "runtime/demo/day.hpp"
#include "runtime/demo/statement.hpp"
#include "runtime/embedded/folder.hpp"

#include <CLI/CLI.hpp>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <thread>

namespace holdfast::cli {

namespace {

constexpr milliseconds look_again{100};

struct demo_flags {
  private_flags where;
  std::size_t payments = 2'000;
  std::uint64_t seed = 1;
  std::size_t connections = 128;
  bool as_json = false;
};

using day_outcome = std::optional<expected<demo::day_result>>;

/// Runs the day on a thread of its own while this one looks after the processes.
expected<demo::day_result> run_watched(embedded::installation& running,
                                       const demo::day_options& options, signals& heard) {
  day_outcome outcome;
  std::atomic<bool> done = false;
  std::optional<error> broken;
  {
    std::jthread worker{[&](std::stop_token stop) {
      outcome = demo::run_day(options, std::move(stop));
      done = true;
    }};
    while (!done) {
      const bool stopped = heard.wait(look_again);
      const auto well = running.check();
      if (stopped || !well) {
        broken = stopped ? make_error(errc::unavailable, "interrupted") : well.error();
        // The day's calls end with the processes that they wait for.
        worker.request_stop();
        running.stop();
        break;
      }
    }
  }
  return broken ? *broken : std::move(*outcome);
}

int run_demo(demo_flags flags) {
  const bool throw_away = flags.where.data.empty();
  if (throw_away) {
    auto folder = embedded::make_throwaway_folder("demo");
    if (!folder)
      return report(folder.error());
    flags.where.data = *folder;
  }
  signals heard;
  auto running = embedded::installation::start(to_options(flags.where, heard));
  if (!running)
    return report(running.error());
  const auto& where = (*running)->where();
  demo::day_options options{
    {},         where.nodes.front().admin, where.sandbox, flags.payments,
    flags.seed, flags.connections};
  for (const auto& node : where.nodes)
    options.http_urls.push_back(node.http);
  const auto day = run_watched(**running, options, heard);
  const auto data = (*running)->data();
  running->reset();
  if (!day) {
    std::fprintf(stderr, "holdfast: logs and data are in %s\n", data.c_str());
    return report(day.error());
  }
  const auto text = flags.as_json ? demo::statement_json(*day) + '\n'
                                  : demo::statement_text(*day, console::terminal::of(1));
  std::fputs(text.c_str(), stdout);
  if (throw_away && day->holds()) {
    std::error_code ignored;
    std::filesystem::remove_all(data, ignored);
  } else {
    std::fprintf(stderr, "The data are in %s; look into them with: holdfast dev --data %s\n",
                 data.c_str(), data.c_str());
  }
  return day->holds() ? exit_done : exit_failed;
}

} // namespace

void add_demo(CLI::App& app, action& chosen) {
  auto* command = app.add_subcommand(
    "demo", "A sandbox day: payments, cut-off, settlement, reconciliation, and the statement");
  auto flags = std::make_shared<demo_flags>();
  auto& where = flags->where;
  where.http = where.admin = where.sandbox = where.cluster = "127.0.0.1:0";
  command->add_option("--payments", flags->payments, "How many")
    ->check(CLI::Range(std::size_t{1}, std::size_t{1'000'000}))
    ->capture_default_str();
  command->add_option("--seed", flags->seed, "Another seed makes another day")
    ->capture_default_str();
  command->add_option("--connections", flags->connections, "Payments under way at once")
    ->check(CLI::Range(std::size_t{1}, std::size_t{2'048}))
    ->capture_default_str();
  command
    ->add_option("--data", flags->where.data,
                 "Where everything is kept; without, a fresh folder that is removed at the end")
    ->type_name("DIR");
  add_private_flags(*command, flags->where);
  command->add_flag("--json", flags->as_json, "The statement as JSON");
  command->footer(
    "Exits 0 only if all of it holds: the ledger balances, every gateway's record agrees with\n"
    "it, and nothing that a client was told has been lost.\n\n"
    "Examples:\n"
    "  holdfast demo\n"
    "  holdfast demo --nodes 3\n"
    "  holdfast demo --payments 20000 --seed 7 --json | jq .comparison");
  command->callback([flags, &chosen] { chosen = [flags] { return run_demo(*flags); }; });
}

} // namespace holdfast::cli
