#include "runtime/bench/baseline.hpp"

#include "messages/limits.hpp"
#include "runtime/config/config.hpp"
#include "runtime/embedded/child.hpp"
#include "runtime/embedded/folder.hpp"
#include "runtime/embedded/postgres.hpp"
#include "storage/database.hpp"

#include <algorithm>
#include <cstdlib>

namespace holdfast::bench {

namespace fs = std::filesystem;

namespace {

constexpr milliseconds tool_limit{60'000};
constexpr std::size_t log_lines_shown = 5;

/// What a program of PostgreSQL's prints.
expected<std::string> run_tool(std::string_view name, std::vector<std::string> arguments,
                               const fs::path& log, milliseconds limit) {
  const auto programs = embedded::find_postgres();
  if (!programs)
    return programs.error();
  const auto path = programs->folder / name;
  std::error_code ignored;
  if (!fs::exists(path, ignored))
    return make_error(errc::unavailable,
                      path.string() + " is missing; it comes with PostgreSQL's server package "
                                      "(Debian: postgresql-15)");
  embedded::child_options options;
  options.program = path;
  options.arguments = {path};
  options.arguments.insert(options.arguments.end(), arguments.begin(), arguments.end());
  options.log_file = log;
  auto output = embedded::output_of(std::move(options), limit);
  if (!output)
    return make_error(errc::unavailable, output.error().detail + '\n'
                                           + embedded::last_lines(log, log_lines_shown));
  return output;
}

/// The number after the last `name` of the report.
std::optional<double> number_after(const std::string& report, std::string_view name) {
  const auto at = report.rfind(name);
  if (at == std::string::npos)
    return std::nullopt;
  const char* begin = report.c_str() + at + name.size();
  char* end = nullptr;
  const auto value = std::strtod(begin, &end);
  return end == begin ? std::nullopt : std::optional{value};
}

} // namespace

std::string with_database(const std::string& url, const std::string& name) {
  const auto scheme = url.find("://");
  const auto path = scheme == std::string::npos ? 0 : url.find('/', scheme + 3);
  if (path == std::string::npos)
    return url + '/' + name;
  const auto end = std::min(url.find('?', path), url.size());
  return url.substr(0, path) + '/' + name + url.substr(end);
}

storage::database_identity whole_cluster() {
  const config::node_config defaults;
  const auto last = static_cast<std::uint16_t>(defaults.shards - 1);
  return {defaults.cluster_name, defaults.shards, {{0}, {last}}};
}

storage::database_options whole_database(std::string url, std::string node) {
  const auto whole = whole_cluster();
  storage::database_options options;
  options.url = std::move(url);
  options.range = whole.range;
  options.cluster = whole.cluster;
  options.shards = whole.shards;
  options.node = std::move(node);
  options.readers = 1;
  return options;
}

expected<std::string> create_database(const std::string& beside, const std::string& name) {
  if (auto made =
        run_tool("createdb", {"--maintenance-db=" + beside, name}, "/dev/null", tool_limit);
      !made)
    return made.error();
  auto url = with_database(beside, name);
  if (auto migrated = storage::migrate(url, whole_cluster()); !migrated)
    return migrated.error();
  return url;
}

expected<void> make_log_files(const std::string& database_url, const fs::path& log) {
  // A file that nothing was written to is not left for the next one: so a transaction in each.
  constexpr const char* fill =
    "do $$ begin for file in 1..pg_size_bytes(current_setting('min_wal_size'))"
    " / pg_size_bytes(current_setting('wal_segment_size'))"
    " loop perform pg_current_xact_id(); commit; perform pg_switch_wal(); end loop; end $$";
  const auto done =
    run_tool("psql",
             {"--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1",
              std::string{"--command="} + fill, "--command=checkpoint", database_url},
             log, tool_limit);
  return done ? expected<void>{} : done.error();
}

expected<double> run_baseline(const std::string& database_url, const fs::path& folder,
                              milliseconds length) {
  const auto script = folder / "baseline.sql";
  if (auto written = embedded::write_private_file(script, baseline_script); !written)
    return written.error();
  const auto seconds =
    std::max<std::int64_t>(1, std::chrono::round<std::chrono::seconds>(length).count());
  const auto clients = std::to_string(limits::bench_baseline_clients);
  const auto report =
    run_tool("pgbench",
             {"--no-vacuum", "--protocol=prepared", "--client=" + clients, "--jobs=2",
              "--time=" + std::to_string(seconds), "--file=" + script.string(), database_url},
             folder / "pgbench.log", std::chrono::seconds{seconds} + tool_limit);
  if (!report)
    return report.error();
  return parse_pgbench(*report);
}

expected<double> parse_pgbench(const std::string& report) {
  const auto failed = number_after(report, "number of failed transactions: ");
  const auto rate = number_after(report, "tps = ");
  if (!rate || failed.value_or(0) > 0)
    return make_error(errc::unavailable, "pgbench did not do what it was to: " + report);
  return *rate;
}

} // namespace holdfast::bench
