// Named places where a test may kill or freeze the process. The program that ships links the
// empty definition (runtime/fault_points_off.cpp), its twin for tests the harmful one.
#pragma once

namespace holdfast {

/// Marks a step between two effects: "journal.before_commit". Thread-safe; returns, late, or
/// never.
void fault_point(const char* name) noexcept;

} // namespace holdfast
