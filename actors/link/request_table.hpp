// The requests that a link has under way: how many may be, until when each is waited for, and
// whom its answer goes to. Pure.
#pragma once

#include "actors/link/ask_promise.hpp"

#include <cstddef>
#include <cstdint>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

namespace holdfast::links {

class request_table {
public:
  /// From a welcome on: what the peer allows at once.
  void open(std::uint32_t window) noexcept { window_ = window; }

  /// Whether one more of that size may be sent.
  [[nodiscard]] bool has_room(std::size_t bytes) const noexcept;
  /// The number of the request that is added next; it has never been used before.
  [[nodiscard]] std::uint64_t next() const noexcept { return last_ + 1; }
  /// Keeps the promise, and marks it as sent. There must be room.
  void add(ask_promise_ptr promise, std::size_t bytes, steady_time until);
  /// It was answered. None: not waited for (any more).
  [[nodiscard]] ask_promise_ptr take(std::uint64_t request);
  /// Those whose time is up, without them from now on.
  [[nodiscard]] std::vector<ask_promise_ptr> take_overdue(steady_time now);
  /// Those that were added after the one of this number.
  [[nodiscard]] std::vector<ask_promise_ptr> take_after(std::uint64_t request);
  /// The link has broken: all of them.
  [[nodiscard]] std::vector<ask_promise_ptr> take_all();
  [[nodiscard]] std::size_t size() const noexcept { return waiting_.size(); }

private:
  struct entry {
    ask_promise_ptr promise;
    std::size_t bytes;
    steady_time until;
  };

  ask_promise_ptr remove(std::unordered_map<std::uint64_t, entry>::iterator at);

  std::uint32_t window_ = 0;
  std::uint64_t last_ = 0;
  std::size_t bytes_ = 0;
  std::unordered_map<std::uint64_t, entry> waiting_;
  std::set<std::pair<steady_time, std::uint64_t>> deadlines_;
};

} // namespace holdfast::links
