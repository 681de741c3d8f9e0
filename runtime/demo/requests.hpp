// The plan in the API's words: what a merchant sends for a planned payment and for what
// follows. Pure; used by the demo and by the crash tests.
#pragma once

#include "runtime/demo/audit.hpp"
#include "runtime/demo/plan.hpp"

#include <string>
#include <string_view>

namespace holdfast::demo {

/// The body of POST /v1/payments; `reference` is the merchant's own.
[[nodiscard]] std::string creation_body(const planned_payment& wanted,
                                        const std::string& reference);

/// The body of a capture, a void or a refund.
[[nodiscard]] std::string follow_up_body(const follow_up& wanted);

/// Where it is sent to, below /v1/payments/{id}: "/capture".
[[nodiscard]] std::string_view path_of(follow_up::kind what) noexcept;

/// What its definitive answer acknowledges.
[[nodiscard]] acknowledged::kind kind_of(follow_up::kind what) noexcept;

} // namespace holdfast::demo
