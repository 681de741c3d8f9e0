// What a run leaves behind: one hash over all its steps, by which two runs are compared, and
// for one payment, if asked, the last steps in words.
#pragma once

#include "runtime/simulation/types.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::simulation {

enum class step_kind : std::uint8_t {
  event,        ///< committed: event type, epoch
  gateway_call, ///< arrived: gateway, verb
  reply,        ///< left a shard: answer kind, status
  actor_death,  ///< of a payment: shard
  node_crash,
  node_pause,
  node_cut,
  take_over, ///< of a shard: shard, epoch
  settlement,
};

class trace {
public:
  explicit trace(std::optional<payment_ref> of) : of_(of) {}

  void step(timestamp at, std::uint64_t number, payment_ref payment, step_kind kind,
            std::uint64_t a, std::uint64_t b) {
    mix(number << 8 | static_cast<std::uint64_t>(kind));
    mix(static_cast<std::uint64_t>(at.time_since_epoch().count()) ^ payment);
    mix(a * 0x9e3779b97f4a7c15ULL ^ b);
    const bool is_of_all = payment == no_payment && kind != step_kind::reply;
    if (of_ && (payment == *of_ || is_of_all))
      keep(at, number, kind, a, b);
  }

  [[nodiscard]] std::uint64_t hash() const noexcept { return hash_; }
  [[nodiscard]] std::vector<std::string> lines() const { return {kept_.begin(), kept_.end()}; }

private:
  void mix(std::uint64_t value) noexcept {
    hash_ = (hash_ ^ value) * 0xff51afd7ed558ccdULL;
    hash_ ^= hash_ >> 32;
  }
  void keep(timestamp at, std::uint64_t number, step_kind kind, std::uint64_t a,
            std::uint64_t b);

  std::uint64_t hash_ = 0xcbf29ce484222325ULL;
  std::optional<payment_ref> of_;
  std::deque<std::string> kept_;
};

} // namespace holdfast::simulation
