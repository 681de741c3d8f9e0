// Where a reader stands in a merchant's feed: behind one event of each shard that the merchant
// is spread over. A single position would not do, for the shards' logs grow independently.
#pragma once

#include "messages/ids.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

/// Its text is the last event's id for a merchant in one shard, and opaque for the others.
class feed_cursor {
public:
  /// Before the first event. `shards` are the merchant's, see shards_of_merchant.
  [[nodiscard]] static feed_cursor at_start(const std::vector<shard_number>& shards);
  /// Errors: invalid_argument, also for a cursor that is not of these shards.
  [[nodiscard]] static expected<feed_cursor> parse(std::string_view text,
                                                   const std::vector<shard_number>& shards);
  [[nodiscard]] std::string text() const;

  /// The event was read. Its shard must be one of the merchant's, and it the shard's next.
  void pass(shard_number shard, sequence_number seq);

  /// One for each shard; sequence number 0 before its first event.
  [[nodiscard]] const std::vector<event_position>& positions() const noexcept {
    return positions_;
  }

private:
  std::vector<event_position> positions_;
};

} // namespace holdfast
