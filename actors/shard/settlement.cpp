// A shard's part in settlement: it closes batches, wakes its merchants' cut-off clocks and
// keeps its reconciler going.
#include "actors/caf.hpp"
#include "actors/merchant/actor.hpp"
#include "actors/reconciler/actor.hpp"
#include "actors/shard/state.hpp"

namespace holdfast::actors {

void shard_actor::on_close(close_batches_now& message) {
  if (!serving_) {
    if (message.done) {
      close_outcome refused;
      refused.detail = "a shard is starting or moving";
      (*message.done)(refused);
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
  close_outcome outcome;
  if (!message.result) {
    // The merchant's clock, or the operator, asks again: nothing was closed.
    env_->log(severity::warning,
              "batches could not be closed: " + message.result.error().detail);
    outcome.detail = message.result.error().detail;
    if (message.request.done)
      (*message.request.done)(outcome);
    return;
  }
  outcome.ok = true;
  outcome.batches = message.result->batches;
  outcome.items = message.result->items;
  ensure_reconciler();
  tell(reconciler_, drive_settlement{message.request.settle, message.request.done, outcome});
}

void shard_actor::on_item_ready(const item_ready& message) {
  ensure_merchant(message.merchant);
  tell(merchants_.at(message.merchant), message);
}

void shard_actor::ensure_merchant(const merchant_id& merchant) {
  auto& who = merchants_[merchant];
  if (!who)
    who = spawn_merchant(*this, env_, caf::actor_cast<caf::actor>(this), merchant);
}

void shard_actor::ensure_reconciler() {
  if (!reconciler_)
    reconciler_ = spawn_reconciler(*this, env_, number_, epoch_);
}

} // namespace holdfast::actors
