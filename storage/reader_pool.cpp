#include "storage/reader_pool.hpp"

#include "messages/limits.hpp"
#include "messages/thread_name.hpp"
#include "storage/schema.hpp"

#include <optional>
#include <utility>

namespace holdfast::storage {

namespace {

error stopping() {
  return make_error(errc::unavailable, "the node is stopping");
}

} // namespace

reader_pool::reader_pool(reader_options options) : options_(std::move(options)) {
  for (std::size_t i = 0; i < std::max<std::size_t>(options_.readers, 1); ++i)
    threads_.emplace_back([this] { work(); });
}

reader_pool::~reader_pool() {
  stop();
}

void reader_pool::stop() {
  {
    const std::scoped_lock lock{mutex_};
    stopping_ = true;
  }
  changed_.notify_all();
  leaving_.signal();
  for (auto& thread : threads_)
    if (thread.joinable())
      thread.join();
  // Nobody adds to them any more.
  for (auto& one : std::exchange(jobs_, {}))
    one.fail(stopping());
}

void reader_pool::push(job one) {
  const auto refusal = [&]() -> std::optional<error> {
    const std::scoped_lock lock{mutex_};
    if (stopping_)
      return stopping();
    if (jobs_.size() >= limits::reader_queue_max)
      return make_error(errc::overloaded, "too many queries are waiting");
    jobs_.push_back(std::move(one));
    return std::nullopt;
  }();
  if (refusal)
    one.fail(*refusal);
  else
    changed_.notify_one();
}

void reader_pool::work() {
  name_this_thread("reader");
  reader mine;
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
    serve(mine, next);
  }
}

void reader_pool::serve(reader& with, job& one) {
  // Twice, because an idle connection may have died long ago without our noticing.
  for (int round = 0; round < 2; ++round) {
    if (auto connected = ensure_connected(with); !connected)
      return one.fail(connected.error());
    if (one.run(*with.db))
      return;
  }
  one.fail(make_error(errc::unavailable, "the connection to the database failed"));
}

expected<void> reader_pool::ensure_connected(reader& with) {
  const auto turn = options_.turns->load();
  if (with.db != nullptr && !with.db->failed() && !with.db->is_read_only() && with.turn == turn)
    return {};
  with.db.reset();
  const auto deadline = query_deadline();
  auto opened = connection::open(options_.url, "reader " + options_.node, deadline, nullptr,
                                 options_.timeline->load(), &leaving_);
  if (!opened)
    return make_error(errc::unavailable, opened.error().detail);
  // Another database answers nothing for this one, whatever it holds.
  if (auto same = check_identity(**opened, options_.identity, schema_rule::same_or_newer,
                                 *options_.timeline, deadline);
      !same)
    return make_error(errc::unavailable, same.error().detail);
  with = {std::move(*opened), turn};
  return {};
}

steady_time query_deadline() {
  return std::chrono::steady_clock::now() + limits::query_time_max;
}

} // namespace holdfast::storage
