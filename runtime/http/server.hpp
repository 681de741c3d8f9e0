// The strict HTTP/1.1 server that every port of ours speaks through: public API, admin,
// sandbox.
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

struct server_limits {
  std::size_t connections_max = 4'096;
  std::size_t header_bytes_max = 16 * 1024;
  std::size_t body_bytes_max = 256 * 1024;
  milliseconds header_timeout{10'000}; ///< to receive the head of a request once it has begun
  milliseconds body_timeout{20'000};
  milliseconds idle_timeout{75'000};    ///< between requests on a kept connection
  milliseconds handler_timeout{60'000}; ///< after which the client gets a 503 problem
};

/// Answers one request, exactly once, from any thread. Later calls are ignored; if it is
/// destroyed without a call, the client gets a 500 problem.
using responder = std::function<void(response)>;
using handler = std::function<void(request, responder)>;

/// A response header that is not sent: the handler names its route there, for the observer.
inline constexpr std::string_view route_header = "x-route";

/// Called when an answer has been written (or could not be): for metrics. `route` is what the
/// handler set as `route_header`.
using access_observer = std::function<void(const std::string& method, const std::string& route,
                                           std::uint16_t status, std::int64_t duration_us)>;

/// Refuses what is ambiguous (RFC 9112 §6): both Transfer-Encoding and Content-Length, any
/// Transfer-Encoding but chunked, duplicate Content-Length, HTTP/1.0 with chunked, a missing or
/// doubled Host. Such connections are answered with a problem+json and closed.
/// Deliberately takes no upgrade, no CONNECT, no trailer.
/// Destroying it stops it and drops the handler: on the io_context's thread, or when that is
/// not running. The io_context outlives every responder.
class server {
public:
  /// Binds at once; `address` is "host:port", port 0 means any free one.
  /// Errors: invalid_argument, unavailable (in use). Runs on the caller's io_context.
  [[nodiscard]] static expected<std::unique_ptr<server>> listen(boost::asio::io_context& io,
                                                                const std::string& address,
                                                                server_limits limits,
                                                                handler on_request,
                                                                access_observer observer = {});
  virtual ~server() = default;

  [[nodiscard]] virtual std::uint16_t port() const noexcept = 0;
  /// "http://127.0.0.1:8080"
  [[nodiscard]] virtual std::string url() const = 0;
  [[nodiscard]] virtual std::size_t connections() const noexcept = 0;
  /// Blocks until there is no connection, at most so long. True: there is none.
  virtual bool await_no_connection(milliseconds at_most) = 0;
  /// Goes on as before, but every answer carries `Connection: close`: clients move elsewhere
  /// before the port closes. Thread-safe.
  virtual void drain() = 0;
  /// Accepts nothing more; requests under way are answered with `Connection: close`.
  /// Thread-safe.
  virtual void stop() = 0;
};

/// An RFC 9457 problem document. `code` is our own stable word for machines.
[[nodiscard]] response problem(std::uint16_t status, std::string_view code,
                               std::string_view detail, const request& about,
                               std::string_view param = {});
/// The standard reason phrase; "Unknown" for codes we never send.
[[nodiscard]] std::string_view reason_phrase(std::uint16_t status) noexcept;

} // namespace holdfast::http
