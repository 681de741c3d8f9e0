// Several nodes as real processes on loopback, with mutual TLS between them, a sandbox and one
// PostgreSQL server a database: started, killed, stopped, paused and cut off one by one.
#pragma once

#include "runtime/config/config.hpp"
#include "runtime/embedded/certificate_files.hpp"
#include "runtime/embedded/ports.hpp"
#include "tests/support/postgres.hpp"
#include "tests/support/ready_process.hpp"
#include "tests/support/site.hpp"
#include "tests/support/tcp_proxy.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace holdfast::test {

struct cluster_options {
  std::size_t nodes = 3; ///< that there may be
  std::size_t databases = 1;
  std::uint16_t shards = 32; ///< shared out among the databases evenly
  milliseconds lease{3'000};
  bool fsync = false; ///< of PostgreSQL; no test here is about the machine's own death
  /// Whatever goes between two nodes goes through proxies that are theirs alone.
  bool proxies = false;
  /// HOLDFAST_BINARY, or HOLDFAST_FAULTY_BINARY for the one that can be told to fail.
  const char* binary = "HOLDFAST_BINARY";
  /// What the nodes are configured with besides.
  std::function<void(config::node_config&)> tune = {};
};

/// What becomes of what two nodes send each other.
enum class wire : std::uint8_t {
  whole,
  cut,   ///< Nothing goes either way, and nobody is told.
  reset, ///< Connections are reset, new ones too.
  mute,  ///< Nothing goes from the first to the second of them.
};

/// A shard as a node tells of it.
struct shard_seen {
  std::string owner; ///< empty: none
  std::int64_t epoch = 0;
  bool serving = false; ///< known of the asked node's own shards alone
};

/// Nodes are named by their numbers, 0 … nodes - 1; their ports stay the same over restarts. To
/// be used from the main thread alone, since children die with the thread that starts them.
class cluster : public site {
public:
  /// Starts PostgreSQL and the sandbox and makes certificates; no node yet.
  explicit cluster(cluster_options options = {});
  ~cluster() override;

  // -- nodes ----------------------------------------------------------------------------------

  [[nodiscard]] static std::string id_of(std::size_t node);
  [[nodiscard]] std::size_t size() const noexcept { return nodes_.size(); }
  /// Returns once it listens; its shards may still be on their way.
  void start(std::size_t node, const std::function<void(config::node_config&)>& adjust = {});
  /// Starts one that stops as SIGSTOP would when it passes a point for so many times:
  /// "journal.before_commit:2". Only with the binary that can be told to.
  void start_to_freeze(std::size_t node, const std::string& point);
  /// Starts all that don't run, and returns once everything is shared out.
  void start_all();
  /// Starts a node that is configured otherwise, and which need not come to serve: what it had
  /// to say, with its end, or as soon as `said` occurs in it. Then it is to be dismissed.
  [[nodiscard]] std::string outcry_of(std::size_t node,
                                      const std::function<void(config::node_config&)>& adjust,
                                      const std::string& said);
  void dismiss(std::size_t node);
  void kill(std::size_t node);
  /// SIGTERM, and the end in good order.
  void stop(std::size_t node);
  void begin_stop(std::size_t node);
  void await_stop(std::size_t node);
  void pause(std::size_t node);
  /// Returns once it has reached the point that it was started for.
  void await_freeze(std::size_t node);
  void resume(std::size_t node);
  [[nodiscard]] bool runs(std::size_t node);
  [[nodiscard]] pid_t pid(std::size_t node);
  /// Waits this long for the node to end, and says whether it has.
  bool await_end(std::size_t node, milliseconds limit);
  /// Everything that it has logged over all its starts.
  [[nodiscard]] std::string log_of(std::size_t node) const;

  // -- what they tell -------------------------------------------------------------------------

