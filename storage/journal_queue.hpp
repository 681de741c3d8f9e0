// What waits for the journal's writer: a bounded queue that many threads fill and one empties.
#pragma once

#include "storage/transaction.hpp"
#include "storage/unit_of_work.hpp"
#include "storage/wake_event.hpp"

#include <deque>
#include <memory>
#include <mutex>
#include <variant>

namespace holdfast::storage {

struct queued_unit {
  shard_number shard;
  epoch_number epoch;
  std::unique_ptr<unit_of_work> work;
  bool is_in_doubt = false; ///< a COMMIT of it went unanswered, and shows in no log
};

struct shard_opening {
  shard_number shard;
  shard_head head;
};

struct shard_closing {
  shard_number shard;
  std::function<void()> done;
};

struct shard_barrier {
  std::function<void()> done;
};

/// A write is large: from hand to hand goes its address.
using queued_write_ptr = std::unique_ptr<queued_write>;

using journal_entry =
  std::variant<queued_write_ptr, queued_unit, shard_opening, shard_closing, shard_barrier>;

class journal_queue {
public:
  /// Any thread. A write beyond the limits is set aside as refused; everything else is
  /// accepted, for there is at most one of it a shard at a time.
  void push(journal_entry entry);

  /// The writer's thread: moves everything to the back of `out`. Writes that were refused
  /// meanwhile go to `refused`.
  void take(std::deque<journal_entry>& out, std::vector<queued_write_ptr>& refused);

  /// The writer has answered a write that it took.
  void settle(std::size_t bytes) noexcept;

  /// The writer's thread: returns at the deadline, or earlier once something has been pushed or
  /// `stop` was called.
  void wait(steady_time deadline) noexcept { wake_.wait_until(deadline); }

  /// Any thread: ends a wait that is under way, or else the next one.
  void wake() noexcept { wake_.signal(); }

  void stop();
  [[nodiscard]] bool stopping() const;
  /// Writes that have no answer yet.
  [[nodiscard]] std::size_t size() const;

private:
  mutable std::mutex mutex_;
  std::deque<journal_entry> entries_;
  std::vector<queued_write_ptr> refused_;
  std::size_t writes_ = 0;
  std::size_t bytes_ = 0;
  bool stopping_ = false;
  wake_event wake_;
};

/// An estimate of what the write occupies, for the limits.
[[nodiscard]] std::size_t bytes_of(const journal_write& write) noexcept;

} // namespace holdfast::storage
