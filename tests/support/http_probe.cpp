#include "tests/support/http_probe.hpp"

#include "runtime/http/text.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <future>
#include <stdexcept>
#include <system_error>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace holdfast::test {

namespace {

constexpr int deadline_ms = 15'000;

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int open_socket() {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0)
    fail("socket");
  return descriptor;
}

bool is_reset(int code) {
  return code == ECONNRESET || code == EPIPE;
}

probe_answer parse_head(std::string_view head) {
  probe_answer answer;
  answer.status = std::stoi(std::string{head.substr(head.find(' ') + 1, 3)});
  head.remove_prefix(head.find("\r\n") + 2);
  while (head != "\r\n") {
    const auto line = head.substr(0, head.find("\r\n"));
    head.remove_prefix(line.size() + 2);
    const auto colon = line.find(": ");
    std::string name{line.substr(0, colon)};
    std::transform(name.begin(), name.end(), name.begin(), http::to_lower);
    answer.headers.emplace_back(std::move(name), line.substr(colon + 2));
  }
  return answer;
}

} // namespace

std::string probe_answer::header(std::string_view name) const {
  for (const auto& [field, value] : headers) {
    if (field == name)
      return value;
  }
  return {};
}

raw_connection::raw_connection(std::uint16_t port) : descriptor_(open_socket()) {
  const auto address = loopback(port);
  if (::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    fail("connect");
  const int on = 1;
  ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

raw_connection raw_connection::adopt(int descriptor) {
  raw_connection made;
  made.descriptor_ = descriptor;
  return made;
}

raw_connection::raw_connection(raw_connection&& other) noexcept {
  *this = std::move(other);
}

raw_connection& raw_connection::operator=(raw_connection&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(was_reset_, other.was_reset_);
  std::swap(pending_, other.pending_);
  return *this;
}

raw_connection::~raw_connection() {
  close();
}

void raw_connection::wait(short events) const {
  pollfd watched{descriptor_, events, 0};
  if (::poll(&watched, 1, deadline_ms) <= 0)
    throw std::runtime_error("the other side was waited for in vain");
}

void raw_connection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto size = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size < 0)
      fail("send");
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
}

void raw_connection::send_what_goes(std::string_view bytes) {
  while (!bytes.empty()) {
    pollfd watched{descriptor_, POLLIN | POLLOUT, 0};
    ::poll(&watched, 1, deadline_ms);
    const auto size =
      ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (size < 0 && errno != EAGAIN)
      return;
    if (size > 0)
      bytes.remove_prefix(static_cast<std::size_t>(size));
    if (watched.revents & (POLLIN | POLLHUP | POLLERR))
      return;
  }
}

bool raw_connection::fill() {
  wait(POLLIN);
  std::array<char, 16 * 1024> buffer;
  const auto size = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
  if (size < 0 && !is_reset(errno))
    fail("recv");
  was_reset_ = size < 0;
  if (size <= 0)
    return false;
  pending_.append(buffer.data(), static_cast<std::size_t>(size));
  return true;
}

std::string raw_connection::read_until(std::string_view marker) {
  std::size_t found = 0;
  while ((found = pending_.find(marker)) == std::string::npos) {
    if (!fill())
      throw std::runtime_error("the connection ended after: " + pending_);
  }
  return read_exactly(found + marker.size());
}

std::string raw_connection::read_exactly(std::size_t size) {
  while (pending_.size() < size) {
    if (!fill())
      throw std::runtime_error("the connection ended after: " + pending_);
  }
  auto taken = pending_.substr(0, size);
  pending_.erase(0, size);
  return taken;
}

probe_answer raw_connection::read_head_only() {
  return parse_head(read_until("\r\n\r\n"));
}

probe_answer raw_connection::read_answer() {
  auto answer = read_head_only();
  const auto length = answer.header("content-length");
  if (!length.empty())
    answer.body = read_exactly(std::stoul(length));
  return answer;
}

ending raw_connection::wait_for_end() {
  while (fill()) {}
  return was_reset_ ? ending::reset : ending::orderly;
}

void raw_connection::end_sending() {
  ::shutdown(descriptor_, SHUT_WR);
}

void raw_connection::close() {
  if (descriptor_ >= 0)
    ::close(descriptor_);
  descriptor_ = -1;
}

void raw_connection::reset() {
  const linger at_once{1, 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

raw_listener::raw_listener() : descriptor_(open_socket()) {
  auto address = loopback(0);
  socklen_t size = sizeof address;
  if (::bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), size) != 0
      || ::listen(descriptor_, 16) != 0
      || ::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    fail("listen");
  port_ = ntohs(address.sin_port);
}

raw_listener::~raw_listener() {
  close();
}

std::string raw_listener::url() const {
  return "http://127.0.0.1:" + std::to_string(port_);
}

raw_connection raw_listener::accept() {
  pollfd watched{descriptor_, POLLIN, 0};
  if (::poll(&watched, 1, deadline_ms) <= 0)
    throw std::runtime_error("nobody connected");
  const int accepted = ::accept4(descriptor_, nullptr, nullptr, SOCK_CLOEXEC);
  if (accepted < 0)
    fail("accept");
  return raw_connection::adopt(accepted);
}

void raw_listener::close() {
  if (descriptor_ >= 0)
    ::close(descriptor_);
  descriptor_ = -1;
}

background_io::background_io() : io_(std::make_unique<boost::asio::io_context>(1)) {
  thread_ = std::thread{[this] {
    const auto guard = boost::asio::make_work_guard(*io_);
    io_->run();
  }};
}

background_io::~background_io() {
  io_->stop();
  thread_.join();
}

void background_io::run(const std::function<void()>& action) {
  std::promise<void> done;
  boost::asio::post(*io_, [&] {
    action();
    done.set_value();
  });
  done.get_future().get();
}

} // namespace holdfast::test
