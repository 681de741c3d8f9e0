// A link: the one way to one other node.
#pragma once

#include "actors/link/environment.hpp"

#include <caf/actor_system.hpp>

#include <cstdint>
#include <string>

namespace holdfast::links {

struct link_address {
  std::string text; ///< "host:port"
  std::string host;
  std::uint16_t port = 0;
};

/// Connects, from the first connect_now on, again and again; proves who it is and has the other
/// end prove the same; tells by heartbeats whether the node is there; sends what is asked, and
/// gives every request an end. Lives until it is told goodbye, or until its address is not kept
/// and has led nowhere for limits::link_spare_ms.
[[nodiscard]] caf::actor spawn_link(caf::actor_system& system, environment_ptr env,
                                    link_address address, link_board_ptr board);

} // namespace holdfast::links
