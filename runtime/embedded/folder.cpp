#include "runtime/embedded/folder.hpp"

#include "messages/limits.hpp"

#include <openssl/rand.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace holdfast::embedded {

namespace fs = std::filesystem;

namespace {

constexpr std::uintmax_t file_bytes_max = 16 * 1024 * 1024;
/// Between two looks at something that no event tells us of.
constexpr milliseconds look_again{20};

error failed(const fs::path& path, int number) {
  return make_error(errc::unavailable, path.string() + ": " + std::strerror(number));
}

/// Root's data folder must let the database's user through to its own sub-folder; all that is
/// secret is in files and folders that it can't read.
mode_t folder_mode() {
  return ::geteuid() == 0 ? 0711 : 0700;
}

std::optional<pid_t> recorded_owner(int lock) {
  std::array<char, 32> text{};
  const auto got = ::pread(lock, text.data(), text.size() - 1, 0);
  const long pid = got > 0 ? std::strtol(text.data(), nullptr, 10) : 0;
  return pid > 0 ? std::optional{static_cast<pid_t>(pid)} : std::nullopt;
}

/// The lock outlives its owner while the owner's watchdog clears up, so a dead owner's lock is
/// waited for and a live one's is not.
expected<void> lock_file(int lock, const fs::path& path) {
  const auto deadline =
    std::chrono::steady_clock::now() + milliseconds{limits::folder_lock_ms_max};
  while (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK)
      return failed(path, errno);
    const auto owner = recorded_owner(lock);
    const bool alive = owner && is_running(*owner);
    if (alive || std::chrono::steady_clock::now() > deadline)
      return make_error(errc::conflict, path.string()
                                          + " is in use by another holdfast (process "
                                          + (owner ? std::to_string(*owner) : "unknown")
                                          + "); stop it, or choose another folder with --data");
    std::this_thread::sleep_for(look_again);
  }
  const auto text = std::to_string(::getpid()) + '\n';
  if (::ftruncate(lock, 0) != 0 || ::pwrite(lock, text.data(), text.size(), 0) < 0)
    return failed(path, errno);
  return {};
}

expected<void> write_all(int fd, std::string_view content, const fs::path& path) {
  while (!content.empty()) {
    const auto written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return failed(path, errno);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::fsync(fd) == 0 ? expected<void>{} : failed(path, errno);
}

} // namespace

fs::path default_data_folder() {
  if (::geteuid() == 0)
    return "/var/lib/holdfast/dev";
  if (const char* base = std::getenv("XDG_DATA_HOME"); base && *base == '/')
    return fs::path{base} / "holdfast/dev";
  const char* home = std::getenv("HOME");
  return fs::path{home && *home ? home : "/tmp"} / ".local/share/holdfast/dev";
}

expected<data_folder> data_folder::open(const fs::path& path) {
  std::error_code failure;
  const auto absolute = fs::absolute(path, failure);
  if (!fs::exists(absolute, failure)) {
    fs::create_directories(absolute.parent_path(), failure);
    if (::mkdir(absolute.c_str(), folder_mode()) != 0 && errno != EEXIST)
      return failed(absolute, errno);
    // mkdir's mode is cut by the umask, which may keep the database's user out.
    ::chmod(absolute.c_str(), folder_mode());
  }
  auto real = fs::canonical(absolute, failure);
  if (failure)
    return failed(absolute, failure.value());
  const auto lock_path = real / "lock";
  const int lock = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0)
    return failed(lock_path, errno);
  data_folder opened{std::move(real), lock};
  if (auto locked = lock_file(lock, opened.path()); !locked)
    return locked.error();
  return opened;
}

data_folder::data_folder(data_folder&& other) noexcept
  : path_(std::move(other.path_)),
    lock_(std::exchange(other.lock_, -1)) {}

data_folder::~data_folder() {
  if (lock_ >= 0)
    ::close(lock_);
}

expected<fs::path> data_folder::folder(std::string_view name) const {
  auto path = path_ / name;
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    return failed(path, errno);
  return path;
}

