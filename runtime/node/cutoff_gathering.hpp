// Collects what the shards answer to a cut-off, until all have or the time is up.
#pragma once

#include "actors/protocol.hpp"
#include "runtime/front.hpp"

#include <functional>
#include <memory>
#include <mutex>

namespace holdfast::runtime {

/// Thread-safe; `done` is called exactly once. Shards that answer after `expire` change
/// nothing.
class cutoff_gathering : public std::enable_shared_from_this<cutoff_gathering> {
public:
  cutoff_gathering(std::size_t shards, std::function<void(cutoff_result)> done)
    : missing_(shards),
      done_(std::move(done)) {}

  void add(const actors::close_outcome& outcome);
  void expire();

private:
  void finish(std::unique_lock<std::mutex>& guard);

  std::mutex mutex_;
  std::size_t missing_;
  bool failed_ = false;
  cutoff_result sum_;
  std::function<void(cutoff_result)> done_;
};

} // namespace holdfast::runtime
