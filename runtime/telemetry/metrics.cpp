#include "runtime/telemetry/metrics.hpp"

#include "messages/assert.hpp"
#include "messages/limits.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace holdfast::telemetry {

namespace {

constexpr std::string_view overflow_label = "overflow=\"true\"";

void append_number(std::string& out, double value) {
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  out.append(text.data(), end);
}

/// `route="/v1/payments",status="201"`, without the braces.
std::string label_text(labels by) {
  std::string text;
  for (const auto& [name, value] : by) {
    if (!text.empty())
      text += ',';
    text.append(name).append("=\"");
    for (const char c : value) {
      if (c == '\n') {
        text += "\\n";
        continue;
      }
      if (c == '"' || c == '\\')
        text += '\\';
      text += c;
    }
    text += '"';
  }
  return text;
}

void append_line(std::string& out, std::string_view name, std::string_view suffix,
                 std::string_view label, double value) {
  out.append(name).append(suffix);
  if (!label.empty())
    out.append("{").append(label).append("}");
  out += ' ';
  append_number(out, value);
  out += '\n';
}

void append_histogram(std::string& out, std::string_view name, const std::string& label,
                      const histogram& shown) {
  const auto prefix = label.empty() ? std::string{} : label + ',';
  std::uint64_t total = 0;
  for (std::size_t i = 0; i <= shown.bounds().size(); ++i) {
    total += shown.count_in(i);
    std::string bound = "+Inf";
    if (i < shown.bounds().size()) {
      bound.clear();
      append_number(bound, shown.bounds()[i]);
    }
    append_line(out, name, "_bucket", prefix + "le=\"" + bound + '"',
                static_cast<double>(total));
  }
  append_line(out, name, "_sum", label, shown.sum());
  append_line(out, name, "_count", label, static_cast<double>(total));
}

/// The series of this label, or that of the overflow when there are too many already.
template <class Series, class Make>
auto& series_of(Series& series, std::string label, Make make) {
  auto entry = series.find(label);
  if (entry == series.end() && series.size() >= limits::metric_series_max) {
    label = overflow_label;
    entry = series.find(label);
  }
  if (entry == series.end())
    entry = series.emplace(std::move(label), make()).first;
  return *entry->second;
}

} // namespace

histogram::histogram(std::span<const double> bounds)
  : bounds_(bounds.begin(), bounds.end()),
    counts_(bounds.size() + 1) {
  HF_ASSERT(std::is_sorted(bounds_.begin(), bounds_.end()));
}

void histogram::observe(double value) noexcept {
  const auto bucket = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
  counts_[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

std::uint64_t histogram::count_in(std::size_t i) const noexcept {
  return counts_[i].load(std::memory_order_relaxed);
}

std::span<const double> duration_bounds() noexcept {
  static constexpr std::array bounds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                     0.25,   0.5,   1.0,    2.5,   5.0,  10.0,  30.0, 60.0};
  return bounds;
}

std::span<const double> size_bounds() noexcept {
  static constexpr std::array bounds{1.0,   2.0,   4.0,   8.0,    16.0,   32.0,  64.0,
                                     128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0};
  return bounds;
}

registry::family& registry::family_of(std::string_view name, std::string_view help,
                                      std::string_view kind) {
  auto entry = families_.find(name);
  if (entry == families_.end()) {
    entry = families_.try_emplace(std::string{name}).first;
    entry->second.help = help;
    entry->second.kind = kind;
  }
  HF_ASSERT(entry->second.kind == kind);
  return entry->second;
}

counter& registry::counter_of(std::string_view name, std::string_view help, labels by) {
  const std::lock_guard lock{mutex_};
  return series_of(family_of(name, help, "counter").counters, label_text(by),
                   [] { return std::make_unique<counter>(); });
}

histogram& registry::histogram_of(std::string_view name, std::string_view help,
                                  std::span<const double> bounds, labels by) {
  const std::lock_guard lock{mutex_};
  return series_of(family_of(name, help, "histogram").histograms, label_text(by),
                   [bounds] { return std::make_unique<histogram>(bounds); });
}

void registry::watch(std::string_view name, std::string_view help, std::string_view kind,
                     labels by, std::function<double()> read) {
  const std::lock_guard lock{mutex_};
  family_of(name, help, kind).watched.insert_or_assign(label_text(by), std::move(read));
}

std::string registry::render() const {
  const std::lock_guard lock{mutex_};
  std::string out;
  for (const auto& [name, shown] : families_) {
    append_head(out, name, shown.help, shown.kind);
    for (const auto& [label, series] : shown.counters)
      append_line(out, name, {}, label, static_cast<double>(series->value()));
    for (const auto& [label, read] : shown.watched)
      append_line(out, name, {}, label, read());
    for (const auto& [label, series] : shown.histograms)
      append_histogram(out, name, label, *series);
  }
  return out;
}

void append_sample(std::string& out, std::string_view name, labels by, double value) {
  append_line(out, name, {}, label_text(by), value);
}

void append_head(std::string& out, std::string_view name, std::string_view help,
                 std::string_view kind) {
  out.append("# HELP ").append(name).append(" ").append(help).append("\n");
  out.append("# TYPE ").append(name).append(" ").append(kind).append("\n");
}

} // namespace holdfast::telemetry
