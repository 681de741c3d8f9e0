#include "messages/shard.hpp"

#include "messages/assert.hpp"

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

} // namespace holdfast
