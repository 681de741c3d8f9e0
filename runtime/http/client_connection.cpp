#include "runtime/http/client_connection.hpp"

#include "messages/assert.hpp"
#include "messages/limits.hpp"
#include "runtime/http/fields.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <array>
#include <vector>

namespace holdfast::http {

namespace asio = boost::asio;
namespace beast = boost::beast;

using boost::system::error_code;
using tcp = asio::ip::tcp;

client_connection::client_connection(asio::io_context& io,
                                     std::weak_ptr<connection_owner> owner,
                                     std::shared_ptr<const client_destination> destination,
                                     const client_options& options)
  : socket_(io),
    resolver_(io),
    owner_(std::move(owner)),
    destination_(std::move(destination)),
    connect_timeout_(options.connect_timeout),
    body_bytes_max_(options.body_bytes_max) {}

void client_connection::start(client_job job) {
  HF_ASSERT(phase_ == phase::idle);
  job_ = std::move(job);
  written_ = 0;
  interim_answers_ = 0;
  has_answer_bytes_ = false;
  scanner_.reset();
  parser_.reset();
  write_request_head();
  if (!socket_.is_open())
    return connect();
  was_used_ = true;
  write();
}

bool client_connection::is_usable(steady_time now) {
  if (now - idle_since_ > milliseconds{limits::http_client_idle_ms_max})
    return false;
  // The only honest state of an idle connection is that there is nothing to read.
  char byte = 0;
  error_code failure;
  socket_.receive(asio::buffer(&byte, 1), asio::socket_base::message_peek, failure);
  return failure == asio::error::would_block;
}

void client_connection::write_request_head() {
  const auto& request = job_.request;
  head_out_.clear();
  head_out_.append(request.method).append(" ").append(destination_->url.prefix);
  head_out_.append(request.target)
    .append(" HTTP/1.1\r\nHost: ")
    .append(destination_->authority);
  head_out_.append("\r\n");
  for (const auto& [name, value] : request.headers)
    head_out_.append(name).append(": ").append(value).append("\r\n");
  const bool has_body =
    !request.body.empty() || (request.method != "GET" && request.method != "HEAD");
  if (has_body)
    head_out_.append("Content-Length: ")
      .append(std::to_string(request.body.size()))
      .append("\r\n");
  head_out_.append("\r\n");
}

void client_connection::connect() {
  phase_ = phase::connecting;
  deadline_ = std::min(job_.deadline, std::chrono::steady_clock::now() + connect_timeout_);
  if (destination_->endpoint) {
    socket_.async_connect(*destination_->endpoint,
                          [self = shared_from_this()](const error_code& failure) {
                            self->on_connected(static_cast<bool>(failure));
                          });
    return;
  }
  const auto& address = destination_->url.address;
  resolver_.async_resolve(
    address.host, std::to_string(address.port),
    [self = shared_from_this()](const error_code& failure,
                                const tcp::resolver::results_type& found) {
      if (failure)
        return self->on_connected(true);
      if (self->phase_ != phase::connecting)
        return;
      asio::async_connect(self->socket_, found,
                          [self](const error_code& refused, const tcp::endpoint&) {
                            self->on_connected(static_cast<bool>(refused));
                          });
    });
}

void client_connection::on_connected(bool failed) {
  if (phase_ != phase::connecting)
    return;
  error_code failure;
  if (!failed)
    socket_.non_blocking(true, failure);
  if (!failed && !failure)
    socket_.set_option(tcp::no_delay(true), failure);
  if (failed || failure)
    return fail("connection refused");
  write();
}

/// Counts exactly what the kernel has taken, because `not_sent` promises that this is nothing.
void client_connection::write() {
  phase_ = phase::writing;
  deadline_ = job_.deadline;
  const auto size = head_out_.size() + job_.request.body.size();
  while (written_ < size) {
    const auto head_left = std::min(written_, head_out_.size());
    const std::array<asio::const_buffer, 2> rest{
      asio::buffer(head_out_) + head_left,
      asio::buffer(job_.request.body) + (written_ - head_left)};
    error_code failure;
    written_ += socket_.write_some(rest, failure);
    if (failure == asio::error::would_block || failure == asio::error::try_again) {
      socket_.async_wait(asio::socket_base::wait_write,
                         [self = shared_from_this()](const error_code& aborted) {
                           if (!aborted && self->phase_ == phase::writing)
                             self->write();
                         });
      return;
    }
    // A server may answer early and close, as with a 413; what it said is worth more than the
    // error.
    if (failure && written_ > 0)
      break;
    if (failure)
      return fail_or_repeat("the connection was closed before anything was sent");
  }
  phase_ = phase::head;
  start_read();
}

void client_connection::start_read() {
  socket_.async_read_some(
    input_.prepare(phase_ == phase::head ? limits::http_answer_head_bytes_max
                                         : limits::http_read_bytes_max),
    [self = shared_from_this()](const error_code& failure, std::size_t size) {
      self->on_read(size, static_cast<bool>(failure), failure == asio::error::eof);
    });
}

void client_connection::on_read(std::size_t size, bool failed, bool at_end) {
  if (phase_ != phase::head && phase_ != phase::body)
    return;
  if (failed)
    return end_of_stream(at_end);
  input_.commit(size);
  has_answer_bytes_ = true;
  bool goes_on = true;
  while (goes_on && (phase_ == phase::head || phase_ == phase::body))
    goes_on = phase_ == phase::head ? read_head() : read_body();
}

bool client_connection::read_head() {
  const std::string_view bytes{static_cast<const char*>(input_.data().data()), input_.size()};
  const auto end = scanner_.scan(bytes);
  if (!end) {
    fail("the answer is malformed");
    return false;
  }
  if (*end == 0) {
    if (bytes.size() >= limits::http_answer_head_bytes_max)
      fail("the head of the answer is too large");
    else
      start_read();
    return false;
  }
  const auto facts = inspect_response_head(bytes.substr(0, *end));
  auto& parser = parser_.emplace();
  parser.header_limit(static_cast<std::uint32_t>(*end + 1));
  parser.body_limit(body_bytes_max_);
  parser.skip(job_.request.method == "HEAD");
  error_code failure;
  parser.put(asio::buffer(bytes.data(), *end), failure);
  if (!facts || failure) {
    fail(failure == beast::http::error::body_limit ? "the answer is too large"
                                                   : "the answer is malformed");
    return false;
  }
  facts_ = *facts;
  facts_.request_id = {};
  input_.consume(*end);
  scanner_.reset();
  const auto status = parser.get().result_int();
  if (status < 200) {
    // 100 Continue and its like come before the answer; a changed protocol was never asked for.
    if (status == 101 || ++interim_answers_ > limits::http_interim_answers_max) {
      fail("the answer is malformed");
      return false;
    }
    return input_.size() > 0 || (start_read(), false);
  }
  phase_ = phase::body;
  parser.eager(true);
  return true;
}

bool client_connection::read_body() {
  auto& parser = *parser_;
  while (input_.size() > 0 && !parser.is_done()) {
    error_code failure;
    const auto used = parser.put(input_.data(), failure);
    input_.consume(used);
    if (failure == beast::http::error::need_more)
      break;
    if (failure) {
      fail(failure == beast::http::error::body_limit ? "the answer is too large"
                                                     : "the answer is malformed");
      return false;
    }
  }
  if (parser.is_done())
    finish();
  else if (input_.size() >= limits::http_answer_head_bytes_max)
    fail("the answer is malformed"); // a chunk's header without an end
  else
    start_read();
  return false;
}

void client_connection::end_of_stream(bool at_end) {
  if (!has_answer_bytes_)
    return fail_or_repeat(at_end ? "the server closed the connection without an answer"
                                 : "the connection was reset before an answer");
  if (at_end && phase_ == phase::body && parser_->need_eof()) {
    error_code failure;
    parser_->put_eof(failure);
    if (!failure)
      return finish();
  }
  fail("the connection ended within the answer");
}

void client_connection::finish() {
  auto message = parser_->release();
  call_result result;
  result.how_far = reach::answered;
  result.status = static_cast<std::uint16_t>(message.result_int());
  result.headers = to_header_list(message);
  result.body = std::move(message.body());
  // Bytes after the answer would be taken for the next one.
  const bool is_reusable = facts_.keep_alive && message.keep_alive() && !message.need_eof()
                           && input_.size() == 0
                           && written_ == head_out_.size() + job_.request.body.size();
  parser_.reset();
  report(std::move(result), is_reusable);
}

void client_connection::fail(const char* why) {
  call_result result;
  result.how_far = written_ > 0 ? reach::no_answer : reach::not_sent;
  result.failure = why;
  report(std::move(result), false);
}

void client_connection::fail_or_repeat(const char* why) {
  const bool is_safe = written_ == 0 || job_.request.method == "GET";
  const auto owner = owner_.lock();
  if (!was_used_ || !is_safe || job_.needs_fresh || !owner)
    return fail(why);
  close();
  job_.needs_fresh = true;
  owner->on_stale(*this, std::move(job_));
}

void client_connection::report(call_result result, bool is_reusable) {
  const auto self = shared_from_this();
  if (is_reusable) {
    phase_ = phase::idle;
    idle_since_ = std::chrono::steady_clock::now();
    if (input_.capacity() > limits::http_read_bytes_max)
      input_.shrink_to_fit();
  } else {
    close();
  }
  if (const auto owner = owner_.lock())
    owner->on_done(*this, std::move(job_), std::move(result), is_reusable);
  else
    job_.done(std::move(result));
}

void client_connection::abort(const char* why) {
  if (phase_ == phase::idle || phase_ == phase::closed)
    return close();
  fail(why);
}

void client_connection::close() {
  phase_ = phase::closed;
  resolver_.cancel();
  error_code ignored;
  socket_.close(ignored);
}

} // namespace holdfast::http
