#include "actors/desk/actor.hpp"

#include "actors/caf.hpp"
#include "actors/orphans/core.hpp"
#include "actors/reconciler/resolution.hpp"
#include "messages/limits.hpp"

#include <caf/event_based_actor.hpp>

#include <utility>

namespace holdfast::actors {

namespace {

class desk_actor : public caf::event_based_actor {
public:
  desk_actor(caf::actor_config& cfg, environment_ptr env, caf::actor shard, shard_number number,
             epoch_number epoch, desk_call call)
    : caf::event_based_actor(cfg),
      env_(std::move(env)),
      shard_(std::move(shard)),
      number_(number),
      epoch_(epoch),
      order_(std::move(call.order)),
      done_(std::move(call.done)) {}

  caf::behavior make_behavior() override {
    die_with(this, shard_);
    tell_self_later(this, milliseconds{limits::exception_order_ms_max}, desk_timeout{});
    begin();
    return {
      [this](case_loaded& m) { on_case(m); },
      [this](letter_loaded& m) { on_letter(m); },
      [this](desk_payment_loaded& m) { on_payment(m); },
      [this](gateway_reply& m) { on_reversed(m); },
      [this](desk_written& m) { on_written(m); },
      [this](desk_timeout) {
        finish(make_error(errc::unknown_outcome,
                          "It took too long; look whether it has been done, and repeat it if "
                          "not."));
      },
    };
  }

  const char* name() const override { return "desk"; }

  void on_exit() override {
    if (done_ && is_out_)
      finish(make_error(errc::unknown_outcome,
                        "The shard is moving; look whether it has been done."));
    else if (done_)
      finish(make_error(errc::not_owner, "The shard is moving; try again."));
    shard_ = nullptr;
  }

private:
  template <class Message>
  auto post() {
    return [me = caf::actor_cast<caf::actor>(this)](auto result) {
      tell(me, Message{std::move(result)});
    };
  }

  void begin() {
    switch (order_.verb) {
      case order_verb::resolve:
        return env_->settlement->find_exception_case(order_.exception, post<case_loaded>());
      case order_verb::resubmit_batch:
        return env_->settlement->find_refusal_of(order_.batch, post<case_loaded>());
      case order_verb::replay:
        return env_->store->find_dead_letter(order_.letter, post<letter_loaded>());
      case order_verb::assign:
        return run(storage::assign_exception({order_.exception, order_.owner, order_.note},
                                             post<desk_written>()));
    }
  }

  // -- exceptions
  // ---------------------------------------------------------------------------------

  void on_case(case_loaded& message) {
    if (!message.found)
      return finish(message.found.error());
    if (!*message.found)
      return finish(order_.verb == order_verb::resolve
                      ? make_error(errc::not_found, "There is no such exception.")
                      : make_error(errc::invalid_state,
                                   "The batch is not in a refused file: there is nothing to "
                                   "submit again."));
    case_ = std::move(**message.found);
    order_.exception = case_.seen.id;
    auto decided = settlements::decide_resolution(
      case_, {resolution(), order_.note, order_.by, order_.amount}, env_->now());
    if (!decided)
      return finish(decided.error());
    request_ = std::move(*decided);
    if (resolution() == "reverse")
      return begin_reversal();
    write();
  }

  std::string resolution() const {
    return order_.verb == order_verb::resubmit_batch ? "retry" : order_.resolution;
  }

  void write() { run(storage::resolve_exception(std::move(request_), post<desk_written>())); }

  // -- a reversal: only of what our own state proves that nobody should hold
  // ----------------------

  void begin_reversal() {
    if (!case_.seen.payment)
      return finish(
        make_error(errc::invalid_state,
                   "The reference is not of a payment of ours, so nothing proves "
                   "that the hold is not somebody else's: it can't be reversed from "
                   "here."));
    env_->store->find_payment(*case_.seen.payment, post<desk_payment_loaded>());
  }

