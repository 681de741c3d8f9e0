// The threads that read: each with a connection of its own, all fed from one bounded queue. A
// connection is made anew when it has died, when its server says that it is no primary any
// more, and when the database's writer or keeper had to connect anew: all three are looked at
// before each query and cost nothing. So no reader stays behind at a server that has been
// demoted.
#pragma once

#include "storage/connection.hpp"
#include "storage/database.hpp"
#include "storage/store.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace holdfast::storage {

struct reader_options {
  std::string url;
  std::string node;
  std::size_t readers = 3;
  database_identity identity; ///< checked at every connect
  std::shared_ptr<server_turns> turns;
  std::shared_ptr<server_timeline> timeline;
};

class reader_pool {
public:
  explicit reader_pool(reader_options options);
  /// As `stop`.
  ~reader_pool();

  /// Answers as unavailable what is queued or waits for a connection, and everything that is
  /// asked from here on. Returns once the threads have ended. Not from a callback.
  void stop();

  /// Runs `query` on one of the threads and hands its result to `done`, exactly once. A
  /// connection that turns out to be dead is replaced and the query repeated once; so it must
  /// be a read, or repeatable. Errors besides the query's: overloaded (answered on the calling
  /// thread), unavailable.
  template <class T, class Query>
  void ask(callback<T> done, Query query) {
    auto reply = std::make_shared<callback<T>>(std::move(done));
    push({[reply, query = std::move(query)](connection& db) mutable {
            expected<T> answer = query(db);
            if (db.failed() && !answer)
              return false;
            (*reply)(std::move(answer));
            return true;
          },
          [reply](const error& failure) { (*reply)(failure); }});
  }

private:
  struct job {
    std::function<bool(connection&)>
      run; ///< false: the connection failed, nothing was answered
    std::function<void(const error&)> fail;
  };

  /// A thread's connection, and the turn that it was made in.
  struct reader {
    std::unique_ptr<connection> db;
    std::uint64_t turn = 0;
  };

  void push(job one);
  void work();
  void serve(reader& with, job& one);
  [[nodiscard]] expected<void> ensure_connected(reader& with);

  const reader_options options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<job> jobs_;
  bool stopping_ = false;
  wake_event leaving_; ///< nobody waits for a connection any more
  std::vector<std::thread> threads_;
};

[[nodiscard]] steady_time query_deadline();

} // namespace holdfast::storage
