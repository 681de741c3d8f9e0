#include "tests/support/tcp_proxy.hpp"

#include <boost/asio.hpp>

#include <array>
#include <atomic>
#include <functional>
#include <future>
#include <thread>
#include <vector>

namespace holdfast::test {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

/// Reset rather than closed: the other end finds an error, not an end.
void reset(tcp::socket& socket) {
  error_code ignored;
  socket.set_option(asio::socket_base::linger{true, 0}, ignored);
  socket.close(ignored);
}

/// One connection and its other half.
class passage : public std::enable_shared_from_this<passage> {
public:
  passage(tcp::socket client, const wire_mode& mode)
    : client_(std::move(client)),
      target_(client_.get_executor()),
      mode_(mode) {}

  void open(const tcp::endpoint& target) {
    to_ = target;
    look_again();
  }

  /// The mode has changed.
  void look_again() {
    if (is_over())
      return;
    if (mode_ == wire_mode::reset)
      return end();
    if (is_connected_) {
      pump(requests_, client_, target_);
      pump(answers_, target_, client_);
    } else if (!is_connecting_ && mode_ != wire_mode::cut) {
      connect();
    }
  }

  /// Both halves are closed, or have said all that they will.
  bool is_over() const { return !client_.is_open() || (requests_.is_over && answers_.is_over); }

private:
  void end() {
    reset(client_);
    reset(target_);
  }

  struct direction {
    std::array<char, 16 * 1024> buffer{};
    wire_mode holds;
    bool is_busy = false;
    bool is_over = false;
  };

  void connect() {
    is_connecting_ = true;
    target_.async_connect(to_, [self = shared_from_this()](error_code failed) {
      if (failed)
        return self->end();
      self->is_connected_ = true;
      self->look_again();
    });
  }

  bool is_held(const direction& way) const {
    return mode_ == wire_mode::cut || mode_ == way.holds;
  }

  void pump(direction& way, tcp::socket& from, tcp::socket& to) {
    if (way.is_busy || way.is_over || is_held(way))
      return;
    way.is_busy = true;
    from.async_wait(tcp::socket::wait_read,
                    [this, self = shared_from_this(), &way, &from, &to](error_code failed) {
                      way.is_busy = false;
                      if (failed)
                        return end();
                      // The wire may have been cut while nobody spoke.
                      if (!is_held(way))
                        carry(way, from, to);
                    });
  }

  void carry(direction& way, tcp::socket& from, tcp::socket& to) {
    error_code failed;
    const auto size = from.read_some(asio::buffer(way.buffer), failed);
    if (failed == asio::error::eof) {
      way.is_over = true;
      to.shutdown(tcp::socket::shutdown_send, failed);
      return;
    }
    if (failed)
      return end();
    way.is_busy = true;
    asio::async_write(
      to, asio::buffer(way.buffer, size),
      [this, self = shared_from_this(), &way, &from, &to](error_code lost, std::size_t) {
        way.is_busy = false;
        if (lost)
          return end();
        pump(way, from, to);
      });
  }

  tcp::socket client_;
  tcp::socket target_;
  tcp::endpoint to_;
  const wire_mode& mode_;
  direction requests_{.holds = wire_mode::hold_requests};
  direction answers_{.holds = wire_mode::hold_answers};
  bool is_connecting_ = false;
  bool is_connected_ = false;
};

tcp::endpoint endpoint_of(const std::string& address) {
  const auto colon = address.rfind(':');
  return {asio::ip::make_address(address.substr(0, colon)),
          static_cast<std::uint16_t>(std::stoul(address.substr(colon + 1)))};
}

} // namespace

class tcp_proxy::engine {
public:
  explicit engine(const std::string& target)
    : target_(endpoint_of(target)),
      acceptor_(io_, {asio::ip::address_v4::loopback(), 0}),
      port_(acceptor_.local_endpoint().port()) {
    accept();
    thread_ = std::thread{[this] { io_.run(); }};
  }

  ~engine() {
    io_.stop();
    thread_.join();
  }

  std::uint16_t port() const { return port_; }
  std::size_t accepted() const { return accepted_; }

  void run(std::function<void()> what) {
    std::promise<void> done;
    asio::post(io_, [&] {
      what();
      done.set_value();
    });
    done.get_future().wait();
  }

  void set(wire_mode mode) {
    mode_ = mode;
    for (const auto& one : passages_)
      one->look_again();
  }

  void aim_at(const std::string& target) { target_ = endpoint_of(target); }

private:
  void accept() {
    acceptor_.async_accept([this](error_code failed, tcp::socket client) {
      if (!failed) {
        ++accepted_;
        client.set_option(tcp::no_delay{true}, failed);
        auto made = std::make_shared<passage>(std::move(client), mode_);
        std::erase_if(passages_, [](const auto& one) { return one->is_over(); });
        passages_.push_back(made);
        made->open(target_);
      }
      accept();
    });
  }

  asio::io_context io_{1};
  tcp::endpoint target_;
  wire_mode mode_ = wire_mode::pass;
  tcp::acceptor acceptor_;
  const std::uint16_t port_;
  std::atomic<std::size_t> accepted_ = 0;
  std::vector<std::shared_ptr<passage>> passages_;
  std::thread thread_;
};

tcp_proxy::tcp_proxy(const std::string& target) : engine_(std::make_unique<engine>(target)) {}
tcp_proxy::~tcp_proxy() = default;

std::string tcp_proxy::address() const {
  return "127.0.0.1:" + std::to_string(engine_->port());
}

void tcp_proxy::set(wire_mode mode) {
  engine_->run([&] { engine_->set(mode); });
}

void tcp_proxy::aim_at(const std::string& target) {
  engine_->run([&] { engine_->aim_at(target); });
}

std::size_t tcp_proxy::connections() const {
  return engine_->accepted();
}

} // namespace holdfast::test
