// A private PostgreSQL: real and durable, reachable through a unix socket only, a child of
// ours.
#pragma once

#include "messages/expected.hpp"
#include "runtime/embedded/child.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

namespace holdfast::embedded {

/// Where a server's programs are.
struct postgres_programs {
  std::filesystem::path folder;
  int major = 0;
};

/// Looks in `pg_config --bindir`, /usr/lib/postgresql/*/bin and PATH. Version 15 or newer;
/// exactly `major` unless that is 0. Errors: unavailable, saying what to install.
[[nodiscard]] expected<postgres_programs> find_postgres(int major = 0);

struct postgres_options {
  /// An existing folder; the server keeps its files in DIR/postgres. As root they belong to an
  /// unprivileged user, and live below /var/lib/holdfast when that user can't reach DIR.
  std::filesystem::path data;
  std::filesystem::path log_file;
  /// Hears what a person should know ("creating the database files …"). May be empty.
  std::function<void(const std::string&)> tell;
  /// Asked while waiting: true gives up. May be empty.
  std::function<bool()> interrupted;
};

/// Owns one server. To be started from the main thread (see child.hpp); not thread-safe.
/// Dies with its owner: an immediate shutdown, from which the next start recovers.
class postgres {
public:
  /// Creates the files at the first start, ends a server that a killed owner left, starts, and
  /// returns once connections are accepted. Blocking, bounded. Errors: unavailable.
  [[nodiscard]] static expected<std::unique_ptr<postgres>> start(
    const postgres_options& options);
  ~postgres();

  postgres(const postgres&) = delete;
  postgres& operator=(const postgres&) = delete;

  /// libpq URL of the database `holdfast`, without any secret: the socket's folder is the
  /// guard.
  [[nodiscard]] const std::string& url() const noexcept { return url_; }
  [[nodiscard]] child& process() noexcept { return server_; }
  /// Fast shutdown: sessions are ended, everything is written. Bounded.
  void stop();

  /// The signal of an immediate shutdown, in which the server ends its own processes.
  static constexpr int abandon_signal = 3; // SIGQUIT

private:
  postgres(child server, std::string url) : server_(std::move(server)), url_(std::move(url)) {}

  child server_;
  std::string url_;
};

} // namespace holdfast::embedded
