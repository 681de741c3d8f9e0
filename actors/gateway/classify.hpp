// What a call is for, and whether it failed, in the breaker's words. Pure.
#pragma once

#include "actors/gateway/breaker.hpp"
#include "actors/payment/core.hpp"
#include "messages/gateway_types.hpp"

namespace holdfast::gateways {

/// `is_repeat`: the operation was tried before.
[[nodiscard]] call_kind kind_of(const payments::call_target& target, bool is_repeat) noexcept;

[[nodiscard]] call_result result_of(gateway_verdict verdict) noexcept;

} // namespace holdfast::gateways
