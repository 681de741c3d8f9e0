#include "runtime/http/session.hpp"

#include "messages/assert.hpp"
#include "messages/limits.hpp"
#include "runtime/http/fields.hpp"
#include "runtime/http/target.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/socket_base.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <iterator>

namespace holdfast::http {

namespace asio = boost::asio;
namespace beast = boost::beast;

using boost::system::error_code;

namespace {

constexpr std::size_t first_read_bytes = 4'096;

bool would_block(const error_code& failure) {
  return failure == asio::error::would_block || failure == asio::error::try_again;
}

constexpr refusal too_slow{408, "request_timeout", "The request did not arrive in time."};
constexpr refusal no_room{503, "too_many_connections",
                          "This server has no room for more connections."};
constexpr refusal body_too_large{413, "body_too_large",
                                 "The body is larger than this server accepts."};
constexpr refusal bad_body{400, "malformed_request", "The chunks of the body are malformed."};

refusal body_refusal(const error_code& failure) {
  return failure == beast::http::error::body_limit ? body_too_large : bad_body;
}

} // namespace

/// What a responder holds: the right to answer one request once. Given up unused, it answers
/// 500.
class session::answer_slot {
public:
  answer_slot(std::shared_ptr<session> owner, std::uint64_t number)
    : owner_(std::move(owner)),
      number_(number) {}

  answer_slot(const answer_slot&) = delete;
  answer_slot& operator=(const answer_slot&) = delete;

  ~answer_slot() {
    if (!was_used_.exchange(true))
      pass_on(std::nullopt);
  }

  void answer(response given) {
    if (!was_used_.exchange(true))
      pass_on(std::move(given));
  }

private:
  void pass_on(std::optional<response> given) {
    const auto executor = owner_->socket_.get_executor();
    asio::dispatch(executor, [owner = std::move(owner_), number = number_,
                              given = std::move(given)]() mutable {
      auto& to = *owner;
      to.deliver(number,
                 given ? std::move(*given)
                       : problem(500, "internal", "The request was not answered.", to.about_));
    });
  }

