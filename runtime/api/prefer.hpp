// The Prefer header (RFC 7240): how long a client waits for the outcome of a POST. Pure.
#pragma once

#include "messages/time.hpp"
#include "runtime/http/message.hpp"

#include <string>

namespace holdfast::api {

struct preference {
  milliseconds wait;          ///< for the outcome, before a 202
  bool respond_async = false; ///< 202 as soon as the intent is durable
  std::string applied;        ///< what the answer's Preference-Applied says; empty for nothing
};

/// `wait=N` in seconds, cut to the longest that we hold a request; `respond-async`, which
/// together with a wait means "after that wait" (RFC 7240, section 4.3). The first of a kind
/// counts, and what is unknown or malformed is ignored, as the RFC wants: a preference is never
/// an error.
[[nodiscard]] preference read_preference(const http::header_list& headers);

} // namespace holdfast::api
