// A client of one port of a running node: requests by pieces, answers by JSON pointer, any
// number of them at once. Every wait is bounded by the call's own timeout.
#pragma once

#include "runtime/http/client.hpp"
#include "tests/support/http_probe.hpp"

#include <boost/json/value.hpp>

#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::test {

struct api_answer {
  int status = 0;
  http::header_list headers; ///< names in lower case
  std::string body;
  boost::json::value document; ///< null when the body is not JSON

  /// Empty when there is none.
  [[nodiscard]] std::string header(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view pointer) const;
  // Members by JSON pointer ("/payment/status"). They throw with the whole answer when there is
  // no such member or when it is of another type.
  [[nodiscard]] const boost::json::value& at(std::string_view pointer) const;
  [[nodiscard]] std::string text(std::string_view pointer) const;
  [[nodiscard]] std::int64_t number(std::string_view pointer) const;
};

/// An Idempotency-Key that nobody in this process has used.
[[nodiscard]] std::string fresh_key();

/// Thread-safe.
class api_client {
public:
  /// `key` is an API key; empty for the ports that ask for none.
  explicit api_client(std::string url, std::string key = {});

  [[nodiscard]] const std::string& url() const noexcept { return url_; }
  [[nodiscard]] std::uint16_t port() const;

  [[nodiscard]] http::call make_get(std::string target) const;
  /// With the API key, Content-Type if there is a body, and `idempotency_key`, a fresh one if
  /// that is empty.
  [[nodiscard]] http::call make_post(std::string target, std::string body = {},
                                     std::string idempotency_key = {}) const;

  /// Throws when there is no well-formed answer in time.
  api_answer send(http::call request);
  api_answer get(std::string target) { return send(make_get(std::move(target))); }
  api_answer post(std::string target, std::string body = {}) {
    return send(make_post(std::move(target), std::move(body)));
  }
  /// Does not wait; the future throws as `send` does.
  [[nodiscard]] std::future<api_answer> begin(http::call request);
  /// All at once, each on a connection of its own; answers in the order of the requests.
  std::vector<api_answer> send_all(std::vector<http::call> requests);

private:
  std::string url_;
  std::string key_;
  background_io background_;
  std::unique_ptr<http::client> wire_;
};

/// The body of a POST /v1/payments.
struct payment_order {
  std::int64_t amount = 1'000;
  std::string_view currency = "EUR";
  std::string_view capture = "manual";
  std::string_view card = "4242424242424242";
  std::string_view token = {};   ///< instead of the card
  std::string_view further = {}; ///< members, such as R"("reference":"a")"

  [[nodiscard]] std::string body() const;
};

} // namespace holdfast::test
