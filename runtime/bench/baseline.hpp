// The hand-written alternative that figures are compared with: pgbench, whose clients write the
// same rows one payment at a time.
#pragma once

#include "messages/expected.hpp"
#include "messages/time.hpp"
#include "storage/database.hpp"

#include <filesystem>
#include <string>

namespace holdfast::bench {

/// bench/baseline.sql, compiled into the program.
extern const char* const baseline_script;

/// The URL of another database of the same server.
[[nodiscard]] std::string with_database(const std::string& url, const std::string& name);

/// What the bench's databases are made for: all shards of a cluster with default settings.
[[nodiscard]] storage::database_identity whole_cluster();
/// To open one of them under a node's name, with one reader.
[[nodiscard]] storage::database_options whole_database(std::string url, std::string node);

/// Creates a database next to the one of the URL, with the schema of the runtime. Blocking;
/// starts programs of PostgreSQL's, so from the main thread alone. Errors: unavailable.
[[nodiscard]] expected<std::string> create_database(const std::string& beside,
                                                    const std::string& name);

/// Makes the log files that the server keeps, by filling them and having them used again: so
/// what is measured is a server that has run for a while and not one that makes its first ones.
/// Blocking; from the main thread alone. `log` hears what psql says. Errors: unavailable.
[[nodiscard]] expected<void> make_log_files(const std::string& database_url,
                                            const std::filesystem::path& log);

/// Payments a second that pgbench writes. Blocks for about as long as `length`, which counts in
/// whole seconds; from the main thread alone. `folder` takes the script and the log.
/// Errors: unavailable (no pgbench, it failed).
[[nodiscard]] expected<double> run_baseline(const std::string& database_url,
                                            const std::filesystem::path& folder,
                                            milliseconds length);

/// Pure: the transactions a second of pgbench's report. Errors: unavailable, also when any
/// failed.
[[nodiscard]] expected<double> parse_pgbench(const std::string& report);

} // namespace holdfast::bench
