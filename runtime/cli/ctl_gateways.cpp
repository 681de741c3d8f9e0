// `holdfast ctl gateways` and `holdfast ctl routes`.
#include "runtime/cli/ctl_output.hpp"
#include "runtime/client/json_members.hpp"
#include "runtime/http/target.hpp"

#include <cstdlib>

namespace holdfast::cli::ctl {

namespace json = boost::json;
using client::integer_at;
using client::string_at;
using console::cell;
using console::view;

namespace {

constexpr view gateway_columns[] = {
  {"GATEWAY", "name"},
  {"NODE", "node"},
  {"BREAKER", "breaker"},
  {"SINCE", "since", cell::time},
  {"UNTIL", "until", cell::time},
  {"IN FLIGHT", "in_flight", cell::number},
  {"QUEUED", "queued", cell::number},
  {"CALLS", "calls", cell::number},
  {"FAILURES", "failures", cell::number},
  {"RETRIES LEFT", "retries_left", cell::number},
  {"WHY", "reason"},
};
constexpr view gateway_lines[] = {
  {"Gateway", "name"},
  {"Node", "node"},
  {"Breaker", "breaker"},
  {"Why", "reason"},
  {"Since", "since", cell::time},
  {"Until", "until", cell::time},
};
constexpr view route_columns[] = {
  {"ROUTE", "number", cell::number},
  {"PRIORITY", "priority", cell::number},
  {"MERCHANT", "merchant"},
  {"CURRENCY", "currency"},
  {"REGION", "region"},
  {"BRAND", "brand"},
  {"GATEWAYS", "gateways"},
  {"WEIGHTS", "weights"},
  {"ACQUIRER", "acquirer"},
};

/// Who gives the order, as far as the shell knows.
std::string user_name() {
  for (const char* variable : {"SUDO_USER", "USER", "LOGNAME"})
    if (const auto* name = std::getenv(variable); name != nullptr && *name != '\0')
      return name;
  return {};
}

expected<void> order_breaker(const context& how, const breaker_order& order,
                             const std::string& verb) {
  json::object body;
  if (const auto user = user_name(); !user.empty())
    body["by"] = user;
  if (!order.note.empty())
    body["note"] = order.note;
  if (!order.duration.empty())
    body["for"] = order.duration;
  const auto target = "/admin/v1/gateways/" + http::encode_segment(order.gateway) + '/' + verb;
  return show_object(how, how.admin.post(target, body), [](const json::object& gateway) {
    print(console::object_text(gateway, gateway_lines));
  });
}

void print_routes(const context& how, const json::object& table) {
  if (const auto* rows = table.if_contains("data"); rows && rows->is_array())
    print(console::rows_text(rows->as_array(), route_columns, how.out));
  const auto file = string_at(table, "file");
  print("\ngeneration " + std::to_string(integer_at(table, "generation")) + ", loaded "
        + string_at(table, "loaded_at") + (file.empty() ? "" : " from " + file) + '\n');
  const auto* warnings = table.if_contains("warnings");
  if (!warnings || !warnings->is_array())
    return;
  for (const auto& warning : warnings->as_array())
    if (warning.is_string())
      print(how.out.bad("warning: ") + std::string{warning.as_string()} + '\n');
}

} // namespace

expected<void> list_gateways(const context& how) {
  return show_list(how, "/admin/v1/gateways", extent::whole, gateway_columns);
}

expected<void> trip_gateway(const context& how, const breaker_order& order) {
  return order_breaker(how, order, "trip");
}

expected<void> reset_gateway(const context& how, const breaker_order& order) {
  return order_breaker(how, order, "reset");
}

expected<void> list_routes(const context& how) {
  return show_object(how, how.admin.get("/admin/v1/routes"),
                     [&](const json::object& table) { print_routes(how, table); });
}

expected<void> reload_routes(const context& how) {
  return show_object(how, how.admin.post("/admin/v1/routes/reload", json::object{}),
                     [&](const json::object& table) { print_routes(how, table); });
}

} // namespace holdfast::cli::ctl
