// The bodies of the payment API, checked field by field. Pure, and but for the card's expiry no
// matter of time: a body that was right once is so for ever. What comes out is a command that
// the core may rely on.
#pragma once

#include "messages/commands.hpp"
#include "runtime/api/refusal.hpp"

#include <optional>
#include <string_view>

namespace holdfast::api {

/// POST /v1/payments. `path` (the route) is left empty: it follows from merchant and region.
/// Refusals, all 400: those of parse_object and field_reader, `incorrect_number`,
/// `invalid_cvc`.
[[nodiscard]] checked<create_payment> read_create_payment(std::string_view body);
/// 400 `invalid_expiry`, unless the card is still good or a token stands for it.
[[nodiscard]] std::optional<refusal> refuse_expired_card(const create_payment& order,
                                                         timestamp now);

/// POST /v1/disputes/{id}/evidence: {note}. The payment is left nil: it is looked up.
[[nodiscard]] checked<note_evidence> read_note_evidence(std::string_view body,
                                                        dispute_id subject);

/// The bodies below may be empty.
[[nodiscard]] checked<capture_payment> read_capture_payment(std::string_view body,
                                                            payment_id subject);
[[nodiscard]] checked<void_payment> read_void_payment(std::string_view body,
                                                      payment_id subject);
[[nodiscard]] checked<refund_payment> read_refund_payment(std::string_view body,
                                                          payment_id subject);

} // namespace holdfast::api
