// The door of a node: what the links of other nodes come to.
#pragma once

#include "actors/link/environment.hpp"

#include <caf/actor_system.hpp>

namespace holdfast::links {

/// Lets in who proves that it belongs to the cluster, answers heartbeats, and has done what is
/// asked: by `environment::service`, at most limits::link_window_requests at once for a node.
/// To be published on the cluster port. Lives until it is told goodbye.
[[nodiscard]] caf::actor spawn_door(caf::actor_system& system, environment_ptr env);

} // namespace holdfast::links
