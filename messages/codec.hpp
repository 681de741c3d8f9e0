// Between the C++ structs and their journal form (Protobuf, messages/proto/journal.proto).
// Decoding never throws: stored bytes that don't parse are errc::corrupt.
#pragma once

#include "messages/events.hpp"

#include <string>
#include <string_view>

namespace holdfast {

[[nodiscard]] std::string encode(const payment_event& event);
[[nodiscard]] std::string encode(const settlement_event& event);
[[nodiscard]] expected<payment_event> decode_payment_event(event_type type,
                                                           std::string_view bytes);
[[nodiscard]] expected<settlement_event> decode_settlement_event(event_type type,
                                                                 std::string_view bytes);

/// The part of a payment that has no column of its own (attempts, operations, card, route …),
/// as one snapshot. What has columns is left out, except the id.
[[nodiscard]] std::string encode_detail(const payment& subject);
/// Fills into `subject` what `encode_detail` wrote. Errors: corrupt.
[[nodiscard]] expected<void> decode_detail(std::string_view bytes, payment& subject);

} // namespace holdfast
