// A whole installation whose processes a test may kill one by one: PostgreSQL, the sandbox and
// a node, in folders of their own. `holdfast dev` guards its children too well for that.
#pragma once

#include "runtime/config/config.hpp"
#include "tests/support/postgres.hpp"
#include "tests/support/ready_process.hpp"
#include "tests/support/site.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace holdfast::test {

/// To be used from the main thread alone, since children die with the thread that starts them.
/// Whatever can't be done throws std::runtime_error with the logs' last lines.
class crash_site : public site {
public:
  /// Starts PostgreSQL, which syncs like a real one, and the sandbox. `binary` is
  /// HOLDFAST_BINARY, or HOLDFAST_FAULTY_BINARY for the one that can be told to die.
  /// `tune` may change what the node is configured with.
  explicit crash_site(const char* binary,
                      const std::function<void(config::node_config&)>& tune = {});

  // -- the node -------------------------------------------------------------------------------

  /// Returns once it listens, on ports of its own; its shards may still be starting. `crash_at`
  /// is a fault point and a number ("journal.before_commit:3"): where it is to die. False when
  /// it has died there already.
  bool start_node(const std::string& crash_at = {});
  void await_ready() override;
  [[nodiscard]] bool node_has_died() { return !node_.running(); }
  /// Throws unless the node has died of SIGKILL, or does so by then.
  void await_node_death(milliseconds limit);
  /// SIGKILL, to a node that must still run: one that died by itself throws.
  void kill_node();
  /// Throws when the node has ended by itself.
  void check_node();

  // -- the others -----------------------------------------------------------------------------

  void kill_sandbox();
  /// On the port and with the records that it had before.
  void start_sandbox();
  [[nodiscard]] postgres_server& postgres() noexcept { return postgres_; }

  // -- reaching them --------------------------------------------------------------------------

  [[nodiscard]] std::vector<std::string> entrances() const override { return {http_}; }
  [[nodiscard]] const std::string& http() const noexcept { return http_; }
  [[nodiscard]] const std::string& sandbox() const override { return sandbox_url_; }
  [[nodiscard]] client::json_client operators() const override {
    return client::json_client{admin_};
  }
  [[nodiscard]] const std::string& operators_url() const noexcept { return admin_; }
  [[nodiscard]] std::vector<std::int64_t> numbers(const char* query,
                                                  int columns) const override;
  [[nodiscard]] std::string logs() const override;

private:
  void write_config(const std::function<void(config::node_config&)>& tune) const;
  [[noreturn]] void fail(const std::string& what) const;

  temp_folder folder_;
  postgres_server postgres_;
  std::string database_;
  ready_process sandbox_;
  ready_process node_;
  std::string sandbox_url_;
  std::string http_;
  std::string admin_;
};

} // namespace holdfast::test
