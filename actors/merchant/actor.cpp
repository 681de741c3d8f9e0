#include "actors/merchant/actor.hpp"

#include "actors/caf.hpp"
#include "actors/merchant/cutoff.hpp"
#include "actors/protocol.hpp"
#include "messages/limits.hpp"

#include <caf/event_based_actor.hpp>

#include <chrono>

namespace holdfast::actors {

namespace {

class merchant_actor : public caf::event_based_actor {
public:
  merchant_actor(caf::actor_config& cfg, environment_ptr env, caf::actor shard,
                 shard_number number, merchant_id id)
    : caf::event_based_actor(cfg),
      env_(std::move(env)),
      shard_(std::move(shard)),
      number_(number),
      id_(id) {}

  caf::behavior make_behavior() override {
    die_with(this, shard_);
    look();
    return {
      [this](const item_ready& item) { gather(item); },
      [this](const items_counted& m) { on_counted(m); },
      [this](cutoff_tick) { look(); },
    };
  }

  const char* name() const override { return "merchant"; }

  void on_exit() override { shard_ = nullptr; }

private:
  /// Closes what the latest cut-off should have closed, and counts what has come since: an
  /// actor before this one may have seen it.
  void look() {
    const auto cutoff = merchants::last_cutoff(env_->terms, env_->now());
    close(cutoff);
    env_->settlement->count_ready_items(
      number_, id_, cutoff,
      [me = caf::actor_cast<caf::actor>(this)](expected<std::uint64_t> count) {
        tell(me, items_counted{std::move(count)});
      });
  }

  /// An item that succeeds meanwhile may be in the count and come as a message too: then the
  /// batch closes a little early, never late.
  void on_counted(const items_counted& message) {
    if (!message.count) {
      run_delayed(milliseconds{limits::shard_start_retry_ms}, [this] { look(); });
      return;
    }
    gathered_ += *message.count;
    if (is_full())
      close(env_->now());
  }

  void gather(const item_ready& item) {
    ++gathered_;
    // What came after this item waits for the next batch.
    if (is_full())
      close(item.at + std::chrono::microseconds{1});
  }

  [[nodiscard]] bool is_full() const { return gathered_ >= env_->terms.items_max; }

  void close(timestamp before) {
    gathered_ = 0;
    tell(shard_, close_batches_now{id_, before, false, nullptr, {}});
  }

  environment_ptr env_;
  caf::actor shard_;
  shard_number number_;
  merchant_id id_;
  std::uint64_t gathered_ = 0;
};

} // namespace

caf::actor spawn_merchant(caf::scheduled_actor& parent, environment_ptr env,
                          shard_number number, merchant_id merchant) {
  return spawn_watched<merchant_actor>(parent, std::move(env),
                                       caf::actor_cast<caf::actor>(&parent), number, merchant);
}

} // namespace holdfast::actors