expected<fs::path> make_throwaway_folder(std::string_view purpose, const fs::path& parent) {
  const auto folder = parent.empty() ? fs::temp_directory_path() : parent;
  auto path = (folder / ("holdfast-" + std::string{purpose} + "-XXXXXX")).string();
  if (!::mkdtemp(path.data()) || ::chmod(path.c_str(), ::geteuid() == 0 ? 0711 : 0700) != 0)
    return make_error(errc::unavailable, path + ": can't be made");
  return fs::path{path};
}

expected<void> write_private_file(const fs::path& path, std::string_view content) {
  const fs::path draft = path.string() + ".new";
  const int fd = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0)
    return failed(draft, errno);
  const auto written = write_all(fd, content, draft);
  ::close(fd);
  if (!written)
    return written;
  if (::rename(draft.c_str(), path.c_str()) != 0)
    return failed(path, errno);
  // The new name must survive a crash too.
  if (const int parent = ::open(path.parent_path().c_str(), O_RDONLY | O_CLOEXEC);
      parent >= 0) {
    ::fsync(parent);
    ::close(parent);
  }
  return {};
}

expected<std::string> read_file(const fs::path& path) {
  std::error_code failure;
  const auto size = fs::file_size(path, failure);
  if (failure == std::errc::no_such_file_or_directory)
    return make_error(errc::not_found, path.string() + ": there is no such file");
  if (failure)
    return failed(path, failure.value());
  if (size > file_bytes_max)
    return make_error(errc::unavailable, path.string() + ": too large");
  std::ifstream file{path, std::ios::binary};
  std::string content(size, '\0');
  file.read(content.data(), static_cast<std::streamsize>(size));
  if (!file.is_open() || file.bad())
    return make_error(errc::unavailable, path.string() + ": can't be read");
  content.resize(static_cast<std::size_t>(file.gcount()));
  return content;
}

expected<std::string> read_or_make_secret(const fs::path& path) {
  auto known = read_file(path);
  if (known || known.error().code != errc::not_found)
    return known;
  std::array<unsigned char, 32> random{};
  if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1)
    return make_error(errc::unavailable, "no random numbers");
  std::string text;
  for (const auto byte : random) {
    constexpr std::string_view digits = "0123456789abcdef";
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  if (auto written = write_private_file(path, text); !written)
    return written.error();
  return text;
}

std::string last_lines(const fs::path& path, std::size_t lines) {
  const auto content = read_file(path);
  if (!content)
    return {};
  std::string_view text = *content;
  while (text.ends_with('\n'))
    text.remove_suffix(1);
  auto begin = text.size();
  for (std::size_t i = 0; i < lines && begin != std::string_view::npos && begin > 0; ++i)
    begin = text.rfind('\n', begin - 1);
  return std::string{begin == std::string_view::npos ? text : text.substr(begin)};
}

expected<std::optional<account>> unprivileged_account() {
  if (::geteuid() != 0)
    return std::optional<account>{};
  for (const char* name : {"postgres", "nobody"}) {
    if (const auto* entry = ::getpwnam(name); entry && entry->pw_uid != 0)
      return std::optional{account{name, entry->pw_uid, entry->pw_gid}};
  }
  return make_error(errc::unavailable,
                    "PostgreSQL refuses to run as root, and this machine has neither a user "
                    "`postgres` nor `nobody` to run it as");
}

bool can_enter(const account& user, const fs::path& folder) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    const bool entered =
      ::setgroups(1, &user.gid) == 0 && ::setresgid(user.gid, user.gid, user.gid) == 0
      && ::setresuid(user.uid, user.uid, user.uid) == 0 && ::chdir(folder.c_str()) == 0;
    ::_exit(entered ? 0 : 1);
  }
  int status = -1;
  while (pid > 0 && ::waitpid(pid, &status, 0) < 0 && errno == EINTR)
    ;
  return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

} // namespace holdfast::embedded
