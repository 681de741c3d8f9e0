#include "runtime/simulation/runner.hpp"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

namespace holdfast::simulation {

namespace {

thread_local std::uint64_t current_seed = 0;

/// How many seeds a thread may be ahead of the listener.
constexpr std::uint64_t lead_max = 64;

world_outcome simulate(const runner_options& options, std::uint64_t seed) {
  current_seed = seed;
  return world{{seed, options.payments, options.plant, std::nullopt}}.run();
}

/// Hands out seeds, and hands on their outcomes in order.
class line {
public:
  explicit line(const runner_options& options)
    : options_(options),
      next_(options.first_seed),
      told_(options.first_seed) {}

  void work() {
    for (;;) {
      std::uint64_t seed = 0;
      {
        std::unique_lock guard{mutex_};
        room_.wait(guard, [&] { return stopped_ || next_ < told_ + lead_max; });
        if (stopped_ || next_ > options_.last_seed)
          return;
        seed = next_++;
      }
      auto outcome = simulate(options_, seed);
      std::lock_guard guard{mutex_};
      done_.emplace(seed, std::move(outcome));
      news_.notify_one();
    }
  }

  void listen(const run_listener& each) {
    for (auto seed = options_.first_seed; seed <= options_.last_seed; ++seed) {
      std::unique_lock guard{mutex_};
      news_.wait(guard, [&] { return done_.contains(seed); });
      auto outcome = done_.extract(seed);
      told_ = seed + 1;
      room_.notify_all();
      guard.unlock();
      if (!each(outcome.mapped()))
        break;
    }
    std::lock_guard guard{mutex_};
    stopped_ = true;
    room_.notify_all();
  }

private:
  const runner_options options_;
  std::mutex mutex_;
  std::condition_variable room_;
  std::condition_variable news_;
  std::map<std::uint64_t, world_outcome> done_;
  std::uint64_t next_;
  std::uint64_t told_;
  bool stopped_ = false;
};

} // namespace

void run_seeds(const runner_options& options, const run_listener& each) {
  if (options.jobs <= 1) {
    for (auto seed = options.first_seed; seed <= options.last_seed; ++seed)
      if (!each(simulate(options, seed)))
        return;
    return;
  }
  line shared{options};
  std::vector<std::jthread> workers;
  for (std::size_t i = 0; i < options.jobs; ++i)
    workers.emplace_back([&shared] { shared.work(); });
  shared.listen(each);
}

std::uint64_t seed_at_work() noexcept {
  return current_seed;
}

void summary::add(const world_outcome& outcome) noexcept {
  ++seeds;
  payments += outcome.payments;
  steps += outcome.steps;
  hash = (hash ^ outcome.hash) * 0x9e3779b97f4a7c15ULL;
  virtual_time += outcome.virtual_time;
  for (std::size_t i = 0; i < faults.size(); ++i)
    faults[i] += outcome.faults[i];
  unknowns.unknown += outcome.unknowns.unknown;
  unknowns.approved += outcome.unknowns.approved;
  unknowns.declined += outcome.unknowns.declined;
  unknowns.reversed += outcome.unknowns.reversed;
  unknowns.escalated += outcome.unknowns.escalated;
}

} // namespace holdfast::simulation
