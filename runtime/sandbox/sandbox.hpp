// The sandbox: honest card gateways and an acquirer in a process of their own, which go wrong
// only where they are told to (docs/sandbox.md). For development, demonstrations and tests.
#pragma once

#include "messages/expected.hpp"
#include "messages/time.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace boost::asio {
class io_context;
}

namespace holdfast::sandbox {

struct sandbox_options {
  std::string listen = "127.0.0.1:8082"; ///< "host:port"; port 0 means any free one
  std::string state_dir;                 ///< made when it is missing
  /// How late an answer is that is "slow", or for an amount that ends in 54.
  milliseconds slow{5'000};
  /// How long a connection is held open whose answer never comes.
  milliseconds silence{30'000};
};

/// Serves from the moment it is made, on the caller's io_context, on one thread. Destroyed on
/// that thread, or when the io_context is not running.
class sandbox_server {
public:
  /// Rebuilds its state from the folder first. Errors: invalid_argument (the address),
  /// unavailable (the address or the folder is in use or can't be used), corrupt (the facts).
  [[nodiscard]] static expected<std::unique_ptr<sandbox_server>> start(
    boost::asio::io_context& io, const sandbox_options& options);
  ~sandbox_server();
  sandbox_server(const sandbox_server&) = delete;
  sandbox_server& operator=(const sandbox_server&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept;
  [[nodiscard]] std::string url() const;
  /// Accepts nothing more and answers what is under way. Thread-safe.
  void stop();

private:
  struct parts;

  explicit sandbox_server(std::unique_ptr<parts> made);

  std::unique_ptr<parts> parts_;
};

} // namespace holdfast::sandbox
