#include "runtime/http/server.hpp"

#include "messages/limits.hpp"
#include "runtime/http/session.hpp"
#include "runtime/http/target.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <vector>

namespace holdfast::http {

namespace asio = boost::asio;

using boost::system::error_code;
using tcp = asio::ip::tcp;

namespace {

/// Deadlines are checked this often: four times within the shortest of them, but not more often
/// than a busy server can spare nor more seldom than a person would wait.
milliseconds sweep_period(const server_limits& limits) {
  const auto shortest = std::min(
    {limits.header_timeout, limits.body_timeout, limits.idle_timeout, limits.handler_timeout});
  return std::clamp(shortest / 4, milliseconds{5}, milliseconds{500});
}

/// Accepts connections and sweeps their deadlines: one timer for all of them instead of several
/// timer operations for every request.
class listener : public std::enable_shared_from_this<listener> {
public:
  listener(asio::io_context& io, server_limits limits, handler on_request,
           access_observer observer)
    : io_(io),
      acceptor_(io),
      sweep_(io),
      retry_(io),
      shared_(std::make_shared<server_shared>()) {
    shared_->limits = limits;
    shared_->on_request = std::move(on_request);
    shared_->observer = std::move(observer);
  }

  expected<host_and_port> bind(const host_and_port& address) {
    tcp::resolver resolver{io_};
    error_code failure;
    const auto found = resolver.resolve(address.host, std::to_string(address.port),
                                        tcp::resolver::passive, failure);
    if (failure || found.empty())
      return make_error(errc::invalid_argument, "can't resolve " + address.host);
    const tcp::endpoint endpoint = found.begin()->endpoint();
    acceptor_.open(endpoint.protocol(), failure);
    if (!failure)
      acceptor_.set_option(tcp::acceptor::reuse_address(true), failure);
    if (!failure)
      acceptor_.bind(endpoint, failure);
    if (!failure)
      acceptor_.listen(asio::socket_base::max_listen_connections, failure);
    const auto local = failure ? tcp::endpoint{} : acceptor_.local_endpoint(failure);
    if (failure)
      return make_error(errc::unavailable,
                        "can't listen on " + to_authority(address) + ": " + failure.message());
    return host_and_port{local.address().to_string(), local.port()};
  }

  void start() {
    accept();
    sweep();
  }

  void drain() { shared_->is_draining = true; }

  bool await_no_connection(milliseconds at_most) {
    std::unique_lock guard{shared_->idle_mutex};
    return shared_->idle.wait_for(guard, at_most, [this] { return shared_->connections == 0; });
  }

  void stop() {
    if (shared_->is_stopping)
      return;
    shared_->is_stopping = true;
    error_code ignored;
    acceptor_.close(ignored);
    retry_.cancel();
    for (const auto& one : sessions([](const session&) { return true; }))
      one->stop();
  }

  /// Stops, and calls neither handler nor observer any more: their owner goes.
  void abandon() {
    stop();
    shared_->observer = {};
    shared_->on_request = [](const request& asked, const responder& answer) {
      answer(problem(503, "stopping", "The server is stopping.", asked));
    };
  }

  [[nodiscard]] asio::io_context& io() const noexcept { return io_; }
  [[nodiscard]] std::size_t connections() const noexcept {
    return shared_->connections.load(std::memory_order_relaxed);
  }

private:
  void accept() {
    acceptor_.async_accept(
      [self = shared_from_this()](const error_code& failure, tcp::socket socket) {
        if (self->shared_->is_stopping)
          return;
        if (failure)
          return self->accept_later(failure);
        self->admit(std::move(socket));
        self->accept();
      });
  }

  /// Out of descriptors, as a rule: trying again at once would spin.
  void accept_later(const error_code& failure) {
    spdlog::warn("http: accepting failed: {}", failure.message());
    retry_.expires_after(milliseconds{limits::http_accept_retry_ms});
    retry_.async_wait([self = shared_from_this()](const error_code& aborted) {
      if (!aborted && !self->shared_->is_stopping)
        self->accept();
    });
  }

  void admit(tcp::socket socket) {
    auto kind = admission::served;
    if (connections() >= shared_->limits.connections_max) {
      if (shared_->turned_away >= limits::http_turned_away_max)
        return;
      kind = admission::turned_away;
    }
    std::make_shared<session>(std::move(socket), shared_, kind)->start();
  }

  void sweep() {
    sweep_.expires_after(sweep_period(shared_->limits));
    // Ends by itself once the server has stopped and the last session has gone.
    sweep_.async_wait([self = shared_from_this()](const error_code& aborted) {
      if (aborted || (self->shared_->is_stopping && self->shared_->sessions.empty()))
        return;
      const auto now = std::chrono::steady_clock::now();
      for (const auto& one :
           self->sessions([now](const session& s) { return s.is_overdue(now); }))
        one->end_overdue();
      self->sweep();
    });
  }

  /// Those that are `wanted`, kept alive: what is done to one may end another.
  template <class Predicate>
  [[nodiscard]] std::vector<std::shared_ptr<session>> sessions(Predicate wanted) const {
    std::vector<std::shared_ptr<session>> found;
    for (auto& hook : shared_->sessions) {
      auto& one = static_cast<session&>(hook);
      if (!wanted(one))
        continue;
      if (auto alive = one.weak_from_this().lock())
        found.push_back(std::move(alive));
    }
    return found;
  }

  asio::io_context& io_;
  tcp::acceptor acceptor_;
  asio::steady_timer sweep_;
  asio::steady_timer retry_;
  std::shared_ptr<server_shared> shared_;
};

class bound_server final : public server {
public:
  bound_server(std::shared_ptr<listener> made, host_and_port address)
    : listener_(std::move(made)),
      address_(std::move(address)) {}

  ~bound_server() override {
    asio::dispatch(listener_->io(), [listening = listener_] { listening->abandon(); });
  }

  std::uint16_t port() const noexcept override { return address_.port; }
  std::string url() const override { return "http://" + to_authority(address_); }
  std::size_t connections() const noexcept override { return listener_->connections(); }
  bool await_no_connection(milliseconds at_most) override {
    return listener_->await_no_connection(at_most);
  }
  void drain() override {
    asio::dispatch(listener_->io(), [listening = listener_] { listening->drain(); });
  }
  void stop() override {
    asio::dispatch(listener_->io(), [listening = listener_] { listening->stop(); });
  }

private:
  std::shared_ptr<listener> listener_;
  host_and_port address_;
};

} // namespace

expected<std::unique_ptr<server>> server::listen(asio::io_context& io,
                                                 const std::string& address,
                                                 server_limits limits, handler on_request,
                                                 access_observer observer) {
  const auto wanted = parse_address(address);
  if (!wanted)
    return wanted.error();
  auto made =
    std::make_shared<listener>(io, limits, std::move(on_request), std::move(observer));
  auto bound = made->bind(*wanted);
  if (!bound)
    return bound.error();
  made->start();
  return std::unique_ptr<server>{
    std::make_unique<bound_server>(std::move(made), std::move(*bound))};
}

} // namespace holdfast::http
