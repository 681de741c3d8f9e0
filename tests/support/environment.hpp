// What whoever runs the tests may ask for: more rounds, another seed.
#pragma once

#include <cstdint>

namespace holdfast::test {

/// `otherwise` when the variable is not set, or not a number.
[[nodiscard]] std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise);

} // namespace holdfast::test
