// What has happened, in the past tense: the vocabulary of the journal. An event is durable
// before anything outside hears of it, and folding a payment's events gives its state again.
// The wire form is messages/proto/journal.proto, by messages/codec.hpp.
#pragma once

#include "messages/payment.hpp"
#include "messages/webhook.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace holdfast {

/// Persisted in every event row: numbers are never changed or reused.
enum class event_type : std::uint16_t {
  payment_created = 1,
  attempt_started = 2,
  authorization_approved = 3,
  authorization_declined = 4,
  attempt_not_sent = 5,
  authorization_unknown = 6,
  inquiry_scheduled = 7,
  reversal_requested = 8,
  reversal_scheduled = 9,
  authorization_reversed = 10,
  payment_failed = 11,
  authorization_expired = 12,
  operation_requested = 13,
  operation_rescheduled = 14,
  operation_succeeded = 15,
  operation_refused = 16,
  attempt_declined = 17,
  resolution_escalated = 18,
  webhook_received = 19,
  dispute_opened = 20,
  dispute_evidence_noted = 21,
  dispute_won = 22,
  dispute_lost = 23,
  batch_closed = 32,
  file_stored = 33,
  file_answered = 34,
  batch_reconciled = 35,
  file_refused = 36,
  exception_opened = 37,
  exception_resolved = 38,
  batch_resubmitted = 39,
};

/// "payment.created", "capture.succeeded" …: the `type` that a merchant's feed shows.
/// Operations are named by their kind.
[[nodiscard]] std::string_view to_string(event_type type) noexcept;

struct payment_created {
  payment_id id;
  merchant_id merchant;
  currency unit;
  minor_units amount;
  capture_mode mode = capture_mode::manual;
  card_summary card;
  std::string token;
  std::string reference;
  std::string description;
  std::string region;
  std::vector<std::pair<std::string, std::string>> metadata;
  std::string idempotency_key;
  std::vector<std::string> route;
  std::string acquirer;
  std::vector<std::string> route_reasons; ///< Why each gateway stands in the route.
};

/// The intent to ask `gateway`; durable before it is asked.
struct attempt_started {
  std::uint32_t number = 0;
  std::string gateway;
  timestamp next_try_at; ///< When to take the outcome for unknown if no answer was heard.
  std::string reason;    ///< Why this gateway, and why now.
};

struct authorization_approved {
  std::uint32_t attempt = 0;
  std::string gateway_reference;
  timestamp expires_at; ///< When the hold lapses unless captured.
};

struct authorization_declined {
  std::uint32_t attempt = 0;
  std::string code;
  std::string message;
};

struct attempt_not_sent {
  std::uint32_t attempt = 0;
  std::string reason;
};

struct authorization_unknown {
  std::uint32_t attempt = 0;
  std::string reason;
  timestamp next_inquiry_at;
  bool sent = false; ///< An inquiry goes out with this event, and counts as a try.
};

/// An inquiry goes out (`sent`), or one was answered without deciding anything.
struct inquiry_scheduled {
  std::uint32_t attempt = 0;
  std::string reason;
  timestamp next_inquiry_at;
  bool sent = false;
};

/// The hold is to be released, whether it exists or not: of an attempt that the gateway doesn't
/// know or says to have declined, or of a hold that lapsed.
struct reversal_requested {
  std::uint32_t attempt = 0;
  timestamp next_try_at;
  /// What an inquiry said, and the reversal makes sure of.
  std::optional<decline_info> decline;
};

/// A reversal is repeated (`sent`), or one came back without an acknowledgement.
struct reversal_scheduled {
  std::uint32_t attempt = 0;
  std::string reason;
  timestamp next_try_at;
  bool sent = false;
};

struct authorization_reversed {
  std::uint32_t attempt = 0;
};

struct payment_failed {
  std::string code;
  std::string message;
};

struct authorization_expired {};

/// A capture, refund or void was accepted; durable before the gateway hears of it.
struct operation_requested {
  operation_kind kind = operation_kind::capture;
  std::uint32_t ordinal = 0;
  uuid id;
  minor_units amount;
  bool final = false;
  std::string reason;
  std::string idempotency_key;
  timestamp next_try_at; ///< When to repeat it if no answer was heard.
};

/// An operation is repeated (`sent`), or a call came back without a definitive answer.
struct operation_rescheduled {
  operation_kind kind = operation_kind::capture;
  std::uint32_t ordinal = 0;
  std::string reason;
  timestamp next_try_at;
  bool sent = false;
};

