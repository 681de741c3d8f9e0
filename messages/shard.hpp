// Shards, epochs and sequence numbers: the coordinates of everything durable.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

/// A logical shard, 0 … shard count - 1. At most 14 bits (see ids.hpp).
struct shard_number {
  std::uint16_t value = 0;
  friend constexpr auto operator<=>(shard_number, shard_number) noexcept = default;
};

/// The fencing token of a shard's owner. Rises with every take-over, is never reused; 0 is
/// none.
struct epoch_number {
  std::int64_t value = 0;
  friend constexpr auto operator<=>(epoch_number, epoch_number) noexcept = default;
};

/// The position of an event in its shard's log: 1, 2, 3 … without a gap.
struct sequence_number {
  std::int64_t value = 0;
  friend constexpr auto operator<=>(sequence_number, sequence_number) noexcept = default;
};

/// The shard of a merchant's key. `home` is the merchant's own shard and `stripes` how many
/// shards it is spread over (1 for all but the very largest merchants).
[[nodiscard]] shard_number shard_of_key(shard_number home, std::uint16_t stripes,
                                        std::uint16_t shard_count,
                                        std::string_view key) noexcept;

/// Every shard that `shard_of_key` may answer, each once, in the order of the stripes.
[[nodiscard]] std::vector<shard_number> shards_of_merchant(shard_number home,
                                                           std::uint16_t stripes,
                                                           std::uint16_t shard_count);

/// "0-2, 7" for people. The shards must be sorted.
[[nodiscard]] std::string ranges_text(const std::vector<shard_number>& shards);

} // namespace holdfast

template <>
struct std::hash<holdfast::shard_number> {
  std::size_t operator()(holdfast::shard_number shard) const noexcept { return shard.value; }
};
