// A whole private installation: PostgreSQL, the sandbox and a node, each a process of its own,
// in one data folder. What `holdfast dev` and `holdfast demo` start.
#pragma once

#include "messages/expected.hpp"
#include "runtime/config/config.hpp"
#include "runtime/embedded/child.hpp"
#include "runtime/embedded/folder.hpp"
#include "runtime/embedded/postgres.hpp"
#include "runtime/embedded/watchdog.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::embedded {

struct installation_options {
  std::filesystem::path data;
  // "host:port"; port 0 is any free one, kept over restarts of the node.
  std::string http = "127.0.0.1:8080";
  std::string admin = "127.0.0.1:8081";
  std::string sandbox = "127.0.0.1:8082";
  /// Start the node again, with backoff, when it dies; else its death is the end of all.
  bool restart_node = false;
  /// Changes the node's configuration before it is written. May be empty.
  std::function<void(config::node_config&)> adjust;
  /// Hears what is being done, a line at a time. May be empty.
  std::function<void(const std::string&)> tell;
  /// Asked while waiting: true gives up. May be empty.
  std::function<bool()> interrupted;
};

/// What DIR/dev.json says, and what a client needs.
struct node_place {
  std::string id;
  pid_t pid = 0;
  std::string http;
  std::string admin;
  std::string log;
};

struct endpoints {
  std::string api_key;
  std::string merchant;
  std::string sandbox;
  std::string database; ///< libpq URL
  std::string webhook_secret;
  std::vector<node_place> nodes;
};

/// What runs beside the nodes. The database is the parent of processes of its own.
struct service_processes {
  pid_t database = 0;
  pid_t sandbox = 0;
};

/// Owns the processes and the folder's lock. To be used from the main thread alone (see
/// child.hpp) and created before any other thread is. All of it ends with its owner, even by
/// SIGKILL.
class installation {
public:
  /// Starts everything and returns once the node is ready, a merchant with a key exists and
  /// DIR/dev.json is written. Errors: conflict (folder in use), unavailable.
  [[nodiscard]] static expected<std::unique_ptr<installation>> start(
    installation_options options);
  ~installation();

  installation(const installation&) = delete;
  installation& operator=(const installation&) = delete;

  [[nodiscard]] const endpoints& where() const noexcept { return where_; }
  [[nodiscard]] service_processes services() const noexcept;
  [[nodiscard]] const std::filesystem::path& data() const noexcept { return folder_.path(); }

  /// Looks after the processes; does not wait. To be called when a child has died, and every
  /// `check_every` while `restarting`. Errors: unavailable, once the installation is broken.
  [[nodiscard]] expected<void> check();
  [[nodiscard]] bool restarting() const noexcept { return restart_.has_value(); }
  static constexpr milliseconds check_every{20};

  /// Stops the node, the sandbox and the database, in this order, each in good order. Bounded.
  void stop();

private:
  /// A node that is on its way back.
  struct restart {
    int failures = 0;
    std::chrono::steady_clock::time_point next_start;
    bool started = false;
  };

  installation(installation_options options, data_folder folder, watchdog guard);

  expected<void> prepare();
  expected<void> start_database();
  expected<void> start_sandbox();
  expected<void> start_node();
  expected<void> await_node();
  expected<void> ensure_merchant();
  expected<void> write_node_config();
  expected<void> write_dev_json();
  expected<void> drive_restart();

  /// Where the node listens; nothing until it is ready to serve.
  [[nodiscard]] std::optional<node_place> node_is_listening() const;
  void remember(node_place place);
  expected<child> start_program(std::vector<std::string> arguments,
                                const std::filesystem::path& log);
  expected<void> await(child& process, const std::filesystem::path& log,
                       const std::function<bool()>& ready);
  void tell(const std::string& text) const;

  installation_options options_;
  data_folder folder_;
  watchdog guard_;
  std::filesystem::path logs_;
  std::filesystem::path run_;
  std::string pepper_;
  std::unique_ptr<postgres> database_;
  std::optional<child> sandbox_;
  std::optional<child> node_;
  // The addresses that the node is told to listen on: the real ones once it has them.
  std::string http_listen_;
  std::string admin_listen_;
  std::optional<restart> restart_;
  endpoints where_;
};

} // namespace holdfast::embedded
