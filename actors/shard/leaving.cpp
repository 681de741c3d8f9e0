// How a shard goes: the requests under way finish, within bounds; what was written is decided;
// and whatever is left, or still comes, is handed back for the next owner. Payments that live
// just go: the next owner finds them where the journal left them, and asks the gateways what
// became of the calls that were under way, as after a crash.
#include "actors/api/render.hpp"
#include "actors/caf.hpp"
#include "actors/shard/state.hpp"
#include "messages/limits.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::actors {

void shard_actor::on_drain(drain& message) {
  if (message.drained)
    drained_ = std::move(message.drained);
  if (std::exchange(draining_, true))
    return;
  env_->gauge(number_).serving.store(false, std::memory_order_relaxed);
  drain_until_ = env_->now() + milliseconds{limits::shard_drain_ms_max};
  if (serving_)
    go_on_draining();
  else
    close_journal();
}

void shard_actor::go_on_draining() {
  if (closing_)
    return;
  if (waiting_.empty())
    return close_journal();
  const auto now = env_->now();
  if (now < drain_until_)
    return;
  if (std::exchange(described_, true))
    return close_journal();
  drain_until_ = now + milliseconds{limits::shard_drain_describe_ms};
  for (const auto& [name, request] : waiting_)
    ask_how_it_stands(name, request);
}

void shard_actor::close_journal() {
  closing_ = true;
  env_->journal->close_shard(
    number_, [me = caf::actor_cast<caf::actor>(this)] { tell(me, journal_closed{}); });
}

/// The last writes are decided, but their payments may not have told of it yet.
void shard_actor::on_journal_closed() {
  if (waiting_.empty())
    return leave();
  run_delayed(milliseconds{limits::shard_tick_ms}, [this] { leave(); });
}

void shard_actor::leave() {
  hand_back_requests();
  hand_back_notices();
  dismiss_children();
  update_gauges();
  if (!drained_)
    return quit();
  (*drained_)();
  become(farewell());
  set_default_handler(caf::drop);
  run_delayed(milliseconds{limits::shard_farewell_ms}, [this] { quit(); });
}

/// Whatever was to be written for them is decided, so the next owner can be asked the same
/// under the same key: it goes on with what there is, or begins.
void shard_actor::hand_back_requests() {
  const auto now = env_->now();
  for (auto& [name, request] : std::exchange(waiting_, {})) {
    const auto waited = std::chrono::floor<milliseconds>(now - request.since);
    auto& wait = request.command.wait;
    wait = std::clamp(wait - waited, milliseconds{0}, wait);
    request.promise->bounce(std::move(request.command));
  }
}

void shard_actor::hand_back_notices() {
  for (auto& [id, seat] : payments_)
    for (auto& notice : std::exchange(seat.notices, {}))
      hand_back(std::move(notice));
}

/// They don't watch this actor: CAF keeps who watches an actor, dead or alive, until that actor
/// ends, and a shard sees hundreds of millions of payments.
void shard_actor::dismiss_children() {
  for (auto& [id, seat] : std::exchange(payments_, {}))
    if (seat.who)
      caf::anon_send_exit(seat.who, caf::exit_reason::user_shutdown);
  for (auto& [id, who] : std::exchange(merchants_, {}))
    caf::anon_send_exit(who, caf::exit_reason::user_shutdown);
  if (auto reconciler = std::exchange(reconciler_, nullptr))
    caf::anon_send_exit(reconciler, caf::exit_reason::user_shutdown);
}

/// Somebody may have found this actor in the directory just before it left it.
caf::behavior shard_actor::farewell() {
  return {
    [](submit& m) { m.promise->bounce(std::move(m.command)); },
    [](deliver_webhook& m) { hand_back(std::move(m)); },
    [this](desk_call& m) { on_desk_call(m); },
    [this](close_batches_now& m) { on_close(m); },
  };
}

} // namespace holdfast::actors
