// The bodies of gateways' notices, checked field by field. Pure.
#pragma once

#include "messages/webhook.hpp"
#include "runtime/api/refusal.hpp"

#include <cstdint>
#include <string_view>

namespace holdfast::api {

/// POST /webhooks/{gateway}: {id, type, created_at, data: {reference, gateway_reference?,
/// amount?, currency?, dispute?: {id, reason?, fee?}}}. Refusals, all 400: those of
/// parse_object and field_reader; `invalid_reference` when `data.reference` names no payment of
/// these shards.
[[nodiscard]] checked<webhook_notice> read_webhook(std::string_view body,
                                                   std::string_view gateway,
                                                   std::uint16_t shards);

} // namespace holdfast::api
