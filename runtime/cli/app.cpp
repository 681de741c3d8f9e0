#include "runtime/cli/app.hpp"

#include "messages/thread_name.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/version.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>
#include <string>

namespace holdfast::cli {

namespace {

constexpr const char* description =
  "Holdfast: an actor-model concurrent payment runtime.\n\n"
  "Authorizes, captures, voids and refunds card payments over HTTP, keeps every hold in a\n"
  "double-entry ledger, and settles and reconciles it with acquirers.";

constexpr const char* footer =
  "Examples:\n"
  "  holdfast dev                                a private installation to try things with\n"
  "  holdfast dev --nodes 3                      the same with a cluster of three nodes\n"
  "  holdfast demo --payments 2000               a sandbox day, and its statement\n"
  "  holdfast init --config node.toml            create or migrate the databases\n"
  "  holdfast node --config node.toml            serve\n"
  "  holdfast certs authority --out certs        the certificates of a cluster's nodes\n"
  "  holdfast ctl payments timeline pay_…        all that is known of one payment\n"
  "  holdfast sim --seeds 1-1000                 try what must hold in simulated worlds\n"
  "  holdfast bench --mode authorize             measure it on this machine\n"
  "  holdfast COMMAND --help                     more of each\n\n"
  "Exit codes: 0 done, 1 the work failed, 2 usage or configuration.";

std::string version_text() {
  return "holdfast " + std::string{version()} + " (" + std::string{commit()} + ')';
}

void define(CLI::App& app, action& chosen) {
  app.description(description);
  app.footer(footer);
  app.set_version_flag("--version", version_text(), "Print the version and exit");
  app.get_formatter()->column_width(34);
  app.require_subcommand(1);
  add_dev(app, chosen);
  add_demo(app, chosen);
  add_node(app, chosen);
  add_init(app, chosen);
  add_certs(app, chosen);
  add_sandbox(app, chosen);
  add_ctl(app, chosen);
  add_sim(app, chosen);
  add_bench(app, chosen);
}

int parse_and_run(int argc, char** argv) {
  CLI::App app{"", "holdfast"};
  action chosen;
  define(app, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& stop) {
    // --help and --version stop the parsing too, with exit code 0.
    return app.exit(stop) == 0 ? exit_done : exit_usage;
  }
  // Children of ours run /proc/self/exe: without a name they would all be called "exe".
  name_this_thread("holdfast-" + app.get_subcommands().front()->get_name());
  return chosen ? chosen() : exit_usage;
}

} // namespace

int report(const error& failure) {
  std::fprintf(stderr, "holdfast: %s\n", failure.detail.c_str());
  return failure.code == errc::invalid_argument ? exit_usage : exit_failed;
}

int run(int argc, char** argv) {
  try {
    return parse_and_run(argc, argv);
  } catch (const std::exception& unexpected) {
    std::fprintf(stderr, "holdfast: internal error: %s\n", unexpected.what());
    return exit_failed;
  }
}

} // namespace holdfast::cli
