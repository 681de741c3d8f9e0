// Ports for servers that must be told theirs before they start.
#pragma once

#include "messages/expected.hpp"

#include <string>
#include <vector>

namespace holdfast::embedded {

struct port_range {
  unsigned first;
  unsigned last;
};

/// Below those that Linux hands out (net.ipv4.ip_local_port_range).
inline constexpr port_range quiet_ports{20'000, 29'999};

/// Keeps what it has found until it is destroyed, so that it finds nothing twice. Not
/// thread-safe.
class port_finder {
public:
  /// `any`: where port 0 is looked for.
  explicit port_finder(port_range any = quiet_ports) : any_(any) {}
  ~port_finder();
  port_finder(const port_finder&) = delete;
  port_finder& operator=(const port_finder&) = delete;

  /// The address as it is when nobody listens there, else with the next port that is free. Of
  /// port 0 one that the kernel does not give away by itself, so that a server which is started
  /// again finds it free; until this process ends, no other finder of this machine is given it.
  /// Errors: unavailable, also for a host that is not this machine.
  [[nodiscard]] expected<std::string> find(const std::string& address);

private:
  port_range any_;
  std::vector<int> held_;
};

/// The same address with a port so much higher; port 0 stays, and is what it becomes beyond the
/// highest.
[[nodiscard]] std::string raised(const std::string& address, unsigned by);

} // namespace holdfast::embedded
