// A fresh database for a test, and the writes that storage tests are made of. The payments here
// follow no core: storage must keep whatever it is given.
#pragma once

#include "storage/connection.hpp"
#include "storage/database.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace holdfast::test {

inline constexpr std::chrono::seconds patience{30};
inline constexpr std::uint16_t test_shards = 4;
inline constexpr shard_range test_range{{0}, {test_shards - 1}};
inline constexpr const char* test_cluster = "test";
inline constexpr milliseconds test_lease{1'500};

/// One database of all shards.
[[nodiscard]] storage::database_identity test_identity();

/// The options of a node of that database.
[[nodiscard]] storage::database_options test_options(const std::string& url,
                                                     const std::string& node = "node-1");

/// Collects what a callback says and lets the test wait for it, with a deadline.
template <class T>
class answers {
public:
  /// A callback to hand out; it may be called any number of times and outlive this object.
  [[nodiscard]] std::function<void(T)> sink() {
    return [state = state_](T value) {
      {
        const std::scoped_lock lock{state->mutex};
        state->values.push_back(std::move(value));
      }
      state->changed.notify_all();
    };
  }

  /// The first `count` answers, once they are there.
  std::vector<T> wait(std::size_t count = 1) {
    std::unique_lock lock{state_->mutex};
    const bool came =
      state_->changed.wait_for(lock, patience, [&] { return state_->values.size() >= count; });
    BOOST_REQUIRE_MESSAGE(came, "an answer did not come in time");
    return state_->values;
  }

  [[nodiscard]] std::size_t count() const {
    const std::scoped_lock lock{state_->mutex};
    return state_->values.size();
  }

private:
  struct shared {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<T> values;
  };
  std::shared_ptr<shared> state_ = std::make_shared<shared>();
};

/// Waits for a condition that nothing announces.
void wait_until(const std::function<bool()>& condition);

/// What an asynchronous read answers.
template <class T, class Ask>
[[nodiscard]] expected<T> ask(Ask call) {
  answers<expected<T>> got;
  call(got.sink());
  return got.wait().front();
}

class storage_fixture {
public:
  storage_fixture();
  /// A database of the test's own, which is migrated to hold these shards. Nil: it is the first
  /// of its cluster.
  explicit storage_fixture(std::string own_url, shard_range range = test_range,
                           const uuid& cluster_id = {});
  explicit storage_fixture(const storage::database_identity& identity);

  /// A node's view of the database.
  [[nodiscard]] std::unique_ptr<storage::database> open(
    const std::string& node = "node-1", milliseconds lease = test_lease,
    std::shared_ptr<storage::sequence_marks> marks = nullptr) const;

  /// Raises the shard's epoch as a take-over does.
  [[nodiscard]] storage::acquired_shard take_over(shard_number shard) const;
  /// Takes the shard over and opens it in the journal.
  storage::acquired_shard open_shard(storage::journal& journal, shard_number shard) const;

  [[nodiscard]] uuid cluster_id() const;
  /// One value of one row, as text.
  [[nodiscard]] std::string value(const std::string& query) const;
  /// Runs SQL as the superuser. The SQLSTATE and constraint, or nothing when it went well.
  [[nodiscard]] std::string run(const std::string& script) const;

  const std::string url;
};

[[nodiscard]] merchant_id merchant_of(shard_number shard, std::uint64_t number = 1);
[[nodiscard]] timestamp test_time();

/// A payment that has just been created, with its key's claim.
[[nodiscard]] storage::journal_write create_write(const storage::acquired_shard& owner,
                                                  std::uint64_t number,
                                                  std::int64_t amount = 1'000);

/// The write's snapshot, to be changed; from here on it has one of its own.
payment& own_snapshot(storage::journal_write& write);

/// The same payment, authorized: two legs on the hold accounts, and the key's answer.
[[nodiscard]] storage::journal_write authorize_write(const storage::acquired_shard& owner,
                                                     const payment& before);

/// The payment with a succeeded capture.
[[nodiscard]] storage::journal_write capture_write(const storage::acquired_shard& owner,
                                                   const payment& before, std::int64_t amount);

/// Submits and waits.
storage::write_result commit(storage::journal& journal, storage::journal_write write);

/// Submits all at once and waits for all, in the order of the writes.
std::vector<storage::write_result> commit_all(storage::journal& journal,
                                              std::vector<storage::journal_write> writes);

/// Folds what the writes above have written.
[[nodiscard]] expected<payment> fold(const std::vector<storage::event_view>& events);

} // namespace holdfast::test
