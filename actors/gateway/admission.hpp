// The bulkhead of one gateway and the lines before it: how many calls are under way, which goes
// next, and which has waited too long. Pure; the gate decides about each call.
#pragma once

#include "actors/gateway/gate.hpp"

#include <deque>
#include <vector>

namespace holdfast::gateways {

struct admission_rules {
  std::size_t concurrency = 256; ///< Calls under way at once.
  /// From its coming until a call must be answered. It waits for half of that at most, so that
  /// a gateway never looks slow because we were.
  milliseconds patience{3'000};
};

/// What is owed goes first, so that the probes of a gateway that comes back are inquiries and
/// reversals rather than new charges; the gate keeps it from crowding out the rest. A new call
/// waits for a free place of a gateway that is well alone: it has another one to go to. Not
/// thread-safe; the gate must outlive it.
class admission {
public:
  using ticket = std::uint64_t;

  struct started {
    ticket call = 0;
    breaker::permit_number permit = 0;
    milliseconds time_left{0}; ///< at least half of the patience
  };
  struct refused {
    ticket call = 0;
    refusal why = refusal::queue_full;
  };
  struct step {
    std::vector<started> start; ///< each is to be followed by `ended`
    std::vector<refused> refuse;
  };

  admission(gate& through, admission_rules rules) : gate_(through), rules_(rules) {}

  /// Puts the call in its line, to be started or refused by `advance`; false: it is full.
  [[nodiscard]] bool enqueue(timestamp now, ticket call, call_kind kind);
  /// All that can be said about the waiting calls now.
  [[nodiscard]] step advance(timestamp now);
  void ended() noexcept;

  /// When to call `advance` although nothing has come or ended; none: nothing waits.
  [[nodiscard]] std::optional<timestamp> look_at() const noexcept;
  [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_; }
  [[nodiscard]] std::size_t waiting() const noexcept { return fresh_.size() + owed_.size(); }

private:
  struct waiter {
    ticket call;
    call_kind kind;
    timestamp give_up_at;
  };
  using line = std::deque<waiter>;

  void expire(line& from, timestamp now, refusal why, step& out);
  void start_owed(timestamp now, step& out);
  void start_fresh(timestamp now, step& out);
  void start(line& from, timestamp now, breaker::permit_number permit, step& out);
  static void refuse(line& from, refusal why, step& out);

  gate& gate_;
  admission_rules rules_;
  line owed_;
  line fresh_;
  std::size_t in_flight_ = 0;
  std::optional<timestamp> ask_at_; ///< when the gate wants to be asked about the owed ones
};

} // namespace holdfast::gateways