  /// Empty for one that serves no HTTP.
  [[nodiscard]] const std::string& http(std::size_t node) const { return nodes_[node]->http; }
  [[nodiscard]] const std::string& admin(std::size_t node) const { return nodes_[node]->admin; }
  [[nodiscard]] client::json_client operators(std::size_t node) const;
  [[nodiscard]] bool is_ready(std::size_t node) const;
  /// By number; empty when the node doesn't answer.
  [[nodiscard]] std::map<std::uint16_t, shard_seen> shards_as_seen_by(std::size_t node) const;
  /// That it owns and serves, as itself says.
  [[nodiscard]] std::vector<std::uint16_t> served_by(std::size_t node) const;
  /// Returns once each shard of the ranges is served by one of these nodes.
  void await_served(const std::vector<std::size_t>& by);
  /// Returns once the nodes that run are ready and those that are to serve shards serve all of
  /// them, none less than half of its share, and nothing moves any more.
  void await_balance();
  /// A metric's value, summed over its series; 0 when there is none.
  [[nodiscard]] double metric(std::size_t node, const std::string& name) const;
  /// Runs `holdfast ctl … --json` against the node.
  [[nodiscard]] finished ctl(std::size_t node, std::vector<std::string> arguments) const;

  // -- the rest of it -------------------------------------------------------------------------

  [[nodiscard]] const std::vector<config::database_settings>& databases() const noexcept {
    return databases_;
  }
  [[nodiscard]] postgres_server& postgres(std::size_t database) { return *servers_[database]; }
  /// A new one, which streams from the database's server.
  [[nodiscard]] postgres_server& add_standby(std::size_t database);
  /// Where a node finds the database from its next start on, and the tests at once.
  void set_database_url(std::size_t database, std::string url);
  /// Whichever of the two has connected to the other. Only with `proxies`.
  void set_wire(std::size_t first, std::size_t second, wire state);
  [[nodiscard]] config::node_config config_of(std::size_t node) const;
  /// A certificate of the node's in this folder, and all that belongs to it.
  [[nodiscard]] config::tls_files write_identity(const std::string& folder,
                                                 const embedded::authority& by,
                                                 const std::string& node_id) const;
  [[nodiscard]] const embedded::authority& authority() const noexcept { return authority_; }
  /// From its next start on a node's certificate is signed by `by`, and it trusts only whom
  /// these authorities have signed.
  void set_authority(const embedded::authority& by,
                     const std::vector<embedded::authority>& trusted);

  // -- as a site ------------------------------------------------------------------------------

  [[nodiscard]] int stripes_max() const override {
    return options_.shards / static_cast<int>(options_.databases);
  }
  /// Of the nodes that are running and not paused, and serve HTTP.
  [[nodiscard]] std::vector<std::string> entrances() const override;
  [[nodiscard]] const std::string& sandbox() const override { return sandbox_url_; }
  /// Of the first of these nodes.
  [[nodiscard]] client::json_client operators() const override;
  void await_ready() override { await_balance(); }
  [[nodiscard]] std::vector<std::int64_t> numbers(const char* query,
                                                  int columns) const override;
  [[nodiscard]] std::string logs() const override;

private:
  struct member {
    ready_process process;
    std::string http_listen;
    std::string admin_listen;
    std::string cluster_listen;
    std::string advertise{};
    std::string http{};                                ///< URL
    std::string admin{};                               ///< URL
    std::vector<std::unique_ptr<tcp_proxy>> ways_to{}; ///< each of the others; none to itself
    bool serves_shards = true;
    bool is_up = false;
    bool is_paused = false;
  };

  void start_databases();
  void start_sandbox();
  void add_nodes();
  void add_proxies();
  void start_with(std::size_t node, const config::node_config& settings,
                  std::vector<std::pair<std::string, std::string>> environment);
  [[nodiscard]] std::vector<std::string> prepare(std::size_t node,
                                                 const config::node_config& settings);
  [[nodiscard]] std::vector<std::size_t> up() const;
  [[noreturn]] void fail(const std::string& what) const;

  cluster_options options_;
  std::string program_;
  temp_folder folder_;
  embedded::authority authority_;
  std::string trusted_; ///< certificates, if not that of the authority alone
  std::vector<std::unique_ptr<postgres_server>> servers_;
  std::vector<std::unique_ptr<postgres_server>> standbys_;
  std::vector<config::database_settings> databases_;
  ready_process sandbox_;
  std::string sandbox_url_;
  std::vector<std::unique_ptr<member>> nodes_;
};

} // namespace holdfast::test
