// POST /webhooks/{gateway}: who signs may tell us something; nobody else learns anything.
#include "messages/webhook_signature.hpp"
#include "runtime/api/media_type.hpp"
#include "runtime/api/public_routes.hpp"
#include "runtime/api/webhook_requests.hpp"

#include <algorithm>

namespace holdfast::api {

namespace {

constexpr std::string_view signature_header = "webhook-signature";

refusal refused_signature(std::string_view code, std::string detail) {
  return {
    .status = 400, .code = code, .detail = std::move(detail), .param = "Webhook-Signature"};
}

/// None: the gateway has signed these very bytes, just now.
std::optional<refusal> refuse_signature(const http::request& request, const secret& key,
                                        timestamp now) {
  const bool twice =
    std::ranges::count(request.headers, signature_header,
                       [](const auto& header) -> std::string_view { return header.first; })
    > 1;
  const auto header = twice ? std::string_view{} : request.header(signature_header);
  switch (check_webhook(header, request.body, key, now)) {
    case signature_verdict::good: return std::nullopt;
    case signature_verdict::malformed:
      return refused_signature("webhook_forged",
                               "Expected one header Webhook-Signature: t=<unix seconds>,"
                               "v1=<hexadecimal HMAC-SHA-256 of \"t.body\">.");
    case signature_verdict::forged:
      return refused_signature("webhook_forged",
                               "No signature matches the body under this gateway's secret.");
    case signature_verdict::stale:
      return refused_signature("webhook_stale",
                               "The signed time is too far from ours; sign again to send it "
                               "again, and set the clock.");
  }
  return std::nullopt;
}

} // namespace

void receive_webhook_route(public_services& services, const exchange_ptr& call) {
  const auto& request = call->request();
  const auto& secrets = services.options.webhook_secrets;
  const auto known = secrets.find(call->argument());
  if (known == secrets.end())
    return call->refuse({.status = 404,
                         .code = "not_found",
                         .detail =
                           "No gateway of this name sends webhooks here: its [[gateways]] "
                           "table needs a webhook_secret.",
                         .param = {}});
  if (const auto refused = refuse_signature(request, known->second, services.options.now()))
    return call->refuse(*refused);
  if (const auto refused = refuse_media_type(request))
    return call->refuse(*refused);
  auto notice = read_webhook(request.body, known->first, services.options.layout.count());
  if (!notice)
    return call->refuse(notice.error());
  services.front.notify(std::move(*notice), request.request_id,
                        [call](api_reply reply) { call->send(std::move(reply), {}); });
}

} // namespace holdfast::api
