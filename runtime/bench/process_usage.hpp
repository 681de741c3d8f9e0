// What processes have cost, and what became of the machine's processors, as /proc tells.
#pragma once

#include "messages/expected.hpp"

#include <chrono>
#include <cstdint>
#include <string_view>

#include <sys/types.h>

namespace holdfast::bench {

using std::chrono::microseconds;

/// Of a /proc/PID/stat.
struct process_times {
  pid_t parent = 0;
  std::uint64_t ticks = 0;          ///< user and system time of its own
  std::uint64_t children_ticks = 0; ///< of children that have ended and were waited for
};

/// Pure. Errors: invalid_argument. A program's name may hold anything, brackets too.
[[nodiscard]] expected<process_times> parse_stat(std::string_view text);
/// Pure: the value of a line such as "VmHWM:   1234 kB", in bytes; 0 when there is none.
[[nodiscard]] std::uint64_t status_bytes(std::string_view status, std::string_view name);

struct usage {
  microseconds cpu{}; ///< user and system, since it began
  /// For one process the most that it ever held (resident); for a family what it holds now,
  /// what they share counted once.
  std::uint64_t memory_bytes = 0;
};

/// Of all processors together, since the machine began.
struct machine_times {
  microseconds all{};
  microseconds idle{};   ///< nobody wanted them, or all waited for a disk
  microseconds stolen{}; ///< wanted, but other machines of the same host had them
};

/// Pure: of /proc/stat. Errors: invalid_argument.
[[nodiscard]] expected<machine_times> parse_machine_times(std::string_view text);
/// All zero when /proc doesn't tell.
[[nodiscard]] machine_times machine_times_now();

/// All zero when there is no such process (any more).
[[nodiscard]] usage usage_of(pid_t process);
/// What the process holds in memory now; 0 when there is none.
[[nodiscard]] std::uint64_t resident_bytes(pid_t process);
/// Of the process and its children, those included that have ended.
[[nodiscard]] usage usage_of_family(pid_t parent);

} // namespace holdfast::bench
