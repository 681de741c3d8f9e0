#include "messages/shard.hpp"

#include "messages/assert.hpp"

#include <algorithm>

namespace holdfast {

namespace {

/// FNV-1a with a final mix. Stored placement hangs on it: it must never change, which is why it
/// is not std::hash.
std::uint64_t stable_hash(std::string_view text) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3U;
  }
  hash ^= hash >> 33;
  hash *= 0xff51afd7ed558ccdU;
  hash ^= hash >> 33;
  return hash;
}

} // namespace

shard_layout::shard_layout(std::vector<shard_range> ranges) : ranges_(std::move(ranges)) {
  std::uint32_t next = 0;
  for (const auto& range : ranges_) {
    HF_ASSERT(range.first.value == next && range.last >= range.first);
    next = range.last.value + 1U;
  }
}

std::uint16_t shard_layout::count() const noexcept {
  return ranges_.empty() ? std::uint16_t{0}
                         : static_cast<std::uint16_t>(ranges_.back().last.value + 1);
}

std::size_t shard_layout::database_of(shard_number shard) const noexcept {
  HF_ASSERT(shard.value < count());
  const auto holds = std::ranges::lower_bound(ranges_, shard, {}, &shard_range::last);
  return static_cast<std::size_t>(holds - ranges_.begin());
}

shard_range shard_layout::range_of(shard_number shard) const noexcept {
  return ranges_[database_of(shard)];
}

namespace {

shard_number stripe_of(shard_number home, std::uint64_t stripe, shard_range range) noexcept {
  const auto offset = (home.value - range.first.value + stripe) % range.size();
  return shard_number{static_cast<std::uint16_t>(range.first.value + offset)};
}

} // namespace

shard_number shard_of_key(shard_number home, std::uint16_t stripes, shard_range range,
                          std::string_view key) noexcept {
  HF_ASSERT(range.contains(home));
  return stripes <= 1 ? home : stripe_of(home, stable_hash(key) % stripes, range);
}

std::vector<shard_number> shards_of_merchant(shard_number home, std::uint16_t stripes,
                                             shard_range range) {
  HF_ASSERT(range.contains(home));
  std::vector<shard_number> shards;
  const auto spread = std::clamp<std::uint16_t>(stripes, 1, range.size());
  for (std::uint16_t stripe = 0; stripe < spread; ++stripe)
    shards.push_back(stripe_of(home, stripe, range));
  return shards;
}

std::string text_of(shard_range range) {
  return std::to_string(range.first.value) + '-' + std::to_string(range.last.value);
}

std::string ranges_text(const std::vector<shard_number>& shards) {
  std::string text;
  for (auto first = shards.begin(); first != shards.end();) {
    auto last = first;
    while (last + 1 != shards.end() && (last + 1)->value == last->value + 1)
      ++last;
    text += (text.empty() ? "" : ", ") + std::to_string(first->value);
    if (last != first)
      text += '-' + std::to_string(last->value);
    first = last + 1;
  }
  return text;
}

} // namespace holdfast
