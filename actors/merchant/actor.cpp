#include "actors/merchant/actor.hpp"

#include "actors/caf.hpp"
#include "actors/merchant/cutoff.hpp"
#include "actors/protocol.hpp"
#include "messages/limits.hpp"

#include <caf/event_based_actor.hpp>

#include <algorithm>

namespace holdfast::actors {

namespace {

class merchant_actor : public caf::event_based_actor {
public:
  merchant_actor(caf::actor_config& cfg, environment_ptr env, caf::actor shard, merchant_id id)
    : caf::event_based_actor(cfg),
      env_(std::move(env)),
      shard_(std::move(shard)),
      id_(id) {}

  caf::behavior make_behavior() override {
    die_with(this, shard_);
    close(merchants::last_cutoff(env_->terms, env_->now()));
    schedule();
    return {
      [this](const item_ready& item) { count(item); },
      [this](cutoff_tick) { on_tick(); },
    };
  }

  const char* name() const override { return "merchant"; }

  void on_exit() override { shard_ = nullptr; }

private:
  void count(const item_ready& item) {
    if (++gathered_ < env_->terms.items_max)
      return;
    // Full: what came after this item waits for the next batch.
    close(item.at + std::chrono::microseconds{1});
  }

  void on_tick() {
    const auto now = env_->now();
    if (now >= next_)
      close(next_);
    schedule();
  }

  void close(timestamp before) {
    gathered_ = 0;
    tell(shard_, close_batches_now{id_, before, false, nullptr});
  }

  /// The clock may be set: never sleep longer than a minute, and look again.
  void schedule() {
    const auto now = env_->now();
    next_ = merchants::next_cutoff(env_->terms, now);
    const auto left = std::chrono::ceil<milliseconds>(next_ - now);
    tell_self_later(this, std::min(left, milliseconds{limits::cutoff_look_ms}), cutoff_tick{});
  }

  environment_ptr env_;
  caf::actor shard_;
  merchant_id id_;
  std::uint32_t gathered_ = 0;
  timestamp next_;
};

} // namespace

caf::actor spawn_merchant(caf::scheduled_actor& parent, environment_ptr env, caf::actor shard,
                          merchant_id merchant) {
  return spawn_watched<merchant_actor>(parent, std::move(env), std::move(shard), merchant);
}

} // namespace holdfast::actors
