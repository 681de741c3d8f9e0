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

shard_number shard_of_key(shard_number home, std::uint16_t stripes, std::uint16_t shard_count,
                          std::string_view key) noexcept {
  HF_ASSERT(shard_count > 0);
  if (stripes <= 1)
    return home;
  const auto stripe = stable_hash(key) % stripes;
  return shard_number{static_cast<std::uint16_t>((home.value + stripe) % shard_count)};
}

std::vector<shard_number> shards_of_merchant(shard_number home, std::uint16_t stripes,
                                             std::uint16_t shard_count) {
  HF_ASSERT(shard_count > 0);
  std::vector<shard_number> shards;
  const auto spread = std::clamp<std::uint16_t>(stripes, 1, shard_count);
  if (spread == 1)
    return {home};
  for (std::uint16_t stripe = 0; stripe < spread; ++stripe)
    shards.push_back({static_cast<std::uint16_t>((home.value + stripe) % shard_count)});
  return shards;
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
