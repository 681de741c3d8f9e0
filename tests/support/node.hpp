// A private installation (`holdfast dev`) in a folder of its own, for tests that talk to the
// real program, kill parts of it and start it again.
#pragma once

#include "runtime/client/json_client.hpp"
#include "tests/support/process.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace holdfast::test {

struct node_options {
  /// HOLDFAST_BINARY, or HOLDFAST_FAULTY_BINARY for the one that can be told to fail.
  const char* binary = "HOLDFAST_BINARY";
  std::vector<std::string> arguments; ///< further ones of `dev`, such as "--restart-node"
  std::vector<std::pair<std::string, std::string>> environment{};
  /// A folder that outlives the node, to be used by several tests in turn; empty: one of its
  /// own.
  std::filesystem::path data{};
};

/// Starts nothing by itself. Everything that could not be done throws std::runtime_error with
/// the logs' last lines.
class private_node {
public:
  explicit private_node(node_options options = {}) : options_(std::move(options)) {}

  /// Starts `dev` and returns once it serves. Again after `stop` or `kill_all`: on the same
  /// data.
  void start();
  /// SIGTERM, and the end in good order.
  void stop();
  /// SIGKILL to `dev` itself; returns once every process that it had started is gone.
  void kill_all();
  /// SIGKILL to the node alone.
  void kill_node() const;
  /// With --restart-node: returns once another node than the one of this process id serves.
  void await_other_node(pid_t than);

  [[nodiscard]] const std::filesystem::path& data() const noexcept {
    return options_.data.empty() ? folder_.path() : options_.data;
  }
  [[nodiscard]] embedded::child& dev() { return dev_.value(); }
  // As dev.json says.
  [[nodiscard]] const std::string& http() const noexcept { return http_; }
  [[nodiscard]] const std::string& admin() const noexcept { return admin_; }
  [[nodiscard]] const std::string& sandbox() const noexcept { return sandbox_; }
  [[nodiscard]] const std::string& database() const noexcept { return database_; }
  [[nodiscard]] const std::string& api_key() const noexcept { return api_key_; }
  [[nodiscard]] const std::string& merchant() const noexcept { return merchant_; }
  [[nodiscard]] const std::string& webhook_secret() const noexcept { return webhook_secret_; }
  [[nodiscard]] pid_t node_pid() const noexcept { return node_pid_; }

  /// Of the dev merchant.
  [[nodiscard]] client::json_client api() const { return client::json_client{http_, api_key_}; }
  [[nodiscard]] client::json_client operators() const { return client::json_client{admin_}; }

private:
  /// False while there is none, or it can't be read yet.
  bool read_dev_json();
  [[noreturn]] void fail(const std::string& what) const;

  node_options options_;
  temp_folder folder_;
  std::optional<embedded::child> dev_;
  std::string http_;
  std::string admin_;
  std::string sandbox_;
  std::string database_;
  std::string api_key_;
  std::string merchant_;
  std::string webhook_secret_;
  pid_t node_pid_ = 0;
};

} // namespace holdfast::test
