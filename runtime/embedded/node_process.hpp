// A node of a private installation: its configuration file, its process, and its way back when
// it dies.
#pragma once

#include "messages/expected.hpp"
#include "runtime/config/config.hpp"
#include "runtime/embedded/child.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::embedded {

/// What DIR/dev.json says of it.
struct node_place {
  std::string id;
  pid_t pid = 0;
  std::string http;
  std::string admin;
  std::string log;
};

/// Starts this program with these arguments, its output in the log.
using program_starter = std::function<expected<child>(std::vector<std::string> arguments,
                                                      const std::filesystem::path& log)>;

struct node_files {
  std::filesystem::path config;
  std::string head; ///< comment at the top of the configuration
  std::filesystem::path ready;
  std::filesystem::path log;
};

/// To be used from the main thread alone (see child.hpp).
class node_process {
public:
  /// Addresses of `settings` with port 0 are any free ones; the node gets the same ones again
  /// whenever it is started anew.
  node_process(config::node_config settings, node_files files, program_starter starter);

  [[nodiscard]] const std::string& id() const noexcept { return settings_.id; }
  [[nodiscard]] const std::filesystem::path& log() const noexcept { return files_.log; }
  /// Where it was when it was ready last.
  [[nodiscard]] const node_place& place() const noexcept { return place_; }
  /// Once it was started.
  [[nodiscard]] child& process() { return *process_; }
  [[nodiscard]] bool was_started() const noexcept { return process_.has_value(); }

  /// Writes the configuration and starts the process; does not wait. Errors: unavailable.
  [[nodiscard]] expected<void> start();
  /// Whether it is ready to serve. From then on `place` is known, and its file says it too.
  [[nodiscard]] bool is_ready();

  /// Keeps it running: to be called often. True when it has just come back. Errors:
  /// unavailable, when it doesn't.
  [[nodiscard]] expected<bool> bring_back(const std::function<void(const std::string&)>& tell);
  [[nodiscard]] bool is_on_its_way() const noexcept { return restart_.has_value(); }

private:
  struct restart {
    int failures = 0;
    std::chrono::steady_clock::time_point next_start;
    bool started = false;
  };

  [[nodiscard]] expected<void> write_config() const;
  [[nodiscard]] expected<void> start_later();

  config::node_config settings_;
  node_files files_;
  program_starter starter_;
  // As they were asked for: what is taken by somebody else is given up for another free one.
  std::string http_wanted_;
  std::string admin_wanted_;
  std::optional<child> process_;
  node_place place_;
  std::optional<restart> restart_;
};

} // namespace holdfast::embedded