  void on_payment(desk_payment_loaded& message) {
    if (!message.found)
      return finish(message.found.error());
    const auto name = orphans::parse_reference(case_.seen.external_ref);
    if (!*message.found || !name
        || !orphans::proves_nothing_held((*message.found)->row, name->attempt))
      return finish(
        make_error(errc::invalid_state,
                   "Our payment does not prove any more that nothing should be held; "
                   "resolve it by retry, and it is looked at again."));
    gateway_request request;
    request.verb = gateway_verb::reverse;
    request.reference = case_.seen.external_ref;
    request.total = {case_.seen.reported_amount, case_.seen.unit};
    request.merchant = case_.seen.merchant.text();
    auto gateway = env_->peers.gateway(case_.seen.source);
    if (!gateway)
      return finish(make_error(errc::unavailable, "The gateway is not there; try again."));
    // As what it is: a breaker that is open lets what is owed through, and no new charge.
    const payments::call_target target{gateway_verb::reverse, 0, std::nullopt, 0};
    is_out_ = true;
    tell(gateway, gateway_call{std::move(request), target, caf::actor_cast<caf::actor>(this)});
  }

  void on_reversed(const gateway_reply& message) {
    switch (message.answer.verdict) {
      case gateway_verdict::approved: return write();
      case gateway_verdict::declined:
        return finish(make_error(errc::invalid_state, "The gateway refused the reversal: "
                                                        + message.answer.code + '.'));
      case gateway_verdict::not_sent:
        return finish(make_error(
          errc::unavailable,
          "The gateway was not asked (" + message.answer.code + "); repeat the order."));
      default:
        return finish(make_error(errc::unknown_outcome,
                                 "The gateway has not acknowledged the reversal; repeat the "
                                 "order, which is safe."));
    }
  }

  // -- dead letters
  // ---------------------------------------------------------------------------------

  void on_letter(letter_loaded& message) {
    if (!message.found)
      return finish(message.found.error());
    if (!*message.found)
      return finish(make_error(errc::not_found, "There is no such dead letter."));
    letter_ = std::move(**message.found);
    run(storage::replay_dead_letter({order_.letter, env_->now()}, post<desk_written>()));
  }

  /// What had given up goes on as if it never had.
  void revive() {
    if (letter_.kind == "payment") {
      if (const auto id = payment_id::parse(letter_.subject))
        tell(shard_, payment_revived{*id});
      return;
    }
    tell(shard_, payment_revived{});
  }

  // -- the end
  // ------------------------------------------------------------------------------------

  void on_written(desk_written& message) {
    if (!message.result)
      return finish(message.result.error().code == errc::conflict ? make_error(
                      errc::invalid_state, "Something else came first; look again: "
                                             + message.result.error().detail + '.')
                                                                  : message.result.error());
    if (!*message.result)
      return finish(make_error(errc::invalid_state, order_.verb == order_verb::replay
                                                      ? "It was replayed already."
                                                      : "There is no such open exception."));
    if (order_.verb == order_verb::replay)
      revive();
    else if (order_.verb != order_verb::assign)
      tell(shard_, payment_revived{case_.seen.payment.value_or(payment_id{})});
    // An item may wait for a batch again, and its merchant have no actor to close one.
    if (order_.verb == order_verb::resolve && case_.seen.operation)
      tell(shard_, item_ready{case_.seen.merchant, env_->now()});
    finish(order_.exception);
  }

  void finish(expected<exception_id> outcome) {
    if (auto answer = std::exchange(done_, nullptr))
      (*answer)(std::move(outcome));
    quit();
  }

  void run(std::unique_ptr<storage::unit_of_work> work) {
    is_out_ = true;
    env_->journal->run(number_, epoch_, std::move(work));
  }

  environment_ptr env_;
  caf::actor shard_;
  shard_number number_;
  epoch_number epoch_;
  desk_order order_;
  std::shared_ptr<desk_callback> done_;
  bool is_out_ = false; ///< something was asked for whose outcome is not here yet
  storage::exception_case case_;
  storage::dead_letter_view letter_;
  storage::resolve_exception_request request_;
};

} // namespace

caf::actor spawn_desk(caf::scheduled_actor& shard, environment_ptr env, shard_number number,
                      epoch_number epoch, desk_call call) {
  return shard.home_system().spawn<desk_actor>(
    std::move(env), caf::actor_cast<caf::actor>(&shard), number, epoch, std::move(call));
}

} // namespace holdfast::actors
