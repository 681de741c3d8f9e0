// What a shard reads when it begins, and how it rebuilds what dies under it: always from the
// journal, always by the code that starts it.
#include "actors/api/render.hpp"
#include "actors/caf.hpp"
#include "actors/payment/actor.hpp"
#include "actors/shard/state.hpp"
#include "messages/assert.hpp"
#include "messages/limits.hpp"

#include <iterator>
#include <ranges>
#include <utility>

namespace holdfast::actors {

namespace {

/// Hands a storage answer to the shard as a message; the callback runs on a storage thread.
template <class Wrap>
auto to_mailbox(shard_actor* self, Wrap wrap) {
  return [me = caf::actor_cast<caf::actor>(self), wrap = std::move(wrap)](auto result) mutable {
    tell(me, wrap(std::move(result)));
  };
}

} // namespace

void shard_actor::start() {
  const auto since = env_->now() - milliseconds{limits::shard_keys_warm_ms};
  env_->store->start_shard(
    number_, since,
    [me = caf::actor_cast<caf::actor>(this), env = env_,
     number = number_](expected<storage::shard_start> start) {
      // Two reads, one message: the shard begins with both or tries again.
      env->settlement->merchants_with_ready_items(
        number, [me, start = std::move(start)](expected<std::vector<merchant_id>> ready) {
          tell(me, shard_loaded{start, std::move(ready)});
        });
    });
}

void shard_actor::on_loaded(shard_loaded& message) {
  if (draining_)
    return;
  if (!message.start || !message.merchants) {
    const auto& failure = message.start ? message.merchants.error() : message.start.error();
    env_->log(severity::warning, "shard " + std::to_string(number_.value)
                                   + " can't read its state yet: " + failure.detail);
    // Not serving, it is asked nothing; the tick that begins later would do no harm either.
    const auto again = milliseconds{limits::shard_start_retry_ms};
    run_delayed(again, [this] { start(); });
    return;
  }
  // The latest used comes first; put in last, it leaves last.
  for (const auto& key : message.start->keys | std::views::reverse)
    keys_.restore({key.merchant, key.key}, key.row);
  for (auto& live : message.start->live) {
    const auto id = live.id;
    seat_payment(id, payments_[id], std::move(live));
  }
  last_cutoff_ = merchants::last_cutoff(env_->terms, env_->now());
  for (const auto& merchant : *message.merchants)
    ensure_merchant(merchant);
  ensure_reconciler();
  // Not all shards of a node at once.
  next_key_sweep_ =
    env_->now()
    + milliseconds{static_cast<std::int64_t>(env_->random() % limits::idempotency_sweep_ms)};
  serving_ = true;
  env_->gauge(number_).serving.store(true, std::memory_order_relaxed);
  update_gauges();
  tick_later();
  if (env_->began_to_serve)
    env_->began_to_serve(number_);
}

caf::actor shard_actor::spawn_child(const payment_id& id, const merchant_id& merchant,
                                    std::optional<payment> state) {
  payment_seat seat{env_, caf::actor_cast<caf::actor>(this), number_, epoch_, id, merchant};
  return spawn_payment(*this, std::move(seat), std::move(state));
}

void shard_actor::begin_load(const payment_id& id) {
  env_->store->find_payment(id, to_mailbox(this, [id](auto found) {
                              return payment_loaded{id, std::move(found)};
                            }));
}

void shard_actor::on_payment_loaded(payment_loaded& message) {
  auto found = payments_.find(message.payment);
  if (found == payments_.end() || found->second.at == slot::stage::live)
    return;
  if (!message.found) {
    // A failed read is not an absent row: the clients try again, and so does the next request.
    auto requests = std::exchange(found->second.requests, {});
    const bool was_rebuilding = found->second.at == slot::stage::rebuilding;
    if (was_rebuilding) {
      found->second.requests = std::move(requests);
      run_delayed(milliseconds{limits::shard_start_retry_ms},
                  [this, id = message.payment] { begin_load(id); });
      return;
    }
    for (const auto& name : requests)
      if (auto waits = waiting_.find(name); waits != waiting_.end())
        forget(name, api::answer_problem(503, "storage_unavailable",
                                         "The database can't be reached; try again.",
                                         waits->second.command.request_id, 1));
    vacate(found);
    return;
  }
  if (*message.found)
    seat_payment(message.payment, found->second, std::move((*message.found)->row));
  else
    no_such_payment(message.payment);
}

/// Gives the payment an actor that goes on where the journal left it, and the actor its
/// requests.
void shard_actor::seat_payment(const payment_id& id, slot& seat, payment state) {
  if (seat.at == slot::stage::live)
    return;
  const bool was_rebuilding = seat.at == slot::stage::rebuilding;
  seat.at = slot::stage::live;
  seat.merchant = state.merchant;
  if (state.next_action_at)
    wakes_.set(seat, *state.next_action_at);
  seat.who = spawn_child(id, state.merchant, std::move(state));
  hand_over_notices(seat);
  const auto requests = std::exchange(seat.requests, {});
  if (was_rebuilding) {
    // The dead actor may have made these requests durable, or even ended them without telling:
    // look first, also for those whose clients have gone with a 202.
    for (const auto& name : keys_.open_keys_of(id.value))
      look_for_key(id, name);
  } else {
    for (const auto& name : requests)
      dispatch(name, seat);
  }
  update_gauges();
}

void shard_actor::look_for_key(const payment_id& id, const key_name& name) {
  env_->store->find_key(name.merchant, name.key, to_mailbox(this, [id, name](auto row) {
                          return key_loaded{id, name.key, name.merchant, std::move(row)};
                        }));
}

/// Looked, and there is none: the id was made up, or a creation died before its intent was
/// durable.
void shard_actor::no_such_payment(const payment_id& id) {
  const auto vacant = payments_.find(id);
  auto& seat = vacant->second;
  for (auto& notice : std::exchange(seat.notices, {}))
    record_unmatched(std::move(notice));
  auto requests = std::exchange(seat.requests, {});
  for (const auto& name : requests) {
    auto found = waiting_.find(name);
    if (found == waiting_.end())
      continue;
    if (std::holds_alternative<create_payment>(found->second.command.action)) {
      // Also a repeat, which had expected to find it.
      found->second.describe_only = false;
      seat.at = slot::stage::live;
      seat.merchant = name.merchant;
      seat.who = spawn_child(id, name.merchant, std::nullopt);
      dispatch(name, seat);
      return;
    }
    forget(name, api::answer_problem(404, "not_found", "There is no such payment.",
                                     found->second.command.request_id));
  }
  vacate(vacant);
  update_gauges();
}

// -- payments that are due
// ------------------------------------------------------------------------------

void shard_actor::sweep_due() {
  next_sweep_ = env_->now() + milliseconds{limits::shard_sweep_ms};
  if (sweeping_)
    return;
  sweeping_ = true;
  env_->store->due_payments(
    number_, env_->now(), limits::shard_wake_batch_max,
    to_mailbox(this, [](auto due) { return due_loaded{std::move(due)}; }));
}

void shard_actor::on_due(due_loaded& message) {
  sweeping_ = false;
  if (!message.due)
    return; // The next sweep tries again.
  // These rows may be older than the last write of an actor that has gone since, so they only
  // name the payments; each is read again now that it has no actor.
  for (const auto& one : *message.due) {
    if (!parked_.contains(one.id) && payments_.try_emplace(one.id).second)
      begin_load(one.id);
  }
}

// -- deaths
// -----------------------------------------------------------------------------------------------

void shard_actor::on_child_down(const caf::actor_addr& who) {
  if (reconciler_ && reconciler_.address() == who) {
    env_->log(severity::warning, "the reconciler of shard " + std::to_string(number_.value)
                                   + " died and is started again");
    reconciler_ = nullptr;
    return ensure_reconciler();
  }
  for (auto& [merchant, actor] : merchants_) {
    if (actor.address() != who)
      continue;
    const auto id = merchant;
    env_->log(severity::warning,
              "the actor of merchant " + id.text() + " died and is started again");
    merchants_.erase(id);
    return ensure_merchant(id);
  }
}

void shard_actor::on_ended(const payment_ended& message) {
  const auto found = payments_.find(message.payment);
  if (found == payments_.end() || !found->second.who || found->second.who.id() != message.who)
    return;
  auto& seat = found->second;
  seat.who = nullptr;
  settle_down(seat);
  if (seat.at == slot::stage::passivating && !message.reason)
    return on_passivated(found);
  env_->log(severity::warning, "the actor of payment " + message.payment.text() + " died ("
                                 + to_string(message.reason) + ") and is rebuilt");
  rebuild(message.payment, seat);
}

/// It had nothing under way. What was asked of the payment meanwhile finds it in the database.
void shard_actor::on_passivated(slot_map::iterator left) {
  auto& [id, seat] = *left;
  if (seat.requests.empty() && seat.notices.empty()) {
    vacate(left);
    return update_gauges();
  }
  wakes_.cancel(seat);
  seat.at = slot::stage::loading;
  begin_load(id);
}

/// Waits until all that the dead actor had submitted is decided, then reads what there is.
void shard_actor::rebuild(const payment_id& id, slot& seat) {
  ++seat.deaths;
  seat.at = slot::stage::rebuilding;
  seat.requests.clear();
  for (const auto& [name, request] : waiting_)
    if (request.payment == id)
      seat.requests.push_back(name);
  env_->journal->barrier(
    number_, [me = caf::actor_cast<caf::actor>(this), id] { tell(me, payment_quiet{id}); });
}

void shard_actor::on_quiet(const payment_quiet& message) {
  const auto found = payments_.find(message.payment);
  if (found != payments_.end() && found->second.deaths > limits::payment_deaths_max)
    return leave_alone(message.payment);
  begin_load(message.payment);
}

/// It keeps dying. Only now that its writes are decided: whoever asks for it next reads what
/// there is.
void shard_actor::leave_alone(const payment_id& id) {
  std::vector<key_name> names;
  for (const auto& [name, request] : waiting_)
    if (request.payment == id)
      names.push_back(name);
  for (const auto& name : names)
    forget(name, api::answer_problem(500, "internal_error", "The request could not be handled.",
                                     waiting_.at(name).command.request_id));
  if (const auto found = payments_.find(id); found != payments_.end())
    vacate(found);
  dead_letter_found letter{
    {"payment", id.text(),
     "its actor died " + std::to_string(limits::payment_deaths_max + 1) + " times in a row",
     "the node's log tells of each death"}};
  on_dead_letter(letter);
}

void shard_actor::on_key_loaded(key_loaded& message) {
  const key_name name{message.merchant, message.key};
  if (!message.row) {
    // A failed read is not an absent row; and unless it is found out, the key stays open here.
    run_delayed(milliseconds{limits::shard_start_retry_ms},
                [this, id = message.payment, name] { look_for_key(id, name); });
    return;
  }
  if (!*message.row) {
    auto waits = waiting_.find(name);
    if (waits == waiting_.end())
      return keys_.forget(name);
    // A repeat, too, is now the first that the payment hears of it.
    waits->second.describe_only = false;
    auto seat = payments_.find(message.payment);
    if (seat != payments_.end() && seat->second.at == slot::stage::live)
      dispatch(name, seat->second);
    return; // If its payment has died again, the next rebuilding looks again.
  }
  const auto& row = **message.row;
  if (!row.answer)
    return; // The rebuilt payment goes on with it and will settle it.
  keys_.finish(name, *row.answer, env_->now());
  api_reply reply;
  reply.status = row.answer->status;
  reply.content_type = row.answer->content_type;
  reply.body = row.answer->body;
  reply.location = row.answer->location;
  answer(name, std::move(reply));
}

// -- for chaos tests
// ------------------------------------------------------------------------------------------------

void shard_actor::kill_some_child(std::uint64_t choice) {
  std::vector<caf::actor> victims;
  for (const auto& [id, seat] : payments_)
    if (seat.at == slot::stage::live)
      victims.push_back(seat.who);
  for (const auto& [id, who] : merchants_)
    victims.push_back(who);
  if (reconciler_)
    victims.push_back(reconciler_);
  if (!victims.empty())
    caf::anon_send_exit(victims[choice % victims.size()], caf::exit_reason::kill);
}

} // namespace holdfast::actors
