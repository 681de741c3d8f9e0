// Collects what is answered to a cut-off, by the shards of a node or by the nodes of a cluster,
// until all have answered or the time is up.
#pragma once

#include "runtime/front.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <string>

namespace holdfast::runtime {

/// Thread-safe; `done` is called exactly once. Whoever answers after `expire` changes nothing.
class cutoff_gathering : public std::enable_shared_from_this<cutoff_gathering> {
public:
  /// Of so many `parts`, at least one; `kind` is what they are called, "shards".
  cutoff_gathering(std::size_t parts, std::string kind, std::function<void(cutoff_result)> done)
    : missing_(parts),
      kind_(std::move(kind)),
      done_(std::move(done)) {}

  void add(const cutoff_result& part);
  void expire();

private:
  void note(const std::string& detail);
  void finish(std::unique_lock<std::mutex>& guard);

  std::mutex mutex_;
  std::size_t missing_;
  std::string kind_;
  bool failed_ = false;
  cutoff_result sum_;
  std::function<void(cutoff_result)> done_;
};

} // namespace holdfast::runtime
