// A node without its HTTP ports: the real actors on the real journal and a real PostgreSQL,
// with a scripted gateway and a scripted acquirer at the edge, a gate before storage and a
// clock that can go ahead. For tests that must do something to one particular actor at one
// particular moment.
#pragma once

#include "actors/environment.hpp"
#include "messages/commands.hpp"
#include "messages/desk_order.hpp"
#include "messages/webhook.hpp"
#include "storage/database.hpp"
#include "tests/support/gate.hpp"
#include "tests/support/scripted_acquirer.hpp"
#include "tests/support/scripted_gateway.hpp"

#include <caf/actor.hpp>

#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::test {

/// Short times, so that an unknown outcome is found out within a test's patience.
[[nodiscard]] payments::policy quick_rules();

/// Terms whose next cut-off is about half a day away, so that no test meets it unasked.
[[nodiscard]] merchants::settlement_terms distant_cutoff(const std::string& zone = "UTC");

struct stage_options {
  scripted_gateway::script gateway = [](const gateway_request&) { return fate::answer; };
  scripted_acquirer::script acquirer = [](const acquirers::acquirer_request&) {
    return fate::answer;
  };
  merchants::settlement_terms terms = distant_cutoff();
  payments::policy rules = quick_rules();
};

class stage {
public:
  /// The platform's own fee on a capture.
  static constexpr std::uint32_t fee_bps = 30;

  /// Owns one shard of the database at `url`, which must be fresh. Blocks until it serves.
  stage(const std::string& url, stage_options options);
  stage(const std::string& url, scripted_gateway::script script,
        payments::policy rules = quick_rules());
  ~stage();

  [[nodiscard]] merchant_id merchant() const noexcept { return merchant_; }
  [[nodiscard]] scripted_gateway& gateway() noexcept { return *gateway_; }
  [[nodiscard]] scripted_acquirer& acquirer() noexcept { return *acquirer_; }
  /// Between the actors and storage. The stage's own reads don't cross it.
  [[nodiscard]] gate& storage_gate() noexcept;

  /// Sends a command as the HTTP front would.
  [[nodiscard]] std::future<api_reply> submit(
    std::string key, merchant_action action, milliseconds wait = milliseconds{10'000},
    std::optional<api_reply> refusal_if_new = std::nullopt);
  [[nodiscard]] merchant_action authorize(std::int64_t amount,
                                          capture_mode mode = capture_mode::manual) const;

  /// Sends until the outcome is known, as a client does that hears 409, 503 or nothing final.
  api_reply insist(const std::string& key, const merchant_action& action);
  /// Hands a notice of the gateway on as the HTTP front would, once its signature was right.
  [[nodiscard]] std::future<api_reply> notify(webhook_notice notice);

  /// Has the shard wanted elsewhere; returns when no request finds it any more.
  void begin_hand_over();
  /// Whether its actor has let it go: nothing more is written.
  [[nodiscard]] bool is_handed_over() const;
  /// The next owner: waits until the shard is free, takes it, and waits until it serves.
  void take_over();

  /// The shard's actor; null while it has none.
  [[nodiscard]] caf::actor shard() const;
  /// Kills the payment's actor, if it has one. Returns at once.
  void kill_payment();
  void kill_gateway();
  void kill_shard();
  /// These return when the actor is dead and its successor is being started.
  void kill_merchant();
  void kill_reconciler();
  void kill_acquirer();

  /// The actors' clock, and going ahead of the wall's by so much more.
  [[nodiscard]] timestamp now() const;
  void advance_clock(milliseconds by);
  /// Goes ahead to a minute after the next cut-off.
  void pass_cutoff();
  /// Returns once the shard has looked at the clock since, and done what was due.
  void wait_for_look();
  /// Payments that have an actor.
  [[nodiscard]] std::size_t live_payments() const;
  /// The next unit of work is refused, with nothing done.
  void refuse_next_unit();
  /// From now on every write ends so, with nothing done; none: they are written.
  void end_writes_as(std::optional<storage::write_result::kind> outcome);
  /// Lines that the actors logged as errors: none of our tests deserves one.
  [[nodiscard]] std::vector<std::string> errors() const;

  /// The payment as the database has it.
  [[nodiscard]] std::optional<payment> stored(const payment_id& id);
  /// Waits (bounded) until the stored payment is as wanted; throws with its status otherwise.
  payment wait_for(const payment_id& id, const std::function<bool(const payment&)>& wanted);
  [[nodiscard]] storage::timeline_view timeline(const payment_id& id);
  /// Newest first, at most a hundred.
  [[nodiscard]] std::vector<storage::batch_view> batches();
  /// Of one of the merchant's accounts, as the merchant sees it; zero when there is none.
  [[nodiscard]] minor_units balance(account_kind kind);
  /// What an operator orders through the shard, and its answer.
  [[nodiscard]] expected<exception_id> order(desk_order what);
  [[nodiscard]] std::vector<storage::dead_letter_view> dead_letters(const std::string& status);
  /// Everything that the ledger's proof checks.
  [[nodiscard]] storage::ledger_proof prove();

private:
  struct parts;

  void start_actors();
  void open_account();
  void wait_until_serving();
  /// Does what kills an actor whose end is logged in a line that begins so, and waits for it.
  void kill_and_wait(std::string_view obituary, const std::function<void()>& kill);

  std::shared_ptr<scripted_gateway> gateway_;
  std::shared_ptr<scripted_acquirer> acquirer_;
  std::atomic<std::int64_t> ahead_ms_{0};
  std::atomic<bool> released_{false};
  merchant_id merchant_;
  std::unique_ptr<parts> parts_;
};

/// Looks again every few milliseconds, for a bounded time; throws when it was in vain.
void wait_until(const char* what, const std::function<bool()>& condition);

/// The id in a rendered payment, also in the problem document of a declined one.
[[nodiscard]] payment_id id_in(const api_reply& reply);

} // namespace holdfast::test
