// Whole files, read and replaced.
#pragma once

#include "messages/expected.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::sandbox {

enum class durability : std::uint8_t {
  written, ///< survives the process
  synced,  ///< survives the machine
};

/// Under the name there is the old content or the new one, never half of it. Errors:
/// unavailable.
[[nodiscard]] expected<void> write_file(const std::string& path, std::string_view bytes,
                                        durability how);
/// Errors: unavailable.
[[nodiscard]] expected<std::string> read_file(const std::string& path);

} // namespace holdfast::sandbox
