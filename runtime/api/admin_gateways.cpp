// Gateways and the routes that lead to them: how they are, and what an operator does about it.
#include "messages/json_writer.hpp"
#include "messages/limits.hpp"
#include "runtime/api/admin_routes.hpp"
#include "runtime/api/field_reader.hpp"
#include "runtime/api/media_type.hpp"
#include "runtime/api/reading.hpp"
#include "runtime/api/strict_json.hpp"
#include "runtime/config/values.hpp"

#include <boost/json/object.hpp>

#include <algorithm>

namespace holdfast::api {

namespace {

// -- gateways
// --------------------------------------------------------------------------------------

/// One member for each value of an enum from 0 on.
template <class Enum, class Counts>
void write_counts(json_writer& json, std::string_view name, const Counts& counts) {
  json.key(name).begin_object();
  for (std::size_t index = 0; index < counts.size(); ++index)
    json.member(to_string(static_cast<Enum>(index)), counts[index]);
  json.end_object();
}

void write_breaker(json_writer& json, const gateways::breaker_view& breaker, timestamp now) {
  const bool has_moved = !breaker.reason.empty();
  json.member("breaker", to_string(breaker.state))
    .member_or_null("reason", breaker.reason)
    .member_or_null("by", breaker.by)
    .member_or_null("since", has_moved ? to_rfc3339(now - breaker.age) : std::string{})
    .member_or_null("until", breaker.left ? to_rfc3339(now + *breaker.left) : std::string{});
  json.key("window").begin_object();
  json.member("calls", breaker.calls)
    .member("failures", breaker.failures)
    .member("slow", breaker.slow)
    .end_object();
  write_counts<gateways::trip_cause>(json, "trips", breaker.trips);
}

/// A breaker and its queues are those of one node.
std::string render_gateway(const runtime::gateway_status& gateway,
                           const admin_options& options) {
  json_writer json;
  json.begin_object()
    .member("name", gateway.name)
    .member("object", "gateway")
    .member("node", options.node);
  write_breaker(json, gateway.gate.breaker, options.now());
  json.member("in_flight", gateway.in_flight)
    .member("queued", gateway.queued)
    .member("calls", gateway.calls)
    .member("failures", gateway.failures)
    .member("retries_left", gateway.gate.retries_left)
    .member("recovering", gateway.gate.recovering);
  write_counts<gateways::refusal>(json, "not_sent", gateway.refused);
  return json.end_object().take();
}

struct breaker_order {
  std::optional<milliseconds> duration;
  gateways::operator_order who;
};

/// `with_duration`: a trip may end by itself.
checked<breaker_order> read_breaker_order(std::string_view body, bool with_duration) {
  breaker_order order;
  order.who.by = "an operator";
  if (body.empty())
    return order;
  const auto document = parse_object(body);
  if (!document)
    return document.error();
  std::optional<refusal> refused;
  field_reader fields{*document, {}, refused};
  if (with_duration)
    fields.only({"for", "note", "by"});
  else
    fields.only({"note", "by"});
  if (const auto by = fields.text("by", limits::operator_name_bytes_max); !by.empty())
    order.who.by = by;
  order.who.note = fields.text("note", limits::operator_note_bytes_max);
  if (with_duration && fields.has("for")) {
    const auto most = milliseconds{limits::gateway_trip_ms_max};
    order.duration = config::parse_duration(fields.required_text("for", 32));
    if (!order.duration || *order.duration < milliseconds{1} || *order.duration > most)
      fields.refuse("for", "invalid_field",
                    "Expected a duration such as \"90s\", \"10m\" or \"2h\", at most "
                      + config::duration_text(most) + '.');
  }
  if (refused)
    return *refused;
  return order;
}

void answer_gateway(const admin_services& services, const exchange& call) {
  const auto all = services.front.gateways();
  const auto found = std::ranges::find(all, call.argument(), &runtime::gateway_status::name);
  if (found == all.end())
    return call.refuse_absent("gateway");
  call.send_json(200, render_gateway(*found, services.options));
}

/// The order in the body, unless it was refused.
std::optional<breaker_order> order_of(const exchange& call, bool with_duration) {
  if (const auto refused = refuse_media_type(call.request())) {
    call.refuse(*refused);
    return std::nullopt;
  }
  auto order = read_breaker_order(call.request().body, with_duration);
  if (order)
    return std::move(*order);
  call.refuse(order.error());
  return std::nullopt;
}

// -- routes
// ----------------------------------------------------------------------------------------

void write_any_of(json_writer& json, std::string_view name,
                  const std::vector<std::string>& words) {
  json.key(name).begin_array();
  for (const auto& word : words)
    json.value(word);
  if (words.empty())
    json.value("*");
  json.end_array();
}

std::string render_route(std::size_t number, const config::route_settings& route) {
  json_writer json;
  json.begin_object().member("number", number).member("object", "route");
  write_any_of(json, "merchant", route.merchant);
  write_any_of(json, "currency", route.currency);
  write_any_of(json, "region", route.region);
  write_any_of(json, "brand", route.brand);
  json.member("priority", route.priority).key("gateways").begin_array();
  for (const auto& gateway : route.gateways)
    json.value(gateway);
  json.end_array().key("weights").begin_array();
  for (const auto weight : route.weights)
    json.value(weight);
  json.end_array().member("acquirer", route.acquirer).member("line", route.line);
  return json.end_object().take();
}

std::string render_routes(const exchange& call, const routing::version& shown) {
  json_writer json{2'048};
  json.begin_object()
    .member("object", "list")
    .member("url", call.request().path)
    .member("has_more", false)
    .member("generation", shown.generation)
    .member("loaded_at", to_rfc3339(shown.loaded_at))
    .member_or_null("file", shown.file)
    .key("data")
    .begin_array();
  std::size_t number = 0;
  for (const auto& route : shown.table.routes())
    json.raw(render_route(++number, route));
  json.end_array().key("warnings").begin_array();
  for (const auto& doubt : shown.table.doubts(shown.file))
    json.value(doubt);
  return json.end_array().end_object().take();
}

} // namespace

void list_gateways_route(const admin_services_ptr& services, const exchange_ptr& call) {
  const auto render = [&options = services->options](const runtime::gateway_status& gateway) {
    return render_gateway(gateway, options);
  };
  call->send_json(200, render_all(*call, services->front.gateways(), render));
}

void trip_gateway_route(const admin_services_ptr& services, const exchange_ptr& call) {
  auto order = order_of(*call, true);
  if (!order)
    return;
  if (!services->front.trip_gateway(call->argument(), order->duration, std::move(order->who)))
    return call->refuse_absent("gateway");
  answer_gateway(*services, *call);
}

void reset_gateway_route(const admin_services_ptr& services, const exchange_ptr& call) {
  auto order = order_of(*call, false);
  if (!order)
    return;
  if (!services->front.reset_gateway(call->argument(), std::move(order->who)))
    return call->refuse_absent("gateway");
  answer_gateway(*services, *call);
}

void list_routes_route(const admin_services_ptr& services, const exchange_ptr& call) {
  if (services->options.routes == nullptr)
    return call->refuse_absent("routing table");
  call->send_json(200, render_routes(*call, *services->options.routes->in_force()));
}

void reload_routes_route(const admin_services_ptr& services, const exchange_ptr& call) {
  if (!services->options.reload_routes)
    return call->refuse_absent("routing table");
  if (const auto done = services->options.reload_routes(); !done)
    return call->refuse(refusal{.status = 422,
                                .code = "invalid_configuration",
                                .detail = done.error().detail,
                                .param = {}});
  list_routes_route(services, call);
}

} // namespace holdfast::api
