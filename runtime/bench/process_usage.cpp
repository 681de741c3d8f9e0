#include "runtime/bench/process_usage.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <sstream>
#include <string>

#include <unistd.h>

namespace holdfast::bench {

namespace fs = std::filesystem;

namespace {

// Places in /proc/PID/stat after the name, counted from 0 (proc(5) counts the state as 3).
constexpr std::size_t parent_place = 1;
constexpr std::size_t user_place = 11;
constexpr std::size_t system_place = 12;
constexpr std::size_t children_user_place = 13;
constexpr std::size_t children_system_place = 14;
constexpr std::size_t places = 15;

// Columns of /proc/stat's first line, counted from 0. Guests' time is in user time already.
constexpr std::size_t idle_column = 3;
constexpr std::size_t waiting_column = 4;
constexpr std::size_t stolen_column = 7;
constexpr std::size_t machine_columns = 8;

std::string content_of(const fs::path& path) {
  std::ifstream in{path};
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

microseconds to_time(std::uint64_t ticks) {
  const auto a_second = static_cast<std::uint64_t>(std::max(1L, ::sysconf(_SC_CLK_TCK)));
  return microseconds{static_cast<std::int64_t>(ticks * 1'000'000 / a_second)};
}

fs::path folder_of(pid_t process) {
  return fs::path{"/proc"} / std::to_string(process);
}

} // namespace

expected<process_times> parse_stat(std::string_view text) {
  const auto bad = make_error(errc::invalid_argument, "not a /proc/PID/stat");
  const auto name_end = text.rfind(')');
  if (name_end == std::string_view::npos)
    return bad;
  text.remove_prefix(name_end + 1);
  std::array<std::int64_t, places> values{};
  for (std::size_t i = 0; i < places; ++i) {
    const auto begin = text.find_first_not_of(' ');
    if (begin == std::string_view::npos)
      return bad;
    text.remove_prefix(begin);
    const auto length = std::min(text.find(' '), text.size());
    const auto parsed = std::from_chars(text.data(), text.data() + length, values[i]);
    // The state, at the first place, is a letter.
    if (i > 0 && parsed.ec != std::errc{})
      return bad;
    text.remove_prefix(length);
  }
  process_times times;
  times.parent = static_cast<pid_t>(values[parent_place]);
  times.ticks = static_cast<std::uint64_t>(values[user_place] + values[system_place]);
  times.children_ticks =
    static_cast<std::uint64_t>(values[children_user_place] + values[children_system_place]);
  return times;
}

std::uint64_t status_bytes(std::string_view status, std::string_view name) {
  while (!status.empty()) {
    const auto length = std::min(status.find('\n'), status.size());
    auto line = status.substr(0, length);
    status.remove_prefix(std::min(length + 1, status.size()));
    if (!line.starts_with(name) || line.substr(name.size(), 1) != ":")
      continue;
    line.remove_prefix(std::min(line.find_first_of("0123456789"), line.size()));
    std::uint64_t kilobytes = 0;
    std::from_chars(line.data(), line.data() + line.size(), kilobytes);
    return kilobytes * 1024;
  }
  return 0;
}

expected<machine_times> parse_machine_times(std::string_view text) {
  std::istringstream line{std::string{text.substr(0, text.find('\n'))}};
  std::string name;
  std::array<std::uint64_t, machine_columns> ticks{};
  line >> name;
  for (auto& column : ticks)
    line >> column;
  if (!line || name != "cpu")
    return make_error(errc::invalid_argument, "not a /proc/stat");
  machine_times times;
  times.all = to_time(std::accumulate(ticks.begin(), ticks.end(), std::uint64_t{0}));
  times.idle = to_time(ticks[idle_column] + ticks[waiting_column]);
  times.stolen = to_time(ticks[stolen_column]);
  return times;
}

machine_times machine_times_now() {
  const auto times = parse_machine_times(content_of("/proc/stat"));
  return times ? *times : machine_times{};
}

usage usage_of(pid_t process) {
  usage used;
  if (const auto times = parse_stat(content_of(folder_of(process) / "stat")))
    used.cpu = to_time(times->ticks);
  used.memory_bytes = status_bytes(content_of(folder_of(process) / "status"), "VmHWM");
  return used;
}

std::uint64_t resident_bytes(pid_t process) {
  return status_bytes(content_of(folder_of(process) / "status"), "VmRSS");
}

usage usage_of_family(pid_t parent) {
  usage used;
  std::uint64_t ticks = 0;
  std::uint64_t shared_bytes = 0;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator{"/proc", ignored}) {
    const auto name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos)
      continue;
    const auto times = parse_stat(content_of(entry.path() / "stat"));
    const bool is_parent = name == std::to_string(parent);
    if (!times || (!is_parent && times->parent != parent))
      continue;
    ticks += times->ticks + (is_parent ? times->children_ticks : 0);
    const auto status = content_of(entry.path() / "status");
    const auto shared = status_bytes(status, "RssShmem");
    used.memory_bytes += status_bytes(status, "VmRSS") - shared;
    shared_bytes = std::max(shared_bytes, shared);
  }
  used.cpu = to_time(ticks);
  used.memory_bytes += shared_bytes;
  return used;
}

} // namespace holdfast::bench
