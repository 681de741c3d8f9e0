#include "runtime/node/payment_replay.hpp"

#include "actors/payment/core.hpp"
#include "messages/codec.hpp"

namespace holdfast::runtime {

expected<payment> replay_payment(const std::vector<storage::event_view>& events) {
  std::vector<payments::recorded_event> history;
  history.reserve(events.size());
  for (const auto& stored : events) {
    auto event = decode_payment_event(stored.type, stored.payload);
    if (!event)
      return event.error();
    history.push_back({stored.at, std::move(*event)});
  }
  return payments::fold(history);
}

} // namespace holdfast::runtime
