// One connection of the HTTP server. Internal to runtime/http: includes Beast.
//
// Lifecycle: made by the server when it accepts, kept alive by its pending operation or by the
// responder of the request under way, unlinked from the server's list when it goes. Everything
// runs on the server's io_context; a responder called elsewhere is dispatched to it.
#pragma once

#include "runtime/http/message_head.hpp"
#include "runtime/http/response_head.hpp"
#include "runtime/http/server.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/intrusive/list.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace holdfast::http {

using steady_time = std::chrono::steady_clock::time_point;

class session;

using session_hook =
  boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

/// What the sessions of one server share. Outlives the server while sessions end.
struct server_shared {
  server_limits limits;
  handler on_request;
  access_observer observer;
  date_text date;
  request_id_maker request_ids;
  boost::intrusive::list<session_hook, boost::intrusive::constant_time_size<false>> sessions;
  std::atomic<std::size_t> connections = 0; ///< those turned away are not counted
  std::size_t turned_away = 0;
  std::mutex idle_mutex;
  std::condition_variable idle; ///< the last of `connections` has gone
  bool is_draining = false;     ///< every answer is the last of its connection
  bool is_stopping = false;
};

/// Whether a connection is served or told that there is no room.
enum class admission : std::uint8_t { served, turned_away };

class session : public session_hook, public std::enable_shared_from_this<session> {
public:
  session(boost::asio::ip::tcp::socket socket, std::shared_ptr<server_shared> shared,
          admission kind);
  ~session();
  session(const session&) = delete;
  session& operator=(const session&) = delete;

  void start();
  /// The server stops: an idle connection goes at once, another one after its answer.
  void stop();
  [[nodiscard]] bool is_overdue(steady_time now) const noexcept {
    return now >= deadline_ && phase_ != phase::closed;
  }
  /// Ends the phase that has taken too long: with a problem where one can still be sent.
  void end_overdue();

private:
  enum class phase : std::uint8_t {
    idle, ///< between requests, no byte of the next one yet
    head, ///< part of a head is there
    body,
    handling, ///< the handler has the request
    writing,
    lingering, ///< answered for the last time; the client's rest is thrown away
    closed,
  };

  using body_parser = boost::beast::http::request_parser<boost::beast::http::string_body>;
  class answer_slot;

  /// Beast tells it of every chunk; it stops bodies that are mostly extensions.
  struct extension_counter {
    std::size_t bytes = 0;
    void operator()(std::uint64_t chunk_size, boost::beast::string_view extensions,
                    boost::system::error_code& failure);
  };

  void advance();
  /// The steps of `advance`: true when the next one can be taken at once.
  bool read_head();
  bool begin_request(std::size_t head_size);
  bool read_body();
  bool write_answer();
  bool end_answer();

  void start_read(std::size_t size_max);
  void on_read(std::size_t size, bool failed);
  void send_continue();
  void hand_over();
  void deliver(std::uint64_t number, response answer);
  void set_answer(response answer, bool close_after);
  void refuse(const refusal& why);
  void linger();
  void report();
  void close();
  void reset();
  void enter(phase next, milliseconds limit);
  [[nodiscard]] request make_request();

  boost::asio::ip::tcp::socket socket_;
  std::shared_ptr<server_shared> shared_;
  const admission admission_;
  phase phase_ = phase::idle;
  bool is_advancing_ = false;
  bool is_reading_ = false;
  bool closes_after_ = false;
  steady_time deadline_;

  boost::beast::flat_buffer input_;
  head_scanner scanner_;
  head_facts facts_;
  std::optional<body_parser> parser_;
  std::size_t fields_in_head_ = 0;
  extension_counter extensions_;
  std::size_t lingered_bytes_ = 0;

  std::string peer_;
  /// What is still needed of the request once the handler owns it: method, path, request id.
  request about_;
  std::vector<std::pair<std::string, std::string>> query_;
  std::string route_;
  std::uint64_t request_number_ = 0;
  steady_time began_at_;

  std::uint16_t status_ = 0;
  std::string head_out_;
  std::string body_out_;
  std::size_t written_ = 0;
};

} // namespace holdfast::http
