// How every actor system of ours runs: a node's, the bench's, the tests'.
#pragma once

#include <caf/actor_system_config.hpp>

namespace holdfast::actors {

/// CAF's default scheduler spins itself to death on two cores; the sharing one doesn't. Makes
/// our message types known to CAF too, which every system must have before it begins. Any
/// thread.
class system_settings : public caf::actor_system_config {
public:
  system_settings();
};

} // namespace holdfast::actors
