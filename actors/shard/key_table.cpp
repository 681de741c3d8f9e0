#include "actors/shard/key_table.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace holdfast::shards {

namespace {

constexpr milliseconds kept{limits::idempotency_key_kept_ms};
constexpr milliseconds touch_pause{limits::idempotency_touch_ms};

} // namespace

key_look key_table::begin(const key_name& name, const fingerprint& request, uuid subject,
                          timestamp now) {
  auto [found, inserted] = entries_.try_emplace(name);
  auto& one = found->second;
  const bool expired = one.at == state::answered && now - one.used_at >= kept;
  if (expired) {
    recent_.erase(one.recency);
    one = {};
  }
  if (inserted || expired) {
    one.request = request;
    one.subject = subject;
    return {key_verdict::fresh, nullptr};
  }
  if (one.request != request)
    return {key_verdict::mismatch, nullptr};
  switch (one.at) {
    case state::running: return {key_verdict::in_progress, nullptr};
    case state::provisional: return {key_verdict::pending, &one.answer};
    case state::answered: note_use(name, one, now); return {key_verdict::answered, &one.answer};
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
  auto& one = entries_[name];
  if (one.at == state::answered)
    return;
  one = {};
  one.request = row.request;
  one.subject = row.subject;
  if (row.answer) {
    one.answer = *row.answer;
    mark_answered(name, one, row.last_used_at);
  }
}

void key_table::provisional(const key_name& name, storage::stored_answer answer) {
  auto found = entries_.find(name);
  if (found == entries_.end() || found->second.at == state::answered)
    return;
  found->second.at = state::provisional;
  found->second.answer = std::move(answer);
}

void key_table::finish(const key_name& name, storage::stored_answer answer, timestamp now) {
  auto found = entries_.find(name);
  if (found == entries_.end() || found->second.at == state::answered)
    return;
  found->second.answer = std::move(answer);
  mark_answered(name, found->second, now);
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

void key_table::mark_answered(const key_name& name, entry& one, timestamp used_at) {
  one.at = state::answered;
  one.used_at = used_at;
  one.touched_at = used_at;
  recent_.push_front(name);
  one.recency = recent_.begin();
  evict();
}

void key_table::evict() {
  while (recent_.size() > answered_max_) {
    entries_.erase(recent_.back());
    recent_.pop_back();
  }
}

} // namespace holdfast::shards
