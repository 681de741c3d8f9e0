#include "tests/support/echo_server.hpp"

#include <boost/asio/io_context.hpp>

#include <stdexcept>

namespace holdfast::test {

echo_server::echo_server(http::server_limits limits) {
  background_.run([&] {
    server_ = *http::server::listen(
      background_.io(), "127.0.0.1:0", limits,
      [this](http::request asked, http::responder answer) {
        handle(std::move(asked), std::move(answer));
      },
      [this](const std::string& method, const std::string& route, std::uint16_t status,
             std::int64_t) {
        const std::lock_guard lock{mutex_};
        observed_.push_back(method + ' ' + route + ' ' + std::to_string(status));
      });
  });
}

echo_server::~echo_server() {
  background_.run([this] { server_.reset(); });
}

std::vector<std::string> echo_server::observed() {
  const std::lock_guard lock{mutex_};
  return observed_;
}

void echo_server::handle(http::request asked, http::responder answer) {
  ++handled_;
  if (asked.path == "/later")
    return waiting_.set_value(std::move(answer));
  if (asked.path == "/forgotten")
    return;
  if (asked.path == "/throws")
    throw std::runtime_error("on purpose");
  http::response made;
  made.status = asked.path == "/reset" ? 0 : 200;
  made.content_type = "text/plain";
  if (asked.path == "/large")
    made.body.assign(8 * 1024 * 1024, 'x');
  else
    made.body = asked.method + ' ' + asked.path + ' ' + asked.body;
  made.headers.emplace_back(http::route_header, "the_route");
  answer(std::move(made));
  answer({}); // a second call, which must be ignored
}

} // namespace holdfast::test
