#include "actors/acquirer/actor.hpp"

#include "actors/caf.hpp"
#include "actors/protocol.hpp"
#include "messages/limits.hpp"

#include <caf/event_based_actor.hpp>

#include <deque>

namespace holdfast::actors {

namespace {

class acquirer_actor : public caf::event_based_actor {
public:
  acquirer_actor(caf::actor_config& cfg, std::shared_ptr<acquirers::client> wire,
                 milliseconds timeout)
    : caf::event_based_actor(cfg),
      wire_(std::move(wire)),
      timeout_(timeout) {}

  caf::behavior make_behavior() override {
    return {
      [this](acquirer_call& call) {
        if (waiting_.size() < limits::acquirer_waiting_max)
          waiting_.push_back(std::move(call));
        step();
      },
      [this](acquirer_call_ended) {
        --in_flight_;
        step();
      },
    };
  }

  const char* name() const override { return "acquirer"; }

private:
  void step() {
    while (in_flight_ < limits::acquirer_in_flight_max && !waiting_.empty()) {
      auto call = std::move(waiting_.front());
      waiting_.pop_front();
      ++in_flight_;
      wire_->send(std::move(call.request), timeout_,
                  [me = caf::actor_cast<caf::actor>(this), asker = std::move(call.reply_to),
                   ticket = call.ticket](acquirers::acquirer_answer answer) {
                    tell(asker, acquirer_reply{ticket, std::move(answer)});
                    tell(me, acquirer_call_ended{});
                  });
    }
  }

  std::shared_ptr<acquirers::client> wire_;
  milliseconds timeout_;
  std::deque<acquirer_call> waiting_;
  std::size_t in_flight_ = 0;
};

} // namespace

caf::actor spawn_acquirer(caf::actor_system& system, std::shared_ptr<acquirers::client> wire,
                          milliseconds timeout) {
  return system.spawn<acquirer_actor>(std::move(wire), timeout);
}

} // namespace holdfast::actors
