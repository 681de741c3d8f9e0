// `holdfast dev`: a private installation, until Ctrl-C.
#include "runtime/cli/commands.hpp"
#include "runtime/cli/private_flags.hpp"
#include "runtime/cli/signals.hpp"
#include "runtime/console/terminal.hpp"
#include "runtime/version.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <memory>
#include <sstream>

namespace holdfast::cli {

namespace {

constexpr milliseconds quiet_wait{1'000};

std::string welcome(const embedded::installation& running, const console::terminal& out) {
  const auto& where = running.where();
  const auto& node = where.nodes.front();
  const auto data = running.data().string();
  std::ostringstream text;
  text << '\n'
       << out.bold("Holdfast " + std::string{version()}) << " is up: one node, a private "
       << "PostgreSQL, and the sandbox gateway and acquirer.\n\n"
       << "  API       " << node.http << '\n'
       << "  Admin     " << node.admin << '\n'
       << "  Sandbox   " << where.sandbox << '\n'
       << "  Key       " << where.api_key << '\n'
       << "  Merchant  " << where.merchant << '\n'
       << "  Database  " << where.database << '\n'
       << "  Data      " << data << '\n'
       << "  Logs      " << data << "/logs/{node-1,sandbox,postgres}.log\n\n"
       << out.bold("Try it:") << "\n\n"
       << "  curl -sS " << node.http << "/v1/payments \\\n"
       << "    -H 'Authorization: Bearer " << where.api_key << "' \\\n"
       << "    -H \"Idempotency-Key: order-$RANDOM$RANDOM\" \\\n"
       << "    -H 'Content-Type: application/json' \\\n"
       // A token, because what is printed here ends up in logs, where no card number may be.
       << R"(    -d '{"amount": 1250, "currency": "EUR", "capture": "automatic",
         "payment_method": {"token": "tok_visa"}}')"
       << "\n\n"
       << "  holdfast ctl --admin " << node.admin << " gateways list\n\n"
       << out.dim("Ctrl-C stops everything; the data stays. The same in " + data + "/dev.json.")
       << '\n';
  return text.str();
}

int run_dev(private_flags flags) {
  if (auto fine = check(flags); !fine)
    return report(fine.error());
  if (flags.data.empty())
    flags.data = embedded::default_data_folder();
  signals heard;
  auto running = embedded::installation::start(to_options(flags, heard));
  if (!running) {
    const bool stopped = heard.asked_to_stop();
    return stopped ? exit_done : report(running.error());
  }
  std::fputs(welcome(**running, console::terminal::of(1)).c_str(), stdout);
  std::fflush(stdout);

  const auto patience = [&] {
    return (*running)->restarting() ? embedded::installation::check_every : quiet_wait;
  };
  while (!heard.wait(patience())) {
    if (auto well = (*running)->check(); !well) {
      (*running)->stop();
      return report(well.error());
    }
  }
  std::fputs("\nstopping\n", stderr);
  (*running)->stop();
  return exit_done;
}

} // namespace

void add_dev(CLI::App& app, action& chosen) {
  auto* command =
    app.add_subcommand("dev", "A private PostgreSQL, the sandbox and one node, with no set-up");
  auto flags = std::make_shared<private_flags>();
  command
    ->add_option("--data", flags->data, "Where everything is kept, and found again next time")
    ->type_name("DIR")
    ->default_str(embedded::default_data_folder());
  add_private_flags(*command, *flags);
  command->add_flag("--restart-node", flags->restart_node,
                    "Start the node again when it dies, rather than stop everything");
  command->footer(
    "Stops in good order on SIGTERM or Ctrl-C, and leaves nothing running even if it is\n"
    "killed. Once it serves it writes DIR/dev.json: {api_key, merchant, sandbox, database,\n"
    "webhook_secret, nodes: [{id, pid, http, admin, log}]}.\n\n"
    "Examples:\n"
    "  holdfast dev\n"
    "  holdfast dev --data /tmp/shop --http 127.0.0.1:0 --admin 127.0.0.1:0 --sandbox "
    "127.0.0.1:0");
  command->callback([flags, &chosen] { chosen = [flags] { return run_dev(*flags); }; });
}

} // namespace holdfast::cli
