// Real processes for tests: started, stopped and killed; and waiting for a condition, never for
// a time.
#pragma once

#include "messages/time.hpp"
#include "runtime/embedded/child.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace holdfast::test {

/// Asks again and again until the condition holds. False when it has not by then.
[[nodiscard]] bool eventually(milliseconds limit, const std::function<bool()>& condition);

/// A fresh folder, removed with everything in it. Others may pass through it, so that a server
/// which gives up root can reach its own files.
class temp_folder {
public:
  temp_folder();
  ~temp_folder();
  temp_folder(const temp_folder&) = delete;
  temp_folder& operator=(const temp_folder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

private:
  std::filesystem::path path_;
};

/// What `make test` tells the tests: HOLDFAST_BINARY and the like. Throws when it is not set.
[[nodiscard]] std::string from_environment(const char* name);

struct command {
  std::filesystem::path program;
  std::vector<std::string> arguments; ///< without argv[0]
  std::vector<std::pair<std::string, std::string>> environment;
  std::filesystem::path log; ///< takes stdout and stderr
};

/// Starts it or throws. It dies with the test, whatever happens.
[[nodiscard]] embedded::child start(const command& what);

struct finished {
  bool succeeded = false;
  std::string ending; ///< "exit code 2"
  std::string output; ///< of stdout and stderr
};

/// Runs it to its end or throws.
[[nodiscard]] finished run(const command& what, milliseconds limit);

/// The process and all that descend from it at this moment.
[[nodiscard]] std::vector<pid_t> family_of(pid_t ancestor);
/// Processor time that the process and its living descendants have used so far.
[[nodiscard]] milliseconds processor_time_of(pid_t ancestor);
/// Whether it has been stopped, by SIGSTOP, and does nothing until it is told to go on.
[[nodiscard]] bool is_stopped(pid_t process);
/// Those that still run (zombies don't).
[[nodiscard]] std::vector<pid_t> still_running(const std::vector<pid_t>& processes);

} // namespace holdfast::test
