// Many seeds on a few threads, each a world of its own; whoever listens hears of them in the
// order of their seeds, so that the output does not depend on the threads.
#pragma once

#include "runtime/simulation/world.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>

namespace holdfast::simulation {

struct runner_options {
  std::uint64_t first_seed = 1;
  std::uint64_t last_seed = 1;
  std::size_t payments = 1'000;
  simulation::plant plant = plant::none;
  std::size_t jobs = 1;
};

/// Called on the caller's thread, seed after seed. False: no more.
using run_listener = std::function<bool(const world_outcome&)>;

void run_seeds(const runner_options& options, const run_listener& each);

/// The seed that this thread simulates: for the last words of a process whose own assertion has
/// failed. Safe in a signal handler.
[[nodiscard]] std::uint64_t seed_at_work() noexcept;

/// What many runs amount to.
struct summary {
  std::uint64_t seeds = 0;
  std::uint64_t payments = 0;
  std::uint64_t steps = 0;
  std::uint64_t hash = 0; ///< over the seeds' hashes, in order
  microseconds virtual_time{0};
  fault_counts faults{};
  resolutions unknowns;

  void add(const world_outcome& outcome) noexcept;
};

} // namespace holdfast::simulation
