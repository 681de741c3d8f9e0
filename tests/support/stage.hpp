// A node without its HTTP ports: the real actors on the real journal and a real PostgreSQL,
// with a scripted gateway at the edge. For tests that must kill one particular actor at one
// particular moment.
#pragma once

#include "actors/environment.hpp"
#include "messages/commands.hpp"
#include "storage/database.hpp"
#include "tests/support/scripted_gateway.hpp"

#include <caf/actor.hpp>

#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <string>

namespace holdfast::test {

class stage {
public:
  /// Owns one shard of the database at `url`, which must be fresh. Blocks until it serves.
  stage(const std::string& url, scripted_gateway::script script);
  ~stage();

  [[nodiscard]] merchant_id merchant() const noexcept { return merchant_; }
  [[nodiscard]] scripted_gateway& gateway() noexcept { return *gateway_; }

  /// Sends a command as the HTTP front would.
  [[nodiscard]] std::future<api_reply> submit(std::string key, merchant_action action,
                                              milliseconds wait = milliseconds{10'000});
  [[nodiscard]] merchant_action authorize(std::int64_t amount,
                                          capture_mode mode = capture_mode::manual) const;

  /// Kills the payment's actor, if it has one. Returns at once.
  void kill_payment();
  void kill_gateway();
  void kill_shard();

  /// The actors' clock goes ahead of the wall's by so much more.
  void advance_clock(milliseconds by);

  /// The payment as the database has it.
  [[nodiscard]] std::optional<payment> stored(const payment_id& id);
  /// Waits (bounded) until the stored payment is as wanted; throws with its status otherwise.
  payment wait_for(const payment_id& id, const std::function<bool(const payment&)>& wanted);
  /// Everything that the ledger's proof checks.
  [[nodiscard]] storage::ledger_proof prove();

private:
  struct parts;

  void wait_until_serving();

  std::shared_ptr<scripted_gateway> gateway_;
  std::atomic<std::int64_t> ahead_ms_{0};
  merchant_id merchant_;
  std::unique_ptr<parts> parts_;
};

/// Looks again every few milliseconds, for a bounded time; throws when it was in vain.
void wait_until(const char* what, const std::function<bool()>& condition);

/// The id in a rendered payment, also in the problem document of a declined one.
[[nodiscard]] payment_id id_in(const api_reply& reply);

} // namespace holdfast::test
