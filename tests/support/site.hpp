// What loads and audits need of an installation, be it one node or a cluster.
#pragma once

#include "runtime/client/json_client.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace holdfast::test {

/// Whatever can't be done throws std::runtime_error with the logs' last lines.
class site {
public:
  virtual ~site() = default;

  /// Over how many shards a merchant's payments can spread.
  [[nodiscard]] virtual int stripes_max() const { return 32; }
  /// URLs of the HTTP ports that requests may go to now, at least one.
  [[nodiscard]] virtual std::vector<std::string> entrances() const = 0;
  [[nodiscard]] virtual const std::string& sandbox() const = 0;
  /// Of a node that runs.
  [[nodiscard]] virtual client::json_client operators() const = 0;
  /// Returns once all shards serve.
  virtual void await_ready() = 0;
  /// The numbers of the query's only row, summed over all databases.
  [[nodiscard]] virtual std::vector<std::int64_t> numbers(const char* query,
                                                          int columns) const = 0;
  /// The last lines of all logs, for a failure's report.
  [[nodiscard]] virtual std::string logs() const = 0;

  /// The API key of a new merchant, whose payments spread over so many shards.
  [[nodiscard]] std::string new_merchant(int stripes) const;
};

/// The numbers of the query's only row; throws when there is no such row.
[[nodiscard]] std::vector<std::int64_t> read_numbers(const std::string& database_url,
                                                     const std::string& query, int columns);

/// The last lines of a log under its name.
[[nodiscard]] std::string last_words(const std::filesystem::path& log);

} // namespace holdfast::test
