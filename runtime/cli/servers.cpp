// `holdfast node`, `holdfast init` and `holdfast sandbox`: what runs where a service manager,
// or `holdfast dev`, starts it.
#include "messages/thread_name.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/cli/descriptors.hpp"
#include "runtime/cli/signals.hpp"
#include "runtime/cluster/credentials.hpp"
#include "runtime/config/config.hpp"
#include "runtime/config/values.hpp"
#include "runtime/embedded/folder.hpp"
#include "runtime/log/log.hpp"
#include "runtime/node/node.hpp"
#include "runtime/routes/table.hpp"
#include "runtime/sandbox/sandbox.hpp"
#include "runtime/version.hpp"
#include "storage/database.hpp"

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>

#include <csignal>
#include <cstdio>
#include <memory>
#include <thread>
#include <utility>

#include <unistd.h>

namespace holdfast::cli {

namespace json = boost::json;

namespace {

constexpr milliseconds quiet_wait{60'000};

void wait_for_stop(signals& heard) {
  while (!heard.wait(quiet_wait))
    ;
}

/// Tells whoever started us where we listen; an empty path means that nobody asked.
expected<void> write_ready_file(const std::string& path, json::object places) {
  if (path.empty())
    return {};
  places["pid"] = ::getpid();
  return embedded::write_private_file(path, json::serialize(places) + '\n');
}

// -- node
// ------------------------------------------------------------------------------------------

struct node_flags {
  std::string config;
  bool only_check = false;
  bool insecure_loopback = false;
  std::string ready_file;
  std::string log_file;
};

/// What a person wants to know before the file is given to a node. Its errors were told before.
int print_check(const config::node_config& settings) {
  const routes::table table{settings.routes};
  for (const auto& doubt : table.doubts(settings.file))
    std::fprintf(stderr, "warning: %s\n", doubt.c_str());
  // The files may lie on another machine than the one where this one is looked at.
  if (settings.cluster_tls)
    if (const auto found = cluster::node_credentials::load(*settings.cluster_tls, settings.id);
        !found)
      std::fprintf(stderr, "warning: %s\n", found.error().detail.c_str());
  std::printf("%s is fine: %zu gateways, %zu acquirers, %zu routes, %zu databases\n",
              settings.file.c_str(), settings.gateways.size(), settings.acquirers.size(),
              settings.routes.size(), settings.databases.size());
  return exit_done;
}

/// Until somebody asks it to stop; reloads are logged by the node.
void serve(runtime::node& node, signals& heard) {
  while (!heard.wait(quiet_wait))
    if (heard.take_reload())
      static_cast<void>(node.reload_routes());
}

int run_node(const node_flags& flags) {
  auto settings =
    config::load(flags.config, flags.insecure_loopback ? config::loopback::insecure
                                                       : config::loopback::secured);
  if (!settings)
    return report(settings.error());
  if (flags.only_check)
    return print_check(*settings);
  if (auto ready =
        log::set_up({settings->log_level, settings->log_format, flags.log_file, settings->id});
      !ready)
    return report(ready.error());
  signals heard{hang_up::reloads};
  raise_descriptor_limit();
  log::info("node starts", {{"version", version()}, {"commit", commit()}});
  // A node that can't go on is asked to stop like any other.
  auto node = runtime::node::start(std::move(*settings), [] { ::kill(::getpid(), SIGTERM); });
  if (!node) {
    log::fail("node can't start", {{"reason", node.error().detail}});
    return report(node.error());
  }
  log::info("node serves", {{"http", (*node)->http_url()}, {"admin", (*node)->admin_url()}});
  auto told = write_ready_file(
    flags.ready_file, {{"http", (*node)->http_url()}, {"admin", (*node)->admin_url()}});
  if (!told)
    return report(told.error());
  serve(**node, heard);
  log::info("node stops");
  (*node)->stop();
  log::info("node has stopped");
  return (*node)->failure() ? exit_failed : exit_done;
}

// -- init
// ------------------------------------------------------------------------------------------

struct init_flags {
  std::string config;
  bool new_cluster_id = false;
};

/// Whichever id the database has, it gets the identity's, or a new one if that is nil.
expected<uuid> migrate_copy(const std::string& url, storage::database_identity identity) {
  const auto id = std::exchange(identity.cluster_id, {});
  if (auto migrated = storage::migrate(url, identity); !migrated)
    return migrated;
  return storage::change_cluster_id(url, id);
}

int run_init(const init_flags& flags) {
  // No port is opened here, so links without TLS, which the node may be told to use, are fine.
  const auto settings = config::load(flags.config, config::loopback::insecure);
  if (!settings)
    return report(settings.error());
  uuid id; // as the first database has it
  for (const auto& database : settings->databases) {
    // The URL may hold a password, so the range stands for the database.
    const shard_range range{{database.first_shard}, {database.last_shard}};
    const auto name = "database of shards " + text_of(range);
    const storage::database_identity identity{settings->cluster_name, settings->shards, range,
                                              id};
    const auto done = flags.new_cluster_id ? migrate_copy(database.url, identity)
                                           : storage::migrate(database.url, identity);
    if (!done)
      return report(make_error(done.error().code, name + ": " + done.error().detail));
    id = *done;
    std::printf("%s: ready\n", name.c_str());
  }
  std::printf("cluster id: %s\n", to_hex(id).c_str());
  return exit_done;
}

// -- sandbox
// ---------------------------------------------------------------------------------------

struct sandbox_flags {
  sandbox::sandbox_options options;
  std::string ready_file;
};

int serve_sandbox(const sandbox_flags& flags) {
  if (auto ready = log::set_up({"info", "json", "", "sandbox"}); !ready)
    return report(ready.error());
  signals heard;
  raise_descriptor_limit();
  boost::asio::io_context io{1};
  auto server = sandbox::sandbox_server::start(io, flags.options);
  if (!server)
    return report(server.error());
  std::thread worker{[&io] {
    name_this_thread("sandbox");
    io.run();
  }};
  json::object places;
  places["http"] = (*server)->url();
  const auto told = write_ready_file(flags.ready_file, std::move(places));
  if (told)
    wait_for_stop(heard);
  (*server)->stop();
  io.stop();
  worker.join();
  return told ? exit_done : report(told.error());
}

} // namespace

void add_node(CLI::App& app, action& chosen) {
  auto* command = app.add_subcommand("node", "Run a node as its configuration says");
  auto flags = std::make_shared<node_flags>();
  command->add_option("--config", flags->config, "The configuration (TOML)")
    ->type_name("FILE")
    ->required();
  command
    ->add_option("--ready-file", flags->ready_file,
                 "Write {pid, http, admin} there once it listens")
    ->type_name("FILE");
  command->add_option("--log-file", flags->log_file, "Log to this file instead of stderr")
    ->type_name("FILE");
  command->add_flag("--check", flags->only_check,
                    "Say what is wrong or doubtful in the configuration, and exit");
  command->add_flag("--insecure-loopback", flags->insecure_loopback,
                    "Links to other nodes without TLS, on 127.0.0.1 alone; for tests");
  command->footer(
    "The databases must have been made by `holdfast init`. SIGTERM and Ctrl-C stop it in good\n"
    "order: what was accepted is finished, and its shards are free for others at once.\n"
    "SIGHUP reads the routes and the breakers' rules anew; a mistake there changes nothing.\n"
    "Examples of a configuration are config/node.toml and, of a cluster, config/cluster/.");
  command->callback([flags, &chosen] { chosen = [flags] { return run_node(*flags); }; });
}

void add_init(CLI::App& app, action& chosen) {
  auto* command = app.add_subcommand(
    "init", "Create or migrate the databases of a configuration; fixes the shards of each");
  auto flags = std::make_shared<init_flags>();
  command->add_option("--config", flags->config, "The configuration (TOML)")
    ->type_name("FILE")
    ->required();
  command->add_flag(
    "--new-cluster-id", flags->new_cluster_id,
    "For copies of a cluster's databases: they are another cluster's from now on");
  command->footer(
    "Safe to repeat: what is up to date stays as it is. The cluster's name, its shards and the\n"
    "range of each database are fixed in it for ever; a file that says otherwise is refused.\n"
    "So is a database of another cluster: each has an id, made with its first database. A copy\n"
    "of a database has its original's. Give it a new one before its first node starts; it is\n"
    "refused while a node lives there. docs/cluster.md says what else a copy needs.");
  command->callback([flags, &chosen] { chosen = [flags] { return run_init(*flags); }; });
}

void add_sandbox(CLI::App& app, action& chosen) {
  auto* command = app.add_subcommand("sandbox", "The sandbox gateway and acquirer alone");
  auto flags = std::make_shared<sandbox_flags>();
  flags->options.state_dir = "sandbox-state";
  command
    ->add_option("--http", flags->options.listen, "Where it listens; port 0 is any free one")
    ->check(CLI::Validator{[](std::string& text) { return config::check_address(text); },
                           "HOST:PORT"})
    ->capture_default_str();
  command->add_option("--state", flags->options.state_dir, "Where it keeps its records")
    ->type_name("DIR")
    ->capture_default_str();
  command
    ->add_option("--ready-file", flags->ready_file, "Write {pid, http} there once it serves")
    ->type_name("FILE");
  command->footer(
    "Its records: GET /sandbox/records. Its faults: POST /sandbox/faults.\n"
    "Its cards and amounts: docs/sandbox.md.");
  command->callback([flags, &chosen] { chosen = [flags] { return serve_sandbox(*flags); }; });
}

} // namespace holdfast::cli
