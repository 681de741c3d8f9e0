// How gateways sign their notices: `Webhook-Signature: t=<unix seconds>,v1=<hex>[,v1=<hex>…]`,
// where each v1 is HMAC-SHA-256 over the text "t.body" under one of the sender's secrets.
// Several of them let a gateway change its secret without a pause. Pure: the clock is an
// argument.
#pragma once

#include "messages/secret.hpp"
#include "messages/time.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast {

enum class signature_verdict : std::uint8_t {
  good,
  malformed, ///< There is no header of this form.
  forged,    ///< No signature in it is ours.
  stale,     ///< Ours, but too far from now: a repetition, or a clock that is wrong.
};

/// Over the body byte for byte, in a time that doesn't depend on where signatures differ. The
/// time is looked at last, so that only who has the secret learns that it is wrong.
[[nodiscard]] signature_verdict check_webhook(std::string_view header, std::string_view body,
                                              const secret& key, timestamp now);

/// The header for a body sent at this time.
[[nodiscard]] std::string sign_webhook(std::string_view body, const secret& key, timestamp at);

} // namespace holdfast
