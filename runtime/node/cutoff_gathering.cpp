#include "runtime/node/cutoff_gathering.hpp"

#include <utility>

namespace holdfast::runtime {

void cutoff_gathering::add(const actors::close_outcome& outcome) {
  std::unique_lock guard{mutex_};
  if (!done_)
    return;
  sum_.batches += outcome.batches;
  sum_.items += outcome.items;
  sum_.files += outcome.files;
  sum_.reconciled += outcome.reconciled;
  sum_.exceptions += outcome.exceptions;
  if (!outcome.ok) {
    failed_ = true;
    sum_.detail = outcome.detail;
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
  sum_.detail = std::to_string(missing_) + " shards have not answered in time; they go on";
  finish(guard);
}

void cutoff_gathering::finish(std::unique_lock<std::mutex>& guard) {
  auto done = std::exchange(done_, nullptr);
  auto result = std::move(sum_);
  guard.unlock();
  done(std::move(result));
}

} // namespace holdfast::runtime
