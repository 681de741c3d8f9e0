// Counters and histograms of the node, shown as Prometheus text (exposition format 0.0.4). The
// actor system has a registry of its own, which the front renders; this one is for what happens
// outside of actors: HTTP and the journal.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::telemetry {

/// Only ever rises. Thread-safe.
class counter {
public:
  void add(std::uint64_t amount = 1) noexcept {
    value_.fetch_add(amount, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t value() const noexcept {
    return value_.load(std::memory_order_relaxed);
  }

private:
  std::atomic<std::uint64_t> value_{0};
};

/// Counts observations by size, in buckets that are fixed when it is made. Thread-safe; a
/// reader may see one observation in a bucket and not yet in the sum.
class histogram {
public:
  /// Upper bounds, inclusive and rising; one more bucket takes what exceeds them.
  explicit histogram(std::span<const double> bounds);

  void observe(double value) noexcept;

  [[nodiscard]] const std::vector<double>& bounds() const noexcept { return bounds_; }
  /// Of bucket i alone; i = bounds().size() is the last.
  [[nodiscard]] std::uint64_t count_in(std::size_t i) const noexcept;
  [[nodiscard]] double sum() const noexcept { return sum_.load(std::memory_order_relaxed); }

private:
  std::vector<double> bounds_;
  std::vector<std::atomic<std::uint64_t>> counts_;
  std::atomic<double> sum_{0.0};
};

/// Label names are ours; values are escaped, and must come from a small set, never from input.
using labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

/// Upper bounds for durations in seconds: from half a millisecond to a minute.
[[nodiscard]] std::span<const double> duration_bounds() noexcept;
/// Upper bounds for counts: powers of two from 1 to 4096.
[[nodiscard]] std::span<const double> size_bounds() noexcept;

/// Owns its metrics, which live as long as it does. Thread-safe. A metric has at most
/// limits::metric_series_max series; what exceeds them is counted under `overflow="true"`.
class registry {
public:
  /// `help` counts the first time. The name must not be in use for another kind.
  [[nodiscard]] counter& counter_of(std::string_view name, std::string_view help, labels by);
  [[nodiscard]] histogram& histogram_of(std::string_view name, std::string_view help,
                                        std::span<const double> bounds, labels by);
  /// A gauge or counter whose value is asked for when it is shown; `read` must not block.
  void watch(std::string_view name, std::string_view help, std::string_view kind, labels by,
             std::function<double()> read);

  /// Families in the order of their names, each with HELP and TYPE.
  [[nodiscard]] std::string render() const;

private:
  struct family {
    std::string help;
    std::string kind; ///< "counter", "gauge", "histogram"
    std::map<std::string, std::unique_ptr<counter>, std::less<>> counters; ///< by label text
    std::map<std::string, std::unique_ptr<histogram>, std::less<>> histograms;
    std::map<std::string, std::function<double()>, std::less<>> watched;
  };

  family& family_of(std::string_view name, std::string_view help, std::string_view kind);

  mutable std::mutex mutex_;
  std::map<std::string, family, std::less<>> families_;
};

/// Appends one sample as the registry writes it, for those who render a family of their own.
void append_sample(std::string& out, std::string_view name, labels by, double value);
/// Appends HELP and TYPE.
void append_head(std::string& out, std::string_view name, std::string_view help,
                 std::string_view kind);

} // namespace holdfast::telemetry
