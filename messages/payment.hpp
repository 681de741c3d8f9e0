// What a payment is: the state that its actor holds, its journal rebuilds and its API shows.
// Plain data; what may follow what is decided in actors/payment/core.hpp alone.
#pragma once

#include "messages/ids.hpp"
#include "messages/money.hpp"
#include "messages/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace holdfast {

/// Where the payment stands. Persisted: numbers are never changed or reused.
/// What happens to captured money (batched, settled, rejected) is `settlement_status`.
enum class payment_status : std::uint8_t {
  processing = 1,         ///< The intent is durable; no answer of the gateway yet.
  pending_gateway = 2,    ///< The outcome at the gateway is unknown and being found out.
  authorized = 3,         ///< Held, nothing captured.
  partially_captured = 4, ///< Some captured, the rest still held.
  captured = 5,           ///< Captured in full or for good.
  declined = 6,           ///< The issuer or the gateway said no.
  voided = 7,             ///< The hold was released on request.
  expired = 8,            ///< The hold lapsed without a capture.
  failed = 9,             ///< No hold: no gateway took it, or its outcome was reversed.
};

/// How far captured money has come towards the merchant. Persisted. On a payment it is that of
/// its least advanced capture; set by settlement only, never by the payment's actor.
enum class settlement_status : std::uint8_t {
  none = 0,
  batched = 1,
  settled = 2,
  rejected = 3
};

enum class capture_mode : std::uint8_t { manual = 1, automatic = 2 };

/// One try to authorize at one gateway. Persisted.
enum class attempt_status : std::uint8_t {
  started = 1, ///< Intent durable; the gateway may hear of it at any moment.
  approved = 2,
  declined = 3,
  not_sent = 4,  ///< Certain that the gateway never heard of it.
  unknown = 5,   ///< It may have charged: inquire.
  reversing = 6, ///< A reversal is due until the gateway acknowledges it.
  reversed = 7,
};

struct decline_info {
  std::string code;
  std::string message;
};

struct attempt {
  std::uint32_t number = 0; ///< 1, 2, …
  std::string gateway;
  attempt_status status = attempt_status::started;
  timestamp started_at;
  std::string gateway_reference; ///< The gateway's own id of the hold, once known.
  std::uint32_t tries = 0;       ///< Inquiries sent; then, repeats of the reversal.
  timestamp next_try_at;         ///< When to look again, while it is not at an end.
  std::string reason;            ///< Why it was made: "first of the route" …
  std::string last_heard; ///< A code: the decline's, or what kept it from being sent or known.
  /// What the gateway said; while it is reversing, what the reversal makes sure of.
  std::optional<decline_info> decline;
  bool escalated = false; ///< A person was asked.
};

/// Something asked of an authorized payment. Persisted.
enum class operation_kind : std::uint8_t { capture = 1, refund = 2, void_hold = 3 };

enum class operation_status : std::uint8_t {
  requested = 1, ///< Durable; sent, or about to be, until the gateway answers definitively.
  succeeded = 2,
  refused = 3,
};

struct operation {
  operation_kind kind = operation_kind::capture;
  operation_status status = operation_status::requested;
  std::uint32_t ordinal = 0; ///< 1, 2, … within its kind
  uuid id;                   ///< `cap_…` or `ref_…`; nil for a void.
  minor_units amount;
  bool final = false;      ///< A capture that releases what it leaves.
  std::uint32_t tries = 0; ///< Repeats sent so far.
  timestamp next_try_at;   ///< When to repeat it, while it is requested.
  std::string reason;
  std::string idempotency_key;
  std::string gateway_reference;
  std::string refusal_code;
  timestamp created_at;
  bool escalated = false; ///< A person was asked.
};

/// A chargeback. Persisted.
enum class dispute_status : std::uint8_t {
  open = 1, ///< What could be reserved is withheld from the merchant.
  won = 2,  ///< The merchant has it back.
  lost = 3, ///< The acquirer has taken it for the cardholder.
};

struct dispute_note {
  std::string text; ///< the merchant's evidence, in words
  timestamp at;
};

struct dispute {
  dispute_id id;
  std::uint32_t ordinal = 0; ///< 1, 2, … within the payment
  dispute_status status = dispute_status::open;
  std::string gateway;
  std::string gateway_dispute; ///< The gateway's own id of it, the same in all its notices.
  minor_units amount;          ///< What the cardholder wants back.
  minor_units reserved;        ///< The part that had not been refunded or disputed before.
  minor_units fee;             ///< The acquirer's, kept whoever wins.
  std::string reason;
  std::vector<dispute_note> evidence;
  timestamp opened_at;
  std::optional<timestamp> closed_at;
};

/// What is left of a card after its number is gone. Safe to store and to show.
struct card_summary {
  std::string brand; ///< "visa", "mastercard", "amex", "discover", "unknown"
  std::string last4;
  std::uint8_t exp_month = 0;
  std::uint16_t exp_year = 0;
};

struct payment {
  payment_id id;
  merchant_id merchant;
  payment_status status = payment_status::processing;
  settlement_status settlement = settlement_status::none;
  currency unit;
  minor_units amount; ///< authorised, or asked for
  minor_units captured;
  minor_units refunded;
  minor_units disputed; ///< Reserved for disputes that are open or lost.
  capture_mode mode = capture_mode::manual;
  card_summary card;
  std::string token; ///< The gateway's token, where the merchant sent one instead of a card.
  std::string reference;
  std::string description;
  std::string region;
  std::vector<std::pair<std::string, std::string>> metadata;
  std::string idempotency_key;    ///< of the request that created it
  std::vector<std::string> route; ///< Gateways in the order in which they may be tried.
  /// Why each stands there; as long as `route`, or empty.
  std::vector<std::string> route_reasons;
  std::string acquirer;
  std::vector<attempt> attempts;
  std::vector<operation> operations;
  std::vector<dispute> disputes;
  std::optional<decline_info> decline;
  std::optional<timestamp> expires_at; ///< When the hold lapses; none before it is approved.
  /// When to look again without being asked (inquiry, repeat, expiry). None: nothing is due.
  std::optional<timestamp> next_action_at;
  timestamp created_at;
  timestamp updated_at;
};

[[nodiscard]] std::string_view to_string(payment_status status) noexcept;
[[nodiscard]] std::string_view to_string(settlement_status status) noexcept;
[[nodiscard]] std::string_view to_string(capture_mode mode) noexcept;
[[nodiscard]] std::string_view to_string(attempt_status status) noexcept;
[[nodiscard]] std::string_view to_string(operation_kind kind) noexcept;
[[nodiscard]] std::string_view to_string(operation_status status) noexcept;
[[nodiscard]] std::string_view to_string(dispute_status status) noexcept;
/// The `status` that the API shows: settlement's word where captured money has come that far.
[[nodiscard]] std::string_view public_status(payment_status status,
                                             settlement_status settlement) noexcept;
/// True while an answer of a gateway is awaited or to be found out: its actor must not
/// passivate.
[[nodiscard]] bool has_pending_work(const payment& subject) noexcept;

/// The reference of an authorization that the gateway sees: the payment's id, a dot, the
/// attempt.
[[nodiscard]] std::string attempt_reference(const payment_id& id, std::uint32_t number);
/// Likewise of an operation: the payment's id, a dot, the kind's letter (c, r, v), the ordinal.
[[nodiscard]] std::string operation_reference(const payment_id& id, operation_kind kind,
                                              std::uint32_t ordinal);

} // namespace holdfast
