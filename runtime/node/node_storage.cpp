#include "runtime/node/node_storage.hpp"

#include "runtime/telemetry/instruments.hpp"

namespace holdfast::runtime {

expected<std::unique_ptr<storage::database>> open_storage(
  const config::node_config& settings, const std::shared_ptr<storage::sequence_marks>& marks,
  telemetry::registry& metrics) {
  std::vector<storage::database_options> all;
  for (const auto& named : settings.databases) {
    storage::database_options options;
    options.url = named.url;
    options.range = {{named.first_shard}, {named.last_shard}};
    options.cluster = settings.cluster_name;
    options.shards = settings.shards;
    options.node = settings.id;
    options.lease = settings.lease;
    options.marks = marks;
    all.push_back(std::move(options));
  }
  auto opened = storage::open_databases(std::move(all));
  if (!opened)
    return opened.error();
  (*opened)->observe_commits(telemetry::observe_commits(metrics));
  auto& database = **opened;
  telemetry::watch_journal(metrics, [&database] { return database.figures(); });
  return opened;
}

} // namespace holdfast::runtime
