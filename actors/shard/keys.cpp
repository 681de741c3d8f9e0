// Idempotency keys where the shard's memory is not enough: whether a key is new before a
// request is refused, and how long the rows live.
#include "actors/api/render.hpp"
#include "actors/caf.hpp"
#include "actors/shard/state.hpp"
#include "messages/limits.hpp"

#include <utility>

namespace holdfast::actors {

/// A request that would be refused if it were new, under a key that memory doesn't know. The
/// key is registered as running from `begin` on, so nothing else can claim it while the
/// database is asked, and nothing that did is still on its way there: memory forgets a key only
/// when its answer is durable. What the look finds is therefore what there is. A refusal is not
/// stored, for nothing came of the request: a repeat is judged anew.
void shard_actor::look_before_refusing(const key_name& name, submit& message,
                                       const payment_id& id) {
  env_->store->find_key(name.merchant, name.key,
                        [me = caf::actor_cast<caf::actor>(this), merchant = name.merchant,
                         key = name.key](expected<std::optional<storage::stored_key>> row) {
                          tell(me, key_looked_up{merchant, key, std::move(row)});
                        });
  await(name, message, id);
  update_gauges();
}

void shard_actor::on_key_looked_up(key_looked_up& message) {
  const key_name name{message.merchant, message.key};
  auto found = waiting_.find(name);
  if (found == waiting_.end())
    return;
  const auto& command = found->second.command;
  if (!message.row)
    return forget(name, api::answer_problem(503, "storage_unavailable",
                                            "The database can't be reached; try again.",
                                            command.request_id, 1));
  if (!*message.row)
    return forget(name, *command.refusal_if_new);
  deadlines_.set(found->second, env_->now() + command.wait);
  remember(name, **message.row);
  answer_taken(name, **message.row);
}

/// Nobody waits for this: a use is answered at once and written down later, with others. A
/// crash loses the uses of the last seconds, and with them at most the time since the use
/// before.
void shard_actor::retain_keys() {
  const auto now = env_->now();
  next_retention_ = now + milliseconds{limits::idempotency_touch_write_ms};
  if (retaining_)
    return;
  storage::retain_keys_request request;
  for (auto& name : keys_.take_touched(limits::idempotency_sweep_rows_max))
    request.used.push_back({name.merchant, std::move(name.key)});
  // The sweep must not overtake a use that waits to be written down.
  if (now >= next_key_sweep_ && !keys_.has_touched())
    request.sweep_max = limits::idempotency_sweep_rows_max;
  if (request.used.empty() && request.sweep_max == 0)
    return;
  retaining_ = true;
  auto work = storage::retain_keys(request, [me = caf::actor_cast<caf::actor>(this),
                                             request](expected<storage::retained_keys> result) {
    tell(me, keys_retained{request, std::move(result)});
  });
  env_->journal->run(number_, epoch_, std::move(work));
}

void shard_actor::on_keys_retained(keys_retained& message) {
  retaining_ = false;
  if (!message.result) {
    // The next round tries again.
    std::vector<key_name> names;
    for (auto& one : message.request.used)
      names.push_back({one.merchant, std::move(one.key)});
    return keys_.keep_touched(std::move(names));
  }
  const auto now = env_->now();
  const bool behind = message.result->more || keys_.has_touched();
  if (message.request.sweep_max > 0 && !message.result->more)
    next_key_sweep_ = now + milliseconds{limits::idempotency_sweep_ms};
  if (behind)
    next_retention_ = now + milliseconds{limits::idempotency_sweep_again_ms};
}

} // namespace holdfast::actors
