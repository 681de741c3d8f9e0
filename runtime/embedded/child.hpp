// Child processes that cannot outlive us: started with a clean slate, told to die with their
// parent, waited for without polling.
#pragma once

#include "messages/expected.hpp"
#include "messages/time.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

namespace holdfast::embedded {

/// A user of this machine that a child runs as.
struct account {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
};

struct child_options {
  std::string program;                ///< path; "/proc/self/exe" is this very program
  std::vector<std::string> arguments; ///< argv, [0] included
  std::vector<std::pair<std::string, std::string>> environment; ///< added to ours
  std::string log_file;          ///< takes stdout and stderr, appended; empty: ours
  std::string input;             ///< becomes stdin; at most what a memfd holds
  std::string working_folder;    ///< empty: ours
  std::optional<account> run_as; ///< needs root
  /// Sent by the kernel when the thread that called `start` ends. That is the whole process for
  /// the main thread, and a trap for any other: start children from the main thread.
  int parent_death_signal = 9;
  /// Takes stdout instead of `log_file`; stays the caller's.
  int output_fd = -1;
};

/// Owns one child process. Not thread-safe. A child that still runs when its owner is destroyed
/// is killed and reaped.
class child {
public:
  /// Returns once the program has replaced ours in the child. Errors: unavailable (no such
  /// program, no right to become that user …).
  [[nodiscard]] static expected<child> start(const child_options& options);

  child(child&& other) noexcept;
  child& operator=(child&& other) noexcept;
  child(const child&) = delete;
  child& operator=(const child&) = delete;
  ~child();

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  [[nodiscard]] bool running() { return !wait(milliseconds{0}); }
  /// True once the child has ended, at the latest after `limit`.
  bool wait(milliseconds limit);
  void signal(int number) const noexcept;
  /// Asks with `number`, insists with SIGKILL after `grace`.
  void stop(int number, milliseconds grace);

  /// Exit code 0. Only after the child has ended.
  [[nodiscard]] bool succeeded() const noexcept;
  /// "exit code 3" or "killed by signal 9"; "running" before.
  [[nodiscard]] std::string ending() const;

private:
  child(pid_t pid, int pidfd) noexcept : pid_(pid), pidfd_(pidfd) {}
  void abandon() noexcept;

  pid_t pid_ = -1;
  int pidfd_ = -1;
  std::optional<int> status_;
};

/// Runs a program to its end and returns what it wrote to stdout. Errors: unavailable, also
/// when it fails, takes longer than `limit` or writes more than 64 KiB.
[[nodiscard]] expected<std::string> output_of(child_options options, milliseconds limit);

/// A handle on a process that is not reused when its number is. -1 when there is none.
[[nodiscard]] int open_process(pid_t pid) noexcept;
/// Sends to the process behind the handle; a process that has ended is no error.
void signal_process(int pidfd, int number) noexcept;
/// True once the process behind the handle has ended, at the latest after `limit`.
[[nodiscard]] bool await_end(int pidfd, milliseconds limit) noexcept;
/// False also for a zombie, which runs nothing any more.
[[nodiscard]] bool is_running(pid_t pid);

} // namespace holdfast::embedded
