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

/// Neighbouring shards that lie in one database.
struct shard_range {
  shard_number first;
  shard_number last; ///< inclusive

  [[nodiscard]] constexpr std::uint16_t size() const noexcept {
    return static_cast<std::uint16_t>(last.value - first.value + 1);
  }
  [[nodiscard]] constexpr bool contains(shard_number shard) const noexcept {
    return first <= shard && shard <= last;
  }
  friend constexpr bool operator==(shard_range, shard_range) noexcept = default;
};

/// Which shards there are, and which of them share a database. Fixed when the databases are
/// initialised, and the same on every node.
class shard_layout {
public:
  shard_layout() = default;
  /// Sorted, without gaps or overlaps, from 0 on: one range a database.
  explicit shard_layout(std::vector<shard_range> ranges);

  [[nodiscard]] std::uint16_t count() const noexcept;
  [[nodiscard]] const std::vector<shard_range>& ranges() const noexcept { return ranges_; }
  /// The index of the database that holds the shard, which must exist.
  [[nodiscard]] std::size_t database_of(shard_number shard) const noexcept;
  [[nodiscard]] shard_range range_of(shard_number shard) const noexcept;

private:
  std::vector<shard_range> ranges_;
};

/// The shard of a merchant's key. `home` is the merchant's own shard and `stripes` how many
/// shards it is spread over (1 for all but the very largest merchants); they all lie in the
/// range, and so in the database, of `home`: what is unique or listed for one merchant is so in
/// one database.
[[nodiscard]] shard_number shard_of_key(shard_number home, std::uint16_t stripes,
                                        shard_range range, std::string_view key) noexcept;

/// Every shard that `shard_of_key` may answer, each once, in the order of the stripes.
[[nodiscard]] std::vector<shard_number> shards_of_merchant(shard_number home,
                                                           std::uint16_t stripes,
                                                           shard_range range);

/// "0-15" for people.
[[nodiscard]] std::string text_of(shard_range range);

/// "0-2, 7" for people. The shards must be sorted.
[[nodiscard]] std::string ranges_text(const std::vector<shard_number>& shards);

} // namespace holdfast

template <>
struct std::hash<holdfast::shard_number> {
  std::size_t operator()(holdfast::shard_number shard) const noexcept { return shard.value; }
};
