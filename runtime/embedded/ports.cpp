#include "runtime/embedded/ports.hpp"

#include "runtime/config/values.hpp"

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>
#include <random>

#include <netdb.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace holdfast::embedded {

namespace {

constexpr unsigned tries_max = 1'000;
constexpr unsigned highest_port = 65'535;

std::string with_port(const std::string& address, unsigned port) {
  return address.substr(0, address.rfind(':') + 1) + std::to_string(port);
}

/// A socket that listens there. Errors: conflict (the port is taken), unavailable.
expected<int> listen_at(const std::string& host, unsigned port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int code =
        ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
      code != 0)
    return make_error(errc::unavailable, host + ": " + ::gai_strerror(code));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> address{found, &::freeaddrinfo};
  const int descriptor = ::socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  // As servers do: connections of a server that was here before must not be in the way.
  ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (::bind(descriptor, address->ai_addr, address->ai_addrlen) == 0
      && ::listen(descriptor, 1) == 0)
    return descriptor;
  const int failure = errno;
  ::close(descriptor);
  return make_error(failure == EADDRINUSE ? errc::conflict : errc::unavailable,
                    host + ':' + std::to_string(port) + ": " + std::strerror(failure));
}

/// The server that a port was found for takes it later, and gives it up between two runs. Until
/// this process ends the port is marked by a name that the kernel keeps (unix(7), "abstract").
/// False: another process has marked it, or this one.
bool claim(unsigned port) {
  const int descriptor = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const auto name = "holdfast-port-" + std::to_string(port);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  name.copy(address.sun_path + 1, sizeof address.sun_path - 1); // After a zero: no file.
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), length) == 0)
    return true; // It stays open as long as the process lives.
  ::close(descriptor);
  return false;
}

/// Errors: as those of listen_at.
expected<int> listen_at_unclaimed(const std::string& host, unsigned port) {
  auto held = listen_at(host, port);
  if (!held || claim(port))
    return held;
  ::close(*held);
  return make_error(errc::conflict, host + ':' + std::to_string(port) + ": kept for a server");
}

} // namespace

port_finder::~port_finder() {
  for (const int descriptor : held_)
    ::close(descriptor);
}

expected<std::string> port_finder::find(const std::string& address) {
  const auto wanted = config::parse_address(address);
  if (!wanted)
    return make_error(errc::unavailable, address + ": " + config::check_address(address));
  const std::string host{wanted->host};
  const bool any = wanted->port == 0;
  const auto take = any ? listen_at_unclaimed : listen_at;
  std::minstd_rand random{std::random_device{}()};
  std::uniform_int_distribution<unsigned> anywhere{any_.first, any_.last};
  unsigned port = any ? anywhere(random) : wanted->port;
  auto held = take(host, port);
  for (unsigned tries = 1; !held && held.error().code == errc::conflict; ++tries) {
    if (tries == tries_max || (!any && port == highest_port))
      break;
    port = any ? anywhere(random) : port + 1;
    held = take(host, port);
  }
  if (!held)
    return make_error(errc::unavailable, "no port is free: " + held.error().detail);
  held_.push_back(*held);
  return with_port(address, port);
}

std::string raised(const std::string& address, unsigned by) {
  const auto from = config::parse_address(address);
  if (!from || from->port == 0)
    return address;
  return with_port(address, from->port + by > highest_port ? 0 : from->port + by);
}

} // namespace holdfast::embedded
