// The pooled HTTP/1.1 client that gateways and acquirers are called through.
#pragma once

#include "messages/expected.hpp"
#include "messages/time.hpp"
#include "runtime/http/message.hpp"

#include <functional>
#include <memory>
#include <string>

namespace boost::asio {
class io_context;
}

namespace holdfast::http {

/// How far a call got, which decides whether it may have had an effect.
enum class reach : std::uint8_t {
  not_sent,  ///< No byte of the request left: refused connection, no free slot in time.
  no_answer, ///< Sent in part or whole; timeout, reset or a malformed answer: unknown.
  answered,  ///< A well-formed HTTP answer, of any status.
};

struct call_result {
  reach how_far = reach::not_sent;
  std::uint16_t status = 0;
  header_list headers;
  std::string body;
  std::string failure; ///< what happened, when not answered
};

struct client_options {
  std::string base_url;             ///< "http://host:port[/prefix]"
  std::size_t connections_max = 64; ///< kept alive and reused
  std::size_t waiting_max = 4'096;  ///< calls that wait for a connection; beyond: not_sent
  milliseconds connect_timeout{1'000};
  std::size_t body_bytes_max = 64 * 1024 * 1024;
};

struct call {
  std::string method = "POST";
  std::string target;
  header_list headers;
  std::string body;
  milliseconds timeout{10'000}; ///< over all, queueing included
};

/// Thread-safe. Destroying it ends what is under way. A call on a kept connection that the
/// server had closed before reading a byte is repeated on a fresh connection only when
/// `call.method` is GET: anything else is `no_answer`.
class client {
public:
  [[nodiscard]] static expected<std::unique_ptr<client>> create(boost::asio::io_context& io,
                                                                client_options options);
  virtual ~client() = default;

  /// `done` runs once, on the io_context's thread.
  virtual void send(call request, std::function<void(call_result)> done) = 0;
};

/// One call on a connection of its own, for command-line tools: blocks until it is answered or
/// `request.timeout` is over. Errors: invalid_argument (the URL).
[[nodiscard]] expected<call_result> fetch(const std::string& base_url, call request);

} // namespace holdfast::http
