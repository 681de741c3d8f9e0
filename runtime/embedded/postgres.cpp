#include "runtime/embedded/postgres.hpp"

#include "messages/limits.hpp"
#include "runtime/embedded/folder.hpp"
#include "runtime/embedded/postgres_settings.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

namespace holdfast::embedded {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view database_name = "holdfast";
/// sockaddr_un holds 108 bytes with the final zero; PostgreSQL appends "/.s.PGSQL.5432".
constexpr std::size_t socket_folder_bytes_max = 107 - 14;
constexpr milliseconds look_again{10};
constexpr milliseconds create_limit{120'000};

error failed(const fs::path& path, int number) {
  return make_error(errc::unavailable, path.string() + ": " + std::strerror(number));
}

/// Where one server's files are and who it runs as.
struct place {
  fs::path files;  ///< PGDATA
  fs::path socket; ///< the folder of the socket
  std::optional<account> user;
};

std::string short_hash(std::string_view text) {
  std::uint32_t hash = 2'166'136'261U; // FNV-1a; only names a folder
  for (const char c : text)
    hash = (hash ^ static_cast<unsigned char>(c)) * 16'777'619U;
  std::array<char, 9> digits{};
  std::snprintf(digits.data(), digits.size(), "%08x", hash);
  return digits.data();
}

expected<void> make_folder_for(const fs::path& path, const std::optional<account>& user) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    return failed(path, errno);
  if (user && ::chown(path.c_str(), user->uid, user->gid) != 0)
    return failed(path, errno);
  return ::chmod(path.c_str(), 0700) == 0 ? expected<void>{} : failed(path, errno);
}

/// As root the files lie where the unprivileged user can reach them: in the data folder if it
/// can be, which may need the right to pass through it, else below /var/lib/holdfast.
expected<fs::path> choose_home(const postgres_options& options, const account& user) {
  struct stat status {};
  if (::stat(options.data.c_str(), &status) != 0)
    return failed(options.data, errno);
  if (can_enter(user, options.data))
    return options.data;
  if (can_enter(user, options.data.parent_path()) && status.st_uid == ::geteuid()
      && ::chmod(options.data.c_str(), (status.st_mode & 07777) | S_IXOTH) == 0)
    return options.data;

  const auto home =
    fs::path{"/var/lib/holdfast"}
    / (options.data.filename().string() + '-' + short_hash(options.data.string()));
  std::error_code failure;
  fs::create_directories(home, failure);
  if (failure)
    return failed(home, failure.value());
  const auto note = "The PostgreSQL files of this data folder are in\n" + home.string()
                    + "\nbecause its user, `" + user.name + "`, can't enter this folder.\n";
  if (auto written = write_private_file(options.data / "postgres-is-elsewhere.txt", note);
      !written)
    return written.error();
  if (options.tell)
    options.tell("PostgreSQL's files are in " + home.string() + ": `" + user.name
                 + "` can't enter " + options.data.string());
  return home;
}

/// DIR/socket, or a short folder below /tmp that DIR/socket points to.
expected<fs::path> choose_socket(const fs::path& home, const std::optional<account>& user) {
  const auto own = home / "socket";
  std::error_code failure;
  if (own.string().size() <= socket_folder_bytes_max && !fs::is_symlink(own, failure)) {
    auto made = make_folder_for(own, user);
    return made ? expected<fs::path>{own} : made.error();
  }
  const auto known = fs::read_symlink(own, failure);
  struct stat status {};
  const auto owner = user ? user->uid : ::geteuid();
  if (!failure && ::lstat(known.c_str(), &status) == 0 && S_ISDIR(status.st_mode)
      && status.st_uid == owner && (status.st_mode & 0777) == 0700)
    return known;

  std::string name = "/tmp/holdfast-XXXXXX";
  if (!::mkdtemp(name.data()))
    return failed(name, errno);
  if (auto made = make_folder_for(name, user); !made)
    return made.error();
  fs::remove(own, failure);
  fs::create_directory_symlink(name, own, failure);
  return failure ? expected<fs::path>{failed(own, failure.value())} : fs::path{name};
}

expected<place> choose_place(const postgres_options& options) {
  auto user = unprivileged_account();
  if (!user)
    return user.error();
  place where;
  where.user = *user;
  fs::path home = options.data;
  if (where.user) {
    auto chosen = choose_home(options, *where.user);
    if (!chosen)
      return chosen.error();
    home = *chosen;
  }
  where.files = home / "postgres";
  auto socket = choose_socket(home, where.user);
  if (!socket)
    return socket.error();
  where.socket = *socket;
  return where;
}

child_options server_command(const postgres_programs& programs, std::string_view name,
                             const place& where, const postgres_options& options) {
  child_options command;
  command.program = programs.folder / name;
  // In full: initdb and postgres find their files by it, and PATH need not have them.
  command.arguments = {command.program};
  command.environment = {{"LC_ALL", "C"}, {"TZ", "UTC"}, {"HOME", where.files.parent_path()}};
  command.log_file = options.log_file;
  command.working_folder = "/";
  command.run_as = where.user;
  return command;
}

expected<void> run_to_end(const child_options& command, const postgres_options& options) {
  auto process = child::start(command);
  if (!process)
    return process.error();
  const auto deadline = std::chrono::steady_clock::now() + create_limit;
  while (!process->wait(milliseconds{100})) {
    if (options.interrupted && options.interrupted())
      return make_error(errc::unavailable, "interrupted");
    if (std::chrono::steady_clock::now() > deadline)
      return make_error(errc::unavailable, command.program + " does not end");
  }
  if (process->succeeded())
    return {};
  return make_error(errc::unavailable, command.program + ": " + process->ending() + "\n"
                                         + last_lines(options.log_file, 10));
}

/// Makes the files next to their place and moves them there when they are whole, so that being
/// killed half-way leaves nothing that looks finished.
expected<void> create_files(const postgres_programs& programs, const place& where,
                            const postgres_options& options) {
  if (options.tell)
    options.tell("creating the database files in " + where.files.string());
  place draft = where;
  draft.files += ".new";
  std::error_code failure;
  fs::remove_all(draft.files, failure);
  if (auto made = make_folder_for(draft.files, where.user); !made)
    return made;

  auto initdb = server_command(programs, "initdb", draft, options);
  initdb.arguments.insert(
    initdb.arguments.end(),
    {"-D", draft.files, "--username=holdfast", "--encoding=UTF8", "--locale=C",
     "--data-checksums", "--auth-local=trust", "--auth-host=reject", "--no-instructions"});
  if (auto done = run_to_end(initdb, options); !done)
    return done;
  auto single = server_command(programs, "postgres", draft, options);
  single.arguments.insert(single.arguments.end(), {"--single", "-D", draft.files, "postgres"});
  single.input = "create database " + std::string{database_name} + "\n";
  if (auto done = run_to_end(single, options); !done)
    return done;
  fs::rename(draft.files, where.files, failure);
  return failure ? expected<void>{failed(where.files, failure.value())} : expected<void>{};
}

/// The processes of a server on this data folder: all of them work there.
std::vector<pid_t> processes_in(const fs::path& files) {
  std::vector<pid_t> found;
  std::error_code ignored;
  const auto folder = fs::canonical(files, ignored);
  for (const auto& entry : fs::directory_iterator{"/proc", ignored}) {
    const auto name = entry.path().filename().string();
    pid_t pid = 0;
    const auto [end, bad] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (bad != std::errc{} || end != name.data() + name.size())
      continue;
    const auto program = fs::read_symlink(entry.path() / "exe", ignored).filename().string();
    if (program.starts_with("postgres")
        && fs::read_symlink(entry.path() / "cwd", ignored) == folder)
      found.push_back(pid);
  }
  return found;
}

/// Ends what an owner that was killed may have left: two servers on one folder would destroy
/// it.
expected<void> end_leftovers(const fs::path& files) {
  for (const int number : {SIGQUIT, SIGKILL}) {
    for (const auto pid : processes_in(files)) {
      const int handle = open_process(pid);
      if (handle < 0)
        continue;
      signal_process(handle, number);
      const bool ended = await_end(handle, milliseconds{limits::watchdog_grace_ms});
      ::close(handle);
      if (!ended && number == SIGKILL)
        return make_error(errc::unavailable, "process " + std::to_string(pid) + " of an earlier "
                                               "PostgreSQL does not end");
    }
  }
  return {};
}

expected<void> write_settings(const place& where) {
  const auto text = postgres_settings(usable_memory(), where.socket);
  const auto path = where.files / "postgresql.conf";
  if (auto written = write_private_file(path, text); !written)
    return written;
  if (where.user && ::chown(path.c_str(), where.user->uid, where.user->gid) != 0)
    return failed(path, errno);
  return {};
}

/// The server notes in its pid file, line 8, when it accepts connections.
bool accepts_connections(const fs::path& files, pid_t pid) {
  const auto content = read_file(files / "postmaster.pid");
  if (!content)
    return false;
  std::vector<std::string_view> lines;
  std::string_view rest = *content;
  while (!rest.empty()) {
    const auto end = std::min(rest.find('\n'), rest.size());
    lines.push_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return lines.size() >= 8 && lines[0] == std::to_string(pid) && lines[7].starts_with("ready");
}

expected<void> await_ready(child& server, const place& where, const postgres_options& options) {
  const auto deadline =
    std::chrono::steady_clock::now() + milliseconds{limits::child_ready_ms_max};
  while (!accepts_connections(where.files, server.pid())) {
    if (server.wait(look_again))
      return make_error(errc::unavailable, "PostgreSQL ended with " + server.ending() + "\n"
                                             + last_lines(options.log_file, 10));
    if (options.interrupted && options.interrupted())
      return make_error(errc::unavailable, "interrupted");
    if (std::chrono::steady_clock::now() > deadline)
      return make_error(errc::unavailable,
                        "PostgreSQL did not become ready; see " + options.log_file.string());
  }
  return {};
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) || std::strchr("/-_.~", c)) {
      out += c;
    } else {
      std::array<char, 4> escape{};
      std::snprintf(escape.data(), escape.size(), "%%%02X", static_cast<unsigned char>(c));
      out += escape.data();
    }
  }
  return out;
}

