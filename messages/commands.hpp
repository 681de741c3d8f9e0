// What a merchant asks of the runtime, and how it is answered: the messages between the HTTP
// front (on any node) and the shard that owns the key.
#pragma once

#include "messages/payment.hpp"
#include "messages/secret.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace holdfast {

/// A card as the merchant sent it. Lives in memory only, for as long as a gateway may be asked.
struct card_data {
  secret number;
  std::uint8_t exp_month = 0;
  std::uint16_t exp_year = 0;
  secret cvc;
};

/// Where an authorization may go, resolved from the routing table when the request came in.
struct route {
  std::vector<std::string> gateways; ///< in the order in which they may be tried
  std::string acquirer;
  std::vector<std::string> reasons = {}; ///< why each gateway stands there; as many, or none
};

struct create_payment {
  money total;
  capture_mode mode = capture_mode::manual;
  card_data card;    ///< empty when a token was sent
  std::string token; ///< empty when a card was sent
  card_summary summary;
  std::string reference;
  std::string description;
  std::string region;
  std::vector<std::pair<std::string, std::string>> metadata;
  route path;
};

struct capture_payment {
  payment_id payment;
  std::optional<minor_units> amount; ///< none: all that is left
  bool final = false;                ///< release what this capture leaves
};

struct void_payment {
  payment_id payment;
};

struct refund_payment {
  payment_id payment;
  std::optional<minor_units> amount; ///< none: all that is left
  std::string reason;
};

/// What the merchant has to say to a dispute. Changes no amount.
struct note_evidence {
  payment_id payment; ///< that the dispute is about
  dispute_id dispute;
  std::string note;
};

using merchant_action =
  std::variant<create_payment, capture_payment, void_payment, refund_payment, note_evidence>;

/// SHA-256 over method, path and body of a request: the same key with another one is refused.
using fingerprint = std::array<std::uint8_t, 32>;

/// What the client gets, whole, but for the headers that belong to the connection.
struct api_reply {
  std::uint16_t status = 500;
  std::string content_type = "application/json";
  std::string body;
  std::string location;            ///< empty for none
  std::uint32_t retry_after_s = 0; ///< 0 for none
  bool replayed = false;
};

struct merchant_command {
  std::string request_id;
  std::string traceparent; ///< W3C Trace Context, as it came; empty for none
  merchant_id merchant;
  std::uint16_t stripes = 1; ///< of the merchant: shards that its keys are spread over
  std::string idempotency_key;
  fingerprint request;
  milliseconds wait{10'000};  ///< How long the client waits for the outcome before a 202.
  bool respond_async = false; ///< 202 as soon as the intent is durable (RFC 7240).
  merchant_action action;
  /// Why a new request of this kind is refused at this time, under this configuration. A key
  /// that is known is answered as ever: what it stands for was accepted when it came.
  std::optional<api_reply> refusal_if_new;
};

} // namespace holdfast
