// An HTTP server for tests of the engine: answers with what it was asked, and misbehaves on
// some paths.
#pragma once

#include "runtime/http/server.hpp"
#include "tests/support/http_probe.hpp"

#include <atomic>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace holdfast::test {

/// Runs on a thread of its own. "METHOD path body" is the answer to all but: /later (never,
/// unless the test takes the responder), /forgotten (the responder is dropped), /throws,
/// /reset, /large (8 MiB).
class echo_server {
public:
  explicit echo_server(http::server_limits limits = {});
  ~echo_server();
  echo_server(const echo_server&) = delete;
  echo_server& operator=(const echo_server&) = delete;

  [[nodiscard]] std::uint16_t port() const { return server_->port(); }
  [[nodiscard]] std::string url() const { return server_->url(); }
  [[nodiscard]] std::size_t connections() const { return server_->connections(); }
  /// How many requests the handler was given.
  [[nodiscard]] std::size_t handled() const { return handled_; }
  [[nodiscard]] raw_connection connect() const { return raw_connection{port()}; }
  /// What the access observer heard: "METHOD route status".
  [[nodiscard]] std::vector<std::string> observed();
  /// Waits for the request to /later, of which there can be one.
  [[nodiscard]] http::responder take_waiting() { return waiting_.get_future().get(); }
  void drain() { server_->drain(); }
  [[nodiscard]] bool await_no_connection(milliseconds at_most) {
    return server_->await_no_connection(at_most);
  }
  void stop() { server_->stop(); }

private:
  void handle(http::request asked, http::responder answer);

  std::mutex mutex_;
  std::vector<std::string> observed_;
  std::promise<http::responder> waiting_;
  std::atomic<std::size_t> handled_ = 0;
  background_io background_;
  std::unique_ptr<http::server> server_;
};

} // namespace holdfast::test
