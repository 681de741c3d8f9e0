// The POSTs: checked, made into a command and handed to the owner of its shard.
#include "messages/limits.hpp"
#include "runtime/api/idempotency.hpp"
#include "runtime/api/media_type.hpp"
#include "runtime/api/payment_requests.hpp"
#include "runtime/api/prefer.hpp"
#include "runtime/api/public_routes.hpp"
#include "runtime/api/reading.hpp"

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
  if (id->shard().value >= services.options.layout.count())
    return no_such_payment("There is no such payment.");
  return *id;
}

/// What a body asks for.
struct asked {
  merchant_action action;
  std::optional<refusal> refused_if_new; ///< by the clock or by the configuration
};

/// `read_action`, given the key, is called last: nothing of a body is looked at before its
/// envelope is right.
///
/// A key that is known is answered with what it stands for, whatever has changed since. So a
/// refusal may be given here only if it follows from the request alone, for ever: then no
/// request like this one can have been accepted. Refusals that the time or the configuration
/// decide (a card that has expired, no route) go to the shard with the command, which gives
/// them where the key is new. Two that could change stay in front on purpose: a body longer
/// than the configured maximum is not read, so nobody can tell what it repeats; and a limit of
/// messages/limits.hpp that is ever lowered must let pass what was accepted before for as long
/// as keys are kept.
template <class ReadAction>
void submit(public_services& services, const exchange_ptr& call, ReadAction read_action) {
  const auto& request = call->request();
  auto key = read_idempotency_key(request.headers);
  if (!key)
    return call->refuse(key.error());
  if (const auto refused = refuse_media_type(request))
    return call->refuse(*refused);
  checked<asked> wish = read_action(*key);
  if (!wish)
    return call->refuse(wish.error());
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
  command.action = std::move(wish->action);
  if (wish->refused_if_new)
    command.refusal_if_new = call->reply_of(*wish->refused_if_new);
  services.front.submit(std::move(command),
                        [call, applied = preferred.applied](api_reply reply) {
                          call->send(std::move(reply), applied);
                        });
}

/// Of a POST about one payment: reads the body by `read`, given the payment's id.
template <class Read>
void submit_about_payment(public_services& services, const exchange_ptr& call, Read read) {
  submit(services, call, [&](const std::string&) -> checked<asked> {
    const auto subject = payment_of(services, *call);
    if (!subject)
      return subject.error();
    auto order = read(call->request().body, *subject);
    if (!order)
      return order.error();
    return asked{std::move(*order), std::nullopt};
  });
}

refusal no_route() {
  return {.status = 422,
          .code = "no_route",
          .detail = "No gateway is configured for this currency and region.",
          .param = {}};
}

} // namespace

void create_payment_route(public_services& services, const exchange_ptr& call) {
  submit(services, call, [&](const std::string& key) -> checked<asked> {
    auto order = read_create_payment(call->request().body);
    if (!order)
      return order.error();
    auto refused = refuse_expired_card(*order, services.options.now());
    auto path = services.routes.resolve({.merchant = call->who().merchant,
                                         .unit = order->total.unit,
                                         .region = order->region,
                                         .brand = order->summary.brand,
                                         .key = key});
    if (path)
      order->path = std::move(*path);
    else if (!refused)
      refused = no_route();
    return asked{std::move(*order), std::move(refused)};
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

/// A dispute's id doesn't tell its payment, which is therefore looked up first.
void note_evidence_route(public_services& services, const exchange_ptr& call) {
  using found = std::optional<storage::dispute_view>;
  const auto id = id_in_path<dispute_id>(*call, "dispute");
  if (!id)
    return;
  services.store.find_dispute(
    *id, call->who().merchant, unless_failed<found>(call, [&services, call](const found& view) {
      if (!view)
        return call->refuse_absent("dispute");
      submit(services, call, [&](const std::string&) -> checked<asked> {
        auto order = read_note_evidence(call->request().body, view->row.id);
        if (!order)
          return order.error();
        order->payment = view->payment;
        return asked{std::move(*order), std::nullopt};
      });
    }));
}

} // namespace holdfast::api
