// A gateway at the network's edge that does what a test says, and remembers what it was made to
// hold: honest and idempotent like a real one, but its answers can be withheld, lost or
// garbled.
#pragma once

#include "actors/gateway/client.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace holdfast::test {

/// What becomes of the answer to a call. The effect has happened in all cases but
/// `drop_request` and `never_sent`; after `say_declined` the gateway claims that it hasn't.
enum class fate : std::uint8_t { answer, lose_answer, drop_request, never_sent, say_declined };

/// Thread-safe.
class scripted_gateway final : public gateways::client {
public:
  /// Hears of every call before it takes effect and says what becomes of it. May block: it runs
  /// on a thread of the call's own.
  using script = std::function<fate(const gateway_request&)>;

  explicit scripted_gateway(script decide) : decide_(std::move(decide)) {}
  ~scripted_gateway() override;

  void send(gateway_request request, milliseconds timeout,
            std::function<void(gateway_answer)> done) override;

  /// Effective holds, captures, refunds and reversals: what money the world believes has moved.
  [[nodiscard]] std::size_t holds_of(const std::string& payment) const;
  [[nodiscard]] minor_units captured_of(const std::string& payment) const;
  [[nodiscard]] minor_units refunded_of(const std::string& payment) const;
  [[nodiscard]] std::size_t calls(gateway_verb verb) const;

private:
  struct hold {
    bool reversed = false;
    bool tombstone = false; ///< reversed before it ever came
    std::map<std::string, minor_units> captures;
    std::map<std::string, minor_units> refunds;
  };

  gateway_answer perform(const gateway_request& request);
  [[nodiscard]] minor_units sum_of(const std::string& payment,
                                   std::map<std::string, minor_units> hold::*which) const;

  script decide_;
  mutable std::mutex mutex_;
  std::vector<std::thread> calls_under_way_;
  std::map<std::string, hold> holds_; ///< by reference
  std::map<gateway_verb, std::size_t> calls_;
};

} // namespace holdfast::test
