#include "runtime/http/client.hpp"

#include "messages/limits.hpp"
#include "runtime/http/client_connection.hpp"
#include "runtime/http/text.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <deque>
#include <optional>
#include <vector>

namespace holdfast::http {

namespace asio = boost::asio;

using boost::system::error_code;

namespace {

bool is_safe_value(std::string_view text) noexcept {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

bool is_safe_target(std::string_view text) noexcept {
  return text.starts_with('/') && std::none_of(text.begin(), text.end(), [](char c) {
           return c <= 0x20 || c == 0x7f;
         });
}

/// What would let a value of ours end the head early, or write a head of its own.
bool is_well_formed(const call& request) {
  return is_token(request.method) && is_safe_target(request.target)
         && std::all_of(request.headers.begin(), request.headers.end(), [](const auto& field) {
              return is_token(field.first) && is_safe_value(field.second);
            });
}

/// The connections to one destination and the calls that wait for one. Runs on the io_context.
class pool final : public connection_owner, public std::enable_shared_from_this<pool> {
public:
  pool(asio::io_context& io, client_options options, client_destination destination)
    : io_(io),
      sweep_(io),
      options_(std::move(options)),
      destination_(std::make_shared<const client_destination>(std::move(destination))) {}

  void submit(client_job job) {
    if (is_closed_)
      return refuse_later(std::move(job), "the client is closed");
    if (!is_well_formed(job.request))
      return refuse_later(std::move(job), "the call is malformed");
    if (waiting_.size() >= options_.waiting_max)
      return refuse_later(std::move(job), "too many calls are waiting");
    waiting_.push_back(std::move(job));
    assign();
    keep_sweeping();
  }

  void close() {
    is_closed_ = true;
    sweep_.cancel();
    for (auto& job : std::exchange(waiting_, {}))
      refuse_later(std::move(job), "the client was closed");
    idle_.clear();
    for (const auto& one : std::exchange(connections_, {}))
      one->abort("the client was closed");
  }

  void on_done(client_connection& from, client_job job, call_result result,
               bool is_reusable) override {
    if (is_reusable && !is_closed_)
      idle_.push_back(from.shared_from_this());
    else
      forget(from);
    assign();
    job.done(std::move(result));
  }

  void on_stale(client_connection& from, client_job job) override {
    forget(from);
    waiting_.push_front(std::move(job));
    assign();
  }

private:
  /// Never from within `send`: its caller may hold what `done` needs.
  void refuse_later(client_job job, const char* why) {
    asio::post(io_, [job = std::move(job), why] {
      call_result result;
      result.failure = why;
      job.done(std::move(result));
    });
  }

  /// Gives connections to the calls that wait, oldest call first, as long as there are any.
  void assign() {
    while (!waiting_.empty()) {
      auto connection = waiting_.front().needs_fresh ? nullptr : take_idle();
      if (!connection)
        connection = make_connection();
      if (!connection)
        return;
      auto job = std::move(waiting_.front());
      waiting_.pop_front();
      connection->start(std::move(job));
    }
  }

  /// The most recently used one, which is the least likely to have been closed.
  std::shared_ptr<client_connection> take_idle() {
    const auto now = std::chrono::steady_clock::now();
    while (!idle_.empty()) {
      auto candidate = std::move(idle_.back());
      idle_.pop_back();
      if (candidate->is_usable(now))
        return candidate;
      candidate->close();
      forget(*candidate);
    }
    return nullptr;
  }

  std::shared_ptr<client_connection> make_connection() {
    if (connections_.size() >= options_.connections_max) {
      if (idle_.empty())
        return nullptr;
      // Only a call that needs a fresh connection comes here: an idle one makes room for it.
      const auto oldest = std::move(idle_.front());
      idle_.pop_front();
      oldest->close();
      forget(*oldest);
    }
    connections_.push_back(
      std::make_shared<client_connection>(io_, weak_from_this(), destination_, options_));
    return connections_.back();
  }

  void forget(const client_connection& gone) {
    std::erase_if(connections_, [&gone](const auto& one) { return one.get() == &gone; });
  }

  /// One timer for all calls, which runs only while there are some.
  void keep_sweeping() {
    if (is_sweeping_ || is_closed_)
      return;
    is_sweeping_ = true;
    sweep_.expires_after(milliseconds{limits::http_client_sweep_ms});
    sweep_.async_wait([self = shared_from_this()](const error_code& aborted) {
      self->is_sweeping_ = false;
      if (!aborted && !self->is_closed_)
        self->sweep();
    });
  }

  void sweep() {
    const auto now = std::chrono::steady_clock::now();
    const auto overdue =
      std::stable_partition(waiting_.begin(), waiting_.end(),
                            [now](const client_job& job) { return job.deadline > now; });
    for (auto job = overdue; job != waiting_.end(); ++job)
      refuse_later(std::move(*job), "no connection became free in time");
    waiting_.erase(overdue, waiting_.end());
    const auto connections = connections_; // aborting one changes the list
    for (const auto& one : connections) {
      if (one->is_overdue(now))
        one->abort("timeout");
    }
    if (!waiting_.empty() || idle_.size() < connections_.size())
      keep_sweeping();
  }

  asio::io_context& io_;
  asio::steady_timer sweep_;
  const client_options options_;
  const std::shared_ptr<const client_destination> destination_;
  std::deque<client_job> waiting_;
  std::vector<std::shared_ptr<client_connection>> connections_; ///< all of them
  std::deque<std::shared_ptr<client_connection>> idle_;         ///< most recently used last
  bool is_sweeping_ = false;
  bool is_closed_ = false;
};

class pooled_client final : public client {
public:
  pooled_client(asio::io_context& io, std::shared_ptr<pool> calls)
    : io_(io),
      pool_(std::move(calls)) {}

  ~pooled_client() override {
    asio::dispatch(io_, [calls = pool_] { calls->close(); });
  }

  void send(call request, std::function<void(call_result)> done) override {
    const auto deadline = std::chrono::steady_clock::now() + request.timeout;
    asio::dispatch(io_, [calls = pool_, job = client_job{std::move(request), std::move(done),
                                                         deadline}]() mutable {
      calls->submit(std::move(job));
    });
  }

private:
  asio::io_context& io_;
  std::shared_ptr<pool> pool_;
};

} // namespace

expected<std::unique_ptr<client>> client::create(asio::io_context& io, client_options options) {
  auto url = parse_base_url(options.base_url);
  if (!url)
    return url.error();
  if (options.connections_max == 0)
    return make_error(errc::invalid_argument, "a client needs at least one connection");
  client_destination destination;
  destination.authority = to_authority(url->address);
  error_code not_an_address;
  const auto address = asio::ip::make_address(url->address.host, not_an_address);
  if (!not_an_address)
    destination.endpoint.emplace(address, url->address.port);
  destination.url = std::move(*url);
  auto calls = std::make_shared<pool>(io, std::move(options), std::move(destination));
  return std::unique_ptr<client>{std::make_unique<pooled_client>(io, std::move(calls))};
}

expected<call_result> fetch(const std::string& base_url, call request) {
  asio::io_context io{1};
  client_options options;
  options.base_url = base_url;
  options.connections_max = 1;
  auto caller = client::create(io, std::move(options));
  if (!caller)
    return caller.error();
  std::optional<call_result> answer;
  (*caller)->send(std::move(request),
                  [&answer](call_result result) { answer = std::move(result); });
  while (!answer && io.run_one() > 0) {}
  if (!answer)
    return make_error(errc::internal, "the call ended without a result");
  return std::move(*answer);
}

} // namespace holdfast::http
