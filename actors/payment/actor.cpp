#include "actors/payment/actor.hpp"

#include "actors/caf.hpp"
#include "actors/payment/work.hpp"
#include "messages/packed_payment.hpp"

#include <memory>
#include <utility>

namespace holdfast::actors {

namespace {

/// At work, or at rest: then it is its seat and the payment, packed, and little else.
class payment_actor final : public lean_actor {
public:
  payment_actor(caf::actor_config& cfg, payment_seat seat, std::optional<payment> state)
    : lean_actor(cfg),
      seat_(std::move(seat)),
      recovers_(state.has_value()),
      work_(std::make_unique<payment_work>(*this, seat_, state ? std::move(*state) : payment{},
                                           payment_aside{})) {}

  const char* name() const override { return "payment"; }

  /// Its shard needs no monitor, which costs more. And handles in a circle would keep this
  /// actor for ever, and its promises unanswered.
  void on_exit() override {
    work_ = nullptr;
    tell(std::exchange(seat_.shard, nullptr), payment_ended{seat_.id, id(), reason()});
  }

protected:
  void begin() override {
    if (recovers_)
      work_->recover();
    rest_if_possible();
  }

  void handle(caf::message& what) override {
    if (rests_idle_ && caf::make_typed_message_view<passivate>(what))
      return quit();
    wake();
    give_to<payment_request, gateway_reply, journal_done, wake_up, deliver_webhook,
            payment_revived, describe, passivate>(*work_, what);
    rest_if_possible();
  }

private:
  void wake() {
    if (work_)
      return;
    rests_idle_ = false;
    const auto aside = std::exchange(aside_, nullptr);
    work_ = std::make_unique<payment_work>(*this, seat_, std::exchange(packed_, {}).unpack(),
                                           aside ? std::move(*aside) : payment_aside{});
  }

  void rest_if_possible() {
    if (!work_->may_rest())
      return;
    rests_idle_ = work_->is_idle();
    packed_ = packed_payment{work_->state()};
    if (auto aside = work_->take_aside(); !aside.is_empty())
      aside_ = std::make_unique<payment_aside>(std::move(aside));
    work_ = nullptr;
  }

  payment_seat seat_;
  bool recovers_;
  bool rests_idle_ = false;            ///< it may go
  std::unique_ptr<payment_work> work_; ///< null: at rest, and what follows is set
  packed_payment packed_;
  std::unique_ptr<payment_aside> aside_; ///< null: empty
};

} // namespace

caf::actor spawn_payment(caf::scheduled_actor& shard, payment_seat seat,
                         std::optional<payment> state) {
  return shard.home_system().spawn<payment_actor>(std::move(seat), std::move(state));
}

} // namespace holdfast::actors
