// What a shard does for people: it takes their orders about exceptions, raises what the search
// for orphans has found, and keeps what can't go on as dead letters.
#include "actors/caf.hpp"
#include "actors/desk/actor.hpp"
#include "actors/shard/state.hpp"
#include "messages/limits.hpp"

namespace holdfast::actors {

void shard_actor::on_desk_call(desk_call& message) {
  if (!serving_ || draining_)
    return (*message.done)(
      make_error(errc::not_owner, "The shard is starting or moving; try again."));
  spawn_desk(*this, env_, number_, epoch_, std::move(message));
}

void shard_actor::on_exceptions_found(exceptions_found& message) {
  if (!serving_ || draining_)
    return; // The next search finds them again.
  storage::open_exceptions_request request;
  request.exceptions = std::move(message.exceptions);
  request.now = env_->now();
  request.random_seed = env_->random();
  auto work = storage::open_exceptions(
    std::move(request), [env = env_, number = number_](expected<std::uint32_t> raised) {
      if (!raised)
        env->log(severity::warning, "orphans of shard " + std::to_string(number.value)
                                      + " could not be noted: " + raised.error().detail);
      else if (*raised > 0)
        env->log(severity::error, std::to_string(*raised) + " orphans found in shard "
                                    + std::to_string(number.value)
                                    + "; see `holdfast ctl exceptions list`");
    });
  env_->journal->run(number_, epoch_, std::move(work));
}

void shard_actor::on_dead_letter(dead_letter_found& message) {
  auto& letter = message.letter;
  env_->log(severity::error, letter.kind + ' ' + letter.subject + " is a dead letter: "
                               + letter.reason + "; see `holdfast ctl dead-letters list`");
  if (letter.kind == "payment")
    if (const auto id = payment_id::parse(letter.subject))
      park(*id);
  storage::keep_dead_letter_request request;
  request.letter = std::move(letter);
  request.letter.reason.resize(
    std::min(request.letter.reason.size(), limits::dead_letter_reason_bytes_max));
  request.letter.payload.resize(
    std::min(request.letter.payload.size(), limits::dead_letter_payload_bytes_max));
  request.now = env_->now();
  request.random_seed = env_->random();
  auto work = storage::keep_dead_letter(std::move(request), [env = env_](expected<bool> kept) {
    if (!kept)
      env->log(severity::error, "a dead letter could not be kept: " + kept.error().detail);
  });
  env_->journal->run(number_, epoch_, std::move(work));
}

/// Leaves the payment alone until a merchant asks for it, a person replays it, or the shard has
/// a new owner.
void shard_actor::park(const payment_id& id) {
  if (parked_.size() < limits::payments_parked_max)
    parked_.insert(id);
  const auto found = payments_.find(id);
  if (found == payments_.end())
    return;
  wakes_.cancel(found->second);
  settle_down(found->second);
}

/// After a person's word: what waits for it goes on at once.
void shard_actor::on_revived(const payment_revived& message) {
  const auto& id = message.payment;
  if (!serving_)
    return;
  if (!id.is_nil()) {
    parked_.erase(id);
    const auto [seat, is_new] = payments_.try_emplace(id);
    if (is_new)
      begin_load(id);
    else if (seat->second.at == slot::stage::live)
      tell(seat->second.who, message);
  }
  if (reconciler_)
    tell(reconciler_, drive_settlement{});
}

} // namespace holdfast::actors
