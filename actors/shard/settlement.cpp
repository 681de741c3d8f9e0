// A shard's part in settlement: it closes batches, tells its merchants when their cut-off has
// come and keeps its reconciler going.
#include "actors/caf.hpp"
#include "actors/merchant/actor.hpp"
#include "actors/reconciler/actor.hpp"
#include "actors/shard/state.hpp"
#include "messages/limits.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::actors {

void shard_actor::on_close(close_batches_now& message) {
  if (!serving_ || draining_) {
    if (message.done) {
      close_outcome refused;
      refused.detail = "a shard is starting or moving";
      message.done->deliver(std::move(refused));
    }
    return;
  }
  storage::close_batches_request request;
  request.merchant = message.merchant;
  request.captured_before = message.captured_before;
  request.now = env_->now();
  request.random_seed = env_->random();
  request.max_items = env_->terms.items_max;
  auto work = storage::close_batches(request, [me = caf::actor_cast<caf::actor>(this), message](
                                                expected<storage::closed_batches> result) {
    tell(me, batches_closed{message, std::move(result)});
  });
  env_->journal->run(number_, epoch_, std::move(work));
}

void shard_actor::on_closed(batches_closed& message) {
  auto outcome = message.request.so_far;
  if (!message.result) {
    // Nothing more was closed, or nobody knows: the operator asks again, or the merchant looks.
    env_->log(severity::warning,
              "batches could not be closed: " + message.result.error().detail);
    outcome.detail = message.result.error().detail;
    if (message.request.done)
      message.request.done->deliver(std::move(outcome));
    else if (message.request.merchant)
      remind_later(*message.request.merchant);
    return;
  }
  outcome.batches += message.result->batches;
  outcome.items += message.result->items;
  ensure_reconciler();
  if (message.result->has_more) {
    // What is closed may be on its way while the rest is being closed.
    tell(reconciler_, drive_settlement{});
    message.request.so_far = std::move(outcome);
    return on_close(message.request);
  }
  outcome.ok = true;
  tell(reconciler_, drive_settlement{message.request.settle, message.request.done, outcome});
}

void shard_actor::remind_later(const merchant_id& merchant) {
  if (!to_remind_.insert(merchant).second)
    return;
  run_delayed(milliseconds{limits::shard_start_retry_ms}, [this, merchant] {
    to_remind_.erase(merchant);
    if (auto found = merchants_.find(merchant); found != merchants_.end())
      tell(found->second, cutoff_tick{});
  });
}

/// Every merchant has the node's cut-off, so one look does for all. A clock that was set back
/// leaves the next look too far ahead; then it is due at once.
void shard_actor::look_at_cutoff() {
  const auto now = env_->now();
  const milliseconds pause_max{limits::cutoff_look_ms};
  if (now < next_look_ && next_look_ - now <= pause_max)
    return;
  const auto& terms = env_->terms;
  next_look_ = std::min(merchants::next_cutoff(terms, now), now + pause_max);
  const auto latest = merchants::last_cutoff(terms, now);
  if (std::exchange(last_cutoff_, latest) == latest)
    return;
  for (const auto& [merchant, who] : merchants_)
    tell(who, cutoff_tick{});
}

void shard_actor::on_item_ready(const item_ready& message) {
  // An actor that begins now finds this item in its count.
  if (const auto found = merchants_.find(message.merchant); found != merchants_.end())
    tell(found->second, message);
  else
    ensure_merchant(message.merchant);
}

void shard_actor::ensure_merchant(const merchant_id& merchant) {
  auto& who = merchants_[merchant];
  if (!who)
    who = spawn_merchant(*this, env_, number_, merchant);
}

void shard_actor::ensure_reconciler() {
  if (!reconciler_)
    reconciler_ = spawn_reconciler(*this, env_, number_, epoch_);
}

} // namespace holdfast::actors
