#include "runtime/embedded/installation.hpp"

#include "messages/limits.hpp"
#include "runtime/client/json_client.hpp"
#include "runtime/client/json_members.hpp"
#include "runtime/config/config.hpp"
#include "runtime/embedded/private_config.hpp"
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
constexpr milliseconds backoff_first{50};
constexpr milliseconds backoff_max{5'000};
constexpr std::size_t log_lines_shown = 10;

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

/// "http://127.0.0.1:8080" → "127.0.0.1:8080"
std::string address_of(const std::string& url) {
  const auto begin = url.find("://");
  return begin == std::string::npos ? url : url.substr(begin + 3);
}

} // namespace

installation::installation(installation_options options, data_folder folder, watchdog guard)
  : options_(std::move(options)),
    folder_(std::move(folder)),
    guard_(std::move(guard)),
    http_listen_(options_.http),
    admin_listen_(options_.admin) {}

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
        &installation::start_node, &installation::await_node, &installation::ensure_merchant,
        &installation::write_dev_json}) {
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
  return storage::migrate(where_.database, config::node_config{}.shards);
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

expected<void> installation::write_node_config() {
  auto settings =
    private_config({http_listen_, admin_listen_, where_.sandbox, where_.database});
  if (options_.adjust)
    options_.adjust(settings);
  const auto content = config::to_toml(settings);
  const auto path = folder_.path() / "node.toml";
  return write_private_file(
    path,
    "# Written by holdfast dev at each start; changes are lost.\n"
    "# To run this node by hand: "
      + std::string{pepper_variable} + "=$(cat " + (folder_.path() / "pepper").string() + ") "
      + std::string{webhook_variable} + "=$(cat " + (folder_.path() / "webhook_secret").string()
      + ") holdfast node --config " + path.string() + "\n\n" + content);
}

expected<void> installation::start_node() {
  if (!restart_)
    tell("starting the node");
  if (auto written = write_node_config(); !written)
    return written;
  const auto ready = run_ / (std::string{private_node_id} + ".json");
  std::error_code ignored;
  fs::remove(ready, ignored);
  auto started =
    start_program({"node", "--config", folder_.path() / "node.toml", "--ready-file", ready},
                  logs_ / (std::string{private_node_id} + ".log"));
  if (!started)
    return started.error();
  node_ = std::move(*started);
  return {};
}

std::optional<node_place> installation::node_is_listening() const {
  const auto document = read_json(run_ / (std::string{private_node_id} + ".json"));
  if (!document || !node_)
    return std::nullopt;
  node_place place;
  place.id = private_node_id;
  place.pid = node_->pid();
  place.http = string_at(*document, "http");
  place.admin = string_at(*document, "admin");
  place.log = logs_ / (place.id + ".log");
  if (!client::json_client{place.admin}.text("/readyz", milliseconds{1'000}))
    return std::nullopt;
  return place;
}

void installation::remember(node_place place) {
  http_listen_ = address_of(place.http);
  admin_listen_ = address_of(place.admin);
  where_.nodes = {std::move(place)};
}

expected<void> installation::await_node() {
  auto ready = await(*node_, logs_ / (std::string{private_node_id} + ".log"), [&] {
    auto place = node_is_listening();
    if (place)
      remember(std::move(*place));
    return !where_.nodes.empty();
  });
  if (!ready)
    return ready;
  // From here on a node started by hand, or again, listens where this one does.
  return write_node_config();
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
  if (restart_)
    return drive_restart();
  if (node_ && node_->running())
    return {};
  const auto& log = where_.nodes.front().log;
  const auto ending = node_ ? node_->ending() : "no start";
  if (!options_.restart_node)
    return make_error(errc::unavailable, "the node has died (" + ending + "); see " + log);
  tell("the node has died (" + ending + "); starting it again");
  restart_ = restart{0, steady::now(), false};
  return drive_restart();
}

/// One step of bringing the node back; called until `restart_` is gone.
expected<void> installation::drive_restart() {
  if (!restart_->started) {
    if (steady::now() < restart_->next_start)
      return {};
    restart_->started = true;
    return start_node();
  }
  if (node_->running()) {
    if (auto place = node_is_listening()) {
      remember(std::move(*place));
      restart_.reset();
      tell("the node is back as process " + std::to_string(node_->pid()));
      return write_dev_json();
    }
    return {};
  }
  if (++restart_->failures > limits::node_restarts_max)
    return make_error(errc::unavailable, "the node does not come back (" + node_->ending()
                                           + "); see " + where_.nodes.front().log);
  // Somebody may have taken a port that was any free one: then take any other.
  if (restart_->failures > 1) {
    http_listen_ = options_.http;
    admin_listen_ = options_.admin;
  }
  const auto backoff = std::min(backoff_max, backoff_first * (1 << restart_->failures));
  restart_->next_start = steady::now() + backoff;
  restart_->started = false;
  return {};
}

void installation::stop() {
  std::error_code ignored;
  fs::remove(folder_.path() / "dev.json", ignored);
  if (node_)
    node_->stop(SIGTERM, stop_limit);
  if (sandbox_)
    sandbox_->stop(SIGTERM, stop_limit);
  if (database_)
    database_->stop();
}

} // namespace holdfast::embedded
