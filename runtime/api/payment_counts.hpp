// How many payments stand at which status, as a metric. Counting them reads an index of all of
// them, so it is done a few times a minute at most, however many scrape.
#pragma once

#include "storage/store.hpp"

#include <functional>
#include <memory>
#include <string>

namespace holdfast::api {

/// Thread-safe. The store must outlive every call under way.
class payment_counts {
public:
  explicit payment_counts(storage::store& store);

  /// Hands over the metric's text, at most limits::status_count_age_ms_max old. While the
  /// database can't be asked, or is being asked already, that is the latest there is. `done`
  /// runs at once or on a storage thread.
  void read(timestamp now, std::function<void(std::string)> done);

private:
  struct state;
  std::shared_ptr<state> state_;
};

} // namespace holdfast::api
