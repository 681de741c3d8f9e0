// How many payment actors a node starts a second, and what one costs that waits for the next
// request. In this process: no network, no database.
#pragma once

#include "messages/expected.hpp"

#include <cstdint>

namespace holdfast::bench {

struct spawn_result {
  double actors_a_second = 0; ///< from the first spawn until the last one is idle
  double bytes_an_actor = 0;  ///< of the heap, with the payment that it keeps
};

/// Spawns authorized payments under one shard, with the node's own scheduler. Blocking.
/// Errors: unavailable, when they don't all become idle.
[[nodiscard]] expected<spawn_result> run_spawn(std::uint64_t actors);

} // namespace holdfast::bench
