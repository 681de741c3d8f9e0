#include "tests/support/postgres.hpp"

#include "storage/connection.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <vector>

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace holdfast::test {

namespace {

constexpr auto start_time_max = std::chrono::seconds{60};
constexpr const char* superuser = "holdfast";

/// Debian keeps the server's programs out of the PATH.
std::string find_program(const std::string& name) {
  namespace fs = std::filesystem;
  std::vector<fs::path> found;
  const fs::path root{"/usr/lib/postgresql"};
  if (fs::exists(root))
    for (const auto& version : fs::directory_iterator{root})
      if (fs::exists(version.path() / "bin" / name))
        found.push_back(version.path() / "bin" / name);
  if (found.empty())
    return name;
  return std::ranges::max(found).string();
}

/// The user to run as: PostgreSQL refuses to be root.
const passwd* server_user() {
  if (geteuid() != 0)
    return nullptr;
  const auto* user = getpwnam("postgres");
  if (user == nullptr)
    throw std::runtime_error("running as root needs the user `postgres`");
  return user;
}

int wait_for_exit(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
  return status;
}

} // namespace

postgres_server::postgres_server(postgres_options options) : options_(options) {
  std::string pattern = std::filesystem::temp_directory_path() / "holdfast-pg-XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr)
    throw std::runtime_error("mkdtemp failed");
  folder_ = pattern;
  if (const auto* user = server_user())
    if (chown(folder_.c_str(), user->pw_uid, user->pw_gid) != 0)
      throw std::runtime_error("chown failed");
  if (options_.standby_of != nullptr)
    copy(*options_.standby_of);
  else
    initialise();
  start();
}

postgres_server::~postgres_server() {
  // Nothing of it will be needed again, so the fastest way down is the best.
  stop(SIGQUIT);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string postgres_server::url(const std::string& database) const {
  std::string text{"postgresql://"};
  text += superuser;
  text += "@/" + database + "?host=" + folder_;
  return text;
}

std::string postgres_server::url_with(const postgres_server& other,
                                      const std::string& database) const {
  return url(database) + ',' + other.folder_ + "&target_session_attrs=read-write";
}

/// Of the server as it is, standby or not.
std::string postgres_server::any_url() const {
  return url() + "&target_session_attrs=any";
}

void postgres_server::run(const std::string& script) const {
  const auto deadline = std::chrono::steady_clock::now() + start_time_max;
  auto db = storage::connection::open(any_url(), "test", deadline);
  if (!db)
    throw std::runtime_error("run: " + db.error().detail);
  if (auto done = (*db)->script(script, deadline); !done)
    throw std::runtime_error("run: " + done.error().detail);
}

std::string postgres_server::value(const std::string& query) const {
  const auto deadline = std::chrono::steady_clock::now() + start_time_max;
  const auto text = "select coalesce((" + query + ")::text, 'null')";
  auto db = storage::connection::open(any_url(), "test", deadline);
  if (!db)
    throw std::runtime_error("value: " + db.error().detail);
  const auto found = (*db)->query({"test_value", text.c_str()}, {}, deadline);
  if (!found)
    throw std::runtime_error("value: " + found.error().detail);
  return storage::row{*found, 0}.text();
}

void postgres_server::promote() const {
  run("select pg_promote(true)");
}

std::string postgres_server::create_database() {
  const auto name = "test_" + std::to_string(++databases_);
  const auto deadline = std::chrono::steady_clock::now() + start_time_max;
  auto db = storage::connection::open(url(), "test", deadline);
  if (!db)
    throw std::runtime_error("create_database: " + db.error().detail);
  if (auto done = (*db)->script("create database " + name, deadline); !done)
    throw std::runtime_error("create_database: " + done.error().detail);
  return url(name);
}

void postgres_server::shut_down() {
  stop(SIGINT);
}

void postgres_server::crash() {
  stop(SIGQUIT);
}

void postgres_server::start() {
  const auto data = folder_ + "/data";
  const auto program = find_program("postgres");
  const char* const arguments[] = {program.c_str(),
                                   "-D",
                                   data.c_str(),
                                   "-k",
                                   folder_.c_str(),
                                   "-c",
                                   "listen_addresses=",
                                   "-c",
                                   options_.fsync ? "fsync=on" : "fsync=off",
                                   "-c",
                                   "max_connections=100",
                                   "-c",
                                   "log_min_messages=fatal",
                                   nullptr};
  pid_ = spawn(program, arguments);
  wait_ready();
}

void postgres_server::initialise() {
  const auto data = folder_ + "/data";
  const auto program = find_program("initdb");
  const char* const arguments[] = {
    program.c_str(), "-D",        data.c_str(),      "-U",          superuser,
    "--auth=trust",  "--no-sync", "--encoding=UTF8", "--no-locale", nullptr};
  if (wait_for_exit(spawn(program, arguments)) != 0)
    throw std::runtime_error("initdb failed; see " + folder_ + "/log");
}

void postgres_server::copy(const postgres_server& primary) {
  const auto data = folder_ + "/data";
  const auto program = find_program("pg_basebackup");
  const char* const arguments[] = {program.c_str(),         "-D",        data.c_str(), "-h",
                                   primary.folder_.c_str(), "-U",        superuser,    "-R",
                                   "--checkpoint=fast",     "--no-sync", nullptr};
  if (wait_for_exit(spawn(program, arguments)) != 0)
    throw std::runtime_error("pg_basebackup failed; see " + folder_ + "/log");
}

void postgres_server::stop(int signal) noexcept {
  if (pid_ <= 0)
    return;
  kill(pid_, signal);
  wait_for_exit(pid_);
  pid_ = 0;
}

pid_t postgres_server::spawn(const std::string& program, const char* const* arguments) const {
  const auto log = folder_ + "/log";
  const auto* user = server_user();
  const auto parent = getpid();
  const auto child = fork();
  if (child < 0)
    throw std::runtime_error("fork failed");
  if (child > 0)
    return child;
  // From here on only what is safe between fork and exec.
  if (user != nullptr
      && (setgroups(0, nullptr) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0))
    _exit(126);
  // After the change of user, which clears it. The parent may be gone already.
  prctl(PR_SET_PDEATHSIG, SIGQUIT);
  if (getppid() != parent)
    _exit(125);
  const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (out >= 0) {
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
  }
  if (chdir("/") != 0)
    _exit(124);
  execvp(program.c_str(), const_cast<char* const*>(arguments));
  _exit(127);
}

void postgres_server::wait_ready() const {
  const auto deadline = std::chrono::steady_clock::now() + start_time_max;
  storage::wake_event never;
  while (std::chrono::steady_clock::now() < deadline) {
    if (storage::connection::open(any_url(), "test", deadline))
      return;
    if (waitpid(pid_, nullptr, WNOHANG) == pid_)
      break;
    never.wait_until(std::chrono::steady_clock::now() + std::chrono::milliseconds{10});
  }
  throw std::runtime_error("PostgreSQL did not start; see " + folder_ + "/log");
}

postgres_server& shared_postgres() {
  static postgres_server server{{.fsync = false}};
  return server;
}

} // namespace holdfast::test
