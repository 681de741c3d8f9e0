// Blocking sockets for tests of HTTP: byte for byte what is sent, byte for byte what comes.
// Every wait has a deadline, after which it throws.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace boost::asio {
class io_context;
}

namespace holdfast::test {

struct probe_answer {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers; ///< names in lower case
  std::string body;

  [[nodiscard]] std::string header(std::string_view name) const;
};

/// How the other side ended a connection.
enum class ending : std::uint8_t { orderly, reset };

/// One TCP connection over loopback, of either side.
class raw_connection {
public:
  /// Connects to 127.0.0.1.
  explicit raw_connection(std::uint16_t port);
  /// Takes over an accepted socket.
  static raw_connection adopt(int descriptor);
  raw_connection(raw_connection&& other) noexcept;
  raw_connection& operator=(raw_connection&& other) noexcept;
  ~raw_connection();

  void send(std::string_view bytes);
  /// As much as the other side takes; an error of the connection ends it silently.
  void send_what_goes(std::string_view bytes);
  /// Everything up to and with `marker`.
  std::string read_until(std::string_view marker);
  std::string read_exactly(std::size_t size);
  /// One answer with a Content-Length; interim ones (1xx) are answers of their own, without
  /// body.
  probe_answer read_answer();
  /// Like `read_answer`, for the answer to a HEAD.
  probe_answer read_head_only();
  /// Waits until the other side ends the connection; bytes that still come are thrown away.
  ending wait_for_end();

  void end_sending();
  void close();
  /// Closes with a reset.
  void reset();

private:
  raw_connection() = default;
  bool fill();
  void wait(short events) const;

  int descriptor_ = -1;
  bool was_reset_ = false;
  std::string pending_;
};

/// Listens on a free port of 127.0.0.1; the test itself plays the server.
class raw_listener {
public:
  raw_listener();
  ~raw_listener();
  raw_listener(const raw_listener&) = delete;
  raw_listener& operator=(const raw_listener&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] std::string url() const;
  raw_connection accept();
  /// From now on connections to the port are refused.
  void close();

private:
  int descriptor_ = -1;
  std::uint16_t port_ = 0;
};

/// An io_context that runs on a thread of its own until it is destroyed.
class background_io {
public:
  background_io();
  ~background_io();
  background_io(const background_io&) = delete;
  background_io& operator=(const background_io&) = delete;

  [[nodiscard]] boost::asio::io_context& io() noexcept { return *io_; }
  /// Runs `action` on the io_context's thread and waits for it.
  void run(const std::function<void()>& action);

private:
  std::unique_ptr<boost::asio::io_context> io_;
  std::thread thread_;
};

} // namespace holdfast::test
