// One connection of the pooled client and the exchange that it carries. Internal to
// runtime/http.
//
// Lifecycle: made by the pool for a call, reused for others while both sides keep it, dropped
// after any failure. Runs on the pool's io_context only.
#pragma once

#include "runtime/http/client.hpp"
#include "runtime/http/message_head.hpp"
#include "runtime/http/target.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace holdfast::http {

using steady_time = std::chrono::steady_clock::time_point;

/// A call with what the pool knows of it.
struct client_job {
  call request;
  std::function<void(call_result)> done;
  steady_time deadline;
  /// A kept connection turned out to be closed under it once; the next one must be fresh.
  bool needs_fresh = false;
};

/// Where calls go, worked out once.
struct client_destination {
  base_url url;
  std::string authority;                                  ///< for the Host field
  std::optional<boost::asio::ip::tcp::endpoint> endpoint; ///< when the host is an address
};

class client_connection;

/// What the pool is told. Every job that a connection was given ends in one of them.
class connection_owner {
public:
  virtual ~connection_owner() = default;
  /// The exchange ended. `is_reusable` tells whether the connection may carry another one.
  virtual void on_done(client_connection& from, client_job job, call_result result,
                       bool is_reusable) = 0;
  /// The kept connection was closed before it took or answered anything, so that the job may be
  /// done anew: nothing of it was sent, or it is a GET.
  virtual void on_stale(client_connection& from, client_job job) = 0;
};

class client_connection : public std::enable_shared_from_this<client_connection> {
public:
  client_connection(boost::asio::io_context& io, std::weak_ptr<connection_owner> owner,
                    std::shared_ptr<const client_destination> destination,
                    const client_options& options);

  /// Idle connections only. Connects first when there is no connection yet.
  void start(client_job job);
  [[nodiscard]] bool is_idle() const noexcept { return phase_ == phase::idle; }
  /// False when the server has closed an idle connection, or sent what nobody asked for.
  [[nodiscard]] bool is_usable(steady_time now);
  [[nodiscard]] bool is_overdue(steady_time now) const noexcept {
    return phase_ != phase::idle && phase_ != phase::closed && now >= deadline_;
  }
  /// Ends the exchange under way, saying why, and closes.
  void abort(const char* why);
  void close();

private:
  enum class phase : std::uint8_t { idle, connecting, writing, head, body, closed };
  using body_parser = boost::beast::http::response_parser<boost::beast::http::string_body>;

  void connect();
  void on_connected(bool failed);
  void write();
  void start_read();
  void on_read(std::size_t size, bool failed, bool at_end);
  /// True when another step can be taken with the bytes at hand.
  bool read_head();
  bool read_body();
  void end_of_stream(bool at_end);
  void finish();
  void fail(const char* why);
  void fail_or_repeat(const char* why);
  void report(call_result result, bool is_reusable);
  void write_request_head();

  boost::asio::ip::tcp::socket socket_;
  boost::asio::ip::tcp::resolver resolver_;
  std::weak_ptr<connection_owner> owner_;
  std::shared_ptr<const client_destination> destination_;
  const milliseconds connect_timeout_;
  const std::size_t body_bytes_max_;

  phase phase_ = phase::idle;
  bool was_used_ = false; ///< it has carried an exchange before this one
  steady_time deadline_;
  steady_time idle_since_;
  client_job job_;
  std::string head_out_;
  std::size_t written_ = 0;
  boost::beast::flat_buffer input_;
  head_scanner scanner_;
  head_facts facts_;
  std::optional<body_parser> parser_;
  std::size_t interim_answers_ = 0;
  bool has_answer_bytes_ = false;
};

} // namespace holdfast::http
