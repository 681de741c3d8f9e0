#include "runtime/embedded/child.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>
#include <tuple>

#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace holdfast::embedded {

namespace {

constexpr std::size_t output_bytes_max = 64 * 1024;

error failed(const std::string& what, int number) {
  return make_error(errc::unavailable, what + ": " + std::strerror(number));
}

/// A descriptor that closes itself.
class descriptor {
public:
  explicit descriptor(int fd = -1) noexcept : fd_(fd) {}
  descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  descriptor& operator=(descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~descriptor() { reset(); }

  [[nodiscard]] int get() const noexcept { return fd_; }
  void reset() noexcept {
    if (fd_ >= 0)
      ::close(std::exchange(fd_, -1));
  }

private:
  int fd_;
};

/// All that the child needs between fork and exec, made before: there it may not allocate.
struct launch {
  const char* program = nullptr;
  std::vector<char*> arguments;
  std::vector<char*> environment;
  const char* working_folder = nullptr;
  const account* run_as = nullptr;
  int input = -1;
  int output = -1;
  int errors = -1;
  int report = -1;
  int death_signal = SIGKILL;
  pid_t parent = -1;
};

/// In the child. Writes errno to the report pipe when it can't become the program.
[[noreturn]] void become(const launch& plan) noexcept {
  const auto give_up = [&] {
    const int number = errno;
    std::ignore = ::write(plan.report, &number, sizeof number);
    ::_exit(127);
  };
  // A process group of its own: Ctrl-C reaches us alone, and we stop the children in order.
  ::setpgid(0, 0);
  for (int number = 1; number < NSIG; ++number)
    ::signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (::dup2(plan.input, 0) < 0 || (plan.output >= 0 && ::dup2(plan.output, 1) < 0)
      || (plan.errors >= 0 && ::dup2(plan.errors, 2) < 0))
    give_up();
  if (const auto* user = plan.run_as;
      user
      && (::setgroups(1, &user->gid) != 0 || ::setresgid(user->gid, user->gid, user->gid) != 0
          || ::setresuid(user->uid, user->uid, user->uid) != 0))
    give_up();
  // After the change of user, which would clear it. The parent may be gone already, and then
  // nobody would send the signal any more.
  if (::prctl(PR_SET_PDEATHSIG, plan.death_signal) != 0)
    give_up();
  if (::getppid() != plan.parent)
    ::_exit(126);
  if (plan.working_folder && ::chdir(plan.working_folder) != 0)
    give_up();
  ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  ::execve(plan.program, plan.arguments.data(), plan.environment.data());
  give_up();
  ::_exit(127);
}

std::vector<std::string> merged_environment(const child_options& options) {
  std::vector<std::string> merged;
  for (char** variable = environ; *variable; ++variable) {
    const std::string_view text = *variable;
    const auto name = text.substr(0, text.find('='));
    const auto replaced = [&](const auto& pair) { return pair.first == name; };
    if (std::ranges::none_of(options.environment, replaced))
      merged.emplace_back(text);
  }
  for (const auto& [name, value] : options.environment)
    merged.push_back(name + '=' + value);
  return merged;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (auto& text : texts)
    out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

expected<descriptor> open_input(const std::string& content) {
  if (content.empty()) {
    descriptor null{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
    return null.get() < 0 ? expected<descriptor>{failed("/dev/null", errno)} : std::move(null);
  }
  descriptor memory{::memfd_create("stdin", MFD_CLOEXEC)};
  const auto size = static_cast<ssize_t>(content.size());
  if (memory.get() < 0 || ::write(memory.get(), content.data(), content.size()) != size
      || ::lseek(memory.get(), 0, SEEK_SET) != 0)
    return failed("memfd", errno);
  return memory;
}

expected<descriptor> open_log(const std::string& path) {
  if (path.empty())
    return descriptor{};
  descriptor log{::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)};
  if (log.get() < 0)
    return failed(path, errno);
  return log;
}

/// What the child wrote before exec closed its end: nothing, or why it failed.
int read_report(int fd) noexcept {
  int number = 0;
  ssize_t got = 0;
  do
    got = ::read(fd, &number, sizeof number);
  while (got < 0 && errno == EINTR);
  return got == static_cast<ssize_t>(sizeof number) ? number : 0;
}

} // namespace

int open_process(pid_t pid) noexcept {
  // glibc 2.36 declares pidfd_open without extern "C", so C++ can't link it.
  return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
}

void signal_process(int pidfd, int number) noexcept {
  ::syscall(SYS_pidfd_send_signal, pidfd, number, nullptr, 0);
}

bool await_end(int pidfd, milliseconds limit) noexcept {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  for (;;) {
    const auto left =
      std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd waiting{pidfd, POLLIN, 0};
    const int ready =
      ::poll(&waiting, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (ready > 0)
      return true;
    if (ready == 0 || errno != EINTR)
      return false;
  }
}

bool is_running(pid_t pid) {
  const std::ifstream file{"/proc/" + std::to_string(pid) + "/stat"};
  std::ostringstream read;
  read << file.rdbuf(); // Unlike an iterator it doesn't throw where the process has just gone.
  const auto text = read.str();
  // The name in parentheses may hold anything, so look behind the last one.
  const auto end = text.rfind(')');
  return end != std::string::npos && end + 2 < text.size() && text[end + 2] != 'Z'
         && text[end + 2] != 'X';
}

expected<child> child::start(const child_options& options) {
  auto arguments = options.arguments;
  auto environment = merged_environment(options);
  auto input = open_input(options.input);
  if (!input)
    return input.error();
  auto log = open_log(options.log_file);
  if (!log)
    return log.error();
  int report[2];
  if (::pipe2(report, O_CLOEXEC) != 0)
    return failed("pipe", errno);
  descriptor read_end{report[0]};
  descriptor write_end{report[1]};

  launch plan;
  plan.program = options.program.c_str();
  plan.arguments = pointers(arguments);
  plan.environment = pointers(environment);
  plan.working_folder =
    options.working_folder.empty() ? nullptr : options.working_folder.c_str();
  plan.run_as = options.run_as ? &*options.run_as : nullptr;
  plan.input = input->get();
  plan.output = options.output_fd >= 0 ? options.output_fd : log->get();
  plan.errors = log->get();
  plan.report = write_end.get();
  plan.death_signal = options.parent_death_signal;
  plan.parent = ::getpid();

  const pid_t pid = ::fork();
  if (pid < 0)
    return failed("fork", errno);
  if (pid == 0)
    become(plan);
  write_end.reset();
  child started{pid, open_process(pid)};
  if (started.pidfd_ < 0)
    return failed("pidfd_open", errno);
  if (const int number = read_report(read_end.get()); number != 0)
    return failed("can't start " + options.program, number);
  return started;
}

child::child(child&& other) noexcept
  : pid_(std::exchange(other.pid_, -1)),
    pidfd_(std::exchange(other.pidfd_, -1)),
    status_(other.status_) {}

child& child::operator=(child&& other) noexcept {
  if (this != &other) {
    abandon();
    pid_ = std::exchange(other.pid_, -1);
    pidfd_ = std::exchange(other.pidfd_, -1);
    status_ = other.status_;
  }
  return *this;
}

child::~child() {
  abandon();
}

void child::abandon() noexcept {
  if (pid_ > 0 && !status_) {
    ::kill(pid_, SIGKILL);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR)
      ;
    status_ = status;
  }
  if (pidfd_ >= 0)
    ::close(std::exchange(pidfd_, -1));
}

bool child::wait(milliseconds limit) {
  if (status_)
    return true;
  if (pid_ <= 0 || !await_end(pidfd_, limit))
    return false;
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0) {
    if (errno != EINTR)
      break;
  }
  status_ = status;
  return true;
}

void child::signal(int number) const noexcept {
  if (pid_ > 0 && !status_)
    ::kill(pid_, number);
}

void child::stop(int number, milliseconds grace) {
  if (!running())
    return;
  signal(number);
  if (wait(grace))
    return;
  signal(SIGKILL);
  wait(grace);
}

bool child::succeeded() const noexcept {
  return status_ && WIFEXITED(*status_) && WEXITSTATUS(*status_) == 0;
}

std::string child::ending() const {
  if (!status_)
    return "running";
  if (WIFSIGNALED(*status_))
    return "killed by signal " + std::to_string(WTERMSIG(*status_));
  return "exit code " + std::to_string(WEXITSTATUS(*status_));
}

expected<std::string> output_of(child_options options, milliseconds limit) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return failed("pipe", errno);
  descriptor read_end{ends[0]};
  descriptor write_end{ends[1]};
  options.output_fd = write_end.get();
  const auto name = options.program;
  auto running = child::start(options);
  if (!running)
    return running.error();
  write_end.reset();

  const auto deadline = std::chrono::steady_clock::now() + limit;
  std::string out;
  std::array<char, 4096> buffer;
  // The end of the pipe can be read like the end of a process, so the same wait does.
  while (out.size() <= output_bytes_max) {
    const auto left =
      std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0)
      return make_error(errc::unavailable, name + " does not end");
    pollfd waiting{read_end.get(), POLLIN, 0};
    if (::poll(&waiting, 1, static_cast<int>(left.count())) <= 0)
      continue;
    const auto got = ::read(read_end.get(), buffer.data(), buffer.size());
    if (got <= 0)
      break;
    out.append(buffer.data(), static_cast<std::size_t>(got));
  }
  if (!running->wait(std::max(milliseconds{100}, limit)) || !running->succeeded())
    return make_error(errc::unavailable, name + ": " + running->ending());
  return out;
}

} // namespace holdfast::embedded
