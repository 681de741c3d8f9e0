#include "storage/journal_queue.hpp"

#include "messages/limits.hpp"

namespace holdfast::storage {

void journal_queue::push(journal_entry entry) {
  bool was_empty = false;
  {
    const std::scoped_lock lock{mutex_};
    was_empty = entries_.empty() && refused_.empty();
    auto* write = std::get_if<queued_write_ptr>(&entry);
    if (write == nullptr) {
      entries_.push_back(std::move(entry));
    } else if (const auto bytes = (*write)->bytes;
               writes_ >= limits::journal_queue_writes_max
               || bytes_ + bytes > limits::journal_queue_bytes_max) {
      refused_.push_back(std::move(*write));
    } else {
      ++writes_;
      bytes_ += bytes;
      entries_.push_back(std::move(entry));
    }
  }
  // Whoever finds the queue empty wakes the writer; the others find it awake.
  if (was_empty)
    wake_.signal();
}

void journal_queue::take(std::deque<journal_entry>& out,
                         std::vector<queued_write_ptr>& refused) {
  std::deque<journal_entry> taken;
  {
    const std::scoped_lock lock{mutex_};
    taken.swap(entries_);
    refused.swap(refused_);
  }
  std::ranges::move(taken, std::back_inserter(out));
}

void journal_queue::settle(std::size_t bytes) noexcept {
  const std::scoped_lock lock{mutex_};
  --writes_;
  bytes_ -= bytes;
}

void journal_queue::stop() {
  {
    const std::scoped_lock lock{mutex_};
    stopping_ = true;
  }
  wake_.signal();
}

bool journal_queue::stopping() const {
  const std::scoped_lock lock{mutex_};
  return stopping_;
}

std::size_t journal_queue::size() const {
  const std::scoped_lock lock{mutex_};
  return writes_;
}

std::size_t bytes_of(const journal_write& write) noexcept {
  std::size_t bytes = 512;
  for (const auto& event : write.events)
    bytes += 256 + event.payload.size() + 512 * event.postings.size();
  if (write.snapshot)
    bytes += 1'024 + 256 * write.snapshot->operations.size();
  for (const auto& opened : write.exceptions)
    bytes += 512 + opened.what.raw_line.size() + opened.what.detail.size();
  if (write.answer)
    bytes += write.answer->answer.body.size();
  return bytes;
}

} // namespace holdfast::storage
