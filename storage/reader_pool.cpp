#include "storage/reader_pool.hpp"

#include "messages/limits.hpp"

namespace holdfast::storage {

reader_pool::reader_pool(std::string url, std::string node, std::size_t readers)
  : url_(std::move(url)),
    node_(std::move(node)) {
  for (std::size_t i = 0; i < std::max<std::size_t>(readers, 1); ++i)
    threads_.emplace_back([this] { work(); });
}

reader_pool::~reader_pool() {
  {
    const std::scoped_lock lock{mutex_};
    stopping_ = true;
  }
  changed_.notify_all();
  for (auto& thread : threads_)
    thread.join();
  for (auto& one : jobs_)
    one.fail(make_error(errc::unavailable, "the node is stopping"));
}

void reader_pool::push(job one) {
  const bool accepted = [&] {
    const std::scoped_lock lock{mutex_};
    if (jobs_.size() >= limits::reader_queue_max)
      return false;
    jobs_.push_back(std::move(one));
    return true;
  }();
  if (accepted)
    changed_.notify_one();
  else
    one.fail(make_error(errc::overloaded, "too many queries are waiting"));
}

void reader_pool::work() {
  std::unique_ptr<connection> db;
  for (;;) {
    job next;
    {
      std::unique_lock lock{mutex_};
      changed_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
      if (stopping_)
        return;
      next = std::move(jobs_.front());
      jobs_.pop_front();
    }
    serve(db, next);
  }
}

void reader_pool::serve(std::unique_ptr<connection>& db, job& one) {
  // Twice, because an idle connection may have died long ago without our noticing.
  for (int round = 0; round < 2; ++round) {
    if (db == nullptr || db->failed()) {
      auto opened = connection::open(url_, "reader " + node_, query_deadline());
      if (!opened) {
        one.fail(opened.error());
        return;
      }
      db = std::move(*opened);
    }
    if (one.run(*db))
      return;
  }
  one.fail(make_error(errc::unavailable, "the connection to the database failed"));
}

steady_time query_deadline() {
  return std::chrono::steady_clock::now() + limits::query_time_max;
}

} // namespace holdfast::storage
