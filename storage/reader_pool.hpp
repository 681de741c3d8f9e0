// The threads that read: each with a connection of its own, all fed from one bounded queue.
#pragma once

#include "storage/connection.hpp"
#include "storage/store.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace holdfast::storage {

class reader_pool {
public:
  reader_pool(std::string url, std::string node, std::size_t readers);
  /// Answers what is queued as unavailable.
  ~reader_pool();

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

  void push(job one);
  void work();
  void serve(std::unique_ptr<connection>& db, job& one);

  const std::string url_;
  const std::string node_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<job> jobs_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

[[nodiscard]] steady_time query_deadline();

} // namespace holdfast::storage
