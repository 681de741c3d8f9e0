#include "actors/shard/key_table.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <string_view>
#include <utility>

namespace holdfast::shards {

namespace {

constexpr milliseconds kept{limits::idempotency_key_kept_ms};
constexpr milliseconds touch_pause{limits::idempotency_touch_ms};

/// What an entry takes besides its texts: its node and bucket in the map, its place in the list
/// and what the allocator adds.
constexpr std::size_t overhead_bytes = 256;

void append_text(std::string& to, std::string_view text) {
  const auto size = static_cast<std::uint32_t>(text.size());
  to.append(reinterpret_cast<const char*>(&size), sizeof size);
  to += text;
}

std::string_view take_text(std::string_view& from) {
  std::uint32_t size = 0;
  std::memcpy(&size, from.data(), sizeof size);
  const auto text = from.substr(sizeof size, size);
  from.remove_prefix(sizeof size + size);
  return text;
}

/// For this process's memory only: the body is what is left after the rest.
std::string pack(const storage::stored_answer& answer) {
  std::string packed;
  packed.reserve(sizeof answer.status + 2 * sizeof(std::uint32_t) + answer.content_type.size()
                 + answer.location.size() + answer.body.size());
  packed.append(reinterpret_cast<const char*>(&answer.status), sizeof answer.status);
  append_text(packed, answer.content_type);
  append_text(packed, answer.location);
  return packed += answer.body;
}

storage::stored_answer unpack(std::string_view packed) {
  storage::stored_answer answer;
  std::memcpy(&answer.status, packed.data(), sizeof answer.status);
  packed.remove_prefix(sizeof answer.status);
  answer.content_type = take_text(packed);
  answer.location = take_text(packed);
  answer.body = packed;
  return answer;
}

} // namespace

std::size_t key_table::bytes_of(const entry_map::value_type& named) noexcept {
  return overhead_bytes + named.first.key.capacity() + named.second.answer.capacity();
}

key_look key_table::begin(const key_name& name, const fingerprint& request, uuid subject,
                          timestamp now) {
  auto [found, inserted] = entries_.try_emplace(name);
  auto& one = found->second;
  const bool expired = one.at == state::answered && now - one.used_at >= kept;
  if (expired) {
    bytes_ -= bytes_of(*found);
    recent_.erase(one.recency);
    one = {};
  }
  if (inserted || expired) {
    one.request = request;
    one.subject = subject;
    return {key_verdict::fresh};
  }
  if (one.request != request)
    return {key_verdict::mismatch};
  switch (one.at) {
    case state::running: return {key_verdict::in_progress};
    case state::provisional: return {key_verdict::pending, unpack(one.answer)};
    case state::answered:
      note_use(name, one, now);
      return {key_verdict::answered, unpack(one.answer)};
  }
  return {};
}

void key_table::use(const key_name& name, timestamp now) {
  auto found = entries_.find(name);
  if (found != entries_.end() && found->second.at == state::answered)
    note_use(name, found->second, now);
}

void key_table::note_use(const key_name& name, entry& one, timestamp now) {
  recent_.splice(recent_.begin(), recent_, one.recency);
  one.used_at = std::max(one.used_at, now);
  if (now - one.touched_at < touch_pause || touched_.size() >= touches_max_)
    return;
  one.touched_at = now;
  touched_.push_back(name);
}

std::vector<key_name> key_table::take_touched(std::size_t max) {
  const auto end =
    touched_.begin() + static_cast<std::ptrdiff_t>(std::min(max, touched_.size()));
  std::vector<key_name> taken(std::make_move_iterator(touched_.begin()),
                              std::make_move_iterator(end));
  touched_.erase(touched_.begin(), end);
  return taken;
}

void key_table::keep_touched(std::vector<key_name> names) {
  std::ranges::move(names, std::back_inserter(touched_));
}

void key_table::restore(const key_name& name, const storage::stored_key& row) {
  auto& named = *entries_.try_emplace(name).first;
  auto& one = named.second;
  if (one.at == state::answered)
    return;
  one = {};
  one.request = row.request;
  one.subject = row.subject;
  if (row.answer) {
    one.answer = pack(*row.answer);
    mark_answered(named, row.last_used_at);
  }
}

void key_table::provisional(const key_name& name, const storage::stored_answer& answer) {
  auto found = entries_.find(name);
  if (found == entries_.end() || found->second.at == state::answered)
    return;
  found->second.at = state::provisional;
  found->second.answer = pack(answer);
}

void key_table::finish(const key_name& name, const storage::stored_answer& answer,
                       timestamp now) {
  if (auto found = entries_.find(name); found != entries_.end())
    finish(*found, answer, now);
}

bool key_table::finish_of(const key_name& name, const uuid& subject,
                          const storage::stored_answer& answer, timestamp now) {
  auto found = entries_.find(name);
  if (found == entries_.end())
    return true;
  if (found->second.subject != subject)
    return false;
  finish(*found, answer, now);
  return true;
}

void key_table::finish(entry_map::value_type& named, const storage::stored_answer& answer,
                       timestamp now) {
  if (named.second.at == state::answered)
    return;
  named.second.answer = pack(answer);
  mark_answered(named, now);
}

void key_table::forget(const key_name& name) {
  auto found = entries_.find(name);
  if (found != entries_.end() && found->second.at != state::answered)
    entries_.erase(found);
}

std::optional<uuid> key_table::subject_of(const key_name& name) const {
  auto found = entries_.find(name);
  if (found == entries_.end())
    return std::nullopt;
  return found->second.subject;
}

std::vector<key_name> key_table::open_keys_of(const uuid& subject) const {
  std::vector<key_name> open;
  for (const auto& [name, one] : entries_)
    if (one.subject == subject && one.at != state::answered)
      open.push_back(name);
  return open;
}

void key_table::mark_answered(entry_map::value_type& named, timestamp used_at) {
  auto& one = named.second;
  one.at = state::answered;
  one.used_at = used_at;
  one.touched_at = used_at;
  recent_.push_front(&named.first);
  one.recency = recent_.begin();
  bytes_ += bytes_of(named);
  evict();
}

void key_table::evict() {
  while (recent_.size() > answered_max_ || (bytes_ > bytes_max_ && !recent_.empty())) {
    const auto oldest = entries_.find(*recent_.back());
    recent_.pop_back();
    bytes_ -= bytes_of(*oldest);
    entries_.erase(oldest);
  }
}

} // namespace holdfast::shards
