// What a payment's actor is while something is done with the payment: it takes one command
// after the other to the core, and makes durable and carries out what the core decides.
// Internal to actors/payment.
#pragma once

#include "actors/lean_actor.hpp"
#include "actors/payment/actor.hpp"
#include "actors/protocol.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace holdfast::actors {

/// What outlasts a rest besides the payment itself. Empty as a rule.
struct payment_aside {
  using notice_name = std::pair<std::string, std::string>; ///< gateway, event id

  /// As long as another gateway may have to be given it; null: there is none.
  std::unique_ptr<const card_data> card;
  std::string traceparent;
  std::vector<std::pair<std::string, std::string>>
    request_ids;                    ///< of the keys not yet answered
  std::vector<notice_name> notices; ///< that were recorded last
  std::uint32_t refused_writes = 0; ///< in a row, of what nobody had asked for

  [[nodiscard]] bool is_empty() const noexcept {
    return !card && traceparent.empty() && request_ids.empty() && notices.empty()
           && refused_writes == 0;
  }
};

/// Belongs to its actor, whose messages it is given.
class payment_work {
public:
  /// `self` and `seat` must outlive it. A nil `state`: the payment is about to be created.
  payment_work(lean_actor& self, payment_seat& seat, payment state, payment_aside aside);

  /// Goes on where the journal left the payment.
  void recover();

  void on(payment_request& request);
  void on(gateway_reply& reply);
  void on(journal_done& answer);
  void on(const wake_up&);
  void on(deliver_webhook& notice);
  void on(const payment_revived&);
  void on(const describe& ask);
  void on(const passivate&);

  /// Nothing is under way, and nobody waits.
  [[nodiscard]] bool may_rest() const;
  /// Nor is anything pending at a gateway. A payment that never came to be is not idle.
  [[nodiscard]] bool is_idle() const;
  [[nodiscard]] const payment& state() const noexcept { return *state_; }
  [[nodiscard]] payment_aside take_aside();

private:
  using settled_request = payments::settled_request;
  using notice_name = payment_aside::notice_name;
  using payment_ptr = std::shared_ptr<const payment>;

  /// Who asked, when a command is a merchant's request.
  struct request_origin {
    std::string key;
    fingerprint request{};
    std::string request_id;
    bool tell_when_durable = false;
  };

  struct waiting_command {
    payments::command what;
    std::optional<request_origin> origin;
    promise_ptr notifier = nullptr; ///< the gateway that sent a notice
  };

  /// A gateway's notice whose write is in flight.
  struct heard_notice {
    notice_name name;
    promise_ptr notifier;
  };

  /// The decision whose write is in flight.
  struct pending_write {
    payment_ptr next; ///< shared with the journal, which may still be writing it
    std::vector<payments::call_target> calls;
    std::optional<request_origin> origin;
    std::string settled_key;
    std::optional<api_reply> reply;
    bool item_is_ready = false;
    std::optional<heard_notice> notice = std::nullopt;
    bool is_of_wake = false; ///< nothing was heard: only time has passed
    admission::steady_time since{};
  };

  // -- commands in, one at a time
  // -----------------------------------------------------------------
  void accept(payment_request& request);
  void hear(deliver_webhook& delivery);
  void take_up(waiting_command&& command);
  void leave_if_idle();
  void step();
  void start(waiting_command&& command);
  void drop_old_card(timestamp now);
  [[nodiscard]] payments::policy rules_for(const payments::command& what) const;
  [[nodiscard]] std::optional<milliseconds> next_answer_due() const;
  [[nodiscard]] payments::policy rules() const;

  // -- out to the journal
  // -------------------------------------------------------------------------
  [[nodiscard]] storage::journal_write new_write(
    const std::optional<request_origin>& origin) const;
  void write_refusal(const payments::refusal& refused, std::optional<request_origin> origin);
  void write_events(payments::decision&& decision, waiting_command&& command, timestamp now);
  static void note_changed_operation(const payment_event& event, pending_write& pending,
                                     storage::journal_write& write);
  static void note_changed_dispute(const payment_event& event, const pending_write& pending,
                                   storage::journal_write& write);
  void submit_write(storage::journal_write&& write);

  // -- back from the journal
  // ----------------------------------------------------------------------
  void written(storage::write_result& result);
  void committed(pending_write&& pending);
  void key_conflict(const pending_write& pending, storage::write_result& result);
  void rejected(const pending_write& pending, const storage::write_result& result);
  void overloaded(const pending_write& pending);
  [[nodiscard]] milliseconds retry_pause() const;

  // -- gateways' notices
  // ---------------------------------------------------------------------------
  static notice_name name_of(const webhook_notice& notice);
  [[nodiscard]] bool knows(const notice_name& name) const;
  void notice_ended(const pending_write& pending, bool known_before);
  void drop(const request_origin& origin, api_reply reply);

  // -- out to the gateway
  // -------------------------------------------------------------------------
  void call_gateway(const payments::call_target& target);
  [[nodiscard]] bool is_repeat(const payments::call_target& target) const;

  // -- answers
  // ------------------------------------------------------------------------------------
  [[nodiscard]] api_reply reply_of(const settled_request& settled, const payment& after) const;
  static const operation* operation_of(const payment& after, const settled_request& settled);
  void describe_to(const std::string& key);
  void describe_for(const std::string& key);
  void answer_descriptions();
  void no_longer_asks(const std::string& key);
  void send_pending(const std::string& key, api_reply reply);

  lean_actor& self_;
  payment_seat& seat_;
  payment_ptr state_; ///< as the journal has it
  payment_aside aside_;
  std::vector<waiting_command> waiting_;
  std::optional<pending_write> in_flight_;
  std::uint32_t calls_out_ = 0;               ///< to gateways, not answered yet
  std::vector<std::string> descriptions_due_; ///< keys whose intent is not durable yet
};

} // namespace holdfast::actors
