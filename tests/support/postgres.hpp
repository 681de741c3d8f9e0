// A private PostgreSQL for tests: real, on a unix socket in a folder of its own, gone with the
// test.
#pragma once

#include <string>

#include <sys/types.h>

namespace holdfast::test {

class postgres_server;

struct postgres_options {
  bool fsync = true; ///< Off where a test is about rows and not about durability.
  /// The server is a copy of this one and streams what is written there, until it is promoted.
  const postgres_server* standby_of = nullptr;
};

/// Starts with the constructor (which throws when it can't), stops and removes everything with
/// the destructor, and dies with its parent. As root it runs as the user `postgres`.
class postgres_server {
public:
  explicit postgres_server(postgres_options options = {});
  ~postgres_server();
  postgres_server(const postgres_server&) = delete;
  postgres_server& operator=(const postgres_server&) = delete;

  /// A libpq URL of that database, as a superuser.
  [[nodiscard]] std::string url(const std::string& database = "postgres") const;

  /// A new, empty database; its URL.
  [[nodiscard]] std::string create_database();

  /// The same database at both servers, at whichever can be written to.
  [[nodiscard]] std::string url_with(const postgres_server& other,
                                     const std::string& database) const;

  /// Runs SQL as the superuser, on a standby too.
  void run(const std::string& script) const;
  /// One value of one row, as text.
  [[nodiscard]] std::string value(const std::string& query) const;
  /// A standby takes writes from here on; what it has not received by then it never will.
  void promote() const;

  /// Of the process that all others of the server descend from; 0 while it is stopped.
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }

  /// Stops it in good order ("fast"): a standby that streams has all of it by then.
  void shut_down();
  /// Stops it as a crash would ("immediate"). `start` recovers from the WAL.
  void crash();
  void start();

private:
  void initialise();
  void copy(const postgres_server& primary);
  [[nodiscard]] std::string any_url() const;
  void stop(int signal) noexcept;
  [[nodiscard]] pid_t spawn(const std::string& program, const char* const* arguments) const;
  void wait_ready() const;

  const postgres_options options_;
  std::string folder_;
  pid_t pid_ = 0;
  int databases_ = 0;
};

/// One server for all suites of a program that need no special one; fsync is off.
[[nodiscard]] postgres_server& shared_postgres();

} // namespace holdfast::test
