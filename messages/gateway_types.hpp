// What is asked of a gateway and what it may answer. The four outcomes of an authorization are
// kept apart by type, because mixing up the last two charges people twice.
#pragma once

#include "messages/commands.hpp"

#include <cstdint>
#include <string>

namespace holdfast {

enum class gateway_verb : std::uint8_t { authorize, inquire, reverse, capture, refund };

[[nodiscard]] std::string_view to_string(gateway_verb verb) noexcept;

struct gateway_request {
  gateway_verb verb = gateway_verb::authorize;
  /// Of the authorization (`pay_….1`); a capture or refund names its hold by it too.
  std::string reference;
  /// Of the operation (`pay_….c1`, `pay_….r1`); empty for authorize, inquire and reverse.
  std::string operation_reference;
  std::string gateway_reference; ///< The gateway's id of the hold, where it is known.
  money total;
  bool final = false;
  card_data card;
  std::string token;
  std::string merchant; ///< the merchant's id as text
  std::string traceparent;
};

enum class gateway_verdict : std::uint8_t {
  approved,  ///< Definitive: done, for our own reference.
  declined,  ///< Definitive: refused.
  not_found, ///< An inquiry: the gateway has not (yet) heard of the reference.
  not_sent,  ///< Certain that nothing left this process: safe to try elsewhere.
  unknown,   ///< Timeout, 5xx, reset, nonsense: it may have happened.
};

[[nodiscard]] std::string_view to_string(gateway_verdict verdict) noexcept;

struct gateway_answer {
  gateway_verdict verdict = gateway_verdict::unknown;
  std::string gateway_reference;
  std::string code;    ///< decline code, or what made it unknown
  std::string message; ///< for a person; no card data
};

} // namespace holdfast
