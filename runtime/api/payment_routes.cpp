// The POSTs: checked, made into a command and handed to the owner of its shard.
#include "messages/limits.hpp"
#include "runtime/api/idempotency.hpp"
#include "runtime/api/media_type.hpp"
#include "runtime/api/payment_requests.hpp"
#include "runtime/api/prefer.hpp"
#include "runtime/api/public_routes.hpp"

#include <algorithm>

namespace holdfast::api {

namespace {

/// What is passed on must be a traceparent of version 00 (W3C Trace Context); anything else is
/// dropped, as that standard wants.
std::string read_traceparent(const http::request& request) {
  constexpr std::string_view form = "00-hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh-hhhhhhhhhhhhhhhh-hh";
  const auto given = request.header("traceparent");
  const auto fits = [](char wanted, char c) {
    const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    return wanted == 'h' ? hex : wanted == c;
  };
  const bool well_formed =
    std::equal(form.begin(), form.end(), given.begin(), given.end(), fits);
  return well_formed ? std::string{given} : std::string{};
}

refusal no_such_payment(std::string detail) {
  return {.status = 404, .code = "not_found", .detail = std::move(detail), .param = {}};
}

checked<payment_id> payment_of(const public_services& services, const exchange& call) {
  const auto id = payment_id::parse(call.argument());
  if (!id)
    return no_such_payment("This is not a payment's id: " + id.error().detail + ".");
  if (id->shard().value >= services.options.shards)
    return no_such_payment("There is no such payment.");
  return *id;
}

/// `read_action` is called last: nothing of a body is looked at before its envelope is right.
template <class ReadAction>
void submit(public_services& services, const exchange_ptr& call, ReadAction read_action) {
  const auto& request = call->request();
  auto key = read_idempotency_key(request.headers);
  if (!key)
    return call->refuse(key.error());
  if (const auto refused = refuse_media_type(request))
    return call->refuse(*refused);
  checked<merchant_action> action = read_action();
  if (!action)
    return call->refuse(action.error());
  const auto preferred = read_preference(request.headers);

  merchant_command command;
  command.request_id = request.request_id;
  command.traceparent = read_traceparent(request);
  command.merchant = call->who().merchant;
  command.stripes = call->who().stripes;
  command.idempotency_key = std::move(*key);
  command.request = fingerprint_of(request.method, request.path, request.body);
  command.wait = preferred.wait;
  command.respond_async = preferred.respond_async;
  command.action = std::move(*action);
  services.front.submit(std::move(command),
                        [call, applied = preferred.applied](api_reply reply) {
                          call->send(std::move(reply), applied);
                        });
}

/// Of a POST about one payment: reads the body by `read`, given the payment's id.
template <class Read>
void submit_about_payment(public_services& services, const exchange_ptr& call, Read read) {
  submit(services, call, [&]() -> checked<merchant_action> {
    const auto subject = payment_of(services, *call);
    if (!subject)
      return subject.error();
    auto order = read(call->request().body, *subject);
    if (!order)
      return order.error();
    return merchant_action{std::move(*order)};
  });
}

} // namespace

void create_payment_route(public_services& services, const exchange_ptr& call) {
  submit(services, call, [&]() -> checked<merchant_action> {
    auto order = read_create_payment(call->request().body, services.options.now());
    if (!order)
      return order.error();
    auto path = services.routes.resolve(call->who().merchant, order->total.unit, order->region);
    if (!path)
      return refusal{.status = 422,
                     .code = "no_route",
                     .detail = "No gateway is configured for this currency and region.",
                     .param = {}};
    order->path = std::move(*path);
    return merchant_action{std::move(*order)};
  });
}

void capture_payment_route(public_services& services, const exchange_ptr& call) {
  submit_about_payment(services, call, read_capture_payment);
}

void void_payment_route(public_services& services, const exchange_ptr& call) {
  submit_about_payment(services, call, read_void_payment);
}

void refund_payment_route(public_services& services, const exchange_ptr& call) {
  submit_about_payment(services, call, read_refund_payment);
}

} // namespace holdfast::api
