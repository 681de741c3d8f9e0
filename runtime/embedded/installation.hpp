// A whole private installation: PostgreSQL, the sandbox and one node or several, each a process
// of its own, in one data folder. What `holdfast dev` and `holdfast demo` start.
#pragma once

#include "messages/expected.hpp"
#include "runtime/config/config.hpp"
#include "runtime/embedded/child.hpp"
#include "runtime/embedded/folder.hpp"
#include "runtime/embedded/node_process.hpp"
#include "runtime/embedded/postgres.hpp"
#include "runtime/embedded/private_config.hpp"
#include "runtime/embedded/watchdog.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::embedded {

class port_finder;

struct installation_options {
  std::filesystem::path data;
  // "host:port"; port 0 is any free one, kept over restarts of the node. Those of node-2 are a
  // hundred higher than these of node-1, those of node-3 two hundred, or the next free ones.
  std::string http = "127.0.0.1:8080";
  std::string admin = "127.0.0.1:8081";
  std::string cluster = "127.0.0.1:8090"; ///< only if there are several nodes
  std::string sandbox = "127.0.0.1:8082";
  std::size_t nodes = 1; ///< 1 to `nodes_max`
  /// Start a node again, with backoff, when it dies; else its death is the end of all.
  bool restart_node = false;
  /// Changes the node's configuration before it is written. May be empty.
  std::function<void(config::node_config&)> adjust;
  /// Given the URL of the migrated database before a node uses it. May be empty.
  std::function<expected<void>(const std::string&)> prepare;
  /// Hears what is being done, a line at a time. May be empty.
  std::function<void(const std::string&)> tell;
  /// Asked while waiting: true gives up. May be empty.
  std::function<bool()> interrupted;
};

/// What DIR/dev.json says, and what a client needs.
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
/// SIGKILL. Of several, the one that was started last must end first: its watchdog holds what
/// the watchdogs of those before wait for.
class installation {
public:
  /// Starts everything and returns once all nodes are ready, a merchant with a key exists and
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
  [[nodiscard]] bool restarting() const noexcept;
  static constexpr milliseconds check_every{20};
  static constexpr std::size_t nodes_max = 9;

  /// Stops the nodes together, then the sandbox and the database, each in good order. Bounded.
  void stop();

private:
  installation(installation_options options, data_folder folder, watchdog guard);

  expected<void> prepare();
  expected<void> start_database();
  expected<void> start_sandbox();
  expected<void> make_nodes();
  expected<void> start_nodes();
  expected<void> await_nodes();
  expected<void> ensure_merchant();
  expected<void> write_dev_json();
  /// The links of each node, one after the other.
  [[nodiscard]] expected<std::vector<private_links>> make_links(port_finder& ports) const;
  /// The comment at the top of a node's configuration.
  [[nodiscard]] std::string head_of(const std::filesystem::path& config) const;
  /// Of the nodes, as they are now.
  void gather_places();

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
  std::vector<node_process> nodes_;
  endpoints where_;
};

} // namespace holdfast::embedded
