#include "actors/shard/key_table.hpp"

#include "messages/assert.hpp"

namespace holdfast::shards {

key_look key_table::begin(const key_name& name, const fingerprint& request, uuid subject) {
  auto [found, inserted] = entries_.try_emplace(name);
  auto& one = found->second;
  if (inserted) {
    one.request = request;
    one.subject = subject;
    return {key_verdict::fresh, nullptr};
  }
  if (one.request != request)
    return {key_verdict::mismatch, nullptr};
  switch (one.at) {
    case state::running: return {key_verdict::in_progress, nullptr};
    case state::provisional: return {key_verdict::pending, &one.answer};
    case state::answered:
      recent_.splice(recent_.begin(), recent_, one.recency);
      return {key_verdict::answered, &one.answer};
  }
  return {};
}

void key_table::restore(const key_name& name, const storage::stored_key& row) {
  auto& one = entries_[name];
  if (one.at == state::answered)
    return;
  one.request = row.request;
  one.subject = row.subject;
  if (row.answer) {
    one.answer = *row.answer;
    mark_answered(name, one);
  }
}

void key_table::provisional(const key_name& name, storage::stored_answer answer) {
  auto found = entries_.find(name);
  if (found == entries_.end() || found->second.at == state::answered)
    return;
  found->second.at = state::provisional;
  found->second.answer = std::move(answer);
}

void key_table::finish(const key_name& name, storage::stored_answer answer) {
  auto found = entries_.find(name);
  if (found == entries_.end() || found->second.at == state::answered)
    return;
  found->second.answer = std::move(answer);
  mark_answered(name, found->second);
}

void key_table::forget(const key_name& name) {
  auto found = entries_.find(name);
  if (found == entries_.end())
    return;
  HF_ASSERT(found->second.at != state::answered);
  entries_.erase(found);
}

std::optional<uuid> key_table::subject_of(const key_name& name) const {
  auto found = entries_.find(name);
  if (found == entries_.end())
    return std::nullopt;
  return found->second.subject;
}

void key_table::mark_answered(const key_name& name, entry& one) {
  one.at = state::answered;
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
