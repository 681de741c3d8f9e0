// The name of a ledger entry: where it stands in its shard's log. Entries have no other id, and
// need none, for what is appended there never moves.
#pragma once

#include "messages/expected.hpp"
#include "messages/shard.hpp"

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast {

struct entry_id {
  shard_number shard;
  sequence_number seq;
  std::uint16_t leg = 0;

  /// `ent_` and 24 hexadecimal digits: 4 of the shard, 16 of the sequence number, 4 of the leg.
  /// Sortable within a shard, and the cursor of a list of entries.
  [[nodiscard]] std::string text() const;
  /// Errors: invalid_argument.
  [[nodiscard]] static expected<entry_id> parse(std::string_view text);

  friend auto operator<=>(const entry_id&, const entry_id&) noexcept = default;
};

} // namespace holdfast
