// `holdfast dev`: a private installation, until Ctrl-C.
#include "runtime/cli/commands.hpp"
#include "runtime/cli/ctl_commands.hpp"
#include "runtime/cli/private_flags.hpp"
#include "runtime/cli/signals.hpp"
#include "runtime/client/json_members.hpp"
#include "runtime/console/terminal.hpp"
#include "runtime/version.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <sstream>

namespace holdfast::cli {

namespace {

constexpr milliseconds quiet_wait{1'000};
constexpr milliseconds links_wait{3'000};
constexpr milliseconds look_again{50};

/// "one node" or "3 nodes"
std::string nodes_text(std::size_t nodes) {
  return nodes == 1 ? "one node" : std::to_string(nodes) + " nodes";
}

/// "{node-1,node-2,sandbox,postgres}.log"
std::string logs_text(const embedded::endpoints& where) {
  std::string names;
  for (const auto& node : where.nodes)
    names += node.id + ',';
  return '{' + names + "sandbox,postgres}.log";
}

std::string welcome(const embedded::installation& running, const console::terminal& out) {
  const auto& where = running.where();
  const auto& node = where.nodes.front();
  const auto data = running.data().string();
  std::ostringstream text;
  text << '\n'
       << out.bold("Holdfast " + std::string{version()})
       << " is up: " << nodes_text(where.nodes.size())
       << ", a private PostgreSQL, and the sandbox gateway and acquirer.\n\n"
       << "  API       " << node.http << '\n'
       << "  Admin     " << node.admin << '\n'
       << "  Sandbox   " << where.sandbox << '\n'
       << "  Key       " << where.api_key << '\n'
       << "  Merchant  " << where.merchant << '\n'
       << "  Database  " << where.database << '\n'
       << "  Data      " << data << '\n'
       << "  Logs      " << data << "/logs/" << logs_text(where) << "\n\n"
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

/// Whether the first node is linked to all the others.
bool is_linked(const client::json_client& admin) {
  const auto nodes = admin.rows("/admin/v1/nodes");
  return nodes && std::ranges::all_of(*nodes, [](const boost::json::value& row) {
           const auto* node = row.if_object();
           return node && (client::flag_at(*node, "self") || client::flag_at(*node, "link.up"));
         });
}

/// What `ctl nodes` would show. It isn't worth stopping for when it can't be had.
void print_nodes(const embedded::installation& running, const console::terminal& out,
                 signals& heard) {
  const ctl::context how{client::json_client{running.where().nodes.front().admin}, false, out};
  // The links come up a moment after the ports.
  const auto deadline = std::chrono::steady_clock::now() + links_wait;
  while (!is_linked(how.admin) && std::chrono::steady_clock::now() < deadline
         && !heard.wait(look_again)) {}
  std::fputs((out.bold("Any node takes any request:") + "\n\n").c_str(), stdout);
  if (const auto shown = ctl::list_nodes(how); !shown)
    std::fprintf(stderr, "%s\n", shown.error().detail.c_str());
  std::fputs("\n", stdout);
}

int run_dev(private_flags flags) {
  if (flags.data.empty())
    flags.data = embedded::default_data_folder();
  signals heard;
  auto running = embedded::installation::start(to_options(flags, heard));
  if (!running) {
    const bool stopped = heard.asked_to_stop();
    return stopped ? exit_done : report(running.error());
  }
  const auto out = console::terminal::of(1);
  std::fputs(welcome(**running, out).c_str(), stdout);
  if (flags.nodes > 1)
    print_nodes(**running, out, heard);
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
    app.add_subcommand("dev", "A private PostgreSQL, the sandbox and a node, with no set-up");
  auto flags = std::make_shared<private_flags>();
  command
    ->add_option("--data", flags->data, "Where everything is kept, and found again next time")
    ->type_name("DIR")
    ->default_str(embedded::default_data_folder());
  add_private_flags(*command, *flags);
  command->add_flag("--restart-node", flags->restart_node,
                    "Start a node again when it dies, rather than stop everything");
  command->footer(
    "Stops in good order on SIGTERM or Ctrl-C, and leaves nothing running even if it is\n"
    "killed. Once it serves it writes DIR/dev.json: {api_key, merchant, sandbox, database,\n"
    "webhook_secret, nodes: [{id, pid, http, admin, log}]}.\n\n"
    "The ports of node-2 are those of node-1 and a hundred, those of node-3 two hundred more,\n"
    "and so on; of port 0, any free ones.\n\n"
    "Examples:\n"
    "  holdfast dev\n"
    "  holdfast dev --nodes 3\n"
    "  holdfast dev --data /tmp/shop --http 127.0.0.1:0 --admin 127.0.0.1:0 --sandbox "
    "127.0.0.1:0");
  command->callback([flags, &chosen] { chosen = [flags] { return run_dev(*flags); }; });
}

} // namespace holdfast::cli
