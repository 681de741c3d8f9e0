// A node's actor of one gateway, with the real admission, gate and breaker, and the network
// behind it, which loses, doubles, delays and garbles. Mirrors actors/gateway/actor.cpp.
#pragma once

#include "actors/gateway/admission.hpp"
#include "actors/payment/core.hpp"
#include "runtime/simulation/agenda.hpp"
#include "runtime/simulation/gateway.hpp"

#include <memory>
#include <optional>
#include <unordered_map>

namespace holdfast::simulation {

class payment_actor;
class world;

class gateway_actor {
public:
  gateway_actor(world& of, node_number node, gateway_number number);

  void call(gateway_request asked, const payments::call_target& target, bool is_repeat,
            std::weak_ptr<payment_actor> from);
  /// It dies and is started again: calls under way are never answered.
  void die();

private:
  struct call_state {
    gateway_request asked;
    payments::call_target target;
    std::weak_ptr<payment_actor> from;
    gateways::breaker::permit_number permit = 0;
    timestamp began;
    timestamp give_up_at;
    int copies = 1; ///< of the request that may yet be answered
    bool ended = false;
    std::uint64_t life = 0; ///< of the actor that made it
  };
  using call_ptr = std::shared_ptr<call_state>;

  void step();
  void send(call_ptr call, milliseconds patience);
  void travel(const call_ptr& call);
  void arrive(const call_ptr& call);
  void answer(const call_ptr& call, const told& what);
  void garbled(const call_ptr& call, const char* code);
  void no_answer(const call_ptr& call);
  void end(const call_ptr& call, gateway_answer answer);
  void deliver(const call_ptr& call, gateway_answer answer);
  void look_again();

  world& world_;
  node_number node_;
  gateway_number number_;
  gateways::gate gate_;
  std::optional<gateways::admission> lines_; ///< always set; begun anew when the actor dies
  gateways::admission::ticket last_ticket_ = 0;
  std::unordered_map<gateways::admission::ticket, call_ptr> waiting_;
  std::optional<timestamp> look_at_;
  std::uint64_t life_ = 0;
};

} // namespace holdfast::simulation
