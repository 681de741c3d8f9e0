// Named places where a test may kill the process. The program that ships links the empty
// definition (runtime/fault_points_off.cpp), the crash tests' twin the deadly one.
#pragma once

namespace holdfast {

/// Marks a step between two effects: "journal.before_commit". Thread-safe; returns, or never
/// does.
void fault_point(const char* name) noexcept;

} // namespace holdfast