struct operation_succeeded {
  operation_kind kind = operation_kind::capture;
  std::uint32_t ordinal = 0;
  std::string gateway_reference;
};

struct operation_refused {
  operation_kind kind = operation_kind::capture;
  std::uint32_t ordinal = 0;
  std::string code;
  std::string message;
};

/// This gateway said no in a way that another may not: the next one of the route is asked.
struct attempt_declined {
  std::uint32_t attempt = 0;
  std::string code;
  std::string message;
};

/// The time to resolve an unknown outcome is over: a person is asked, and the search goes on.
struct resolution_escalated {
  std::uint32_t attempt = 0;          ///< 0: it is an operation's outcome
  std::optional<operation_kind> kind; ///< of the operation
  std::uint32_t ordinal = 0;          ///< of the operation
  timestamp open_since;
  std::string reason; ///< What was heard last.
};

/// A gateway's signed notice, whatever it led to: a link of the payment's timeline.
struct webhook_received {
  std::string gateway;
  std::string event_id; ///< the gateway's own
  webhook_type type = webhook_type::approved;
  webhook_finding finding = webhook_finding::agrees;
  std::string reference; ///< of ours, that it names
  std::string gateway_reference;
  std::string currency_code; ///< of `amount`; empty: the notice named none
  minor_units amount;
  timestamp sent_at; ///< by the gateway's clock
};

struct dispute_opened {
  std::uint32_t ordinal = 0;
  dispute_id id;
  std::string gateway;
  std::string gateway_dispute;
  minor_units amount;
  minor_units reserved; ///< of the amount: what is not yet refunded, being refunded or disputed
  minor_units fee;
  std::string reason;
};

struct dispute_evidence_noted {
  std::uint32_t ordinal = 0;
  dispute_id id;
  std::string note;
  std::string idempotency_key;
};

struct dispute_won {
  std::uint32_t ordinal = 0;
  dispute_id id;
};

struct dispute_lost {
  std::uint32_t ordinal = 0;
  dispute_id id;
};

using payment_event =
  std::variant<payment_created, attempt_started, authorization_approved, authorization_declined,
               attempt_not_sent, authorization_unknown, inquiry_scheduled, reversal_requested,
               reversal_scheduled, authorization_reversed, payment_failed,
               authorization_expired, operation_requested, operation_rescheduled,
               operation_succeeded, operation_refused, attempt_declined, resolution_escalated,
               webhook_received, dispute_opened, dispute_evidence_noted, dispute_won,
               dispute_lost>;

[[nodiscard]] event_type type_of(const payment_event& event) noexcept;

// -- settlement: one event a batch or file, never one a payment
// ------------------------------------

struct batch_closed {
  batch_id batch;
  merchant_id merchant;
  std::string acquirer;
  currency unit;
  std::uint32_t items = 0;
  minor_units gross; ///< captures less refunds
  std::string
    items_sha256; ///< Over the items' ids and amounts in order: ties rows to the chain.
};

struct file_stored {
  file_id file;
  std::string acquirer;
  std::uint32_t batches = 0;
  std::uint32_t items = 0;
  std::string sha256;
};

struct file_answered {
  file_id file;
  std::uint32_t accepted = 0;
  std::uint32_t rejected = 0;
  std::uint32_t deferred = 0;
};

struct batch_reconciled {
  batch_id batch;
  minor_units gross;
  minor_units acquirer_fees;
  minor_units platform_fees;
  minor_units net;
  std::uint32_t settled = 0;
  std::uint32_t exceptions = 0;
};

/// The acquirer took none of the file; its batches wait for a person.
struct file_refused {
  file_id file;
  std::string acquirer;
  std::string reason;
};

/// Raised, or raised again, by itself: not along with a batch's or a payment's own event.
struct exception_opened {
  exception_id exception;
  std::string kind;
};

struct exception_resolved {
  exception_id exception;
  std::string kind;
  std::string resolution;
  std::string note;
  std::string resolved_by;
};

/// The batch waits for another file.
struct batch_resubmitted {
  batch_id batch;
  file_id refused_file;
};

using settlement_event =
  std::variant<batch_closed, file_stored, file_answered, batch_reconciled, file_refused,
               exception_opened, exception_resolved, batch_resubmitted>;

[[nodiscard]] event_type type_of(const settlement_event& event) noexcept;

} // namespace holdfast
