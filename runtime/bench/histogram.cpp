#include "runtime/bench/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace holdfast::bench {

void histogram::record(duration value) noexcept {
  const auto ticks = std::max<std::int64_t>(value.count(), 0);
  ++counts_[bucket_of(static_cast<std::uint64_t>(ticks))];
  ++count_;
  sum_ += static_cast<std::uint64_t>(ticks);
  max_ = std::max(max_, ticks);
}

void histogram::add(const histogram& other) noexcept {
  for (std::size_t i = 0; i < bucket_count; ++i)
    counts_[i] += other.counts_[i];
  count_ += other.count_;
  sum_ += other.sum_;
  max_ = std::max(max_, other.max_);
}

histogram::duration histogram::mean() const noexcept {
  return duration{count_ == 0 ? 0 : static_cast<std::int64_t>(sum_ / count_)};
}

histogram::duration histogram::at(double share) const noexcept {
  if (count_ == 0)
    return duration{0};
  const auto wanted = static_cast<std::uint64_t>(
    std::ceil(std::clamp(share, 0.0, 1.0) * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < bucket_count; ++i) {
    seen += counts_[i];
    if (seen > 0 && seen >= wanted)
      return duration{std::min(static_cast<std::int64_t>(top_of(i)), max_)};
  }
  return max();
}

/// Values below 2^(steps_bits + 1) have a bucket each; above, the leading bits tell.
std::size_t histogram::bucket_of(std::uint64_t value) noexcept {
  const auto width = static_cast<unsigned>(std::bit_width(value));
  const auto shift = width > steps_bits + 1 ? width - (steps_bits + 1) : 0;
  const auto bucket =
    (static_cast<std::size_t>(shift) << steps_bits) + static_cast<std::size_t>(value >> shift);
  return std::min(bucket, bucket_count - 1);
}

std::uint64_t histogram::top_of(std::size_t bucket) noexcept {
  const auto block = bucket >> steps_bits;
  if (block < 2)
    return bucket;
  const auto shift = block - 1;
  const auto leading = bucket - (shift << steps_bits);
  return ((leading + 1) << shift) - 1;
}

} // namespace holdfast::bench
