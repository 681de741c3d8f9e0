#include "runtime/telemetry/instruments.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <tuple>
#include <utility>

namespace holdfast::telemetry {

namespace {

constexpr double us_per_s = 1e6;

/// One of the journal's totals, as a series of its own name.
void watch_total(registry& into, std::string_view name, std::string_view help,
                 const std::function<storage::journal_figures()>& read,
                 std::uint64_t storage::journal_figures::*total) {
  into.watch(name, help, "counter", {},
             [read, total] { return static_cast<double>(read().*total); });
}

/// What is measured of one port's requests. Labels are written out when a series is seen for
/// the first time; from then on it is found by what they say. Thread-safe.
class request_series {
public:
  struct pair {
    counter& answered;
    histogram& took;
  };

  request_series(registry& into, std::string port) : into_(into), port_(std::move(port)) {}

  /// `method` and `route` come from a small set, never from input.
  const pair& of(std::string_view method, std::string_view route, std::uint16_t status) {
    const std::lock_guard lock{mutex_};
    const auto found = known_.find(std::tuple{method, route, status});
    return found != known_.end() ? found->second : add(method, route, status);
  }

private:
  /// A stored name is looked at as one of views, so that a look stores nothing.
  struct in_order {
    using is_transparent = void;
    using view = std::tuple<std::string_view, std::string_view, std::uint16_t>;
    bool operator()(const view& one, const view& other) const { return one < other; }
  };

  const pair& add(std::string_view method, std::string_view route, std::uint16_t status) {
    const auto status_text = std::to_string(status);
    const labels by{
      {"port", port_}, {"method", method}, {"route", route}, {"status", status_text}};
    pair made{into_.counter_of("holdfast_http_requests_total", "Requests answered.", by),
              into_.histogram_of("holdfast_http_request_duration_seconds",
                                 "From the last byte of a request to the last of its answer.",
                                 duration_bounds(), by)};
    return known_.emplace(std::tuple{method, route, status}, made).first->second;
  }

  registry& into_;
  const std::string port_;
  std::mutex mutex_;
  std::map<std::tuple<std::string, std::string, std::uint16_t>, pair, in_order> known_;
};

} // namespace

http::access_observer observe_requests(registry& into, std::string port) {
  return [seen = std::make_shared<request_series>(into, std::move(port))](
           const std::string& method, const std::string& route, std::uint16_t status,
           std::int64_t duration_us) {
    // A method is input until a route knows it.
    const std::string_view shown_route = route.empty() ? "unmatched" : std::string_view{route};
    const std::string_view shown_method =
      method == "GET" || method == "POST" ? std::string_view{method} : "other";
    const auto& [answered, took] = seen->of(shown_method, shown_route, status);
    answered.add();
    took.observe(static_cast<double>(duration_us) / us_per_s);
  };
}

void watch_connections(registry& into, std::string_view port,
                       std::function<std::size_t()> count) {
  into.watch("holdfast_http_connections", "Open client connections.", "gauge", {{"port", port}},
             [count = std::move(count)] { return static_cast<double>(count()); });
}

storage::commit_observer observe_commits(registry& into) {
  auto& sizes = into.histogram_of("holdfast_journal_commit_writes", "Writes in a group commit.",
                                  size_bounds(), {});
  auto& times = into.histogram_of("holdfast_journal_commit_duration_seconds",
                                  "From BEGIN to the durable COMMIT.", duration_bounds(), {});
  return [&sizes, &times](std::size_t writes, std::int64_t commit_us) {
    sizes.observe(static_cast<double>(writes));
    times.observe(static_cast<double>(commit_us) / us_per_s);
  };
}

void watch_journal(registry& into, std::function<storage::journal_figures()> read) {
  using figures = storage::journal_figures;
  watch_total(into, "holdfast_journal_transactions_total", "Group commits.", read,
              &figures::transactions);
  watch_total(into, "holdfast_journal_writes_total", "Decisions made durable.", read,
              &figures::writes);
  watch_total(into, "holdfast_journal_events_total", "Events made durable.", read,
              &figures::events);
  watch_total(into, "holdfast_journal_failed_writes_total",
              "Decisions that were not made durable.", read, &figures::failed_writes);
  into.watch("holdfast_journal_queue_depth", "Writes that wait for the next commit.", "gauge",
             {}, [read = std::move(read)] { return static_cast<double>(read().queued); });
}

} // namespace holdfast::telemetry
