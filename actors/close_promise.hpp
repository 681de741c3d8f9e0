// The answer that whoever orders batches to be closed is owed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace holdfast::actors {

struct close_outcome {
  bool ok = false;
  std::uint32_t batches = 0;
  std::uint64_t items = 0;
  std::uint32_t files = 0;
  std::uint32_t reconciled = 0; ///< batches
  std::uint32_t exceptions = 0;
  std::string detail;
};

/// Delivers exactly once, whatever becomes of the actors in between: if it is dropped
/// undelivered (with its actor, or in a mailbox), it says that the shard is starting or moving.
/// Used by one actor at a time; the function may be called on any thread.
class close_promise {
public:
  explicit close_promise(std::function<void(close_outcome)> deliver)
    : deliver_(std::move(deliver)) {}
  close_promise(const close_promise&) = delete;
  close_promise& operator=(const close_promise&) = delete;
  ~close_promise();

  void deliver(close_outcome outcome);

private:
  std::function<void(close_outcome)> deliver_;
};

using close_promise_ptr = std::shared_ptr<close_promise>;

} // namespace holdfast::actors
