#include "runtime/embedded/installation.hpp"

#include "messages/limits.hpp"
#include "runtime/client/json_client.hpp"
#include "runtime/client/json_members.hpp"
#include "runtime/config/config.hpp"
#include "runtime/config/values.hpp"
#include "runtime/embedded/certificate_files.hpp"
#include "runtime/embedded/ports.hpp"
#include "storage/database.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <csignal>

#include <unistd.h>

namespace holdfast::embedded {

namespace fs = std::filesystem;
namespace json = boost::json;
using client::string_at;
using steady = std::chrono::steady_clock;

namespace {

constexpr milliseconds stop_limit{limits::child_stop_ms_max};
constexpr milliseconds look_again{10};
constexpr std::size_t log_lines_shown = 10;
/// From one node's ports to the next one's.
constexpr unsigned ports_apart = 100;
/// Certificates of the private authority that end sooner are made anew.
constexpr int certificate_days_left = 30;

std::string id_of(std::size_t node) {
  return "node-" + std::to_string(node + 1);
}

/// What a child of ours writes once it listens; nothing before.
std::optional<json::object> read_json(const fs::path& path) {
  const auto content = read_file(path);
  if (!content)
    return std::nullopt;
  boost::system::error_code bad;
  auto document = json::parse(*content, bad);
  if (bad || !document.is_object())
    return std::nullopt;
  return std::move(document.as_object());
}

/// From what the node before has. Those of the first are as they were asked for: if one is
/// taken, it says so itself.
expected<std::string> choose_port(port_finder& ports, const std::string& before,
                                  std::size_t node) {
  const auto wanted = node == 0 ? before : raised(before, ports_apart);
  if (config::parse_address(wanted)->port == 0)
    return wanted;
  auto found = ports.find(wanted);
  return node == 0 ? wanted : found;
}

} // namespace

installation::installation(installation_options options, data_folder folder, watchdog guard)
  : options_(std::move(options)),
    folder_(std::move(folder)),
    guard_(std::move(guard)) {}

installation::~installation() {
  stop();
}

expected<std::unique_ptr<installation>> installation::start(installation_options options) {
  auto folder = data_folder::open(options.data);
  if (!folder)
    return folder.error();
  // After the lock, which the watchdog is to inherit.
  auto guard = watchdog::start();
  if (!guard)
    return guard.error();
  std::unique_ptr<installation> made{
    new installation{std::move(options), std::move(*folder), std::move(*guard)}};
  for (const auto step :
       {&installation::prepare, &installation::start_database, &installation::start_sandbox,
        &installation::make_nodes, &installation::start_nodes, &installation::await_nodes,
        &installation::ensure_merchant, &installation::write_dev_json}) {
    if (auto done = (made.get()->*step)(); !done)
      return done.error();
  }
  return made;
}

service_processes installation::services() const noexcept {
  return {database_ ? database_->process().pid() : 0, sandbox_ ? sandbox_->pid() : 0};
}

void installation::tell(const std::string& text) const {
  if (options_.tell)
    options_.tell(text);
}

expected<void> installation::prepare() {
  // An old one would tell whoever waits for it of processes that are gone.
  std::error_code ignored;
  fs::remove(folder_.path() / "dev.json", ignored);
  auto logs = folder_.folder("logs");
  if (!logs)
    return logs.error();
  auto run = folder_.folder("run");
  if (!run)
    return run.error();
  auto pepper = read_or_make_secret(folder_.path() / "pepper");
  if (!pepper)
    return pepper.error();
  auto webhook_secret = read_or_make_secret(folder_.path() / "webhook_secret");
  if (!webhook_secret)
    return webhook_secret.error();
  logs_ = std::move(*logs);
  run_ = std::move(*run);
  pepper_ = std::move(*pepper);
  where_.webhook_secret = std::move(*webhook_secret);
  return {};
}

expected<void> installation::start_database() {
  tell("starting PostgreSQL");
  postgres_options options;
  options.data = folder_.path();
  options.log_file = logs_ / "postgres.log";
  options.tell = options_.tell;
  options.interrupted = options_.interrupted;
  auto started = postgres::start(options);
  if (!started)
    return started.error();
  database_ = std::move(*started);
  guard_.guard(database_->process().pid(), postgres::abandon_signal);
  where_.database = database_->url();
  tell("migrating the database");
  const config::node_config defaults;
  const shard_range all{{0}, {static_cast<std::uint16_t>(defaults.shards - 1)}};
  const auto migrated =
    storage::migrate(where_.database, {defaults.cluster_name, defaults.shards, all});
  if (!migrated)
    return migrated.error();
  return options_.prepare ? options_.prepare(where_.database) : expected<void>{};
}

expected<child> installation::start_program(std::vector<std::string> arguments,
                                            const fs::path& log) {
  child_options options;
  // This very program, even when its file has been replaced meanwhile.
  options.program = "/proc/self/exe";
  options.arguments = {"holdfast"};
  options.arguments.insert(options.arguments.end(), arguments.begin(), arguments.end());
  options.environment = {{std::string{pepper_variable}, pepper_},
                         {std::string{webhook_variable}, where_.webhook_secret}};
  options.log_file = log;
  auto started = child::start(options);
  if (started)
    guard_.guard(started->pid(), SIGKILL);
  return started;
}

expected<void> installation::await(child& process, const fs::path& log,
                                   const std::function<bool()>& ready) {
  const auto deadline = steady::now() + milliseconds{limits::child_ready_ms_max};
  while (!ready()) {
    if (process.wait(look_again))
      return make_error(errc::unavailable, log.stem().string() + " ended with "
                                             + process.ending() + "\n"
                                             + last_lines(log, log_lines_shown));
    if (options_.interrupted && options_.interrupted())
      return make_error(errc::unavailable, "interrupted");
    if (steady::now() > deadline)
      return make_error(errc::unavailable,
                        log.stem().string() + " did not become ready; see " + log.string());
  }
  return {};
}

expected<void> installation::start_sandbox() {
  tell("starting the sandbox");
  const auto state = folder_.folder("sandbox");
  if (!state)
    return state.error();
  const auto ready = run_ / "sandbox.json";
  const auto log = logs_ / "sandbox.log";
  std::error_code ignored;
  fs::remove(ready, ignored);
  auto started = start_program(
    {"sandbox", "--http", options_.sandbox, "--state", *state, "--ready-file", ready}, log);
  if (!started)
    return started.error();
  sandbox_ = std::move(*started);
  return await(*sandbox_, log, [&] {
    const auto document = read_json(ready);
    where_.sandbox = document ? string_at(*document, "http") : std::string{};
    return !where_.sandbox.empty();
  });
}

expected<std::vector<private_links>> installation::make_links(port_finder& ports) const {
  const auto folder = folder_.path() / "certs";
  std::vector<private_links> links;
  for (std::size_t node = 0; node < options_.nodes; ++node) {
    const auto by = static_cast<unsigned>(node) * ports_apart;
    auto listen = ports.find(raised(options_.cluster, by));
    if (!listen)
      return listen.error();
    const auto host = std::string{config::parse_address(*listen)->host};
    const auto files = keep_issued(folder, id_of(node), {host}, certificate_days_left);
    if (!files)
      return files.error();
    links.push_back({std::move(*listen), {}, {files->certificate, files->key, files->ca}});
  }
  for (auto& one : links)
    for (const auto& other : links)
      if (&one != &other)
        one.seeds.push_back(other.listen);
  return links;
}

expected<void> installation::make_nodes() {
  const bool several = options_.nodes > 1;
  port_finder ports;
  const auto links = several ? make_links(ports) : std::vector<private_links>{};
  if (!links)
    return links.error();
  private_addresses addresses{options_.http, options_.admin, where_.sandbox, where_.database};
  for (std::size_t node = 0; node < options_.nodes; ++node) {
    for (auto* address : {&addresses.http, &addresses.admin}) {
      const auto found = choose_port(ports, *address, node);
      if (!found)
        return found.error();
      *address = *found;
    }
    const auto id = id_of(node);
    const auto path = folder_.path() / (id + ".toml");
    node_files files{path, head_of(path), run_ / (id + ".json"), logs_ / (id + ".log")};
    auto settings =
      several ? private_config(addresses, id, (*links)[node]) : private_config(addresses);
    if (options_.adjust)
      options_.adjust(settings);
    nodes_.emplace_back(std::move(settings), std::move(files),
                        [this](auto arguments, const auto& log) {
                          return start_program(std::move(arguments), log);
                        });
  }
  return {};
}

std::string installation::head_of(const fs::path& config) const {
  const auto in_folder = [&](const char* name) { return (folder_.path() / name).string(); };
  return "# Written by holdfast dev at each start; changes are lost.\n"
         "# To run this node by hand: "
         + std::string{pepper_variable} + "=$(cat " + in_folder("pepper") + ") "
         + std::string{webhook_variable} + "=$(cat " + in_folder("webhook_secret")
         + ") holdfast node --config " + config.string() + "\n\n";
}

expected<void> installation::start_nodes() {
  tell(nodes_.size() == 1 ? "starting the node"
                          : "starting " + std::to_string(nodes_.size()) + " nodes");
  for (auto& node : nodes_)
    if (auto started = node.start(); !started)
      return started;
  return {};
}

expected<void> installation::await_nodes() {
  for (auto& node : nodes_) {
    auto ready = await(node.process(), node.log(), [&] { return node.is_ready(); });
    if (!ready)
      return ready;
  }
  gather_places();
  return {};
}

void installation::gather_places() {
  where_.nodes.clear();
  for (const auto& node : nodes_)
    where_.nodes.push_back(node.place());
}

expected<void> installation::ensure_merchant() {
  const auto path = folder_.path() / "credentials.json";
  if (const auto known = read_json(path)) {
    where_.merchant = string_at(*known, "merchant");
    where_.api_key = string_at(*known, "api_key");
    return {};
  }
  tell("creating the dev merchant");
  const client::json_client admin{where_.nodes.front().admin};
  const auto made =
    admin.post("/admin/v1/merchants", json::object{{"name", "Dev"}, {"currency", "EUR"}});
  if (!made || !made->is_object())
    return make_error(
      errc::unavailable,
      "creating the dev merchant: " + (made ? std::string{"no object"} : made.error().detail));
  where_.merchant = string_at(made->as_object(), "id");
  where_.api_key = string_at(made->as_object(), "api_key");
  return write_private_file(path, json::serialize(json::object{{"merchant", where_.merchant},
                                                               {"api_key", where_.api_key}})
                                    + '\n');
}

expected<void> installation::write_dev_json() {
  json::array nodes;
  for (const auto& node : where_.nodes) {
    nodes.push_back(json::object{{"id", node.id},
                                 {"pid", node.pid},
                                 {"http", node.http},
                                 {"admin", node.admin},
                                 {"log", node.log}});
  }
  const json::object document{{"api_key", where_.api_key},
                              {"merchant", where_.merchant},
                              {"sandbox", where_.sandbox},
                              {"database", where_.database},
                              {"webhook_secret", where_.webhook_secret},
                              {"nodes", std::move(nodes)}};
  return write_private_file(folder_.path() / "dev.json", json::serialize(document) + '\n');
}

expected<void> installation::check() {
  if (!database_ || !database_->process().running())
    return make_error(errc::unavailable,
                      "PostgreSQL has died; see " + (logs_ / "postgres.log").string());
  if (!sandbox_ || !sandbox_->running())
    return make_error(errc::unavailable,
                      "the sandbox has died; see " + (logs_ / "sandbox.log").string());
  bool has_changed = false;
  for (auto& node : nodes_) {
    if (!options_.restart_node && !node.process().running())
      return make_error(errc::unavailable, node.id() + " has died (" + node.process().ending()
                                             + "); see " + node.log().string());
    const auto back = node.bring_back([this](const std::string& text) { tell(text); });
    if (!back)
      return back.error();
    has_changed = has_changed || *back;
  }
  if (!has_changed)
    return {};
  gather_places();
  return write_dev_json();
}

bool installation::restarting() const noexcept {
  return std::ranges::any_of(nodes_, &node_process::is_on_its_way);
}

void installation::stop() {
  std::error_code ignored;
  fs::remove(folder_.path() / "dev.json", ignored);
  for (auto& node : nodes_)
    if (node.was_started())
      node.process().signal(SIGTERM);
  const auto deadline = steady::now() + stop_limit;
  for (auto& node : nodes_) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady::now());
    if (node.was_started() && !node.process().wait(std::max(left, milliseconds{0})))
      node.process().stop(SIGKILL, stop_limit);
  }
  if (sandbox_)
    sandbox_->stop(SIGTERM, stop_limit);
  if (database_)
    database_->stop();
}

} // namespace holdfast::embedded
