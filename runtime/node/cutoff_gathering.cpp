#include "runtime/node/cutoff_gathering.hpp"

#include <utility>

namespace holdfast::runtime {

void cutoff_gathering::add(const cutoff_result& part) {
  std::unique_lock guard{mutex_};
  if (!done_)
    return;
  sum_.batches += part.batches;
  sum_.items += part.items;
  sum_.files += part.files;
  sum_.reconciled += part.reconciled;
  sum_.exceptions += part.exceptions;
  if (!part.complete) {
    failed_ = true;
    note(part.detail);
  }
  if (--missing_ == 0) {
    sum_.complete = !failed_;
    finish(guard);
  }
}

void cutoff_gathering::expire() {
  std::unique_lock guard{mutex_};
  if (!done_)
    return;
  note(std::to_string(missing_) + ' ' + kind_ + " have not answered in time; they go on");
  finish(guard);
}

/// Shards that move together say the same.
void cutoff_gathering::note(const std::string& detail) {
  if (sum_.detail.find(detail) == std::string::npos)
    sum_.detail += (sum_.detail.empty() ? "" : "; ") + detail;
}

void cutoff_gathering::finish(std::unique_lock<std::mutex>& guard) {
  auto done = std::exchange(done_, nullptr);
  auto result = std::move(sum_);
  guard.unlock();
  done(std::move(result));
}

} // namespace holdfast::runtime
