// Webhooks on demand: what a gateway would tell unasked, well signed or badly, once or many
// times, in time or not. Internal to runtime/sandbox.
#pragma once

#include "messages/time.hpp"
#include "runtime/http/client.hpp"
#include "runtime/http/server.hpp"

#include <map>
#include <memory>
#include <random>
#include <string>

namespace holdfast::sandbox {

struct webhook_order;

/// Runs on the io_context's thread. Nothing is recorded: what a webhook says is the caller's
/// own invention.
class webhook_sender {
public:
  explicit webhook_sender(boost::asio::io_context& io);
  ~webhook_sender();
  webhook_sender(const webhook_sender&) = delete;
  webhook_sender& operator=(const webhook_sender&) = delete;

  /// POST /sandbox/webhooks: answered once every copy has been, or has failed to be.
  void handle(const http::request& asked, http::responder answer);

private:
  struct round;

  void send_later(std::shared_ptr<round> sent, milliseconds delay);
  void send(const std::shared_ptr<round>& sent);
  [[nodiscard]] expected<http::client*> client_of(const std::string& url);

  boost::asio::io_context& io_;
  std::mt19937_64 random_;
  std::map<std::string, std::unique_ptr<http::client>> clients_; ///< by URL
  /// Rounds that wait on purpose look at it before they touch this object.
  std::shared_ptr<webhook_sender*> alive_;
};

} // namespace holdfast::sandbox
