// The public JSON of payments and refunds, and the answers built of them. Pure: the actors make
// the bytes durable before they leave, and the HTTP front shows the same object on reads.
#pragma once

#include "messages/commands.hpp"
#include "messages/payment.hpp"

#include <optional>
#include <string>

namespace holdfast {
class json_writer;
}

namespace holdfast::api {

/// `{"id":"pay_…","object":"payment",…}` with the members in the documented order.
[[nodiscard]] std::string render_payment(const payment& subject,
                                         std::optional<batch_id> batch = std::nullopt);
/// `"attempts":[{"number":1,"gateway":…}]`: which gateways were asked, in order, and why.
void write_attempts(json_writer& json, const payment& subject);
/// `{"id":"ref_…","object":"refund","payment":…,"status":"pending"|"succeeded"|"failed",…}`.
[[nodiscard]] std::string render_refund(const payment_id& owner, currency unit,
                                        const operation& refund);

/// `{"id":"dsp_…","object":"dispute","payment":…,"status":"open"|"won"|"lost",…}`.
[[nodiscard]] std::string render_dispute(const payment_id& owner, currency unit,
                                         const dispute& subject);

/// 201 with the payment: it was authorized or captured, as asked.
[[nodiscard]] api_reply answer_created(const payment& subject);
/// 200 with the payment: a capture or void succeeded.
[[nodiscard]] api_reply answer_updated(const payment& subject);
/// 202 with the payment as it stands and its Location: the outcome is not known in time.
[[nodiscard]] api_reply answer_pending(const payment& subject);
/// 201 (succeeded) or 202 (still pending) with the refund.
[[nodiscard]] api_reply answer_refund(const payment& subject, const operation& refund);
/// 200 with the dispute: its evidence was noted.
[[nodiscard]] api_reply answer_dispute(const payment& owner, const dispute& subject);
/// 200 to a gateway: its notice is durable, by this delivery or an earlier one.
[[nodiscard]] api_reply answer_webhook(std::string_view event_id, bool duplicate);
/// 402 problem with decline_code and payment: declined, or failed for want of a gateway.
[[nodiscard]] api_reply answer_declined(const payment& subject, std::string_view request_id);
/// 402 problem: the gateway refused the operation; `refused` carries its code.
[[nodiscard]] api_reply answer_refused(const payment& subject, const operation& refused,
                                       std::string_view request_id);
/// Any other refusal: `invalid_state` 409, `amount_too_large` 422, `idempotency_key_reused`
/// 422, `request_in_progress` 409, `not_found` 404, `overloaded` and `shard_unavailable` 503 …
[[nodiscard]] api_reply answer_problem(std::uint16_t status, std::string_view code,
                                       std::string detail, std::string_view request_id,
                                       std::uint32_t retry_after_s = 0);

} // namespace holdfast::api
