#include "actors/link/request_table.hpp"

#include "messages/assert.hpp"
#include "messages/limits.hpp"

namespace holdfast::links {

bool request_table::has_room(std::size_t bytes) const noexcept {
  // A request that is too large by itself is let through when nothing else is under way.
  return waiting_.size() < window_
         && (waiting_.empty() || bytes_ + bytes <= limits::link_window_bytes);
}

void request_table::add(ask_promise_ptr promise, std::size_t bytes, steady_time until) {
  HF_ASSERT(has_room(bytes));
  promise->mark_sent();
  const auto request = ++last_;
  waiting_.emplace(request, entry{std::move(promise), bytes, until});
  deadlines_.emplace(until, request);
  bytes_ += bytes;
}

ask_promise_ptr request_table::remove(std::unordered_map<std::uint64_t, entry>::iterator at) {
  auto promise = std::move(at->second.promise);
  bytes_ -= at->second.bytes;
  deadlines_.erase({at->second.until, at->first});
  waiting_.erase(at);
  return promise;
}

ask_promise_ptr request_table::take(std::uint64_t request) {
  const auto at = waiting_.find(request);
  return at == waiting_.end() ? nullptr : remove(at);
}

std::vector<ask_promise_ptr> request_table::take_overdue(steady_time now) {
  std::vector<ask_promise_ptr> result;
  while (!deadlines_.empty() && deadlines_.begin()->first <= now)
    result.push_back(remove(waiting_.find(deadlines_.begin()->second)));
  return result;
}

std::vector<ask_promise_ptr> request_table::take_after(std::uint64_t request) {
  std::vector<ask_promise_ptr> result;
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    const auto one = at++;
    if (one->first > request)
      result.push_back(remove(one));
  }
  return result;
}

std::vector<ask_promise_ptr> request_table::take_all() {
  std::vector<ask_promise_ptr> result;
  result.reserve(waiting_.size());
  while (!waiting_.empty())
    result.push_back(remove(waiting_.begin()));
  return result;
}

} // namespace holdfast::links