  std::shared_ptr<session> owner_;
  const std::uint64_t number_;
  std::atomic<bool> was_used_ = false;
};

session::session(asio::ip::tcp::socket socket, std::shared_ptr<server_shared> shared,
                 admission kind)
  : socket_(std::move(socket)),
    shared_(std::move(shared)),
    admission_(kind) {
  shared_->sessions.push_back(*this);
  if (admission_ == admission::served)
    shared_->connections.fetch_add(1, std::memory_order_relaxed);
  else
    ++shared_->turned_away;
}

session::~session() {
  if (admission_ == admission::turned_away) {
    --shared_->turned_away;
    return;
  }
  if (shared_->connections.fetch_sub(1) > 1)
    return;
  const std::lock_guard guard{shared_->idle_mutex};
  shared_->idle.notify_all();
}

void session::start() {
  error_code failure;
  socket_.non_blocking(true, failure);
  if (!failure)
    socket_.set_option(asio::ip::tcp::no_delay(true), failure);
  const auto remote = failure ? asio::ip::tcp::endpoint{} : socket_.remote_endpoint(failure);
  if (failure)
    return close();
  peer_ = remote.address().to_string();
  began_at_ = std::chrono::steady_clock::now();
  if (admission_ == admission::turned_away) {
    refuse(no_room);
    return advance();
  }
  enter(phase::idle, shared_->limits.idle_timeout);
  advance();
}

void session::stop() {
  closes_after_ = true;
  if (phase_ == phase::idle)
    close();
}

void session::end_overdue() {
  switch (phase_) {
    case phase::closed: return;
    case phase::idle:
    case phase::writing:
    case phase::lingering: return close();
    case phase::head:
    case phase::body: refuse(too_slow); break;
    case phase::handling: {
      // The handler may still answer; the number makes that answer a late one, which is
      // dropped.
      ++request_number_;
      auto answer = problem(503, "handler_timeout",
                            "The request took too long; its outcome is not known.", about_);
      answer.headers.emplace_back("Retry-After", "1");
      set_answer(std::move(answer), true);
      break;
    }
  }
  advance();
}

void session::enter(phase next, milliseconds limit) {
  phase_ = next;
  deadline_ = std::chrono::steady_clock::now() + limit;
}

/// Goes through the phases until one has to wait. Handlers that answer at once come back here
/// by way of `deliver`, so it guards itself against being entered twice.
void session::advance() {
  if (is_advancing_)
    return;
  is_advancing_ = true;
  const auto self = shared_from_this();
  bool goes_on = true;
  while (goes_on) {
    switch (phase_) {
      case phase::idle:
      case phase::head: goes_on = read_head(); break;
      case phase::body: goes_on = read_body(); break;
      case phase::writing: goes_on = write_answer(); break;
      case phase::handling:
      case phase::lingering:
      case phase::closed: goes_on = false; break;
    }
  }
  is_advancing_ = false;
}

bool session::read_head() {
  const std::string_view bytes{static_cast<const char*>(input_.data().data()), input_.size()};
  if (!bytes.empty() && phase_ == phase::idle) {
    began_at_ = std::chrono::steady_clock::now();
    enter(phase::head, shared_->limits.header_timeout);
  }
  const auto size_max = shared_->limits.header_bytes_max;
  const auto end = scanner_.scan(bytes.substr(0, size_max));
  if (!end) {
    refuse(end.error());
    return true;
  }
  if (*end > 0)
    return begin_request(*end);
  if (bytes.size() >= size_max) {
    refuse({431, "headers_too_large",
            "The head of the request is larger than this server accepts."});
    return true;
  }
  start_read(std::min(size_max - bytes.size(), first_read_bytes));
  return false;
}

bool session::begin_request(std::size_t head_size) {
  const std::string_view head{static_cast<const char*>(input_.data().data()), head_size};
  about_.method.assign(head.substr(0, head.find(' ')));
  about_.path.clear();
  about_.request_id.clear();
  auto facts = inspect_request_head(head);
  if (facts && is_request_id(facts->request_id))
    about_.request_id.assign(facts->request_id);
  if (!facts) {
    refuse(facts.error());
    return true;
  }
  facts_ = *facts;
  facts_.request_id = {}; // it points into bytes that go
  closes_after_ = closes_after_ || !facts_.keep_alive;

  auto& parser = parser_.emplace();
  parser.header_limit(static_cast<std::uint32_t>(head_size + 1));
  parser.body_limit(shared_->limits.body_bytes_max);
  error_code failure;
  parser.put(asio::buffer(head.data(), head.size()), failure);
  if (failure) {
    refuse(failure == beast::http::error::body_limit
             ? body_too_large
             : refusal{400, "malformed_request", "The head of the request is malformed."});
    return true;
  }
  // Two readers of one head that differ about its body are what request smuggling is made of.
  const bool is_chunked = facts_.framing == body_framing::chunked;
  if (parser.chunked() != is_chunked
      || parser.content_length().value_or(0) != facts_.content_length) {
    refuse({400, "ambiguous_framing", "The end of the body is not certain."});
    return true;
  }
  const auto raw_target = parser.get().target();
  about_.raw_target.assign(raw_target.data(), raw_target.size());
  auto target = parse_target(about_.raw_target);
  if (!target) {
    refuse(
      {400, "malformed_request", "The target has a broken percent-encoding or a fragment."});
    return true;
  }
  about_.path = std::move(target->path);
  query_ = std::move(target->query);
  input_.consume(head_size);
  scanner_.reset();
  if (parser.is_done()) {
    hand_over();
    return true;
  }
  fields_in_head_ =
    static_cast<std::size_t>(std::distance(parser.get().begin(), parser.get().end()));
  extensions_ = {};
  parser.on_chunk_header(extensions_);
  parser.eager(true);
  enter(phase::body, shared_->limits.body_timeout);
  if (facts_.expects_continue && input_.size() == 0)
    send_continue();
  return true;
}

void session::extension_counter::operator()(std::uint64_t, beast::string_view extensions,
                                            error_code& failure) {
  bytes += extensions.size();
  if (bytes > limits::http_chunk_extension_bytes_max)
    failure = beast::http::error::bad_chunk_extension;
}

bool session::read_body() {
  auto& parser = *parser_;
  while (input_.size() > 0 && !parser.is_done()) {
    error_code failure;
    const auto used = parser.put(input_.data(), failure);
    input_.consume(used);
    if (failure == beast::http::error::need_more)
      break;
    if (failure) {
      refuse(body_refusal(failure));
      return true;
    }
  }
  if (!parser.is_done()) {
    // A chunk's header is kept in the buffer until it is whole; one that fills it never will
    // be.
    if (input_.size() >= limits::http_chunk_extension_bytes_max) {
      refuse(bad_body);
      return true;
    }
    const auto left = parser.content_length_remaining().value_or(limits::http_read_bytes_max);
    start_read(std::clamp<std::size_t>(left, first_read_bytes, limits::http_read_bytes_max));
    return false;
  }
  const auto fields = std::distance(parser.get().begin(), parser.get().end());
  if (static_cast<std::size_t>(fields) != fields_in_head_) {
    refuse({400, "trailers_not_accepted", "This server takes no trailer fields."});
    return true;
  }
  hand_over();
  return true;
}

void session::send_continue() {
  constexpr std::string_view text = "HTTP/1.1 100 Continue\r\n\r\n";
  error_code failure;
  const auto size = socket_.write_some(asio::buffer(text), failure);
  // All earlier answers have left, so a socket that has no room for these bytes is a dead one.
  if (failure || size != text.size())
    close();
}

request session::make_request() {
  if (about_.request_id.empty())
    about_.request_id = shared_->request_ids.next();
  request made;
  made.method = about_.method;
  made.path = about_.path;
  made.raw_target = std::move(about_.raw_target);
  made.query = std::move(query_);
  made.request_id = about_.request_id;
  made.peer = peer_;
  auto message = parser_->release();
  made.headers = to_header_list(message);
  made.body = std::move(message.body());
  parser_.reset();
  return made;
}

void session::hand_over() {
  enter(phase::handling, shared_->limits.handler_timeout);
  auto slot = std::make_shared<answer_slot>(shared_from_this(), ++request_number_);
  try {
    shared_->on_request(make_request(),
                        [slot](response given) { slot->answer(std::move(given)); });
  } catch (const std::exception& failure) {
    spdlog::error("http: a handler failed: {} {}: {}", about_.method, about_.path,
                  failure.what());
    slot->answer(problem(500, "internal", "The request failed by a fault of ours.", about_));
  }
}

void session::deliver(std::uint64_t number, response answer) {
  if (number != request_number_ || phase_ != phase::handling)
    return; // too late: the client has its 503, or is gone
  if (answer.status == 0)
    return reset();
  set_answer(std::move(answer), false);
  advance();
}

void session::refuse(const refusal& why) {
  if (about_.request_id.empty())
    about_.request_id = shared_->request_ids.next();
  set_answer(problem(why.status, why.code, why.detail, about_), true);
}

void session::set_answer(response answer, bool close_after) {
  closes_after_ = closes_after_ || close_after || shared_->is_draining || shared_->is_stopping;
  auto fate = connection_fate::kept;
  if (closes_after_)
    fate = connection_fate::closed;
  else if (facts_.version == http_version::http_1_0)
    fate = connection_fate::kept_and_said;
  status_ = answer.status;
  route_.clear();
  for (auto& [name, value] : answer.headers) {
    if (name == route_header)
      route_ = std::move(value);
  }
  write_response_head(answer, about_.request_id,
                      shared_->date.at(std::chrono::system_clock::now()), fate, head_out_);
  body_out_ = std::move(answer.body);
  if (about_.method == "HEAD" || status_ == 204 || status_ == 304)
    body_out_.clear();
  written_ = 0;
  enter(phase::writing, milliseconds{limits::http_write_ms_max});
}

bool session::write_answer() {
  const auto head_left = std::min(written_, head_out_.size());
  const auto body_left = written_ - head_left;
  const std::array<asio::const_buffer, 2> rest{asio::buffer(head_out_) + head_left,
                                               asio::buffer(body_out_) + body_left};
  // Tried at once: nearly every answer fits into the socket's buffer, and a trip through the
  // event loop costs more than the call.
  error_code failure;
  written_ += socket_.write_some(rest, failure);
  if (written_ == head_out_.size() + body_out_.size())
    return end_answer();
  if (!failure)
    return true;
  if (!would_block(failure)) {
    close();
    return false;
  }
  socket_.async_wait(asio::socket_base::wait_write,
                     [self = shared_from_this()](const error_code& aborted) {
                       if (!aborted && self->phase_ == phase::writing)
                         self->advance();
                     });
  return false;
}

void session::report() {
  if (!shared_->observer)
    return;
  const auto took = std::chrono::steady_clock::now() - began_at_;
  shared_->observer(about_.method, route_, status_,
                    std::chrono::duration_cast<std::chrono::microseconds>(took).count());
}

bool session::end_answer() {
  report();
  if (closes_after_) {
    linger();
    return false;
  }
  parser_.reset();
  body_out_.clear();
  if (body_out_.capacity() > limits::http_read_bytes_max)
    body_out_.shrink_to_fit();
  if (input_.size() == 0 && input_.capacity() > limits::http_read_bytes_max)
    input_.shrink_to_fit();
  enter(phase::idle, shared_->limits.idle_timeout);
  return true;
}

void session::start_read(std::size_t size_max) {
  if (is_reading_)
    return;
  is_reading_ = true;
  socket_.async_read_some(
    input_.prepare(size_max),
    [self = shared_from_this()](const error_code& failure, std::size_t size) {
      self->on_read(size, static_cast<bool>(failure));
    });
}

void session::on_read(std::size_t size, bool failed) {
  is_reading_ = false;
  if (phase_ == phase::closed)
    return;
  if (failed)
    return close();
  if (phase_ == phase::lingering) {
    lingered_bytes_ += size;
    if (lingered_bytes_ > limits::http_linger_bytes_max)
      return close();
    return start_read(limits::http_read_bytes_max);
  }
  input_.commit(size);
  advance();
}

/// Closing with unread bytes would reset the connection, and the reset may overtake the answer.
void session::linger() {
  parser_.reset();
  input_.clear();
  lingered_bytes_ = 0;
  enter(phase::lingering, milliseconds{limits::http_linger_ms_max});
  error_code failure;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, failure);
  if (failure)
    return close();
  start_read(limits::http_read_bytes_max);
}

void session::close() {
  if (phase_ == phase::writing)
    report();
  phase_ = phase::closed;
  error_code ignored;
  socket_.close(ignored);
}

void session::reset() {
  error_code ignored;
  socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  close();
}

} // namespace holdfast::http
