#include "tests/support/process.hpp"

#include "runtime/embedded/folder.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include <sys/stat.h>
#include <unistd.h>

namespace holdfast::test {

namespace fs = std::filesystem;

namespace {

constexpr milliseconds look_again{5};

/// What Linux tells of it from its state on: "S 1 …". Empty when there is no such process any
/// more.
std::string state_of(pid_t pid) {
  const std::ifstream file{"/proc/" + std::to_string(pid) + "/stat"};
  std::ostringstream read;
  read << file.rdbuf(); // Unlike an iterator it doesn't throw where the process has just gone.
  const auto text = read.str();
  // "pid (name) state parent": the name may hold anything.
  constexpr std::string_view before = ") ";
  const auto end = text.rfind(before);
  return end == std::string::npos ? std::string{} : text.substr(end + before.size());
}

/// 0 when there is no such process any more.
pid_t parent_of(pid_t pid) {
  const auto state = state_of(pid);
  constexpr std::size_t before = 2; // "S "
  pid_t parent = 0;
  if (state.size() > before)
    std::from_chars(state.data() + before, state.data() + state.size(), parent);
  return parent;
}

std::vector<pid_t> all_processes() {
  std::vector<pid_t> found;
  for (const auto& entry : fs::directory_iterator{"/proc"}) {
    const auto name = entry.path().filename().string();
    pid_t pid = 0;
    const auto [end, bad] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (bad == std::errc{} && end == name.data() + name.size())
      found.push_back(pid);
  }
  return found;
}

} // namespace

bool eventually(milliseconds limit, const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline)
      return false;
    std::this_thread::sleep_for(look_again);
  }
  return true;
}

temp_folder::temp_folder() {
  auto name = (fs::temp_directory_path() / "holdfast-test-XXXXXX").string();
  if (!::mkdtemp(name.data()) || ::chmod(name.c_str(), 0711) != 0)
    throw std::runtime_error{name + " can't be made"};
  path_ = name;
}

temp_folder::~temp_folder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::string from_environment(const char* name) {
  const char* value = std::getenv(name);
  if (!value || !*value)
    throw std::runtime_error{std::string{name} + " is not set: run the tests by ctest"};
  return value;
}

embedded::child start(const command& what) {
  embedded::child_options options;
  options.program = what.program;
  options.arguments = {what.program.filename()};
  options.arguments.insert(options.arguments.end(), what.arguments.begin(),
                           what.arguments.end());
  options.environment = what.environment;
  options.log_file = what.log;
  auto started = embedded::child::start(options);
  if (!started)
    throw std::runtime_error{started.error().detail};
  return std::move(*started);
}

finished run(const command& what, milliseconds limit) {
  auto process = start(what);
  if (!process.wait(limit))
    throw std::runtime_error{what.program.string() + " does not end"};
  auto output = embedded::read_file(what.log);
  return {process.succeeded(), process.ending(), output ? std::move(*output) : std::string{}};
}

std::vector<pid_t> family_of(pid_t ancestor) {
  std::vector<pid_t> family{ancestor};
  const auto everybody = all_processes();
  for (std::size_t i = 0; i < family.size(); ++i) {
    std::ranges::copy_if(
      everybody, std::back_inserter(family),
      [&, parent = family[i]](pid_t pid) { return parent_of(pid) == parent; });
  }
  return family;
}

milliseconds processor_time_of(pid_t ancestor) {
  // User and system time are the 12th and 13th of what is told, in ticks of the clock.
  constexpr int fields_before = 11;
  std::int64_t ticks = 0;
  for (const auto pid : family_of(ancestor)) {
    std::istringstream fields{state_of(pid)};
    std::string skipped;
    for (int i = 0; i < fields_before; ++i)
      fields >> skipped;
    std::int64_t user = 0;
    std::int64_t system = 0;
    if (fields >> user >> system)
      ticks += user + system;
  }
  return milliseconds{ticks * 1'000 / ::sysconf(_SC_CLK_TCK)};
}

bool is_stopped(pid_t process) {
  return state_of(process).starts_with('T');
}

std::vector<pid_t> still_running(const std::vector<pid_t>& processes) {
  std::vector<pid_t> running;
  std::ranges::copy_if(processes, std::back_inserter(running), embedded::is_running);
  return running;
}

} // namespace holdfast::test
