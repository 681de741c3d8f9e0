// What the embedded PostgreSQL is told in its postgresql.conf. Pure but for `usable_memory`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace holdfast::embedded {

/// For durability first: a commit is on disk before it is answered. `memory_bytes`: what the
/// server and all that runs beside it may use.
[[nodiscard]] std::string postgres_settings(std::uint64_t memory_bytes,
                                            const std::filesystem::path& socket_folder);

/// The machine's memory in bytes, or what this process's control group (version 2) is allowed,
/// whichever is less. `control_group`: the folder of its files.
[[nodiscard]] std::uint64_t usable_memory(
  const std::filesystem::path& control_group = "/sys/fs/cgroup");

} // namespace holdfast::embedded
