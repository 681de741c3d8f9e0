#include "messages/feed_cursor.hpp"

#include "messages/assert.hpp"

#include <algorithm>

namespace holdfast {

namespace {

// An opaque cursor strings the events' ids together, under a prefix of its own.
constexpr std::string_view cursor_prefix = "cur_";
constexpr std::string_view event_prefix = "evt_";
constexpr std::size_t event_digits = 20;

error not_of_this_feed(std::size_t shards) {
  return make_error(errc::invalid_argument,
                    shards == 1 ? "Expected the id of an event of this feed."
                                : "Expected the `next` of an earlier page of this feed; this "
                                  "merchant's events have no single order.");
}

} // namespace

feed_cursor feed_cursor::at_start(const std::vector<shard_number>& shards) {
  HF_ASSERT(!shards.empty());
  feed_cursor cursor;
  for (const auto shard : shards)
    cursor.positions_.push_back({shard, {}});
  return cursor;
}

expected<feed_cursor> feed_cursor::parse(std::string_view text,
                                         const std::vector<shard_number>& shards) {
  const auto prefix = shards.size() == 1 ? event_prefix : cursor_prefix;
  if (text.size() != prefix.size() + event_digits * shards.size() || !text.starts_with(prefix))
    return not_of_this_feed(shards.size());
  text.remove_prefix(prefix.size());
  feed_cursor cursor;
  for (const auto shard : shards) {
    const auto position =
      parse_event_id(std::string{event_prefix} + std::string{text.substr(0, event_digits)});
    if (!position || position->shard != shard)
      return not_of_this_feed(shards.size());
    cursor.positions_.push_back(*position);
    text.remove_prefix(event_digits);
  }
  return cursor;
}

std::string feed_cursor::text() const {
  std::string text{positions_.size() == 1 ? event_prefix : cursor_prefix};
  for (const auto& [shard, seq] : positions_)
    text += event_id_text(shard, seq).substr(event_prefix.size());
  return text;
}

void feed_cursor::pass(shard_number shard, sequence_number seq) {
  const auto found = std::ranges::find(positions_, shard, &event_position::shard);
  HF_ASSERT(found != positions_.end() && found->seq < seq);
  found->seq = seq;
}

} // namespace holdfast