/// The version that made the files; 0 when there are none yet.
expected<int> made_by(const fs::path& files) {
  const auto text = read_file(files / "PG_VERSION");
  if (!text)
    return text.error().code == errc::not_found ? expected<int>{0} : text.error();
  int major = 0;
  std::from_chars(text->data(), text->data() + text->size(), major);
  return major;
}

} // namespace

expected<std::unique_ptr<postgres>> postgres::start(const postgres_options& options) {
  auto where = choose_place(options);
  if (!where)
    return where.error();
  const auto major = made_by(where->files);
  if (!major)
    return major.error();
  const auto programs = find_postgres(*major);
  if (!programs)
    return programs.error();
  if (*major == 0) {
    if (auto created = create_files(*programs, *where, options); !created)
      return created.error();
  }
  if (auto ended = end_leftovers(where->files); !ended)
    return ended.error();
  if (auto written = write_settings(*where); !written)
    return written.error();

  auto command = server_command(*programs, "postgres", *where, options);
  command.arguments.insert(command.arguments.end(), {"-D", where->files});
  command.parent_death_signal = abandon_signal;
  auto server = child::start(command);
  if (!server)
    return server.error();
  if (auto ready = await_ready(*server, *where, options); !ready) {
    server->stop(abandon_signal, milliseconds{limits::child_stop_ms_max});
    return ready.error();
  }
  auto url = "postgresql:///" + std::string{database_name}
             + "?host=" + percent_encoded(where->socket.string()) + "&user=holdfast";
  return std::unique_ptr<postgres>{new postgres{std::move(*server), std::move(url)}};
}

postgres::~postgres() {
  stop();
}

void postgres::stop() {
  // SIGINT is PostgreSQL's fast shutdown; should it hang, the immediate one comes before
  // SIGKILL, which would leave its processes to find out for themselves.
  server_.signal(SIGINT);
  if (!server_.wait(milliseconds{limits::child_stop_ms_max}))
    server_.stop(abandon_signal, milliseconds{limits::child_stop_ms_max});
}

} // namespace holdfast::embedded
