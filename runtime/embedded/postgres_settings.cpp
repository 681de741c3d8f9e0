#include "runtime/embedded/postgres_settings.hpp"

#include "messages/limits.hpp"

#include <algorithm>
#include <fstream>
#include <string_view>

#include <unistd.h>

namespace holdfast::embedded {

namespace {

constexpr std::string_view fixed_settings =
  R"(# Written by holdfast at each start; changes are lost.
listen_addresses = ''
port = 5432
unix_socket_permissions = 0700
max_connections = 64
superuser_reserved_connections = 3

fsync = on
synchronous_commit = on
full_page_writes = on
wal_level = minimal
max_wal_senders = 0
wal_buffers = 16MB
# The log's files are used again, all of them: to make a new one holds up every commit.
min_wal_size = 2GB
max_wal_size = 2GB
checkpoint_timeout = 15min
checkpoint_completion_target = 0.9

effective_cache_size = 1GB
work_mem = 16MB
maintenance_work_mem = 128MB
random_page_cost = 1.1
jit = off
max_parallel_workers_per_gather = 0

timezone = 'UTC'
log_timezone = 'UTC'
log_destination = 'stderr'
logging_collector = off
log_line_prefix = '%m [%p] '
log_checkpoints = off
# Statements and their values stay out of the log: they are the merchants'.
log_statement = 'none'
log_min_error_statement = panic
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
)";

std::uint64_t buffers_for(std::uint64_t memory_bytes) {
  return std::clamp(memory_bytes / limits::embedded_buffers_part,
                    limits::embedded_buffers_bytes_min, limits::embedded_buffers_bytes_max);
}

} // namespace

std::string postgres_settings(std::uint64_t memory_bytes,
                              const std::filesystem::path& socket_folder) {
  constexpr std::uint64_t mebibyte = 1UL << 20;
  std::string text{fixed_settings};
  text += "shared_buffers = " + std::to_string(buffers_for(memory_bytes) / mebibyte) + "MB\n";
  text += "unix_socket_directories = '" + socket_folder.string() + "'\n";
  return text;
}

std::uint64_t usable_memory(const std::filesystem::path& control_group) {
  const auto machine = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES))
                       * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  // Without a limit it says "max"; without such a group there is no file.
  std::uint64_t allowed = 0;
  std::ifstream limit{control_group / "memory.max"};
  return limit >> allowed ? std::min(machine, allowed) : machine;
}

} // namespace holdfast::embedded
