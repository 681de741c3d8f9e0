#include "runtime/bench/spawn.hpp"

#include "actors/caf.hpp"
#include "actors/payment/actor.hpp"
#include "actors/protocol.hpp"
#include "actors/system_settings.hpp"
#include "runtime/bench/synthetic.hpp"

#include <chrono>
#include <future>
#include <utility>

#include <malloc.h>

/// Of jemalloc, where the program is linked to it; null elsewhere.
extern "C" [[gnu::weak]] int mallctl(const char* name, void* old_value, std::size_t* old_size,
                                     void* new_value, std::size_t new_size);

namespace holdfast::bench {

namespace {

using steady = std::chrono::steady_clock;

constexpr std::chrono::minutes patience{10};

/// On the heap, in use. The resident memory would not shrink again from one turn to the next.
std::size_t allocated_bytes() {
  if (mallctl != nullptr) {
    std::uint64_t epoch = 1; // Whoever sets it gets new figures.
    mallctl("epoch", nullptr, nullptr, &epoch, sizeof epoch);
    std::size_t bytes = 0;
    std::size_t size = sizeof bytes;
    if (mallctl("stats.allocated", &bytes, &size, nullptr, 0) == 0)
      return bytes;
  }
  const auto heap = ::mallinfo2();
  return heap.uordblks + heap.hblkhd;
}

/// Seats the payments as a shard does, and hears of each that it is idle.
class parent_actor : public caf::event_based_actor {
public:
  parent_actor(caf::actor_config& cfg, actors::environment_ptr env, std::uint64_t actors,
               std::promise<void>& all_idle)
    : caf::event_based_actor(cfg),
      env_(std::move(env)),
      awaited_(actors),
      all_idle_(all_idle) {}

  caf::behavior make_behavior() override {
    const synthetic_payments models{env_->now()};
    children_.reserve(awaited_);
    for (std::uint64_t i = 0; i < awaited_; ++i) {
      auto state = models.approved();
      state.id = payment_id::make(env_->now(), {}, i);
      actors::payment_seat seat{
        env_, caf::actor_cast<caf::actor>(this), {}, {1}, state.id, state.merchant};
      children_.push_back(actors::spawn_payment(*this, std::move(seat), std::move(state)));
    }
    return {
      [this](const actors::payment_idle&) {
        if (--awaited_ == 0)
          all_idle_.set_value();
      },
      [](const actors::wake_me&) {},
      [](const actors::payment_ended&) {},
    };
  }

  void on_exit() override {
    for (const auto& child : std::exchange(children_, {}))
      caf::anon_send_exit(child, caf::exit_reason::user_shutdown);
  }

private:
  actors::environment_ptr env_;
  std::uint64_t awaited_;
  std::promise<void>& all_idle_;
  std::vector<caf::actor> children_;
};

actors::environment_ptr make_environment() {
  auto env = std::make_shared<actors::environment>();
  env->now = &wall_clock_now;
  env->random = [] { return std::uint64_t{1}; };
  env->log = [](actors::severity, const std::string&) {};
  env->rules_of = [](const std::string&) { return payments::policy{}; };
  return env;
}

} // namespace

expected<spawn_result> run_spawn(std::uint64_t actors) {
  actors::system_settings config;
  caf::actor_system system{config};
  std::promise<void> done;
  auto all_idle = done.get_future();
  const auto before = allocated_bytes();
  const auto began = steady::now();
  auto parent = system.spawn<parent_actor>(make_environment(), actors, done);
  const bool came = all_idle.wait_for(patience) == std::future_status::ready;
  const std::chrono::duration<double> took = steady::now() - began;
  const auto after = allocated_bytes();
  caf::anon_send_exit(parent, caf::exit_reason::user_shutdown);
  parent = nullptr;
  system.await_all_actors_done();
  if (!came)
    return make_error(errc::unavailable, "the actors did not all become idle");
  const auto count = static_cast<double>(actors);
  return spawn_result{count / took.count(), static_cast<double>(after - before) / count};
}

} // namespace holdfast::bench
