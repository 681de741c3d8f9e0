// The payment's pure core: what may follow what. No clock, no I/O, no CAF. The same functions
// run under the actor, in the simulator and when the journal is replayed.
//
// `decide` turns a command into events and effects; the caller makes the events durable,
// applies them, and only then carries the effects out. Rules that everything here serves:
//  - nothing is asked of a gateway before the intent is durable;
//  - an unknown outcome is a state: it ends on the gateway's word alone, never on a timeout;
//  - a terminal state is never overwritten.
#pragma once

#include "messages/commands.hpp"
#include "messages/events.hpp"
#include "messages/exceptions.hpp"
#include "messages/gateway_types.hpp"
#include "messages/ledger.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace holdfast::payments {

/// Reasons of events that tell of an asking rather than of an answer.
inline constexpr const char* reason_asked = "asked";
inline constexpr const char* reason_repeated = "repeated";

/// What follows once an outcome that nobody could tell has been reversed.
enum class unknown_outcome : std::uint8_t {
  resolve_then_fail,     ///< The payment fails; nothing is held.
  resolve_then_failover, ///< The next gateway of the route is asked.
};

/// What depends on a decline's code or a card's brand. Shared, for it never changes.
struct policy_tables {
  /// Declines after which another gateway may be asked. All others end the payment.
  std::set<std::string, std::less<>> retryable_declines;
  /// How long a hold lasts uncaptured, where a brand differs from `policy::lifetime`.
  std::map<std::string, milliseconds, std::less<>> lifetimes;
};

/// Rules and times that the core reckons with. Per gateway where gateways differ.
struct policy {
  milliseconds answer_due{4'000};   ///< After which a call counts as unanswered.
  milliseconds retry_min{200};      ///< First pause before asking again …
  milliseconds retry_max{30'000};   ///< … doubled up to here, with full jitter.
  milliseconds settle_time{10'000}; ///< From when a gateway's "not found" is believed.
  milliseconds lifetime{7LL * 24 * 3600 * 1000}; ///< How long a hold lasts uncaptured.
  /// After which a person is asked about an outcome that is still not known.
  milliseconds resolve_within{24LL * 3600 * 1000};
  unknown_outcome after_reversal = unknown_outcome::resolve_then_fail;
  std::shared_ptr<const policy_tables> tables; ///< null: none differ, none is retryable

  [[nodiscard]] milliseconds lifetime_of(std::string_view brand) const;
  [[nodiscard]] bool is_retryable(std::string_view decline_code) const;
};

/// A deterministic stream of random numbers (SplitMix64), seeded by the caller.
class entropy {
public:
  explicit entropy(std::uint64_t seed) noexcept : state_(seed) {}
  [[nodiscard]] std::uint64_t next() noexcept;
  /// Uniform enough in [0, bound); 0 for a bound of 0.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) noexcept;

private:
  std::uint64_t state_;
};

struct context {
  timestamp now;
  entropy random;
  policy rules; ///< of the gateway of the last attempt
  /// The card's number is still in memory; after a restart it is gone.
  bool card_at_hand = true;
  /// How long the gateway of a next attempt may take to answer; none: as long as the last's.
  std::optional<milliseconds> next_answer_due = std::nullopt;
};

/// What a gateway call is about: an authorization attempt (authorize, inquire, reverse), or an
/// operation (capture, refund, or the reversal that a void is).
struct call_target {
  gateway_verb verb = gateway_verb::authorize;
  std::uint32_t attempt = 0; ///< the attempt that holds, or is to hold, the money
  std::optional<operation_kind> operation;
  std::uint32_t ordinal = 0;

  friend bool operator==(const call_target&, const call_target&) noexcept = default;
};

// -- commands
// ---------------------------------------------------------------------------------------

struct create {
  payment_id id;
  merchant_id merchant;
  std::string idempotency_key;
  create_payment order;
};

struct request_operation {
  operation_kind kind = operation_kind::capture;
  uuid id; ///< of the capture or refund; nil for a void
  std::optional<minor_units> amount;
  bool final = false;
  std::string reason;
  std::string idempotency_key;
};

struct gateway_answered {
  call_target target;
  gateway_answer answer;
};

/// A gateway's notice, signed and not heard before.
struct gateway_notified {
  webhook_notice notice;
};

struct note_dispute_evidence {
  dispute_id dispute;
  std::string note;
  std::string idempotency_key;
};

/// `next_action_at` has come.
struct woken {};

/// The actor was rebuilt from the journal: a call may have been under way.
struct recovered {};

using command = std::variant<create, request_operation, gateway_answered, gateway_notified,
                             note_dispute_evidence, woken, recovered>;

// -- decisions
// --------------------------------------------------------------------------------------

/// The definitive answer of a request's key is known with these events; how it reads follows
/// from the state after them.
struct settled_request {
  enum class kind : std::uint8_t { created, declined, updated, refund, refused, dispute };
  std::string idempotency_key;
  kind how = kind::created;
  std::optional<operation_kind> operation;
  std::uint32_t ordinal = 0; ///< of the operation, or of the dispute
};

struct refusal {
  errc code = errc::invalid_state;
  std::string detail;
};

struct decision {
  std::vector<payment_event> events;
  std::vector<call_target> calls; ///< to be made once the events are durable
  std::vector<settled_request> settled;
  std::optional<refusal> refused; ///< of a merchant's request; then nothing else is set
};

/// Pure. `state` is a default-constructed payment for `create`.
[[nodiscard]] decision decide(const payment& state, const command& what, context at);

/// Pure. Asserts that the event can follow: `decide` is the only source of events.
void apply(payment& state, const payment_event& event, timestamp at);

/// The ledger transactions that an event moves money by, from the state before it.
[[nodiscard]] std::vector<posting> postings_of(const payment& before,
                                               const payment_event& event);

/// What the event puts before a person, if anything; from the state before or after it.
[[nodiscard]] std::optional<new_exception> exception_of(const payment& state,
                                                        const payment_event& event);

/// What the gateway is told. `card` is used by an authorization only and may be empty.
[[nodiscard]] gateway_request make_request(const payment& state, const call_target& target,
                                           const card_data& card);

/// The gateway that a call goes to.
[[nodiscard]] const std::string& gateway_of(const payment& state, const call_target& target);

struct recorded_event {
  timestamp at;
  payment_event event;
};

/// Replays a payment's whole history. Errors: corrupt, when the events can't follow one
/// another.
[[nodiscard]] expected<payment> fold(const std::vector<recorded_event>& history);

// -- questions that several rules ask
// -------------------------------------------------------------------

[[nodiscard]] bool is_terminal(payment_status status) noexcept;
[[nodiscard]] minor_units pending_amount(const payment& state, operation_kind kind) noexcept;
[[nodiscard]] bool has_pending(const payment& state, operation_kind kind) noexcept;
/// Whether a reversal of the attempt may begin: its outcome is unknown, or its hold has lapsed.
[[nodiscard]] bool may_be_reversed(const payment& state, const attempt& one) noexcept;
/// Since when the attempt's outcome, or the release of its lapsed hold, has been open.
[[nodiscard]] timestamp open_since(const payment& state, const attempt& one) noexcept;
/// Whether another gateway may yet have to be given the card.
[[nodiscard]] bool may_need_card(const payment& state, const policy& rules) noexcept;
/// Null: there is none.
[[nodiscard]] const operation* find_operation(const payment& state, operation_kind kind,
                                              std::uint32_t ordinal) noexcept;
/// The attempt that approved; null before.
[[nodiscard]] const attempt* approved_attempt(const payment& state) noexcept;

} // namespace holdfast::payments
