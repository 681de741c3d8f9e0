// The sandbox's memory: an append-only file of facts, one line each, numbered without a gap.
#pragma once

#include "messages/expected.hpp"
#include "messages/time.hpp"
#include "runtime/sandbox/fact.hpp"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace holdfast::sandbox {

/// Facts are in the kernel's hands (write) once `commit` returns, so that killing the process
/// loses none; they are on the disk (fdatasync, on a thread of its own) at most a second later.
/// One owner thread.
class fact_log {
public:
  /// Opens or creates the file, tells `each` fact in order, cuts off a torn last line.
  /// Errors: unavailable (the file, or another process has it), corrupt (which line).
  [[nodiscard]] static expected<std::unique_ptr<fact_log>> open(
    const std::string& path, const std::function<expected<void>(const fact&)>& each);

  ~fact_log();
  fact_log(const fact_log&) = delete;
  fact_log& operator=(const fact_log&) = delete;

  /// Gives the fact its number and time, and keeps its line for the next `commit`. Times never
  /// go back.
  void stage(fact& entry, timestamp now);
  /// Writes all staged facts, or none. Errors: unavailable; the numbers are then given anew.
  [[nodiscard]] expected<void> commit();

  /// The number that the next staged fact will get.
  [[nodiscard]] std::int64_t next_seq() const noexcept { return next_seq_; }
  /// The lines of the facts after number `after`, at most `limit` of them. Errors: unavailable.
  [[nodiscard]] expected<std::string> read(std::int64_t after, std::size_t limit) const;

private:
  fact_log() = default;

  expected<void> load(const std::string& path,
                      const std::function<expected<void>(const fact&)>& each);
  expected<void> load_line(std::string_view line, stored_fact& reader,
                           const std::function<expected<void>(const fact&)>& each);
  void note_line(std::size_t size);
  void sync_in_background();

  int descriptor_ = -1;
  std::int64_t next_seq_ = 1;
  std::int64_t written_seq_ = 1; ///< the number after the last one in the file
  std::uint64_t size_ = 0;
  timestamp last_at_;
  std::string staged_;
  std::vector<std::size_t> staged_sizes_;
  /// Where every 256th fact begins, so that reading a page needs no search from the start.
  std::vector<std::uint64_t> offsets_;

  std::atomic<bool> is_dirty_ = false;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool is_closing_ = false;
  std::thread syncer_;
};

} // namespace holdfast::sandbox
